"""What an operator does about notices that reached nobody: looked at first, then carried out once, as a whole."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, false, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.callers import Entry
from api.desk.acting import Misfilled
from api.desk.frame import Visit
from api.entrance.links import end_ways_in
from api.operator.acts import Act, record
from api.operator.waiting import BOOKS, NOBODY, OPEN, RETURNED
from api.patterns import ADDRESS_SAID
from api.problems import not_found
from api.reasons import bounded
from api.rows import CASES, LINKS, NUDGES, OUTBOX, RECIPIENTS, TASKS
from api.words import Reason
from domain.routing import departments
from models.contracts.ids import HUMAN_QUEUE, ancestors
from models.contracts.rulebook import RulesFor
from models.contracts.vocabulary import CaseKind, HazardGrade, NoticeStatus, Sector, TaskKind
from models.tables import engine as settings
from models.tables import matters

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+")
FAILED = (NoticeStatus.BOUNCED, NoticeStatus.UNDELIVERED)
BY_HAND = "by_hand"
"""The choice that nobody is written to, because somebody was told another way."""


@dataclass(frozen=True)
class Line:
    """One notice of the preview, and whether it would go out again."""

    task_id: UUID
    notice_id: UUID | None
    row: Row[Any]
    again: bool


@dataclass(frozen=True)
class Office:
    """A department that may be told; `named` where the documents name it for this place and role."""

    id: UUID | None
    region: str
    department: str
    name: str
    named: bool = True


def address_of(given: str) -> str:
    """An address a letter can be sent to. Raises Misfilled."""
    if not ADDRESS.fullmatch(given) or len(given) > 254:
        raise Misfilled({"email": bounded(Reason.PATTERN, {"shape": ADDRESS_SAID})})
    return given


def _lines(*conditions: Any) -> Any:
    holder = RECIPIENTS.alias("holder")
    return (
        select(
            TASKS.c.id.label("task_id"),
            *TASKS.c["kind", "notice_id", "insurer_id", "case_id", "created_at"],
            *OUTBOX.c["status", "recipient_id", "to_role"],
            OUTBOX.c.kind.label("notice"),
            OUTBOX.c.about["label"].astext.label("title"),
            holder.c.name.label("holder"),
            *CASES.c["number", "region", "sector", "size", "signed_on", "packs"],
            CASES.c.kind.label("case_kind"),
        )
        .join(OUTBOX, OUTBOX.c.id == TASKS.c.notice_id, isouter=True)
        .join(CASES, CASES.c.id == TASKS.c.case_id, isouter=True)
        .join(holder, holder.c.id == OUTBOX.c.recipient_id, isouter=True)
        .where(OPEN, *conditions)
        .order_by(TASKS.c.created_at, TASKS.c.id)
    )


async def returned_to(entry: Entry, recipient_id: UUID, until: datetime | None = None) -> list[Line]:
    """What came back from a recipient; what somebody else has been told instead does not go out again."""
    upto = [] if until is None else [TASKS.c.created_at <= until]
    found = _lines(TASKS.c.recipient_id == recipient_id, TASKS.c.kind.in_(RETURNED), *upto)
    rows = await entry.connection.execute(found.with_for_update(of=TASKS) if until else found)
    return [Line(row.task_id, row.notice_id, row, _again(row)) for row in rows]


def _again(row: Row[Any]) -> bool:
    return row.notice_id is not None and (row.status in FAILED or row.recipient_id == HUMAN_QUEUE)


async def recipient(entry: Entry, recipient_id: UUID) -> Row[Any]:
    """Locked until the transaction ends; 404 for one that is not there."""
    found = select(RECIPIENTS).where(RECIPIENTS.c.id == recipient_id).with_for_update()
    row = (await entry.connection.execute(found)).one_or_none()
    if row is None:
        raise not_found()
    return row


def heir_of(row: Row[Any]) -> Select[Any]:
    """Who takes over from a recipient: its registered fallback with an address; never another insurer."""
    same = RECIPIENTS.c.insurer_id.is_(None) | (RECIPIENTS.c.insurer_id == row.insurer_id)
    return select(RECIPIENTS).where(RECIPIENTS.c.id == row.fallback_id, RECIPIENTS.c.email != "", same)


@dataclass(frozen=True)
class Redelivery:
    """What the form asks for; `until` is when the preview was made: what came back later is left alone."""

    email: str
    to_fallback: bool
    until: datetime
    reason: str


async def redeliver(visit: Visit, recipient_id: UUID, asked: Redelivery) -> int:
    """Correct the address, send again what reached nobody, close the lines; gives how many go out. Raises Misfilled."""
    entry, row = visit.entry, await recipient(visit.entry, recipient_id)
    lines = await returned_to(entry, recipient_id, asked.until)
    corrected = bool(asked.email) and asked.email != row.email
    if not lines and not corrected:
        return 0  # somebody has done it already, or the form was sent twice
    heir = (await entry.connection.execute(heir_of(row))).one_or_none() if asked.to_fallback else row
    if heir is None or not (asked.email or heir.email):
        raise Misfilled({"to": Reason.MISSING.label})
    if corrected:
        changed = update(RECIPIENTS).where(RECIPIENTS.c.id == row.id).values(email=address_of(asked.email))
        await entry.connection.execute(changed)
        await end_ways_in(entry.connection, row.id)
    again = [line for line in lines if line.again]
    await hand_over(entry.connection, again, heir.id)
    await close(entry, lines)
    insurers = {line.row.insurer_id for line in lines if line.row.insurer_id}
    said = {"notices": len(again), "lines": len(lines), "corrected": corrected, "to": str(heir.id)}
    act = Act("redeliver", ("recipient", str(row.id)), asked.reason, said, insurers)
    await record(visit, act)
    return len(again)


async def hand_over(connection: AsyncConnection, lines: Iterable[Line], to: UUID) -> None:
    """These notices wait anew, for this recipient; their links die, since the letter composed anew brings new ones."""
    ids = [line.notice_id for line in lines if line.notice_id]
    if not ids:
        return
    holders = {to, *(line.row.recipient_id for line in lines)}
    await settings.recipient(connection, holders)
    await matters.lock(connection, ids)
    living = LINKS.c.notice_id.in_(ids) & LINKS.c.revoked_at.is_(None)
    await connection.execute(update(LINKS).where(living).values(revoked_at=func.now()))
    waits = {"recipient_id": to, "status": NoticeStatus.QUEUED, "mail_id": None, "told_at": None}
    await connection.execute(update(OUTBOX).where(OUTBOX.c.id.in_(ids)).values(waits))
    await matters.moved(connection, ids, holders)
    await connection.execute(insert(NUDGES).values(recipient_id=to))


async def close(entry: Entry, lines: Iterable[Line]) -> None:
    ids = [line.task_id for line in lines]
    done = update(TASKS).where(TASKS.c.id.in_(ids) if ids else false()).values(done_at=entry.tools.now())
    await entry.connection.execute(done)


async def unaddressed_like(entry: Entry, task_id: UUID, until: datetime | None = None) -> list[Line]:
    """The open lines of the same place, sector and role as this one, itself first; 404 where it is none of these."""
    own = TASKS.c.kind.in_(NOBODY)
    one = _lines(TASKS.c.id == task_id, own).with_only_columns(TASKS.c.kind, CASES.c.region, CASES.c.sector,
                                                               OUTBOX.c.to_role)  # fmt: skip
    key = (await entry.connection.execute(one)).one_or_none()
    if key is None:
        return []
    alike = [TASKS.c.kind == key.kind, CASES.c.region == key.region, CASES.c.sector == key.sector]
    upto = [] if until is None else [TASKS.c.created_at <= until]
    found = _lines(*alike, OUTBOX.c.to_role == key.to_role, *upto)
    rows = await entry.connection.execute(found.with_for_update(of=TASKS) if until else found)
    return [Line(row.task_id, row.notice_id, row, True) for row in rows]


def named_offices(entry: Entry, row: Row[Any]) -> tuple[tuple[str, str], ...]:
    """The departments the documents of this case name for the notice's role, in the order they are looked for."""
    grade = HazardGrade.MAJOR if row.case_kind is CaseKind.HAZARD else None
    given = {"region": row.region, "sector": row.sector, "size": row.size, "on": row.signed_on, "grade": grade}
    asked = RulesFor.model_validate({**given, "case": row.case_kind, "packs": row.packs})
    return departments(entry.tools.rules.resolve(asked).rulebook, row.to_role, row.region, Sector(row.sector))


async def offices(entry: Entry, row: Row[Any]) -> list[Office]:
    """Those the documents name, registered or not, and then every other registered department of the place."""
    known = RECIPIENTS.c.region.in_(ancestors(row.region)) & (RECIPIENTS.c.email != "")
    rows = await entry.connection.execute(select(RECIPIENTS).where(known).order_by(RECIPIENTS.c.region.desc()))
    registered = {(one.region, one.department): one for one in rows if one.department}
    named = named_offices(entry, row)
    told = [_office(region, department, registered.pop((region, department), None)) for region, department in named]
    return [*told, *(Office(one.id, *pair, one.name, named=False) for pair, one in registered.items())]


def _office(region: str, department: str, row: Row[Any] | None) -> Office:
    return Office(row.id if row else None, region, department, row.name if row else "")


async def reroute(visit: Visit, task_id: UUID, to: str, until: datetime, reason: str) -> int:
    """Send what waits for this place, sector and role to a department, or put it away as told by hand."""
    lines = await unaddressed_like(visit.entry, task_id, until)
    if not lines:
        return 0  # done already
    known = {str(one.id) for one in await offices(visit.entry, lines[0].row) if one.id}
    if to != BY_HAND and to not in known:
        raise Misfilled({"to": Reason.MISSING.label})
    if to != BY_HAND:
        await hand_over(visit.entry.connection, lines, UUID(to))
    await close(visit.entry, lines)
    row = lines[0].row
    said = {"notices": len(lines), "to": to, "region": row.region, "sector": row.sector, "role": row.to_role}
    insurers = {line.row.insurer_id for line in lines}
    await record(visit, Act("reroute", ("task", str(task_id)), reason, said, insurers))
    return len(lines)


async def book_line(entry: Entry, task_id: UUID) -> Line | None:
    """A payment to be looked into, locked; `None` where it is put away already, 404 for any other line."""
    own = [TASKS.c.id == task_id, TASKS.c.kind.in_(BOOKS)]
    if (await entry.connection.execute(select(TASKS.c.id).where(*own))).one_or_none() is None:
        raise not_found()
    row = (await entry.connection.execute(_lines(*own).with_for_update(of=TASKS))).one_or_none()
    return Line(row.task_id, None, row, again=False) if row else None


async def put_away(visit: Visit, task_id: UUID, reason: str) -> None:
    """A payment's line is closed; the next comparison of the books leaves it closed."""
    line = await book_line(visit.entry, task_id)
    if line is None:
        return
    await close(visit.entry, [line])
    about, said = ("task", str(task_id)), {"kind": TaskKind(line.row.kind).value}
    await record(visit, Act("put_away", about, reason, said, [line.row.insurer_id]))
