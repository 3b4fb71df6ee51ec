"""The two ways a payment order reaches an insurer: its core system over HTTP, or signed files in a folder; no state."""

import asyncio
import hashlib
import hmac
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from models.contracts.base import Contract, Money, Number
from models.contracts.vocabulary import OrderResult

ANSWER_WITHIN = 10.0  # seconds for a core system; what comes later is unknown
CONNECT_WITHIN = 3.0  # seconds; a line that never stood carried nothing
FRESH = 300  # seconds a signature is good for (promises.md section 6, webhooks)
KEY, STAMP, SIGNATURE = "Idempotency-Key", "Anze-Timestamp", "Anze-Signature"
UNDECIDED = frozenset({408, 425, 429})
"""Refusals of the moment: they say nothing about the payment itself."""

Message = Mapping[str, Any]


class NotSent(Exception):
    """The order cannot have reached anybody; sending it again is safe."""


class Answer(Contract):
    """What is said of the order under `key`; `amount` where the core system repeats it."""

    key: str
    result: OrderResult
    reference: Number | None = None
    code: str = ""
    amount: Money | None = None


ANSWERS = TypeAdapter(list[Answer])


class Channel(Protocol):
    """One insurer's way to be told; each call ends within seconds."""

    @property
    def name(self) -> str: ...

    @property
    def answer_within(self) -> float:
        """Seconds after which a call to `send` can reach nobody any more."""
        ...

    async def send(self, message: Message) -> Answer:
        """Raises NotSent; everything else is an answer, `unknown` at worst."""
        ...

    async def ask(self, key: str) -> Answer | None:
        """What became of an order, `None` where it was never heard of."""
        ...

    async def statement(self) -> list[Answer]:
        """Everything the insurer knows of. Raises OSError or httpx.HTTPError where it cannot be had."""
        ...


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 over time and body, as it stands in the header; hexadecimal after the version."""
    return "v1=" + hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_signed(secret: bytes, stamp: str, body: bytes, given: str, now: datetime) -> bool:
    """Whether body and time were signed with the secret, not long ago."""
    fresh = stamp.isascii() and stamp.isdigit() and abs(now.timestamp() - int(stamp[:12])) <= FRESH
    return fresh and hmac.compare_digest(signature(secret, stamp, body).encode(), given.encode())


def body_of(message: Message) -> bytes:
    return json.dumps(message, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _stamp() -> str:
    return str(int(datetime.now(UTC).timestamp()))


@dataclass(frozen=True)
class HttpChannel:
    """POST {url}/payments with the order's key as idempotency key; GET {url}/payments/{key}; GET {url}/payments."""

    url: str
    secret: bytes
    answer_within: float = ANSWER_WITHIN
    name: str = "http"

    async def send(self, message: Message) -> Answer:
        key, amount = str(message["key"]), Decimal(str(message["amount"]))
        try:
            response = await self._call("POST", "/payments", body_of(message), key)
        except (httpx.ConnectError, httpx.ConnectTimeout) as never:
            raise NotSent(type(never).__name__) from None
        except (httpx.HTTPError, TimeoutError) as broken:
            return Answer(key=key, result=OrderResult.UNKNOWN, code=_code(type(broken).__name__))
        if response.status_code >= 500 or response.status_code in UNDECIDED:
            return Answer(key=key, result=OrderResult.UNKNOWN, code=f"http-{response.status_code}")
        if response.status_code >= 400:
            return Answer(key=key, result=OrderResult.REFUSED, code=_said(response) or f"http-{response.status_code}")
        return _read(response, key, amount)

    async def ask(self, key: str) -> Answer | None:
        try:
            response = await self._call("GET", f"/payments/{quote(key, safe='')}", b"")
        except (httpx.HTTPError, TimeoutError) as broken:
            return Answer(key=key, result=OrderResult.UNKNOWN, code=_code(type(broken).__name__))
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if response.status_code != httpx.codes.OK:
            return Answer(key=key, result=OrderResult.UNKNOWN, code=f"http-{response.status_code}")
        return _read(response, key, None)

    async def statement(self) -> list[Answer]:
        response = await self._call("GET", "/payments", b"")
        response.raise_for_status()
        try:
            return ANSWERS.validate_json(response.content)
        except ValidationError:
            raise httpx.DecodingError("对账单无法读取 / unreadable statement") from None

    async def _call(self, method: str, path: str, body: bytes, key: str = "") -> httpx.Response:
        stamp = _stamp()
        signed = body or path.encode()  # a question is signed too, over its path
        headers = {STAMP: stamp, SIGNATURE: signature(self.secret, stamp, signed), "Content-Type": "application/json"}
        timeout = httpx.Timeout(self.answer_within, connect=CONNECT_WITHIN)
        async with httpx.AsyncClient(trust_env=False, timeout=timeout, follow_redirects=False) as http:
            async with asyncio.timeout(self.answer_within):  # also against an answer that comes byte by byte
                return await http.request(
                    method, self.url + path, content=body, headers=headers | ({KEY: key} if key else {})
                )


@dataclass(frozen=True)
class FolderChannel:
    """One signed file per order in `orders/`, written whole or not at all; answers are read from `answers/`."""

    folder: Path
    secret: bytes
    name: str = "folder"
    answer_within: float = 0.0
    """Whoever comes later finds the file and leaves it as it is."""

    async def send(self, message: Message) -> Answer:
        key = str(message["key"])
        try:
            await asyncio.to_thread(self._write, key, message)
        except OSError as full:
            raise NotSent(type(full).__name__) from None
        return Answer(key=key, result=OrderResult.ACCEPTED)

    async def ask(self, key: str) -> Answer | None:
        return await asyncio.to_thread(self._look, key)

    async def statement(self) -> list[Answer]:
        return await asyncio.to_thread(self._all)

    def _write(self, key: str, message: Message) -> None:
        orders = self.folder / "orders"
        orders.mkdir(mode=0o700, parents=True, exist_ok=True)
        stamp, body = _stamp(), body_of(message)
        whole = {"timestamp": stamp, "signature": signature(self.secret, stamp, body), "body": body.decode()}
        descriptor, name = tempfile.mkstemp(dir=orders, suffix=".part")  # 0600: it names an account
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(whole, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            if not (orders / _file(key)).exists():
                os.link(name, orders / _file(key))  # whoever links first has written it
        except FileExistsError:
            return
        finally:
            os.unlink(name)

    def _look(self, key: str) -> Answer | None:
        answered = self._answer(self.folder / "answers" / _file(key))
        if answered is not None and answered.key == key:
            return answered
        if (self.folder / "orders" / _file(key)).exists():
            return Answer(key=key, result=OrderResult.ACCEPTED)
        return None

    def _all(self) -> list[Answer]:
        found = (self._answer(path) for path in sorted((self.folder / "answers").glob("*.json")))
        return [answer for answer in found if answer is not None]

    def _answer(self, path: Path) -> Answer | None:
        """An answer file is signed like an order; one that is not, or that cannot be read, is no answer."""
        try:
            whole = json.loads(path.read_bytes())
            body = str(whole["body"]).encode()
            told = Answer.model_validate_json(body)
            valid = hmac.compare_digest(signature(self.secret, str(whole["timestamp"]), body), str(whole["signature"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return told if valid else None


def _file(key: str) -> str:
    """A file name of letters, digits, dot and hyphen; the digest keeps two keys apart that look alike in it."""
    return f"{re.sub(r'[^A-Za-z0-9.-]', '_', key)[:80]}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.json"


def _read(response: httpx.Response, key: str, amount: Decimal | None) -> Answer:
    """An answer about another order, another amount, or without its reference is no answer."""
    try:
        answer = Answer.model_validate_json(response.content)
    except ValidationError:
        return Answer(key=key, result=OrderResult.UNKNOWN, code="unreadable")
    other = answer.key != key or (None not in {answer.amount, amount} and answer.amount != amount)
    if other or (answer.result is OrderResult.CONFIRMED and answer.reference is None):
        return Answer(key=key, result=OrderResult.UNKNOWN, code="contradicts-order")
    return answer


def _said(response: httpx.Response) -> str:
    try:
        return _code(str(response.json()["code"]))
    except (ValueError, KeyError, TypeError):
        return ""


def _code(text: str) -> str:
    """A code of the other side as we keep it: short, and without anything that is no code."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:64].lstrip("._-")
