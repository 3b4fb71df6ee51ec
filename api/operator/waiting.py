"""What waits for an operator, as PostgreSQL tells it: the queue by what remedies it, mails, nudges, dates; reads only.

Nothing here is personal: an enterprise's address is shown cut short, and the text of no notice is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from api.callers import Entry
from api.rows import CASES, INSURERS, MAILS, NUDGES, ORDERS, OUTBOX, RECIPIENTS, TASKS
from domain.places import full_region_name
from models.contracts.ids import HUMAN_QUEUE, mailroom_workflow_id
from models.contracts.vocabulary import CaseKind, NoticeStatus, Role, Sector, TaskKind
from models.tables.backlog import waits
from models.tables.recovery import UNSENT

MOST = 50
"""Lines of one section; what is done makes room for the next."""
RETURNED = (TaskKind.BOUNCED, TaskKind.UNDELIVERED)
NOBODY = (TaskKind.NO_ROUTE, TaskKind.NO_ADDRESS)
BOOKS = (TaskKind.PAYMENT_UNKNOWN, TaskKind.BOOKS_DIFFER)
OPEN = TASKS.c.done_at.is_(None)


@dataclass(frozen=True)
class ReturnedMail:
    """Notices that did not reach one recipient."""

    recipient_id: UUID
    name: str
    role: Role
    address: str
    fallback: str
    kinds: tuple[TaskKind, ...]
    count: int
    since: datetime


@dataclass(frozen=True)
class Unaddressed:
    """Notices of one place, sector and role for which nobody is registered, or no document names anybody."""

    task_id: UUID
    """The oldest of them; it stands for all."""
    kind: TaskKind
    region: str
    sector: Sector
    role: Role
    count: int
    since: datetime

    @property
    def place(self) -> str:
        return full_region_name(self.region)


@dataclass(frozen=True)
class Provisional:
    """Open cases whose dates wait for one year's table of holidays."""

    year: int
    count: int
    published: bool


@dataclass(frozen=True)
class Queues:
    """How much is under way, and since when the oldest of it waits."""

    nudges: int
    mails: int
    mails_since: datetime | None
    notices: int
    notices_since: datetime | None


async def returned(entry: Entry) -> list[ReturnedMail]:
    """By recipient, oldest first."""
    fallback = RECIPIENTS.alias("fallback")
    found = (
        select(
            *RECIPIENTS.c["id", "name", "role", "email", "insured_id"],
            fallback.c.name.label("fallback"),
            func.count().label("n"),
            func.min(TASKS.c.created_at).label("since"),
            func.array_agg(func.distinct(TASKS.c.kind)).label("kinds"),
        )
        .join(RECIPIENTS, RECIPIENTS.c.id == TASKS.c.recipient_id)
        .join(fallback, fallback.c.id == RECIPIENTS.c.fallback_id, isouter=True)
        .where(OPEN, TASKS.c.kind.in_(RETURNED))
        .group_by(*RECIPIENTS.c["id", "name", "role", "email", "insured_id"], fallback.c.name)
        .order_by(func.min(TASKS.c.created_at))
        .limit(MOST)
    )
    return [_returned(row) for row in await entry.connection.execute(found)]


def _returned(row: Row[Any]) -> ReturnedMail:
    kinds = tuple(sorted({TaskKind(one) for one in row.kinds}))
    address = shown_address(row)
    return ReturnedMail(row.id, row.name, row.role, address, row.fallback or "", kinds, row.n, row.since)


def shown_address(row: Row[Any] | Mapping[str, Any]) -> str:
    """An office's address whole; of an enterprise's, which may be a person's, the first letter and the house."""
    given = row._mapping if isinstance(row, Row) else row
    email = str(given["email"] or "")
    if given["insured_id"] is None:
        return email
    name, at, house = email.rpartition("@")
    return f"{name[:1]}…{at}{house}"


async def unaddressed(entry: Entry) -> list[Unaddressed]:
    """By place, sector and role, oldest first."""
    key = (TASKS.c.kind, *CASES.c["region", "sector"], OUTBOX.c.to_role)
    oldest = func.array_agg(TASKS.c.id).label("ids")
    found = (
        select(*key, func.count().label("n"), func.min(TASKS.c.created_at).label("since"), oldest)
        .join(OUTBOX, OUTBOX.c.id == TASKS.c.notice_id)
        .join(CASES, CASES.c.id == TASKS.c.case_id)
        .where(OPEN, TASKS.c.kind.in_(NOBODY))
        .group_by(*key)
        .order_by(func.min(TASKS.c.created_at))
        .limit(MOST)
    )
    rows = await entry.connection.execute(found)
    return [Unaddressed(min(row.ids), row.kind, row.region, row.sector, row.to_role, row.n, row.since) for row in rows]


async def books(entry: Entry) -> list[Row[Any]]:
    """Payments whose outcome is unknown or that the other side's books show otherwise; no amount is read."""
    found = (
        select(
            *TASKS.c["id", "kind", "created_at", "case_id"],
            INSURERS.c.name.label("insurer"),
            CASES.c.number,
        )
        .join(INSURERS, INSURERS.c.id == TASKS.c.insurer_id)
        .join(CASES, CASES.c.id == TASKS.c.case_id, isouter=True)
        .where(OPEN, TASKS.c.kind.in_(BOOKS))
        .order_by(TASKS.c.created_at)
        .limit(MOST)
    )
    return list(await entry.connection.execute(found))


async def provisional(entry: Entry) -> list[Provisional]:
    """By the first year a case lacks; whether its table is in this installation already."""
    through = CASES.c.calendar_through
    found = select(through, func.count().label("n")).where(CASES.c.provisional, CASES.c.ended_at.is_(None))
    known = {one.year for one in entry.tools.rules.calendar().years}
    rows = await entry.connection.execute(found.group_by(through).order_by(through))
    return [Provisional(row.calendar_through + 1, row.n, row.calendar_through + 1 in known) for row in rows]


async def queues(entry: Entry) -> Queues:
    queued = NoticeStatus.QUEUED
    mails = select(func.count().label("n"), func.min(MAILS.c.composed_at).label("since"))
    mail = (await entry.connection.execute(mails.where(MAILS.c.status == queued, MAILS.c.sent_at.is_(None)))).one()
    notices = select(func.count().label("n"), func.min(OUTBOX.c.queued_at).label("since"))
    notice = (await entry.connection.execute(notices.where(OUTBOX.c.status == queued))).one()
    nudges = (await entry.connection.execute(select(func.count()).select_from(NUDGES))).scalar_one()
    return Queues(nudges, mail.n, mail.since, notice.n, notice.since)


@dataclass(frozen=True)
class Oldest:
    """How long the oldest work of each kind waits, in minutes, and which of them is above its bound."""

    letter: int
    alarm: int
    payment: int
    exceeded: tuple[str, ...]


async def oldest(entry: Entry) -> Oldest:
    found = await waits(entry.connection, entry.tools.now())
    return Oldest(*found.minutes, entry.tools.bounds.exceeded(found))


async def suspects(entry: Entry) -> list[str]:
    """Workflows that should have done something by now: a missed alarm, an order that is not out, a mail not sent.

    An order that is not out is stuck as soon as an alarm that did not ring.
    """
    late = entry.tools.now() - entry.tools.bounds.alarm
    silent = select(CASES.c.workflow_id).where(CASES.c.ended_at.is_(None), CASES.c.next_alarm_at < late).limit(MOST)
    orders = select(ORDERS.c.workflow_id).where(
        ORDERS.c.bank_reference == "", ORDERS.c.state.in_(UNSENT), ORDERS.c.written_at < late
    )
    rooms = (
        select(MAILS.c.recipient_id)
        .distinct()
        .where(MAILS.c.status == NoticeStatus.QUEUED, MAILS.c.sent_at.is_(None), MAILS.c.attempts > 1)
    )
    cases = [*(await entry.connection.execute(silent)).scalars()]
    cases += (await entry.connection.execute(orders.limit(MOST))).scalars()
    return cases + [mailroom_workflow_id(one) for one in (await entry.connection.execute(rooms.limit(MOST))).scalars()]


async def named(entry: Entry, workflow_ids: list[str]) -> dict[str, tuple[str, str]]:
    """What people call a workflow, and its page here: a case by number and place, a mailroom by its recipient."""
    prefix = mailroom_workflow_id(HUMAN_QUEUE).removesuffix(str(HUMAN_QUEUE))
    rooms = [UUID(one.removeprefix(prefix)) for one in workflow_ids if one.startswith(prefix)]
    cases = select(*CASES.c["id", "workflow_id", "kind", "number"]).where(CASES.c.workflow_id.in_(workflow_ids))
    found = {
        row.workflow_id: (f"{CaseKind(row.kind).label} {row.number}", f"/operator/cases/{row.id}")
        for row in await entry.connection.execute(cases)
    }
    holders = select(*RECIPIENTS.c["id", "name"]).where(RECIPIENTS.c.id.in_(rooms))
    for row in await entry.connection.execute(holders) if rooms else ():
        found[mailroom_workflow_id(row.id)] = (row.name, f"/operator/mails?recipient={row.id}")
    return found
