"""Opens a mailed link: which case it speaks of, for whom, what was done with it; what may be done is in showing.py."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit import Origin
from api.callers import Caller, Entry
from api.desk.letters import News, acknowledge_news
from api.gateway import FoundCase
from api.keys import hash_of
from api.offices import office_of
from api.rows import CASES, COMMANDS, INSURERS, LINK_USES, LINKS, OUTBOX, RECIPIENTS
from api.tools import Tools
from models.contracts.base import Actor, Office
from models.contracts.vocabulary import ActorKind, LinkPurpose
from models.tables import engine as settings
from models.tables import matters

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True)
class OpenedLink:
    """A link that lives, with everything its page shows."""

    id: UUID
    insurer_id: UUID
    insurer_name: str
    purpose: LinkPurpose
    duty_key: str
    notice: Row[Any] | None
    case: Row[Any]
    holder: Row[Any]
    used: dict[str, datetime]
    office: Office | None = None
    """For a department: in which roles it was told of this case."""

    @property
    def found(self) -> FoundCase:
        case = self.case
        return FoundCase(case.id, case.kind, case.insurer_id, case.workflow_id, case.ended_at, case.seq)

    @property
    def kind(self) -> ActorKind:
        return ActorKind.DEPARTMENT if self.purpose is LinkPurpose.DEPARTMENT else ActorKind.ENTERPRISE

    @property
    def actor(self) -> Actor:
        """The holder acts for an office or an enterprise; who exactly clicked, nobody knows."""
        return Actor(kind=self.kind, id=str(self.holder.id), name=self.holder.name, office=self.office)

    @property
    def caller(self) -> Caller:
        """Whoever holds the link, as far as this one case goes."""
        holder = self.holder
        return Caller(
            key_id=self.id,
            kind=self.kind,
            name=holder.name,
            insurer_id=holder.insurer_id,
            recipient_id=holder.id,
            region=holder.region or "",
            department=holder.department or "",
            insured_id=holder.insured_id,
        )


@asynccontextmanager
async def entered_by_link(tools: Tools, token: str) -> AsyncIterator[tuple[Entry, OpenedLink] | None]:
    """One transaction that sees the link and its insurer's rows.

    `None` for a token that is unknown, expired or revoked, and for a case that has ended: nobody can tell which (P17).
    """
    deadline = asyncio.get_running_loop().time() + tools.budgets.answer_within
    async with asyncio.timeout_at(deadline), tools.engine.begin() as connection:
        link = await _opened(tools, connection, token) if TOKEN.fullmatch(token) else None
        yield (Entry(connection, link.caller, tools, deadline), link) if link else None


async def _opened(tools: Tools, connection: AsyncConnection, token: str) -> OpenedLink | None:
    hashed = hash_of(token)
    await settings.link(connection, hashed)
    alive = select(LINKS).where(
        LINKS.c.token_hash == hashed, LINKS.c.revoked_at.is_(None), LINKS.c.expires_at > tools.now()
    )
    link = (await connection.execute(alive)).one_or_none()
    if link is None:
        return None
    await settings.tenant(connection, link.insurer_id)
    case = (await connection.execute(select(CASES).where(CASES.c.id == link.case_id))).one()
    if case.ended_at is not None and link.duty_key:
        return None
    await _recover(connection, link)
    return OpenedLink(
        id=link.id,
        insurer_id=link.insurer_id,
        insurer_name=await _one(connection, select(INSURERS.c.name).where(INSURERS.c.id == link.insurer_id)),
        purpose=link.purpose,
        duty_key=link.duty_key,
        notice=(await connection.execute(select(OUTBOX).where(OUTBOX.c.id == link.notice_id))).one_or_none(),
        case=case,
        holder=(await connection.execute(select(RECIPIENTS).where(RECIPIENTS.c.id == link.recipient_id))).one(),
        office=await office_of(connection, link.recipient_id, link.case_id),
        used={use.action: use.used_at for use in await connection.execute(_uses(link.id))},
    )


async def record_use(tools: Tools, link: OpenedLink, action: str, origin: Origin) -> None:
    """The use is on record once, however many clicked at once (P16)."""
    async with tools.engine.begin() as connection:
        await settings.tenant(connection, link.insurer_id)
        letter = link.notice.id if link.notice is not None else None
        await _put_down(connection, (link.id, link.purpose, letter), action, tools.now())
        if link.kind is ActorKind.DEPARTMENT and link.notice is not None and not link.duty_key:
            news = News(link.notice.kind, link.case, link.holder.id, link.actor)
            await acknowledge_news(connection, news, tools.now(), origin)


def command_id(link_id: UUID, action: str) -> str:
    """One act of one link is one command to its case, however often it is sent."""
    return f"link:{link_id}:{action}"


async def _recover(connection: AsyncConnection, link: Row[Any]) -> None:
    """An act the case carried out while its answer was lost has used the link, at the time it was carried out."""
    known = LINK_USES.c.command_id == COMMANDS.c.command_id
    lost = select(*COMMANDS.c["command_id", "at"]).where(
        COMMANDS.c.case_id == link.case_id,
        COMMANDS.c.command_id.startswith(command_id(link.id, "")),
        ~select(LINK_USES.c.link_id).where(LINK_USES.c.link_id == link.id, known).exists(),
    )
    for command in (await connection.execute(lost)).all():
        action = command.command_id.removeprefix(command_id(link.id, ""))
        await _put_down(connection, (link.id, link.purpose, link.notice_id), action, command.at)


async def _put_down(
    connection: AsyncConnection, of: tuple[UUID, LinkPurpose, UUID | None], action: str, at: datetime
) -> None:
    """An enterprise that acts by a link has received its letter; a department's letters its step has acknowledged."""
    link_id, purpose, letter = of
    use = {"link_id": link_id, "action": action, "command_id": command_id(link_id, action), "used_at": at}
    await connection.execute(insert(LINK_USES).values(use).on_conflict_do_nothing())
    if letter is not None and purpose is not LinkPurpose.DEPARTMENT:
        await matters.heard(connection, (letter,), at)


def _uses(link_id: UUID) -> Any:
    return select(*LINK_USES.c["action", "used_at"]).where(LINK_USES.c.link_id == link_id).order_by(LINK_USES.c.used_at)


async def _one(connection: AsyncConnection, found: Any) -> str:
    return str((await connection.execute(found)).scalar_one())
