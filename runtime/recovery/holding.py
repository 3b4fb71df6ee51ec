"""What stops after a restore until a person has looked: payments, letters that may have left before, every session."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from api.audit import AuditEntry, note
from api.keys import COMMAND_LINE
from domain.wording import TOLD_BEFORE_RESTORE
from models.contracts.vocabulary import AuditEvent, NoticeStatus, TaskKind
from models.tables.engine import operator, recipient
from models.tables.outbox import Mail, OutboxNotice, Task
from models.tables.people import Session
from models.tables.recovery import Restoration

MOST_TASKS = 1000
"""Rows of one INSERT."""


@dataclass(frozen=True)
class Held:
    """What was stopped."""

    sessions: int
    letters: int


async def hold(connection: AsyncConnection, as_of: datetime, why: str, *, tell: bool = False) -> Held:
    """In the operators' transaction: no order is sent that may have been sent, nobody is signed in any more.

    Letters that waited at that instant have probably left since, so they wait for a person; unless `tell`.
    """
    await operator(connection)
    row = Restoration(as_of=as_of, why=why).model_dump(include={"id", "as_of", "why"})
    await connection.execute(insert(Restoration).values(row))
    open_ = update(Session).where(col(Session.revoked_at).is_(None)).values(revoked_at=func.now())
    sessions = (await connection.execute(open_)).rowcount
    letters = 0 if tell else await withhold(connection)
    if not tell:
        await _give_up_mails(connection)
    said = {"as_of": as_of.isoformat(), "why": why, "sessions": sessions, "letters": letters}
    await note(connection, AuditEntry(AuditEvent.RESTORED, who=COMMAND_LINE, about=("database", ""), said=said))
    return Held(sessions, letters)


async def release(connection: AsyncConnection, why: str) -> int:
    """Payments go out again; gives how many restores were held."""
    await operator(connection)
    held = update(Restoration).where(col(Restoration.released_at).is_(None))
    count = (await connection.execute(held.values(released_at=datetime.now(UTC), released_why=why))).rowcount
    if count:
        said = {"act": "release", "why": why}
        await note(connection, AuditEntry(AuditEvent.RESTORED, who=COMMAND_LINE, about=("database", ""), said=said))
    return count


async def held_since(connection: AsyncConnection) -> datetime | None:
    """The earliest instant a restore went back to that is not released; `None` where none is."""
    await operator(connection)
    open_ = select(func.min(col(Restoration.as_of))).where(col(Restoration.released_at).is_(None))
    return (await connection.execute(open_)).scalar_one()


async def withhold(connection: AsyncConnection, *which: ColumnElement[bool]) -> int:
    """Letters that were queued wait in the operators' queue instead of leaving; all of them, or only these."""
    waiting = update(OutboxNotice).where(col(OutboxNotice.status) == NoticeStatus.QUEUED, *which)
    columns = (OutboxNotice.id, OutboxNotice.insurer_id, OutboxNotice.case_id, OutboxNotice.recipient_id)
    stopped = waiting.values(status=NoticeStatus.UNDELIVERED).returning(*(col(one) for one in columns))
    rows = list(await connection.execute(stopped))
    tasks = [_task(row) for row in rows]
    for start in range(0, len(tasks), MOST_TASKS):
        await connection.execute(insert(Task).values(tasks[start : start + MOST_TASKS]))
    return len(rows)


def _task(row: Any) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "kind": TaskKind.UNDELIVERED,
        "insurer_id": row.insurer_id,
        "case_id": row.case_id,
        "recipient_id": row.recipient_id,
        "notice_id": row.id,
        "said": TOLD_BEFORE_RESTORE,
    }


async def _give_up_mails(connection: AsyncConnection) -> None:
    """Mails that were being sent are composed anew where a person decides so."""
    underway = select(col(Mail.recipient_id)).where(col(Mail.status) == NoticeStatus.QUEUED).distinct()
    recipients = list((await connection.execute(underway)).scalars())
    if recipients:
        await recipient(connection, recipients)
        mails = update(Mail).where(col(Mail.status) == NoticeStatus.QUEUED)
        await connection.execute(mails.values(status=NoticeStatus.UNDELIVERED, next_try_at=None))
