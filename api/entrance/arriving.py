"""Somebody arrives: the user the provider vouched for, a new session in place of the old one, all of it on record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit import AuditEntry, Origin, note
from api.desk import sessions
from api.entrance.words import NoEntry
from api.identity import Vouched
from api.rows import RECIPIENTS, USERS
from api.tools import Tools
from models.contracts.base import Actor
from models.contracts.vocabulary import ActorKind, AuditEvent, AuditResult, CameBy
from models.tables import engine as settings
from models.tables.audit import COMMON_CHAIN


class NotLetIn(Exception):
    """Somebody at the door who may not come in."""

    def __init__(self, why: NoEntry, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.detail = why, detail


@dataclass(frozen=True)
class Arrived:
    """A session that has just begun."""

    kind: ActorKind
    token: str
    expires_at: datetime

    def remember(self, tools: Tools, response: Response) -> None:
        sessions.set_cookie(tools, response, self.token, self.expires_at)


async def arrive_as_user(tools: Tools, request: Request, vouched: Vouched) -> Arrived:
    """The user of this identity, bound to it at the first time by the verified address. Raises NotLetIn."""
    async with tools.engine.begin() as connection:
        user = await _user_of(connection, vouched)
        if user.disabled_at is not None:
            raise NotLetIn(NoEntry.DISABLED)
        actor = Actor(kind=user.kind, id=str(user.id), name=user.kind.label)
        return await _arrive(tools, request, connection, (actor, user.insurer_id), {"user_id": user.id})


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
    caller = came_in.caller
    await _note(connection, AuditEvent.SIGNED_OUT, (caller.actor, caller.insurer_id), Origin.of(request))


async def _arrive(
    tools: Tools,
    request: Request,
    connection: AsyncConnection,
    who: tuple[Actor, UUID | None],
    holder: dict[str, UUID],
) -> Arrived:
    """A token nobody has seen before (ASVS 7.2.4); what this browser had until now is worthless from here on."""
    earlier = request.cookies.get(sessions.cookie_name(tools), "")
    if earlier:
        await sessions.end(connection, sessions.hash_of(earlier))
    came_by = CameBy.OIDC if "user_id" in holder else CameBy.CODE
    token, expires_at = await sessions.begin(tools, connection, came_by, holder)
    await _note(connection, AuditEvent.SIGNED_IN, who, Origin.of(request), {"came_by": came_by})
    return Arrived(who[0].kind, token, expires_at)


async def _user_of(connection: AsyncConnection, vouched: Vouched) -> Row[Any]:
    identity = f"{vouched.issuer} {vouched.subject}"
    await settings.identity(connection, identity)
    bound = (USERS.c.issuer == vouched.issuer) & (USERS.c.subject == vouched.subject)
    user = (await connection.execute(select(USERS).where(bound))).one_or_none()
    return user or await _bound(connection, vouched)


async def _bound(connection: AsyncConnection, vouched: Vouched) -> Row[Any]:
    """Once, by the address; an address that is bound to another identity already is not given away again."""
    if not vouched.email:
        raise NotLetIn(NoEntry.UNVERIFIED)
    await settings.identity(connection, vouched.email)
    free = (USERS.c.email == vouched.email) & USERS.c.issuer.is_(None)
    binding = update(USERS).where(free).values(issuer=vouched.issuer, subject=vouched.subject).returning(USERS)
    user = (await connection.execute(binding)).one_or_none()
    if user is None:
        raise NotLetIn(NoEntry.UNKNOWN)
    return user


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
