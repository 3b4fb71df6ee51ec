"""What was sent to a department, a line for each matter: how it stands now, what is overdue first; no page here."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    String,
    Uuid,
    and_,
    func,
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
from api.rows import OUTBOX
from domain import wording
from domain.calendar import DAY, local_date, midnight
from models.contracts.vocabulary import CaseKind, NoticeKind, Sector, Word

INSTANT = DateTime(timezone=True)
# One line for a matter, however often it was told: the latest letter, and how it stands now, which the database keeps
# beside it (migration 20261122_11); the case and its duty are opened for the lines that are shown alone.
LETTERS = text(
    """
    SELECT o.id, o.case_id, o.kind, o.at, coalesce(o.about->>'duty_key', '') AS duty_key,
        coalesce(o.about->>'label', '') AS label, coalesce(o.about->>'note', '') AS note,
        coalesce(o.about->>'passed_on', '') AS passed_on, o.about->>'effective' AS written_effective, o.acknowledged_at,
        o.matter->>'insurer_name' AS insurer, o.due_at, o.settled, o.major, o.judged_at, o.place_at,
        c.kind AS case_kind, c.number, c.region, c.sector, c.size, c.stage, c.insured_name, c.ended_at, c.changed_at,
        c.view->>'policy_number' AS policy_number,
        (SELECT count(*) FROM outbox again WHERE again.recipient_id = :recipient AND again.case_id = o.case_id
         AND letter_subject(again) = letter_subject(o)) AS times,
        (SELECT one FROM jsonb_array_elements(c.view->'duties') one
         WHERE one->>'key' = coalesce(o.about->>'duty_key', '')
            OR (o.kind = 'major_hazard_report' AND one->>'owed_by' = ANY (:departments))
         ORDER BY one->>'key' <> coalesce(o.about->>'duty_key', '') LIMIT 1) AS brief
    FROM outbox o CROSS JOIN LATERAL (SELECT * FROM cases WHERE cases.id = o.case_id LIMIT 1) c
    WHERE o.recipient_id = :recipient AND o.latest
    """
).columns(
    id=Uuid, case_id=Uuid, kind=String, at=INSTANT, duty_key=String, label=String, note=String, passed_on=String,
    written_effective=String, acknowledged_at=INSTANT, insurer=String, case_kind=String, number=String, region=String,
    sector=String, size=String, stage=String, insured_name=String, ended_at=INSTANT, changed_at=INSTANT,
    policy_number=String, major=Boolean, judged_at=INSTANT, place_at=INSTANT, times=Integer, brief=JSONB,
    due_at=INSTANT, settled=Boolean,
)  # fmt: skip


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
    piles = (await entry.connection.execute(_piles(entry.caller.recipient_id, now))).one()
    cursors = Cursors(entry.tools.secret, entry.caller.owner, "department/inbox", filters)
    found = select(letters).where(*_conditions(letters, filters, now))
    after = cursors.read(filters.cursor)
    if after is not None:
        found = found.where(tuple_(letters.c.place_at, letters.c.id) > tuple_(*after))
    ordered = found.order_by(letters.c.place_at, letters.c.id).limit(filters.limit + 1)
    rows = (await entry.connection.execute(ordered)).all()
    shown, more = rows[: filters.limit], len(rows) > filters.limit
    return Inbox(
        letters=tuple(_letter(row, now) for row in shown),
        next=cursors.write(shown[-1].place_at, shown[-1].id) if more else None,
        piles=Piles(piles.unread, piles.overdue, piles.due_today, piles.major),
    )


def _late(letters: FromClause, now: datetime) -> ColumnElement[bool]:
    """The term has run out, judged where the case's own clock stands."""
    return and_(not_(letters.c.settled), letters.c.due_at <= func.greatest(now, letters.c.judged_at))


def _unread(letters: FromClause) -> ColumnElement[bool]:
    return and_(not_(letters.c.settled), letters.c.acknowledged_at.is_(None))


def _due_today(letters: FromClause, now: datetime) -> ColumnElement[bool]:
    today = midnight(local_date(now))
    return and_(not_(letters.c.settled), letters.c.due_at > today, letters.c.due_at <= today + DAY)


def _major(letters: FromClause) -> ColumnElement[bool]:
    return and_(not_(letters.c.settled), letters.c.major)


def _piles(recipient_id: UUID | None, now: datetime) -> Select[int, int, int, int]:
    """Counted from the index of matters alone."""
    return select(
        func.count().filter(_unread(OUTBOX)).label("unread"),
        func.count().filter(_late(OUTBOX, now)).label("overdue"),
        func.count().filter(_due_today(OUTBOX, now)).label("due_today"),
        func.count(OUTBOX.c.case_id.distinct()).filter(_major(OUTBOX)).label("major"),
    ).where(OUTBOX.c.recipient_id == recipient_id, OUTBOX.c.latest, not_(OUTBOX.c.settled))


def _conditions(letters: FromClause, filters: InboxFilters, now: datetime) -> list[ColumnElement[bool]]:
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
        major=row.major,
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
