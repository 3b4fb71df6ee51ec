"""What stops after a restore until a person has looked: payments, letters that may have left, sessions, links."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from api.audit import AuditEntry, note
from api.keys import COMMAND_LINE
from domain.wording import TOLD_BEFORE_RESTORE
from models.contracts.vocabulary import AuditEvent, NoticeStatus, TaskKind
from models.tables.access import Link
from models.tables.engine import make_engine, operator, recipient
from models.tables.outbox import Mail, OutboxNotice, Task
from models.tables.parties import Recipient
from models.tables.people import Session
from models.tables.recovery import Restoration
from runtime.settings import sqlalchemy_url

FORCED = text(
    "SELECT oid::regclass::text FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace AND relforcerowsecurity ORDER BY 1"
)
MOST_TASKS = 1000
"""Rows of one INSERT."""


@dataclass(frozen=True)
class Held:
    """What was stopped."""

    sessions: int
    letters: int
    links: int = 0


async def hold(connection: AsyncConnection, as_of: datetime, why: str, *, tell: bool = False) -> Held:
    """In the operators' transaction: no order is sent that may have been sent, nobody is signed in any more.

    Letters that waited at that instant have probably left since, so they wait for a person; unless `tell`.
    """
    await operator(connection)
    row = Restoration(as_of=as_of, why=why).model_dump(include={"id", "as_of", "why"})
    await connection.execute(insert(Restoration).values(row))
    open_ = update(Session).where(col(Session.revoked_at).is_(None)).values(revoked_at=func.now())
    sessions = (await connection.execute(open_)).rowcount
    links = await _end_links(connection)
    letters = 0 if tell else await withhold(connection)
    if not tell:
        await _give_up_mails(connection)
    said = {"as_of": as_of.isoformat(), "why": why, "sessions": sessions, "links": links, "letters": letters}
    await note(connection, AuditEntry(AuditEvent.RESTORED, who=COMMAND_LINE, about=("database", ""), said=said))
    return Held(sessions, letters, links)


async def hold_alone(owner: str, as_of: datetime, why: str, *, tell: bool = False) -> Held:
    """The same by the role that owns the tables, while the application may not come in; `owner` is its address.

    The owner is walled off from the rows too, and lowers its walls for this transaction, in which nobody else sees.
    """
    engine = make_engine(sqlalchemy_url(owner), 1)
    try:
        async with engine.begin() as connection:
            forced = list((await connection.execute(FORCED)).scalars())
            for table in forced:
                await connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            held = await hold(connection, as_of, why, tell=tell)
            for table in forced:
                await connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            return held
    finally:
        await engine.dispose()


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


async def _end_links(connection: AsyncConnection) -> int:
    """Those revoked or superseded since would live again, so none does: a fresh one can be asked for."""
    ids, ended = list((await connection.execute(select(col(Recipient.id)))).scalars()), 0
    for start in range(0, len(ids), MOST_TASKS):
        await recipient(connection, ids[start : start + MOST_TASKS])
        mine = col(Link.recipient_id).in_(ids[start : start + MOST_TASKS])
        alive = update(Link).where(mine, col(Link.revoked_at).is_(None), col(Link.expires_at) > func.now())
        ended += (await connection.execute(alive.values(revoked_at=func.now()))).rowcount
    return ended


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
