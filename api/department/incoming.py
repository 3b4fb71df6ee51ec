"""What was sent to a department, a line for each matter: how it stands now, what is overdue first; no page here."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, not_, or_, select, tuple_

from api import reads
from api.callers import Entry
from api.cursors import Cursors
from api.desk.filters import CaseFilters
from api.desk.hands import Desk
from api.rows import CASES, MATTERS, OUTBOX
from domain import wording
from domain.calendar import DAY, local_date, midnight
from models.contracts.vocabulary import CaseKind, NoticeKind, Sector, Word

M = MATTERS.c
# One line for a matter, however often it was told: how it stands is kept by its steps (migration 20261122_14); letter
# and case are opened for the lines that are shown alone.
SHOWN = (
    *OUTBOX.c["at", "about", "matter"],
    *CASES.c["stage", "changed_at"],
    CASES.c.view["duties"].label("duties"),
)


PILES = ("unread", "overdue", "due_today", "major")


class InboxFilters(CaseFilters):
    """What the inbox is asked for, as it stands in the address."""

    of: CaseKind | None = None
    notice: NoticeKind | None = None
    unread: bool | None = None
    settled: bool | None = None
    """Matters that are done with are shown where they are asked for."""
    due_today: bool | None = None
    major: bool | None = None

    def pile(self, name: str) -> str:
        """The query string of one pile among what is asked for."""
        return self.address(**dict.fromkeys((*PILES, "settled")) | {name: True})


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
    in_hand: str
    state: str
    """settled, passed_on, taken_over, acknowledged or unread."""


@dataclass(frozen=True)
class Piles:
    """What stands on top of the inbox: open matters only, of the place, sector and kind that is asked for."""

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
    now, desk = entry.tools.now(), Desk.of(entry.caller)
    held = await desk.held(entry, filters.hand, M.case_id)
    piles = (await entry.connection.execute(_piles(entry.caller.recipient_id, filters, now).where(*held))).one()
    cursors = Cursors(entry.tools.secret, entry.caller.owner, "department/inbox", filters)
    found = select(MATTERS).where(M.recipient_id == entry.caller.recipient_id, *_conditions(filters, now), *held)
    after = cursors.read(filters.cursor)
    if after is not None:
        found = found.where(tuple_(M.place_at, M.letter_id) > tuple_(*after))
    page = found.order_by(M.place_at, M.letter_id).limit(filters.limit + 1)
    rows = (await entry.connection.execute(_opened(page, desk))).all()
    shown, more = rows[: filters.limit], len(rows) > filters.limit
    return Inbox(
        letters=tuple(_letter(row, now) for row in shown),
        next=cursors.write(shown[-1].place_at, shown[-1].letter_id) if more else None,
        piles=Piles(piles.unread, piles.overdue, piles.due_today, piles.major),
    )


async def kinds_told(entry: Entry, filters: InboxFilters) -> list[NoticeKind]:
    """The kinds of notice this department has got, and the one that is asked for, in the vocabulary's order."""
    found = select(M.kind).where(M.recipient_id == entry.caller.recipient_id).distinct()
    known = set((await entry.connection.execute(found)).scalars()) | {filters.notice}
    return [one for one in NoticeKind if one in known]


def _opened(page: Select[Any], desk: Desk) -> Select[Any]:
    """The lines of one page with their letters and cases, in their order."""
    lines = page.subquery()
    letters = OUTBOX.c.id == lines.c.letter_id
    held = desk.name_at(lines.c.case_id).label("in_hand")
    found = select(lines, *SHOWN, held).join(OUTBOX, letters).join(CASES, CASES.c.id == lines.c.case_id)
    return found.order_by(lines.c.place_at, lines.c.letter_id)


def _late(now: datetime) -> ColumnElement[bool]:
    """The term has run out, now or where the case's own clock stands."""
    return and_(not_(M.settled), or_(M.late, M.due_at <= now))


def _due_today(now: datetime) -> ColumnElement[bool]:
    today = midnight(local_date(now))
    return and_(not_(M.settled), M.due_at > today, M.due_at <= today + DAY)


UNREAD = and_(not_(M.settled), M.acknowledged_at.is_(None))
MAJOR = and_(not_(M.settled), M.major)


def _piles(recipient_id: UUID | None, filters: InboxFilters, now: datetime) -> Select[int, int, int, int]:
    """Counted from the index of matters alone where nothing is asked for; each leads to as many lines."""
    return select(
        func.count().filter(UNREAD).label("unread"),
        func.count().filter(_late(now)).label("overdue"),
        func.count().filter(_due_today(now)).label("due_today"),
        func.count(M.case_id.distinct()).filter(MAJOR).label("major"),
    ).where(M.recipient_id == recipient_id, not_(M.settled), *_among(filters))


def _among(filters: InboxFilters) -> list[ColumnElement[bool]]:
    """Which matters at all, whatever their state."""
    found = [
        *([false()] if filters.lost else []),
        *reads.equal(M.sector, filters.sector),
        *reads.equal(M.case_kind, filters.of),
        *reads.equal(M.kind, filters.notice),
    ]
    if filters.region:
        found += reads.below(M.region, filters.region)
    if filters.q:
        asked = filters.q.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
        found.append(or_(*(one.like(f"%{asked}%") for one in (M.number, M.policy_number, M.insured_name))))
    return found


def _conditions(filters: InboxFilters, now: datetime) -> list[ColumnElement[bool]]:
    found = [M.settled if filters.settled else not_(M.settled), *_among(filters)]
    parts = {"overdue": _late(now), "unread": UNREAD, "due_today": _due_today(now), "major": MAJOR}
    for name, condition in parts.items():
        wanted = getattr(filters, name)
        if wanted is not None:
            found.append(condition if wanted else func.coalesce(not_(condition), True))
    return found


def _letter(row: Row[Any], now: datetime) -> Letter:
    brief: dict[str, Any] = next((one for one in row.duties or () if one["key"] == row.duty_key), {})
    about, at = row.about, reads.as_of(now, row.changed_at)
    effective = brief.get("effective") or about.get("effective")
    running = row.due_at if not row.settled else None
    return Letter(
        case_id=row.case_id,
        kind=row.kind,
        times=row.times,
        told_on=wording.instant(row.at),
        title=brief.get("label") or about.get("label") or "",
        note=about.get("note") or "",
        passed_on=about.get("passed_on") or "",
        number=row.number,
        policy_number=row.policy_number,
        case_kind=row.case_kind,
        insured=row.insured_name,
        insurer=row.matter.get("insurer_name") or "",
        place=wording.region_name(row.region),
        sector=row.sector,
        stage=reads.STAGES[row.case_kind](row.stage),
        major=row.major,
        due_day=wording.plain_day(date.fromisoformat(effective)) if effective else "",
        left=wording.left(running, at) if running else "",
        late=running is not None and running <= at,
        provisional=bool(brief.get("provisional")),
        in_hand=row.in_hand or "",
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
