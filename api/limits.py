"""What a request must be before any route sees it: headers, size, media type and strict JSON, as plain ASGI."""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.bodies import charged, counting, header, replaying, whole
from api.methods import Methods
from api.problems import API, Problem, not_found, one_field, try_later
from api.rates import Rates, asked_from
from api.tools import Budgets, Tools
from api.under_way import PLACES, UnderWay
from api.words import ProblemCode, Reason

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
ONCE = {b"authorization", b"content-type", b"content-length", b"idempotency-key", b"host"}
JSON_TYPE = re.compile(r"application/json\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.IGNORECASE)
STRINGS = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
"""One that is not closed reaches to the end and gives nothing back: each quote in it would be looked at to the end."""
FOREIGN_FORM = re.compile(rb"multipart/.*charset(?!=\"?utf-8\"?\s*(;|$))", re.IGNORECASE | re.DOTALL)
CONTROLS = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]")
"""What no address and no text of a form has: all but tabs and line ends."""
METHOD_NOT_ALLOWED = 405
PARTS = b"accept-ranges"
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
URLENCODED, SPELT_OUT = b"application/x-www-form-urlencoded", 3
"""How forms without files come, and in how many characters each byte of a Chinese letter is spelt there."""
RAW_ROUTES = ("/v1/files",)
UNCOUNTED = ("/health/", "/static/")
SAFE_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"cache-control": b"no-store",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"content-security-policy": b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
"""What every answer has, unless its route says otherwise (promises.md section 6)."""
OVER_TLS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
"""A year without a word in the clear, where the address people use is an https one."""


@dataclass(frozen=True)
class CheckedBody:
    """A body that passed: its parsed value, and the one spelling its fingerprint is taken from."""

    value: Any
    canonical: bytes


class Limits:
    """Refuses what is too large, doubled, misspelt or not JSON; the rest passes with its body already checked."""

    def __init__(self, app: ASGIApp, budgets: Budgets) -> None:
        self.app = app
        self.budgets = budgets
        self._visits = Rates(budgets.requests_per_second, budgets.burst)
        self._uploads = Rates(budgets.uploaded_per_second, budgets.uploaded_burst)
        self._under_way = UnderWay(budgets.at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["request_id"] = _request_id(scope)
        scope["deadline"] = asyncio.get_running_loop().time() + self.budgets.answer_within
        send = _with_safe_headers(send, scope["request_id"], scope)
        try:
            _check_headers(scope, self.budgets)
            _check_address(scope)
            _ask_for_all(scope)
            with self._among_others(scope):
                receive = await self._checked(scope, receive)
                await self.app(scope, receive, send)
        except Problem as problem:
            found = _as_wrong_method(scope) or problem
            told = await problems.answer(Request(scope), found)
            await told(scope, receive, send)

    @contextmanager
    def _among_others(self, scope: Scope) -> Iterator[None]:
        """As often as one address may see pages, and as many at once as one address may have under way.

        Whatever key it shows: one that nobody has opens no further places. What a key may, callers.py says.
        Raises Problem 429.
        """
        path, address = str(scope["path"]), asked_from(scope)
        if path.startswith(UNCOUNTED):
            yield
            return
        if wait := 0 if path.startswith(API) else self._visits.spend(address):
            raise try_later(ProblemCode.TOO_MANY, wait)
        with self._under_way.places() as places:
            places.take(f"address {address}")
            scope[PLACES] = places
            yield

    def _most(self, scope: Scope) -> int:
        """Bytes of a form or a file. One without files is as small as other bodies: its parser is slow over nothing."""
        if str(scope["path"]).startswith(API):
            return self.budgets.file + self.budgets.body
        is_plain = header(scope, b"content-type").lower().startswith(URLENCODED)
        return self.budgets.body * SPELT_OUT if is_plain else self.budgets.page_upload

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        path, method = str(scope["path"]), str(scope["method"])
        if header(scope, b"content-encoding") not in {b"", b"identity"}:
            raise Problem(ProblemCode.UNSUPPORTED_MEDIA)
        if not path.startswith(API) or path.startswith(RAW_ROUTES):
            _check_form(scope)
            return counting(scope, charged(scope, receive, self._uploads), self._most(scope), self.budgets)
        try:
            async with asyncio.timeout(self.budgets.body_within):
                body = await whole(scope, receive, self.budgets.body)
        except TimeoutError:
            raise Problem(ProblemCode.BAD_REQUEST) from None
        if method in CHANGING:
            _check_media_type(scope)
            scope["checked_body"] = strict_json(body, self.budgets.nesting)
        return replaying(body, receive)


def strict_json(body: bytes, nesting: int) -> CheckedBody:
    """Parse UTF-8 JSON: no BOM, no doubled keys, no NaN, no lone surrogates, no deep nesting; else a Problem."""
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or b"\x00" in body[:4]:
        raise Problem(ProblemCode.UNSUPPORTED_MEDIA)
    _check_nesting(body, nesting)
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_distinct, parse_constant=_not_a_number, parse_float=_finite
        )
        canonical = spelled(value)
    except (ValueError, RecursionError):  # wrong bytes, wrong grammar, or more digits than Python reads
        raise Problem(ProblemCode.NOT_JSON) from None
    return CheckedBody(value, _encoded(canonical))


def spelled(value: Any) -> str:
    """The one spelling of a JSON value: fingerprints are taken from it, also of what came from a form or a workbook."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"))


def _encoded(canonical: str) -> bytes:
    try:
        return canonical.encode()
    except UnicodeEncodeError:
        raise one_field("body", Reason.SURROGATE) from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Problem(ProblemCode.DUPLICATE_KEY)
    return found


def _not_a_number(_: str) -> NoReturn:
    raise one_field("body", Reason.NUMBER)


def _finite(digits: str) -> float:
    """1e999 is good JSON and reads as infinite."""
    number = float(digits)
    return number if isfinite(number) else _not_a_number(digits)


def _check_nesting(body: bytes, most: int) -> None:
    """Counted before parsing, because a parser's own limit is its stack."""
    if body.count(b"[") + body.count(b"{") <= most:
        return
    depth = 0
    for byte in STRINGS.sub(b"", body):
        if byte in b"[{":
            depth += 1
        elif byte in b"]}":
            depth -= 1
        if depth > most:
            raise Problem(ProblemCode.TOO_DEEP)


def _check_headers(scope: Scope, budgets: Budgets) -> None:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    line = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
    if line + sum(len(name) + len(value) for name, value in headers) > budgets.headers:
        raise Problem(ProblemCode.HEADERS_TOO_LARGE)
    seen = [name.lower() for name, _ in headers if name.lower() in ONCE]
    if len(seen) != len(set(seen)):
        raise Problem(ProblemCode.DUPLICATE_HEADER)


def _check_address(scope: Scope) -> None:
    """Nothing lies at a path with control characters, and no query string has any, however they are written.

    The API is asked everything once.
    """
    if CONTROLS.search(str(scope["path"])):
        raise not_found()
    query: bytes = scope.get("query_string") or b""
    if CONTROLS.search(unquote_to_bytes(query).decode("latin-1")):
        raise one_field("query", Reason.UNICODE)
    if b"&" in query and str(scope["path"]).startswith(API):
        names = [unquote_to_bytes(part.partition(b"=")[0]) for part in query.split(b"&") if part]
        if len(set(names)) != len(names):  # whoever reads the first and whoever reads the last would differ
            raise one_field("query", Reason.REPEATED)


def _ask_for_all(scope: Scope) -> None:
    """Files are given out whole (RFC 9110, 14.2): none is large, and a wrong part would be told in no form of ours."""
    if header(scope, b"range"):
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name.lower() != b"range"]


def _check_media_type(scope: Scope) -> None:
    if not JSON_TYPE.fullmatch(header(scope, b"content-type").decode("latin-1").strip()):
        raise Problem(ProblemCode.UNSUPPORTED_MEDIA)


def _check_form(scope: Scope) -> None:
    """Pages are UTF-8, and so are their forms; the parser would read them with any codec Python has, escapes too."""
    if FOREIGN_FORM.match(header(scope, b"content-type")):
        raise Problem(ProblemCode.UNSUPPORTED_MEDIA)


def _request_id(scope: Scope) -> str:
    given = header(scope, b"x-request-id")
    return given.decode() if REQUEST_ID.fullmatch(given) else uuid4().hex


def _allowed(scope: Scope) -> frozenset[str]:
    """The methods of whatever lies at this address."""
    methods: Methods = scope["app"].state.methods
    return methods.at(str(scope["path"]))


def _as_wrong_method(scope: Scope) -> Problem | None:
    """Nobody need mend a body for a method that is not answered there."""
    allowed = _allowed(scope)
    return Problem(ProblemCode.METHOD_NOT_ALLOWED) if allowed and scope["method"] not in allowed else None


def _is_behind_tls(scope: Scope) -> bool:
    tools: Tools | None = getattr(scope["app"].state, "tools", None) if "app" in scope else None
    return tools is not None and tools.base_url.startswith("https:")


def _with_safe_headers(send: Send, request_id: str, scope: Scope) -> Send:
    """Every answer carries its id and the headers of promises.md section 6, unless the route set its own.

    A refused method is told all that are answered: routers know those of one route alone.
    """

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            added = [(name, value) for name, value in SAFE_HEADERS.items() if name not in present]
            added += [OVER_TLS] if _is_behind_tls(scope) else []
            kept = [one for one in message["headers"] if one[0] != PARTS]
            if message["status"] == METHOD_NOT_ALLOWED and (allowed := _allowed(scope)):
                kept = [(name, value) for name, value in kept if name.lower() != b"allow"]
                added.append((b"allow", ", ".join(sorted(allowed)).encode()))
            message["headers"] = [*kept, *added, (b"x-request-id", request_id.encode())]
        await send(message)

    return sending
