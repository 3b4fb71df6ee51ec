"""What becomes of a letter its server refused: one that was too big goes in halves, others go to another recipient."""

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from activities import asked as letters_asked
from activities import mailbook as book
from activities.mailserver import Verdict
from domain import wording
from models.contracts.vocabulary import Role, TaskKind
from models.tables.engine import recipient as for_recipient
from models.tables.outbox import Nudge, OutboxNotice
from models.tables.parties import Recipient

PORTION = 500
"""Notices that move in one transaction: each case's lock is held until its end, and a server has some thousands."""
DIVISIBLE = 512 * 1024
"""Bytes of a letter that is still divided; servers that take less than this are rare, full mailboxes are not."""
TOO_BIG = re.compile(r"\b5\.(2\.3|3\.4)\b")
FULL = re.compile(r"\b5\.2\.2\b")
SIZE_CODES = frozenset({523, 552})


def is_too_big(verdict: Verdict) -> bool:
    """Whether the server refused the size (RFC 1870, 3463); 552 is also what a full mailbox is refused with."""
    if FULL.search(verdict.reply):
        return False
    return verdict.code in SIZE_CODES or TOO_BIG.search(verdict.reply) is not None


def in_halves(opened: book.Opened, verdict: Verdict) -> bool:
    """Whether this refused letter goes again, as two: each of them big enough to have been the reason."""
    return is_too_big(verdict) and verdict.size > DIVISIBLE and len(opened.notices) > 1


async def divide(session: AsyncSession, opened: book.Opened, opens: datetime, sender: book.Sender) -> None:
    """Two letters for what one could not hold, of the instant the office opens; the refused one stays on record.

    They go with the next digest: until then they are no backlog.
    """
    waiting = book.waiting(opened.notices)
    middle = (len(waiting) + 1) // 2
    for half in (waiting[:middle], waiting[middle:]):
        if half:
            await book.put_into_mail(session, half, opens, sender)
    session.add(Nudge(recipient_id=opened.to.id))


def portions(opened: book.Opened) -> tuple[Sequence[Sequence[OutboxNotice]], Sequence[OutboxNotice]]:
    """What waits, as it is moved: all portions but the last, and the last, which ends the letter."""
    waiting = book.waiting(opened.notices)
    found = [waiting[start : start + PORTION] for start in range(0, len(waiting), PORTION)]
    return found[:-1], found[-1] if found else []


async def hand_on(
    session: AsyncSession, to: Recipient, waiting: Sequence[OutboxNotice], at: datetime
) -> Recipient | None:
    """These notices go to whoever takes over, each with a task for an operator; `None` where nobody is."""
    heir = await _heir(session, to, again=await book.have_moved(session, waiting))
    await book.queue_tasks(session, TaskKind.BOUNCED, waiting, wording.MAIL_MOVED if heir else wording.MAIL_STUCK)
    if heir is not None and waiting:
        await book.move(session, waiting, heir.id, at)
    return heir


async def end(session: AsyncSession, opened: book.Opened, at: datetime) -> UUID | None:
    """The last portion, or the only one; a code that was asked for and a copy move to nobody."""
    if not opened.notices:
        said = wording.COPY_BOUNCED if opened.mail.copy_of else wording.ASKED_BOUNCED
        await letters_asked.report_bounced(session, opened.to.id, said)
        return None
    heir = await hand_on(session, opened.to, portions(opened)[1], at)
    return heir.id if heir else None


async def _heir(session: AsyncSession, refused: Recipient, *, again: bool) -> Recipient | None:
    """Who takes over: the registered fallback, the second time the operators; never another insurer."""
    if refused.role is Role.HUMAN_QUEUE:
        return None
    if refused.fallback_id and not again:
        await for_recipient(session, (refused.id, refused.fallback_id))
        heir = await session.get(Recipient, refused.fallback_id)
        if heir and heir.email and heir.insurer_id in (None, refused.insurer_id):
            return heir
    operators = await session.scalars(select(Recipient).where(col(Recipient.role) == Role.HUMAN_QUEUE).limit(1))
    found = operators.first()
    return found if found and found.email else None
