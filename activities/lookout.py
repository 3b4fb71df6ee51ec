"""Looks how long the oldest work waits, and writes to the operators' mailbox once a day where that is too long."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col
from structlog import get_logger

from activities.letters import BacklogPiece, message_id
from activities.mailbook import session_for
from domain.calendar import local_date
from models.contracts.ids import HUMAN_QUEUE, backlog_mail_id
from models.contracts.vocabulary import NoticeStatus, Urgency
from models.tables.backlog import Bounds, waits
from models.tables.engine import DATABASE_FAULTS, operator
from models.tables.engine import recipient as for_recipient
from models.tables.outbox import Mail, Nudge

EVERY = 60.0  # seconds

log = get_logger(__name__)


class Lookout:
    """One of any number: the day's letter is one row, whoever writes it first."""

    def __init__(self, engine: AsyncEngine, sender: str, bounds: Bounds) -> None:
        self._engine = engine
        self._sender = sender
        self._bounds = bounds

    async def run(self) -> None:
        """Look until cancelled; a database that is away is looked at again."""
        while True:
            try:
                await self.look(datetime.now(UTC))
            except DATABASE_FAULTS as error:
                log.warning("backlog_unknown", error=type(error).__name__)
            await asyncio.sleep(EVERY)

    async def look(self, now: datetime) -> bool:
        """Whether something waits for too long; then the operators have a letter of today."""
        async with session_for(self._engine) as session, session.begin():
            await operator(session)
            exceeded = self._bounds.exceeded(await waits(session, now))
            if exceeded:
                log.warning("backlog", part=",".join(exceeded))
                await for_recipient(session, HUMAN_QUEUE)
                await self._write(session, now)
        return bool(exceeded)

    async def _write(self, session: AsyncSession, now: datetime) -> None:
        mail_id = backlog_mail_id(local_date(now))
        row = {"id": mail_id, "recipient_id": HUMAN_QUEUE, "message_id": message_id(str(mail_id), self._sender)}
        letter = insert(Mail).values(**row, urgency=Urgency.NOW, composed_at=now).on_conflict_do_nothing()
        if (await session.execute(letter.returning(col(Mail.id)))).first() is not None:
            session.add(Nudge(recipient_id=HUMAN_QUEUE))


def is_backlog(mail: Mail) -> bool:
    """Whether this is a letter of the lookout: it carries no notice, its name is its day."""
    return mail.id == backlog_mail_id(local_date(mail.composed_at))


async def counted(session: AsyncSession, recipient_id: object) -> int:
    """Letters of the lookout that have not gone out."""
    if recipient_id != HUMAN_QUEUE:
        return 0
    queued = select(Mail).where(col(Mail.recipient_id) == HUMAN_QUEUE, col(Mail.status) == NoticeStatus.QUEUED)
    return sum(is_backlog(mail) for mail in await session.scalars(queued.where(col(Mail.urgency) == Urgency.NOW)))


async def piece_of(session: AsyncSession, base_url: str) -> BacklogPiece | None:
    """How it stands as the letter goes out; `None` where nothing waits any more."""
    await operator(session)
    found = await waits(session, await session.scalar(select(func.now())) or datetime.now(UTC))
    return BacklogPiece(*found.minutes, f"{base_url}/operator") if any(found.minutes) else None
