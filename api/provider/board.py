"""The assignments of a service provider, a page at a time: by the day a service is due, then what has none or ended."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Row, any_, cast, false, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from api import reads
from api.callers import Entry
from api.cursors import Cursors, Place
from api.desk.due import when_due
from api.desk.filters import CaseFilters
from api.desk.tones import tone_of
from api.provider.reading import address, assigned, services_of
from api.rows import ASSIGNED_CASES
from domain import wording
from models.contracts.vocabulary import CaseKind, HazardGrade, PolicyStage, Word
from models.tables.base import INSTANT

Pile = Literal["due", "served", "ended"]
SERVED_AFTER = timedelta(days=1000 * 365)
FAR = datetime(5000, 1, 1, tzinfo=UTC)
"""Whatever has no day that counts stands behind whatever has one; of what has ended the last comes first."""
C = ASSIGNED_CASES.c


class BoardFilters(CaseFilters):
    """What the assignments are asked for; `grade` is of a hazard that is not settled yet."""

    pile: Pile | None = None

    def of_pile(self, name: str) -> str:
        """The query string of one pile among what is asked for."""
        pile = {"overdue": True, "pile": None} if name == "overdue" else {"overdue": None, "pile": name}
        return self.address(**pile)


@dataclass(frozen=True)
class Assigned:
    """One policy this provider serves, in one line."""

    href: str
    insured: str
    number: str
    place: str
    stage: Word
    tone: str
    pile: Pile
    said: str = ""
    due_day: str = ""
    left: str = ""
    late: bool = False
    provisional: bool = False
    open_hazards: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True)
class Piles:
    """How many there are of what is asked for, whatever the page shows of them."""

    due: int
    late: int
    served: int
    ended: int


@dataclass(frozen=True)
class Board:
    """One page."""

    piles: Piles
    lines: tuple[Assigned, ...]
    next: str | None

    def of(self, pile: Pile) -> tuple[Assigned, ...]:
        return tuple(one for one in self.lines if one.pile == pile)


@dataclass(frozen=True)
class Spot:
    """Where one assignment stands among all of them; its line is read for those of the page alone."""

    id: UUID
    pile: Pile
    late: bool
    place_at: datetime

    @classmethod
    def of(cls, row: Row[Any], now: datetime) -> "Spot":
        if row.ended_at is not None:
            return cls(row.id, "ended", late=False, place_at=FAR + (FAR - row.ended_at))
        if row.due_at is None:
            return cls(row.id, "served", late=False, place_at=row.opened_at + SERVED_AFTER)
        return cls(row.id, "due", late=row.due_at <= reads.as_of(now, row.changed_at), place_at=row.due_at)

    @property
    def place(self) -> Place:
        return self.place_at, self.id


async def board(entry: Entry, filters: BoardFilters, onward: str) -> Board:
    """The assignments of the calling provider; `onward` is this list, as it is asked for."""
    now, services = entry.tools.now(), services_of(entry.tools)
    narrow = select(*C["id", "opened_at", "changed_at", "ended_at"], _due_at(services)).where(*_among(entry, filters))
    spots = [Spot.of(row, now) for row in await entry.connection.execute(narrow)]
    cursors = Cursors(entry.tools.secret, entry.caller.owner, "provider/board", filters)
    after = cursors.read(filters.cursor)
    wanted = sorted((one for one in spots if _asked_for(one, filters)), key=lambda one: one.place)
    wanted = [one for one in wanted if after is None or one.place > after]
    shown = wanted[: filters.limit]
    rows = await _rows(entry, [one.id for one in shown])
    return Board(
        piles=_piles(spots),
        lines=tuple(_line(rows[one.id], one, services, now, onward) for one in shown if one.id in rows),
        next=cursors.write(*shown[-1].place) if len(wanted) > len(shown) else None,
    )


def _among(entry: Entry, filters: BoardFilters) -> list[ColumnElement[bool]]:
    """Which assignments at all; piles are counted of these."""
    found = [
        C.kind == CaseKind.POLICY,
        C.id.in_(assigned(entry)),
        *([false()] if filters.lost else []),
        *reads.equal(C.sector, filters.sector),
    ]
    if filters.region:
        found += reads.below(C.region, filters.region)
    if filters.q:
        found.append(or_(func.starts_with(C.number, filters.q), func.strpos(C.insured_name, filters.q) > 0))
    if filters.grade in set(HazardGrade):
        hazards = ASSIGNED_CASES.alias("hazards").c
        graded = (
            hazards.kind == CaseKind.HAZARD,
            hazards.ended_at.is_(None),
            hazards.view["grade"].astext == filters.grade,
        )
        # by the policies, which are few: the insurer has very many hazards, and of each the view would be unpacked
        of_ours = hazards.parent_id == any_(func.array(assigned(entry).scalar_subquery()))
        below = select(hazards.parent_id).where(hazards.insurer_id == entry.caller.insurer_id, of_ours, *graded)
        found.append(C.id == any_(func.array(below.scalar_subquery())))
    return found


def _due_at(services: frozenset[str]) -> ColumnElement[datetime]:
    """The first day a service of a policy is due, of the duties its view tells."""
    duty = func.jsonb_array_elements(C.view["duties"], type_=JSONB).column_valued("duty")
    ours = func.split_part(duty["key"].astext, "#", 1).in_(services)
    first = select(func.min(cast(duty["due_at"].astext, INSTANT))).where(ours)
    return first.correlate(ASSIGNED_CASES).scalar_subquery().label("due_at")


def _asked_for(one: Spot, filters: BoardFilters) -> bool:
    if filters.pile and one.pile != filters.pile:
        return False
    return filters.overdue is None or one.late == filters.overdue


async def _rows(entry: Entry, ids: list[UUID]) -> dict[UUID, Row[Any]]:
    found = select(ASSIGNED_CASES).where(C.kind == CaseKind.POLICY, C.id.in_(ids))
    return {row.id: row for row in await entry.connection.execute(found)} if ids else {}


def _piles(spots: Sequence[Spot]) -> Piles:
    counts = Counter(one.pile for one in spots)
    return Piles(counts["due"], sum(one.late for one in spots), counts["served"], counts["ended"])


def _line(row: Row[Any], spot: Spot, services: frozenset[str], now: datetime, onward: str) -> Assigned:
    stage, at = PolicyStage(row.stage), reads.as_of(now, row.changed_at)
    due = [one for one in row.view.get("duties", ()) if one["key"].partition("#")[0] in services and one["due_at"]]
    first = min(due, key=lambda one: one["due_at"], default=None) if spot.pile == "due" else None
    return Assigned(
        href=address(row.kind, row.id, onward),
        insured=row.insured_name,
        number=row.number,
        place=wording.place_line(row.region, row.sector, row.size),
        stage=stage,
        tone=tone_of(stage),
        pile=spot.pile,
        open_hazards=row.open_hazards,
        **({"said": first["label"], **when_due(first, at)} if first else {}),
    )
