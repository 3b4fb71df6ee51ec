"""Sessions of people: the cookie, who it belongs to on current data, how a session begins and ends; no pages here."""

import asyncio
import hmac
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from fastapi import Request, Response
from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.callers import Caller, Entry, open_rows
from api.keys import hash_of
from api.problems import CONNECTION_LOST
from api.rows import INSURERS, PROVIDERS, RECIPIENTS, SESSIONS, USERS
from api.tools import Tools
from models.contracts.ids import NAMESPACE
from models.contracts.vocabulary import ActorKind, CameBy, Post
from models.tables import engine as settings

LASTS: dict[CameBy, timedelta] = {CameBy.OIDC: timedelta(hours=10), CameBy.CODE: timedelta(hours=2)}
"""From coming in to coming in again, whatever happens in between."""
IDLE = timedelta(minutes=60)
SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last sight of a session is kept; a write for every page would be one too many."""
SECRET_BYTES = 32
LOOKED_UP_WITHIN = 2.0  # seconds; whoever waits for the page of what went wrong waits no longer for its frame


@dataclass(frozen=True)
class CameIn:
    """A session that lives: its cookie's hash, whom it belongs to, and what its forms carry against forgery."""

    token_hash: str
    caller: Caller
    form_token: str
    chose: bool = False
    """Whether its owner chose this organisation among several, and may choose another."""


class Spent(Exception):
    """What a session was to begin with has begun one before."""


@dataclass(frozen=True)
class _Recognised:
    """Whose cookie it is now, if anybody's, and what is to be written of the session."""

    came_in: CameIn | None = None
    due: Mapping[str, Any] = field(default_factory=dict)


def form_token(secret: bytes, token_hash: str) -> str:
    """What every form of this session carries; nobody who lacks the cookie can know it."""
    return hmac.new(secret, f"form:{token_hash}".encode(), sha256).hexdigest()[:32]


def cookie_name(tools: Tools) -> str:
    """`__Host-` binds a cookie to this host and to TLS; on a machine of one's own there is no TLS."""
    return "__Host-anze" if tools.base_url.startswith("https:") else "anze"


async def begin(
    tools: Tools,
    connection: AsyncConnection,
    came_by: CameBy,
    holder: Mapping[str, Any],
    until: datetime | None = None,
) -> tuple[str, datetime]:
    """A new session for `{"user_id": …}` or `{"recipient_id": …}`; gives the cookie's value and its end.

    `holder` also says by which `choice` it begins, if by one; it lasts no longer than `until`. Raises Spent.
    """
    token, now = secrets.token_urlsafe(SECRET_BYTES), tools.now()
    expires_at = min(now + LASTS[came_by], until or datetime.max.replace(tzinfo=UTC))
    await settings.session(connection, hash_of(token))
    row = {"token_hash": hash_of(token), "came_by": came_by, "created_at": now, "seen_at": now, **holder}
    row |= {"expires_at": expires_at}
    begun = insert(SESSIONS).values(row).on_conflict_do_nothing().returning(SESSIONS.c.token_hash)
    if (await connection.execute(begun)).scalar_one_or_none() is None:
        raise Spent
    return token, expires_at


def set_cookie(tools: Tools, response: Response, token: str, expires_at: datetime) -> None:
    """Lax, because people come from a link in a mail or from the identity provider."""
    response.set_cookie(
        cookie_name(tools),
        token,
        expires=expires_at,
        secure=tools.base_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def forget_cookie(tools: Tools, response: Response) -> None:
    secure = tools.base_url.startswith("https:")
    response.delete_cookie(cookie_name(tools), secure=secure, httponly=True, samesite="lax")


async def end(connection: AsyncConnection, token_hash: str) -> None:
    """The session is over with this transaction."""
    await settings.session(connection, token_hash)
    await connection.execute(update(SESSIONS).where(SESSIONS.c.token_hash == token_hash).values(revoked_at=func.now()))


@asynccontextmanager
async def entered_by_cookie(request: Request) -> AsyncIterator[tuple[Entry, CameIn] | None]:
    """One transaction with the rows of whoever the cookie belongs to; `None` where nobody is signed in."""
    tools: Tools = request.app.state.tools
    token = request.cookies.get(cookie_name(tools), "")
    # from here on: a form with photographs may have been on its way for longer than that already
    deadline = asyncio.get_running_loop().time() + tools.budgets.answer_within
    async with asyncio.timeout_at(deadline), AsyncExitStack() as transaction:
        connection = await transaction.enter_async_context(tools.engine.begin())
        found = await _recognised(tools, connection, hash_of(token)) if token else _Recognised()
        if found.due:
            await transaction.aclose()
            await _write(tools, hash_of(token), found.due)
            connection = await transaction.enter_async_context(tools.engine.begin())
            found = await _recognised(tools, connection, hash_of(token))
        request.state.came_in = found.came_in
        if found.came_in is None:
            yield None
            return
        caller = found.came_in.caller
        request.scope["caller"] = caller  # whoever is refused from here on is on record by name
        await open_rows(connection, caller)
        yield Entry(connection, caller, tools, deadline), found.came_in


async def recognised(request: Request, *, may_look: bool = True) -> CameIn | None:
    """Whose request it is, as far as it is known; else, where one may look, by its cookie, without writing anything.

    A database that does not answer knows nobody: this is asked for the frame of pages that tell of a trouble.
    """
    if hasattr(request.state, "came_in"):
        return request.state.came_in
    tools: Tools = request.app.state.tools
    token = request.cookies.get(cookie_name(tools), "")
    if not token or not may_look:
        return None
    try:
        async with asyncio.timeout(LOOKED_UP_WITHIN), tools.engine.begin() as connection:
            return (await _recognised(tools, connection, hash_of(token))).came_in
    except CONNECTION_LOST:
        return None


async def _write(tools: Tools, token_hash: str, due: Mapping[str, Any]) -> None:
    """In a transaction of its own: what becomes of the visit undoes nothing, and no other tab waits for it."""
    running = (SESSIONS.c.token_hash == token_hash) & SESSIONS.c.revoked_at.is_(None)
    async with tools.engine.begin() as connection:
        await settings.session(connection, token_hash)
        await connection.execute(update(SESSIONS).where(running).values(**due))


async def _recognised(tools: Tools, connection: AsyncConnection, token_hash: str) -> _Recognised:
    """Decided on current data (promises.md P21): a disabled user or a revoked session is nobody at once."""
    await settings.session(connection, token_hash)
    now = tools.now()
    alive = (
        (SESSIONS.c.token_hash == token_hash)
        & SESSIONS.c.revoked_at.is_(None)
        & (SESSIONS.c.expires_at > now)
        & (SESSIONS.c.seen_at > now - IDLE)
    )
    session = (await connection.execute(select(SESSIONS).where(alive))).one_or_none()
    if session is None:
        return _Recognised()
    caller = await (_user(connection, session) if session.user_id else _contact(connection, session))
    if caller is None:  # whoever is let in again later comes in anew
        return _Recognised(due={"revoked_at": func.now()})
    came_in = CameIn(token_hash, caller, form_token(tools.secret, token_hash), chose=session.choice is not None)
    return _Recognised(came_in, {"seen_at": now} if now - session.seen_at > SEEN_EVERY else {})


async def _user(connection: AsyncConnection, session: Row[Any]) -> Caller | None:
    found = (
        select(USERS, INSURERS.c.code, INSURERS.c.name.label("insurer"), RECIPIENTS.c.name.label("office"))
        .add_columns(*RECIPIENTS.c["region", "department"], PROVIDERS.c.name.label("provider"))
        .join(INSURERS, INSURERS.c.id == USERS.c.insurer_id, isouter=True)
        .join(RECIPIENTS, RECIPIENTS.c.id == USERS.c.recipient_id, isouter=True)
        .join(PROVIDERS, PROVIDERS.c.id == USERS.c.provider_id, isouter=True)
        .where(USERS.c.id == session.user_id, USERS.c.disabled_at.is_(None))
    )
    row = (await connection.execute(found)).one_or_none()
    if row is None:
        return None
    return Caller(
        key_id=_id_of(session),
        kind=row.kind,
        name=row.provider or row.insurer or row.office or ActorKind.OPERATOR.label,
        insurer_id=row.insurer_id,
        insurer_code=row.code or "",
        recipient_id=row.recipient_id,
        region=row.region or "",
        department=row.department or "",
        user_id=row.id,
        provider_id=row.provider_id,
        serves=row.insurer if row.provider else "",
        posts=frozenset(Post(one) for one in row.posts if one in set(Post)),
        came_by=session.came_by,
    )


async def _contact(connection: AsyncConnection, session: Row[Any]) -> Caller | None:
    """An enterprise or a department's address that typed the code mailed to it."""
    await settings.recipient(connection, session.recipient_id)
    row = (await connection.execute(select(RECIPIENTS).where(RECIPIENTS.c.id == session.recipient_id))).one_or_none()
    if row is None or not row.email or not (row.insured_id or row.department):  # an insurer's desk comes with a user
        return None
    return Caller(
        key_id=_id_of(session),
        kind=ActorKind.ENTERPRISE if row.insured_id else ActorKind.DEPARTMENT,
        name=row.name,
        insurer_id=row.insurer_id,
        recipient_id=row.id,
        region=row.region or "",
        department=row.department or "",
        insured_id=row.insured_id,
        came_by=session.came_by,
    )


def _id_of(session: Row[Any]) -> UUID:
    """A name for the session that can be shown and logged."""
    return uuid5(NAMESPACE, f"session/{session.token_hash}")
