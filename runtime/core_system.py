"""A stand-in for an insurer's core system: pays on paper, checks signatures, and misbehaves when told to; no money."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from activities.payment_channels import KEY, SIGNATURE, STAMP, is_signed

NEVER = 3600.0  # seconds; whoever asks has long gone
CALL_BACK_WITHIN = 10.0  # seconds


class Manner(StrEnum):
    """How the next orders are answered."""

    PROMPT = "prompt"  # paid and confirmed at once
    ACCEPT = "accept"  # taken in; paid when told to at /payments/{key}/confirm
    LATE = "late"  # paid at once, answered after `seconds`
    NEVER = "never"  # paid, and never answered
    BROKEN = "broken"  # paid, answered with 500
    LOST = "lost"  # not paid, answered with 503
    REFUSE = "refuse"  # not paid, and said so
    TWICE = "twice"  # paid once, confirmed again and again by calling back
    WRONG = "wrong"  # paid, answered with another order's amount
    GARBLED = "garbled"  # paid, answered with something unreadable


@dataclass(frozen=True)
class CallBack:
    """Where confirmations are posted: the API and a key of it."""

    url: str
    token: str


@dataclass
class Paid:
    """One order as this system knows it."""

    body: Mapping[str, Any]
    digest: str
    result: str
    reference: str | None = None
    code: str = ""
    asked: int = 1


@dataclass
class CoreSystem:
    """The books of the stand-in; `payments` counts each key once, whatever is sent how often."""

    secret: bytes
    call_back: CallBack | None = None
    manner: Manner = Manner.PROMPT
    seconds: float = 15.0
    payments: dict[str, Paid] = field(default_factory=dict)
    refused_signatures: int = 0
    _calls: set[asyncio.Task[None]] = field(default_factory=set)

    def app(self) -> Starlette:
        """The application; `/manner` is how it is told to misbehave."""
        return Starlette(
            routes=[
                Route("/payments", self._pay, methods=["POST"]),
                Route("/payments", self._statement, methods=["GET"]),
                Route("/payments/{key:path}/confirm", self._confirm, methods=["POST"]),
                Route("/payments/{key:path}", self._status, methods=["GET"]),
                Route("/manner", self._told, methods=["PUT"]),
                Route("/health/ready", _ready, methods=["GET"]),
            ]
        )

    async def _pay(self, request: Request) -> Response:
        body = await request.body()
        if not self._is_signed(request, body):
            return _problem(401, "bad-signature")
        order, key = json.loads(body), request.headers.get(KEY, "")
        if order.get("key") != key:
            return _problem(400, "key-mismatch")
        manner, digest = self.manner, hashlib.sha256(body).hexdigest()
        known = self.payments.get(key)
        if known is not None and _content(known.body) != _content(order):
            return _problem(409, "other-order")
        if known is None and manner is Manner.LOST:
            return PlainTextResponse("", 503)
        if known is None and manner is Manner.REFUSE:
            return _problem(422, "account-closed")
        if known is None:
            result = "accepted" if manner is Manner.ACCEPT else "confirmed"
            self.payments[key] = Paid(order, digest, result, _reference(key) if result == "confirmed" else None)
        else:
            known.asked += 1
        return await self._answered(key, manner)

    async def _answered(self, key: str, manner: Manner) -> Response:
        if manner is Manner.NEVER:
            await asyncio.sleep(NEVER)
        if manner is Manner.LATE:
            await asyncio.sleep(self.seconds)
        if manner is Manner.BROKEN:
            return PlainTextResponse("", 500)
        if manner is Manner.GARBLED:
            return PlainTextResponse("<html>paid</html>", 200)
        if manner is Manner.TWICE:
            for _ in range(2):
                self._call_back(key)
        answer = self._said(key)
        if manner is Manner.WRONG:
            answer["amount"] = "0.01"
        return JSONResponse(answer)

    async def _status(self, request: Request) -> Response:
        key = request.path_params["key"]
        if not self._is_signed(request, _path(request)):
            return _problem(401, "bad-signature")
        return JSONResponse(self._said(key)) if key in self.payments else _problem(404, "unknown-order")

    async def _statement(self, request: Request) -> Response:
        if not self._is_signed(request, _path(request)):
            return _problem(401, "bad-signature")
        return JSONResponse([self._said(key) for key in self.payments])

    async def _confirm(self, request: Request) -> Response:
        """The bank has paid: mark the order and tell whoever wants to be told."""
        key = request.path_params["key"]
        if key not in self.payments:
            return _problem(404, "unknown-order")
        paid = self.payments[key]
        paid.result, paid.reference = "confirmed", _reference(key)
        self._call_back(key)
        return JSONResponse(self._said(key))

    async def _told(self, request: Request) -> Response:
        told = await request.json()
        try:
            self.manner = Manner(told["manner"])
            self.seconds = float(told.get("seconds", self.seconds))
        except (KeyError, TypeError, ValueError):
            return _problem(422, "unknown-manner")
        return JSONResponse({"manner": self.manner.value, "seconds": self.seconds})

    def _said(self, key: str) -> dict[str, Any]:
        paid = self.payments[key]
        told = {"key": key, "result": paid.result, "reference": paid.reference, "code": paid.code}
        return {**told, "amount": paid.body["amount"]}

    def _is_signed(self, request: Request, body: bytes) -> bool:
        given, stamp = request.headers.get(SIGNATURE, ""), request.headers.get(STAMP, "")
        valid = is_signed(self.secret, stamp, body, given, datetime.now(UTC))
        self.refused_signatures += not valid
        return valid

    def _call_back(self, key: str) -> None:
        if self.call_back is not None:
            call = asyncio.create_task(_confirmation(self.call_back, self._said(key), self.payments[key].body))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)


async def _confirmation(to: CallBack, said: Mapping[str, Any], order: Mapping[str, Any]) -> None:
    """Tell the API; the key is the bank's reference, so that telling it twice is telling it once."""
    path = f"/v1/claims/{order['claim_id']}/payments/{order['payment_number']}/confirmation"
    headers = {"Authorization": f"Bearer {to.token}", "Idempotency-Key": f"bank-{said['reference']}"}
    async with httpx.AsyncClient(trust_env=False, timeout=CALL_BACK_WITHIN) as http:
        try:
            await http.post(
                to.url + path, headers=headers, json={"result": said["result"], "reference": said["reference"]}
            )
        except httpx.HTTPError:
            return  # the statement of the day will show it


async def _ready(_: Request) -> Response:
    return PlainTextResponse("ok")


def _path(request: Request) -> bytes:
    return request.scope.get("raw_path", request.url.path.encode()).partition(b"?")[0]


def _content(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """What makes it the same order."""
    return {name: order.get(name) for name in ("key", "amount", "payee", "lines", "payment_number")}


def _reference(key: str) -> str:
    """The bank's reference: one per order, whatever happens."""
    return "B" + hashlib.sha256(key.encode()).hexdigest()[:15].upper()


def _problem(status: int, code: str) -> Response:
    return JSONResponse({"code": code}, status)
