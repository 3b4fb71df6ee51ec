"""A fresh link for a dead one, to the registered contact alone; what went to a former contact opens nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit import NOWHERE, Origin
from api.entrance.codes import Asked, ask
from api.rows import ASKED_LETTERS, CASES, LINKS, MAILS, NUDGES, OUTBOX, RECIPIENTS, SESSIONS
from api.tools import Tools
from models.contracts.ids import fresh_link_id
from models.contracts.vocabulary import AskedFor, NoticeStatus
from models.tables import engine as settings

WAITS = timedelta(hours=24)
"""How long a fresh link that could not be mailed is still worth mailing."""
ANSWERS_AFTER = 0.3
"""Seconds from question to answer, whoever was asked about: how long it took tells nothing."""


@asynccontextmanager
async def evenly() -> AsyncIterator[None]:
    """What is done inside takes the same time whatever it finds (promises.md P17, 5.2 item 6)."""
    until = asyncio.get_running_loop().time() + ANSWERS_AFTER
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, until - asyncio.get_running_loop().time()))


async def ask_fresh(tools: Tools, token: str, origin: Origin = NOWHERE) -> None:
    """Mail a new link if this token ever was one, its case still runs, and its holder still is who to tell.

    Says nothing in any case, in the same time. One letter for a link in an hour. The link of a case that has ended is
    revoked when somebody comes with it.
    """
    async with evenly(), tools.engine.begin() as connection:
        link = await _known(connection, token)
        if link is None:
            return
        await settings.tenant(connection, link.insurer_id)
        if await _has_ended(connection, link.case_id):
            await _revoke(tools, connection, link.id)
        elif await _is_still_told(connection, link):
            asked = Asked(link.recipient_id, AskedFor.FRESH_LINK, link.id)
            await ask(tools, connection, asked, origin, WAITS)


async def end_ways_in(connection: AsyncConnection, recipient_id: UUID) -> None:
    """What went to an address that is no longer the recipient's opens nothing: its links, its sessions, its codes.

    What was composed and has not left yet goes to the new address with links that work: a letter is composed anew, a
    fresh link that was asked for is still mailed (promises.md 5.2 item 11, P21). The transaction then sees the
    recipient's rows; it is an operator's, or of the insurer the recipient belongs to.
    """
    await settings.recipient(connection, recipient_id)
    unseen = await _unseen(connection, recipient_id)
    ending = (LINKS.c.recipient_id == recipient_id) & LINKS.c.revoked_at.is_(None) & LINKS.c.id.not_in(unseen)
    await connection.execute(update(LINKS).where(ending).values(revoked_at=func.now()))
    sessions = (SESSIONS.c.recipient_id == recipient_id) & SESSIONS.c.revoked_at.is_(None)
    await connection.execute(update(SESSIONS).where(sessions).values(revoked_at=func.now()))
    codes = ASKED_LETTERS.c.asked_for != AskedFor.FRESH_LINK
    away = ASKED_LETTERS.c.mail_id.in_(select(MAILS.c.id).where(MAILS.c.attempts > 0))
    dead = update(ASKED_LETTERS).where(ASKED_LETTERS.c.recipient_id == recipient_id, or_(codes, away))
    await connection.execute(dead.where(ASKED_LETTERS.c.used_at.is_(None)).values(expires_at=ASKED_LETTERS.c.asked_at))
    await _compose_anew(connection, recipient_id)


async def _unseen(connection: AsyncConnection, recipient_id: UUID) -> list[UUID]:
    """Fresh links in mails nobody has tried to send yet."""
    letters = (
        select(ASKED_LETTERS.c.id)
        .join(MAILS, MAILS.c.id == ASKED_LETTERS.c.mail_id)
        .where(ASKED_LETTERS.c.recipient_id == recipient_id, MAILS.c.attempts == 0)
        .where(MAILS.c.status == NoticeStatus.QUEUED, ASKED_LETTERS.c.asked_for == AskedFor.FRESH_LINK)
    )
    return [fresh_link_id(one) for one in (await connection.execute(letters)).scalars()]


async def _compose_anew(connection: AsyncConnection, recipient_id: UUID) -> None:
    """Notices in mails that have not left wait again; a mail without any is not sent."""
    unsent = select(MAILS.c.id).where(MAILS.c.recipient_id == recipient_id, MAILS.c.status == NoticeStatus.QUEUED)
    composed = (OUTBOX.c.recipient_id == recipient_id) & (OUTBOX.c.status == NoticeStatus.QUEUED)
    again = update(OUTBOX).where(composed, OUTBOX.c.mail_id.in_(unsent)).values(mail_id=None)
    if (await connection.execute(again)).rowcount:
        await connection.execute(insert(NUDGES).values(recipient_id=recipient_id))


async def _known(connection: AsyncConnection, token: str) -> Row[Any] | None:
    hashed = sha256(token.encode()).hexdigest()
    await settings.link(connection, hashed)
    return (await connection.execute(select(LINKS).where(LINKS.c.token_hash == hashed))).one_or_none()


async def _has_ended(connection: AsyncConnection, case_id: UUID) -> bool:
    ended = select(CASES.c.ended_at).where(CASES.c.id == case_id)
    return (await connection.execute(ended)).scalar_one() is not None


async def _is_still_told(connection: AsyncConnection, link: Row[Any]) -> bool:
    """A notice that moved on to somebody else is theirs; an address that was taken away is nobody's."""
    await settings.recipient(connection, link.recipient_id)
    address = select(RECIPIENTS.c.email).where(RECIPIENTS.c.id == link.recipient_id)
    told = select(OUTBOX.c.recipient_id).where(OUTBOX.c.id == link.notice_id)
    holder = (await connection.execute(told)).scalar_one_or_none()
    return holder in (None, link.recipient_id) and bool((await connection.execute(address)).scalar_one_or_none())


async def _revoke(tools: Tools, connection: AsyncConnection, link_id: UUID) -> None:
    alive = (LINKS.c.id == link_id) & LINKS.c.revoked_at.is_(None)
    await connection.execute(update(LINKS).where(alive).values(revoked_at=tools.now()))
