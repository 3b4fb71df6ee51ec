"""Somebody arrives, or is turned away: a new session in place of the old one, all of it on record; no route here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from fastapi import Request, Response
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit import AuditEntry, Origin, note
from api.desk import sessions
from api.desk.frame import page
from api.entrance.memberships import bind, current, memberships
from api.entrance.slips import Choice
from api.entrance.words import NoEntry, NotLetIn
from api.identity import Vouched
from api.rows import RECIPIENTS, SESSIONS, USERS
from api.tools import Tools
from models.contracts.base import Actor
from models.contracts.vocabulary import ActorKind, AuditEvent, AuditResult, CameBy
from models.tables import engine as settings
from models.tables.audit import COMMON_CHAIN


@dataclass(frozen=True)
class Arrived:
    """A session that has just begun."""

    kind: ActorKind
    token: str
    expires_at: datetime

    def remember(self, tools: Tools, response: Response) -> None:
        sessions.set_cookie(tools, response, self.token, self.expires_at)


async def arrive_as_user(tools: Tools, request: Request, vouched: Vouched) -> Arrived | None:
    """The user of this identity, bound to it at the first time by the verified address. Raises NotLetIn.

    None where it belongs to several organisations: which one, its owner says; what this browser had until now ends.
    """
    async with tools.engine.begin() as connection:
        user, *others = await memberships(connection, vouched)
        if others:
            await _end_earlier(tools, request, connection)
            return None
        await bind(connection, vouched, user)
        return await _arrive(tools, request, connection, _who(user), {"user_id": user.id})


async def arrive_as_chosen(tools: Tools, request: Request, choice: Choice, user_id: str) -> Arrived | None:
    """The user of the organisation that was chosen; None where it is not among them (any more). Raises NotLetIn."""
    async with tools.engine.begin() as connection:
        users = await memberships(connection, choice.vouched)
        user = next((one for one in users if str(one.id) == user_id), None)
        if user is None:
            return None
        if not choice.lets_into(await current(connection, choice.vouched, user), tools.now()):
            raise NotLetIn(NoEntry.TOO_LONG_AGO)
        await bind(connection, choice.vouched, user)
        holder = {"user_id": user.id, "choice": choice.id, "vouched_email": choice.vouched.email}
        try:
            return await _arrive(tools, request, connection, _who(user), holder, choice.ends)
        except sessions.Spent:
            raise NotLetIn(NoEntry.NOT_FROM_HERE, "chosen already") from None


async def arrive_as_contact(tools: Tools, request: Request, recipient_id: UUID) -> Arrived:
    """An enterprise or a department's address whose code was typed."""
    async with tools.engine.begin() as connection:
        await settings.recipient(connection, recipient_id)
        row = (await connection.execute(select(RECIPIENTS).where(RECIPIENTS.c.id == recipient_id))).one()
        kind = ActorKind.ENTERPRISE if row.insured_id else ActorKind.DEPARTMENT
        actor = Actor(kind=kind, id=str(row.id), name=row.name)
        return await _arrive(tools, request, connection, (actor, row.insurer_id), {"recipient_id": row.id})


async def leave(request: Request, came_in: sessions.CameIn, connection: AsyncConnection) -> None:
    """The session ends with the transaction it was found in, on record."""
    await sessions.end(connection, came_in.token_hash)
    request.state.came_in = None  # whatever page follows, it is nobody's
    caller = came_in.caller
    await _note(connection, AuditEvent.SIGNED_OUT, (caller.actor, caller.insurer_id), Origin.of(request))


async def leave_for_another(request: Request, came_in: sessions.CameIn, connection: AsyncConnection) -> Choice | None:
    """The session ends, and its owner may choose again until it would have ended; None where there was no choice.

    On record like any other end: an insurer reads its trail, and learns of no other organisation there (0062).
    """
    of = SESSIONS.join(USERS, USERS.c.id == SESSIONS.c.user_id)
    chosen = (SESSIONS.c.token_hash == came_in.token_hash) & SESSIONS.c.choice.is_not(None)
    asked = select(*USERS.c["issuer", "subject"], *SESSIONS.c["vouched_email", "expires_at"]).select_from(of)
    row = (await connection.execute(asked.where(chosen))).one_or_none()
    if row is None:
        return None
    await leave(request, came_in, connection)
    return Choice(uuid4(), Vouched(row.issuer, row.subject, row.vouched_email), row.expires_at)


async def _arrive(
    tools: Tools,
    request: Request,
    connection: AsyncConnection,
    who: tuple[Actor, UUID | None],
    holder: Mapping[str, Any],
    until: datetime | None = None,
) -> Arrived:
    """A token nobody has seen before (ASVS 7.2.4); what this browser had until now is worthless from here on."""
    await _end_earlier(tools, request, connection)
    came_by = CameBy.OIDC if "user_id" in holder else CameBy.CODE
    token, expires_at = await sessions.begin(tools, connection, came_by, holder, until)
    await _note(connection, AuditEvent.SIGNED_IN, who, Origin.of(request), {"came_by": came_by})
    return Arrived(who[0].kind, token, expires_at)


def _who(user: Row[Any]) -> tuple[Actor, UUID | None]:
    return Actor(kind=user.kind, id=str(user.id), name=user.kind.label), user.insurer_id


async def _end_earlier(tools: Tools, request: Request, connection: AsyncConnection) -> None:
    earlier = request.cookies.get(sessions.cookie_name(tools), "")
    if earlier:
        await sessions.end(connection, sessions.hash_of(earlier))


async def _note(
    connection: AsyncConnection,
    what: AuditEvent,
    who: tuple[Actor, UUID | None],
    origin: Origin,
    said: dict[str, Any] | None = None,
) -> None:
    actor, insurer_id = who
    if insurer_id is not None:
        await settings.tenant(connection, insurer_id)
    await note(connection, AuditEntry(what, insurer_id or COMMON_CHAIN, actor, said=said or {}, origin=origin))


def refusal(request: Request, refused: NotLetIn) -> AuditEntry:
    """For the record: why, and from where; nobody was recognised."""
    said = {"why": refused.why.value} | ({"detail": refused.detail} if refused.detail else {})
    return AuditEntry(AuditEvent.SIGN_IN_FAILED, result=AuditResult.REFUSED, said=said, origin=Origin.of(request))


async def turned_away(request: Request, refused: NotLetIn) -> Response:
    """The page that says why, and what to do about it; on record."""
    tools: Tools = request.app.state.tools
    await request.app.state.denials.note(tools.engine, refusal(request, refused))
    return page(request, "entrance/refused.html.j2", refused.why.status, why=refused.why)
