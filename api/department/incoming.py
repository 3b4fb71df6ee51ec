"""What was sent to a department, a line for each matter: how it stands now, what is overdue first; no page here."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    Subquery,
    Uuid,
    and_,
    func,
    literal_column,
    not_,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Boolean, DateTime, Integer

from api import reads
from api.callers import Entry
from api.cursors import Cursors
from api.desk.audience import DEPARTMENTS
from api.desk.lists import CaseFilters
from domain import wording
from domain.calendar import DAY, local_date, midnight
from models.contracts.vocabulary import CaseKind, HazardGrade, NoticeKind, Sector, Word

INSTANT = DateTime(timezone=True)
# One line for a matter, however often it was told: the latest letter, and the duty it speaks of as it stands now.
# Each letter's case is looked up by its id: joined, all cases would be read for what row-level security says of them.
# What was a report lives on as what the department owes. Letters that name no duty are done when acknowledged.
LETTERS = text(
    """
    SELECT told.*, duty.brief, coalesce((duty.brief->>'due_at')::timestamptz, told.written_due_at) AS due_at,
        CASE WHEN told.ended_at IS NOT NULL THEN true WHEN told.duty_key = '' THEN told.acknowledged_at IS NOT NULL
             ELSE duty.brief IS NULL END AS settled
    FROM (
        SELECT DISTINCT ON (o.case_id, coalesce(nullif(o.about->>'duty_key', ''), o.kind))
            o.id, o.case_id, o.kind, o.to_role, o.at, coalesce(o.about->>'duty_key', '') AS duty_key,
            coalesce(o.about->>'label', '') AS label, coalesce(o.about->>'note', '') AS note,
            coalesce(o.about->>'passed_on', '') AS passed_on, o.about->>'effective' AS written_effective,
            (o.about->>'due_at')::timestamptz AS written_due_at, o.status, o.acknowledged_at,
            o.matter->>'insurer_name' AS insurer, c.kind AS case_kind, c.number, c.region, c.sector, c.size, c.stage,
            c.insured_name, c.ended_at, c.changed_at, c.view->'duties' AS duties,
            c.view->>'policy_number' AS policy_number, c.view->>'grade' AS grade,
            count(*) OVER (PARTITION BY o.case_id, coalesce(nullif(o.about->>'duty_key', ''), o.kind)) AS times
        FROM outbox o CROSS JOIN LATERAL (SELECT * FROM cases WHERE cases.id = o.case_id LIMIT 1) c
        WHERE o.recipient_id = :recipient
        ORDER BY o.case_id, coalesce(nullif(o.about->>'duty_key', ''), o.kind), o.at DESC, o.id
    ) told
    LEFT JOIN LATERAL (
        SELECT one AS brief FROM jsonb_array_elements(told.duties) one
        WHERE one->>'key' = told.duty_key
           OR (told.kind = 'major_hazard_report' AND one->>'owed_by' = ANY (:departments))
        ORDER BY one->>'key' <> told.duty_key LIMIT 1
    ) duty ON true
    """
).columns(
    id=Uuid, case_id=Uuid, kind=String, at=INSTANT, duty_key=String, label=String, note=String, passed_on=String,
    written_effective=String, acknowledged_at=INSTANT, insurer=String, case_kind=String, number=String, region=String,
    sector=String, size=String, stage=String, insured_name=String, ended_at=INSTANT, changed_at=INSTANT,
    policy_number=String, grade=String, times=Integer, brief=JSONB, due_at=INSTANT, settled=Boolean,
)  # fmt: skip
# What has no day stands after what has one, and what is settled after that, the latest of them first.
PLACE = (
    "CASE WHEN settled THEN timestamptz '2600-01-01' + (timestamptz '2100-01-01' - at)"
    " WHEN due_at IS NULL THEN timestamptz '2300-01-01' + (timestamptz '2100-01-01' - at) ELSE due_at END"
)


class InboxFilters(CaseFilters):
    """What the inbox is asked for, as it stands in the address."""

    of: CaseKind | None = None
    notice: NoticeKind | None = None
    unread: bool | None = None
    settled: bool | None = None
    """Matters that are done with are shown where they are asked for."""
    due_today: bool | None = None
    major: bool | None = None


@dataclass(frozen=True)
class Letter:
    """One matter as the inbox shows it."""

    case_id: UUID
    kind: NoticeKind
    times: int
    told_on: str
    title: str
    note: str
    passed_on: str
    number: str
    policy_number: str
    case_kind: CaseKind
    insured: str
    insurer: str
    place: str
    sector: Sector
    stage: Word
    major: bool
    due_day: str
    left: str
    late: bool
    provisional: bool
    state: str
    """settled, passed_on, taken_over, acknowledged or unread."""


@dataclass(frozen=True)
class Piles:
    """What stands on top of the inbox: open matters only."""

    unread: int
    overdue: int
    due_today: int
    major: int


@dataclass(frozen=True)
class Inbox:
    """One page of it."""

    letters: tuple[Letter, ...]
    next: str | None
    piles: Piles


async def inbox(entry: Entry, filters: InboxFilters) -> Inbox:
    """The calling department's matters: overdue first, then by the day they are due, settled ones last."""
    now = entry.tools.now()
    letters = LETTERS.bindparams(recipient=entry.caller.recipient_id, departments=sorted(DEPARTMENTS)).subquery()
    piles = (await entry.connection.execute(_piles(letters, now))).one()
    place = literal_column(PLACE, INSTANT).label("place")
    cursors = Cursors(entry.tools.secret, entry.caller.owner, "department/inbox", filters)
    found = select(letters, place).where(*_conditions(letters, filters, now))
    after = cursors.read(filters.cursor)
    if after is not None:
        found = found.where(tuple_(place.element, letters.c.id) > tuple_(*after))
    ordered = found.order_by(place.element, letters.c.id).limit(filters.limit + 1)
    rows = (await entry.connection.execute(ordered)).all()
    shown, more = rows[: filters.limit], len(rows) > filters.limit
    return Inbox(
        letters=tuple(_letter(row, now) for row in shown),
        next=cursors.write(shown[-1].place, shown[-1].id) if more else None,
        piles=Piles(piles.unread, piles.overdue, piles.due_today, piles.major),
    )


def _late(letters: Subquery, now: datetime) -> ColumnElement[bool]:
    """The term has run out, judged where the case's own clock stands."""
    return and_(not_(letters.c.settled), letters.c.due_at <= func.greatest(now, letters.c.changed_at))


def _unread(letters: Subquery) -> ColumnElement[bool]:
    return and_(not_(letters.c.settled), letters.c.acknowledged_at.is_(None))


def _due_today(letters: Subquery, now: datetime) -> ColumnElement[bool]:
    today = midnight(local_date(now))
    return and_(not_(letters.c.settled), letters.c.due_at > today, letters.c.due_at <= today + DAY)


def _major(letters: Subquery) -> ColumnElement[bool]:
    of_a_hazard = letters.c.case_kind == CaseKind.HAZARD.value
    return and_(not_(letters.c.settled), of_a_hazard, letters.c.grade == HazardGrade.MAJOR.value)


def _piles(letters: Subquery, now: datetime) -> Select[int, int, int, int]:
    return select(
        func.count().filter(_unread(letters)).label("unread"),
        func.count().filter(_late(letters, now)).label("overdue"),
        func.count().filter(_due_today(letters, now)).label("due_today"),
        func.count(letters.c.case_id.distinct()).filter(_major(letters)).label("major"),
    )


def _conditions(letters: Subquery, filters: InboxFilters, now: datetime) -> list[ColumnElement[bool]]:
    column = letters.c
    found = [
        *reads.equal(column.settled, bool(filters.settled)),
        *reads.equal(column.sector, filters.sector and filters.sector.value),
        *reads.equal(column.case_kind, filters.of and filters.of.value),
        *reads.equal(column.kind, filters.notice and filters.notice.value),
    ]
    if filters.region:
        found += reads.below(column.region, filters.region)
    if filters.q:
        asked = filters.q.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
        found.append(
            or_(*(one.like(f"%{asked}%") for one in (column.number, column.policy_number, column.insured_name)))
        )
    parts = {
        "overdue": _late(letters, now),
        "unread": _unread(letters),
        "due_today": _due_today(letters, now),
        "major": _major(letters),
    }
    for name, condition in parts.items():
        wanted = getattr(filters, name)
        if wanted is not None:
            found.append(condition if wanted else func.coalesce(not_(condition), True))
    return found


def _letter(row: Row[Any], now: datetime) -> Letter:
    brief, at = row.brief or {}, reads.as_of(now, row.changed_at)
    kind = CaseKind(row.case_kind)
    effective = brief.get("effective") or row.written_effective
    running = row.due_at if not row.settled else None
    return Letter(
        case_id=row.case_id,
        kind=NoticeKind(row.kind),
        times=row.times,
        told_on=wording.instant(row.at),
        title=brief.get("label") or row.label,
        note=row.note,
        passed_on=row.passed_on,
        number=row.number,
        policy_number=row.policy_number or "",
        case_kind=kind,
        insured=row.insured_name,
        insurer=row.insurer or "",
        place=wording.region_name(row.region),
        sector=Sector(row.sector),
        stage=reads.STAGES[kind](row.stage),
        major=kind is CaseKind.HAZARD and row.grade == HazardGrade.MAJOR,
        due_day=wording.plain_day(date.fromisoformat(effective)) if effective else "",
        left=wording.left(running, at) if running else "",
        late=running is not None and running <= at,
        provisional=bool(brief.get("provisional")),
        state=_state(row, brief),
    )


def _state(row: Row[Any], brief: dict[str, Any]) -> str:
    """How far this department has come with the matter."""
    if row.settled:
        return "settled"
    if brief.get("passed_on_to"):
        return "passed_on"
    if row.acknowledged_at is None:
        return "unread"
    return "taken_over" if brief.get("taken_over") else "acknowledged"
