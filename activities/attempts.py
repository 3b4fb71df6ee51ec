"""How one try to hand over a letter ends on record, and when the next may follow; what becomes of it is elsewhere."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from activities.mailserver import Outcome, Verdict
from models.contracts.vocabulary import NoticeStatus
from models.tables.outbox import Attempt, Mail

ARRIVED = frozenset({NoticeStatus.ACCEPTED, NoticeStatus.AMBIGUOUS})
"""A server has the letter, or may have it."""
PATIENCE = timedelta(minutes=1), timedelta(hours=6)
"""The first pause before a mail server that asked for patience is asked again, and the longest; each is doubled."""


def pause(number: int) -> timedelta:
    """After so many attempts; growing, because who is refused too often is refused for good (RFC 5321 4.5.4.1)."""
    first, longest = PATIENCE
    return min(first * 2 ** min(number - 1, 16), longest)


def ended(verdict: Verdict, broken_before: int) -> NoticeStatus | None:
    """How the mail ended; `None`: to be tried again. A line broken twice is left at that (P14)."""
    if verdict.outcome is Outcome.UNKNOWN:
        return NoticeStatus.AMBIGUOUS if broken_before else None
    ends = {Outcome.ACCEPTED: NoticeStatus.ACCEPTED, Outcome.REFUSED: NoticeStatus.BOUNCED}
    return ends.get(verdict.outcome)


async def end(session: AsyncSession, mail: Mail, number: int, verdict: Verdict, at: datetime) -> bool:
    """Whether it was this attempt's to end: one a later attempt called interrupted stays ambiguous on record (P14)."""
    outcomes = {
        Outcome.ACCEPTED: NoticeStatus.ACCEPTED,
        Outcome.REFUSED: NoticeStatus.BOUNCED,
        Outcome.UNKNOWN: NoticeStatus.AMBIGUOUS,
        Outcome.LATER: NoticeStatus.QUEUED,
    }
    attempt = await session.get_one(Attempt, (mail.id, number))
    if attempt.ended_at is not None:
        return False
    attempt.ended_at, attempt.outcome = at, outcomes[verdict.outcome]
    attempt.code, attempt.reply = verdict.code, verdict.reply
    mail.last_code = verdict.code
    await session.flush()
    return True
