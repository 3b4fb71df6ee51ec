"""What reads bytes from outside, each as a function that must take any bytes at all; run and fuzzed elsewhere."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from temporalio.api.common.v1 import Payload

from activities.links import token_hash
from api.callers import BEARER
from api.cursors import Cursors
from api.desk import forms
from api.entrance.slips import Slip
from api.files import OFD, PDF, PICTURES, sniff
from api.idempotency import VISIBLE_ASCII
from api.identity import IdentityProvider, NotVouched, Vouched, Way, _vouched
from api.keys import TOKEN as KEY
from api.limits import strict_json
from api.portal.links import TOKEN as LINK
from api.portfolio.reading import BadFile, portfolio_of
from api.problems import Problem
from models.contracts.base import Money
from models.contracts.policy import RecordVisit
from models.tables.sealed import FieldKeys
from runtime.codec import ENCODING, SealedPayloads, Unreadable
from runtime.codec import KEY as KEY_ID

SECRET = b"a-secret-of-the-tests-0123456789"
MOST_YUAN = Decimal(10**16)
ROWS = 50
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ISSUER, CLIENT = "https://id.example", "anze"
WAY = Way("state", "nonce", "verifier")
AMOUNT = TypeAdapter[Decimal](Money)


class Nothing(BaseModel):
    """A list without filters."""


def amount(content: bytes) -> None:
    """Finite, positive or nothing, two places: or refused."""
    try:
        read = AMOUNT.validate_python(content.decode("utf-8", "surrogateescape"))
    except ValidationError:
        return
    assert read.is_finite()
    assert 0 <= read < MOST_YUAN
    assert read.as_tuple().exponent == -2


def cursor(content: bytes) -> None:
    """Whatever opens was written by us: read again from its own spelling it is the same place."""
    cursors = Cursors(SECRET, UUID(int=1), "policies", Nothing())
    written = content.decode("latin-1")
    try:
        place = cursors.read(written)
    except Problem:
        return
    assert place is not None
    assert cursors.read(cursors.write(*place)) == place


def token(content: bytes) -> None:
    """A link's token, an API key, an idempotency key: whole and plain, or none."""
    written = content.decode("utf-8", "replace")
    for pattern in (LINK, KEY, VISIBLE_ASCII):
        if pattern.fullmatch(written):
            assert written.isascii()
            assert written.isprintable()
            assert len(token_hash(written)) == 64
    given = BEARER.fullmatch(content.decode("latin-1"))
    assert given is None or not given[1].isspace()


def payload(content: bytes) -> None:
    """Nothing that was not sealed with our key opens."""
    codec = SealedPayloads(_keys())
    sealed = Payload(metadata={"encoding": ENCODING, KEY_ID: b"k1"}, data=content)
    odd = Payload(metadata={"encoding": ENCODING, KEY_ID: content[:8]}, data=content[8:])
    for one in (sealed, odd):
        try:
            asyncio.run(codec.decode([one]))
        except Unreadable:
            continue
        raise AssertionError("opened what nobody sealed")


def workbook(content: bytes) -> None:
    _portfolio("a.xlsx", content)


def table(content: bytes) -> None:
    _portfolio("a.csv", content)


def _portfolio(name: str, content: bytes) -> None:
    try:
        read = portfolio_of(Path(name), content, ROWS)
    except BadFile:
        return
    assert len(read.rows) <= ROWS
    assert all(str(fault) for row in read.rows for fault in row.faults)


def archive(content: bytes) -> None:
    """What a file is, is told of any bytes: of something that begins like an archive too."""
    for one in (content, b"PK\x03\x04" + content):
        assert sniff(one) in (None, PDF, OFD, *PICTURES)


def cookie(content: bytes) -> None:
    """A slip that was not ours is none."""
    headers = [(b"cookie", b"anze-code=" + content)]
    request = Request({"type": "http", "headers": headers, "method": "GET", "path": "/", "query_string": b""})
    assert Slip("code").read(_Tools(), request) is None  # pyright: ignore[reportArgumentType] - what it needs of them


class _Tools:
    """As much of the tools as a slip asks for."""

    secret, base_url = SECRET, "http://anze.test"

    @staticmethod
    def now() -> datetime:
        return NOW


def id_token(content: bytes) -> None:
    """A token as it came, and one the provider signed around claims as they came."""
    _vouch({"id_token": content.decode("latin-1")})
    try:
        claims = json.loads(content)
    except (ValueError, RecursionError):
        return
    if isinstance(claims, dict):
        known = {"iss": ISSUER, "aud": CLIENT, "nonce": WAY.nonce, "exp": int((NOW + timedelta(hours=1)).timestamp())}
        try:
            signed = jwt.encode({"alg": "ES256"}, known | {"iat": int(NOW.timestamp()), "sub": "s"} | claims, _key())
        except (ValueError, TypeError, OverflowError):
            return
        _vouch({"id_token": signed, "access_token": claims.get("access_token")})


def _vouch(answer: dict[str, Any]) -> None:
    try:
        who = asyncio.run(_provider().vouched(answer))
    except NotVouched:
        return
    assert isinstance(who.subject, str)
    assert isinstance(who.email, str)


def body(content: bytes) -> None:
    """Strict JSON has one spelling, and its spelling reads as itself."""
    try:
        read = strict_json(content, 32)
    except Problem:
        return
    again = strict_json(read.canonical, 32)
    assert again.canonical == read.canonical


def form(content: bytes) -> None:
    """A form of the desk becomes a body, and the contract says yes or no to it."""
    written = content.decode("utf-8", "replace")
    fields: list[tuple[str, str | UploadFile]] = [*parse_qsl(written, keep_blank_values=True)[:200]]
    data = FormData(fields)
    try:
        RecordVisit.model_validate(forms.read(RecordVisit, data, forms.kept(data)))
    except (ValidationError, Problem):
        return


@cache
def _keys() -> FieldKeys:
    return FieldKeys.parse("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")


@cache
def _key() -> ECKey:
    return ECKey.generate_key("P-256", parameters={"kid": "k"})


@cache
def _provider() -> "_Provider":
    return _Provider(ISSUER, CLIENT, "secret")


class _Provider(IdentityProvider):
    """One that need not be asked for its keys."""

    async def vouched(self, answer: dict[str, Any]) -> Vouched:
        return _vouched(await self._claims(answer, WAY, NOW))

    async def _fetched_keys(self) -> KeySet:
        return KeySet([_key()])


PARSERS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one
    for one in (amount, cursor, token, payload, workbook, table, archive, cookie, id_token, body, form)
}
