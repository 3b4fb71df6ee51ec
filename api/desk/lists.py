"""The list of cases of every room: lines and pages; what it is asked for is filters.py, whose rows, callers.py says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, false, func, literal, literal_column, select

from api import reads
from api.callers import Entry
from api.desk.filters import PLACES, CaseFilters
from api.desk.tones import tone_of
from api.rows import CASE_FIGURES, CASES, INSURERS
from api.searching import MOST_COUNTED, Named, searched
from api.shapes import CaseLine, Page
from domain.calendar import DAY, local_date, midnight
from domain.places import region_name
from domain.wording import left
from models.contracts.vocabulary import (
    AccidentGrade,
    CaseKind,
    ClaimPath,
    HazardGrade,
    Sector,
    Size,
    Word,
)

PARCEL = 500
"""Lines: some tenth of a second, in which nobody else is answered."""
INSURERS_ALONE = frozenset({"money", "rate_review", "waiting"})
"""Columns and filters that other rooms do not show."""
COMPARED = CASE_FIGURES.c.ended_at.is_(None) & CASE_FIGURES.c.floor_fen.is_not(None)
"""Policies whose spending is held against a floor: in force, and their place demands one."""
INSURER = select(INSURERS.c.name).where(INSURERS.c.id == CASES.c.insurer_id).scalar_subquery().label("insurer")
GRADE = literal_column("cases.view ->> 'grade'", Text)
"""Spelled out, without parameters, so that the index that holds the major ones in their order is recognised."""
DUTIES = CASES.c.view["duties"].label("duties")
OF_KIND: dict[CaseKind, tuple[ColumnElement[Any], ...]] = {
    CaseKind.POLICY: (CASES.c.view["spent"].astext.label("spent"), CASES.c.view["spend_floor"].astext.label("floor")),
    CaseKind.HAZARD: (
        CASES.c.view["grade"].astext.label("grade"),
        CASES.c.view["description"].astext.label("description"),
        CASES.c.view["policy_number"].astext.label("policy_number"),
    ),
    CaseKind.CLAIM: (
        CASES.c.view["grade"].astext.label("grade"),
        CASES.c.view["path"].astext.label("path"),
        CASES.c.view["money"].label("money"),
        CASES.c.view["policy_number"].astext.label("policy_number"),
    ),
}
GRADES: dict[CaseKind, type[HazardGrade] | type[AccidentGrade]] = {
    CaseKind.HAZARD: HazardGrade,
    CaseKind.CLAIM: AccidentGrade,
}


class CaseShown(CaseLine):
    """A case as a list shows it to people: the words of its codes, and what its kind adds."""

    insurer: str = ""
    in_hand: str | None = None
    next_label: str = ""
    due_on: date | None = None
    left: str = ""
    policy_number: str = ""
    description: str = ""
    grade: str | None = None
    path: ClaimPath | None = None
    assessed: Decimal | None = None
    paid: Decimal | None = None
    spent: Decimal | None = None
    floor: Decimal | None = None

    @property
    def stage_word(self) -> Word:
        return reads.STAGES[self.kind](self.stage)

    @property
    def grade_word(self) -> Word | None:
        return GRADES[self.kind](self.grade) if self.grade else None

    @property
    def place(self) -> str:
        return region_name(self.region)

    @property
    def major(self) -> bool:
        return self.grade == HazardGrade.MAJOR

    @property
    def tone(self) -> str:
        return tone_of(self.stage_word)


@dataclass(frozen=True)
class Asked:
    """One list: of which kind, with which filters, at which address, and where its cases are opened.

    `conditions` are the room's own, beside what row-level security says.
    """

    kind: CaseKind
    filters: CaseFilters
    address: str
    cases: str
    """The address before a case's id: /insurer/policies, /department/cases."""
    conditions: tuple[ColumnElement[bool], ...] = ()
    figured: tuple[ColumnElement[bool], ...] = ()
    """The same conditions on case_figures, where names are looked for."""
    without: frozenset[str] = field(default_factory=frozenset)
    """Columns and filters this room does not show: insurer, money, rate_review, waiting."""
    more: tuple[ColumnElement[Any], ...] = ()
    """Columns this room adds to a line."""
    hands: tuple[tuple[str, str], ...] | None = None
    """Colleagues to ask for by what they have in hand; nothing where nobody is asked for."""
    trail: str = ""
    """What the address of a case carries, so that one finds back to this list."""

    @property
    def stages(self) -> tuple[Word, ...]:
        return tuple(reads.STAGES[self.kind])

    @property
    def grades(self) -> tuple[Word, ...]:
        return tuple(GRADES.get(self.kind, ()))

    @property
    def sectors(self) -> tuple[Word, ...]:
        return tuple(Sector)

    @property
    def sizes(self) -> tuple[Word, ...]:
        return tuple(Size)

    @property
    def paths(self) -> tuple[Word, ...]:
        return tuple(ClaimPath)

    @property
    def places(self) -> tuple[str, ...]:
        return PLACES

    def open(self, line: CaseShown) -> str:
        return f"{self.cases}/{line.id}{self.trail}"


async def with_total(entry: Entry, asked: Asked) -> tuple[Page[CaseShown], int]:
    """One page of the list and how many there are, with one search for both."""
    named = await _named(entry, asked)
    return await shown(entry, asked, named), await counted(entry, asked, named=named)


async def shown(entry: Entry, asked: Asked, named: Named | None = None) -> Page[CaseShown]:
    """One page of the list, after the cursor in the filters."""
    more = (INSURER, DUTIES, *OF_KIND[asked.kind], *asked.more)
    due_first = asked.filters.order == "due"
    within = f"{asked.address}/{asked.filters.order}"
    listing = reads.Listing(asked.kind, _shown, within, more, due_first)
    named = named or await _named(entry, asked)
    return await reads.listed(entry, listing, asked.filters, [*_conditions(entry, asked), *named.in_order])


async def counted(entry: Entry, asked: Asked, most: int = MOST_COUNTED, named: Named | None = None) -> int:
    """How many there are, up to one more than `most`."""
    named = named or await _named(entry, asked)
    among = reads.matching(entry, asked.kind, asked.filters, due_first=asked.filters.order == "due")
    conditions, count = (*among, *_conditions(entry, asked), *_with_a_term(asked)), 0
    for found in named.counted:
        few = select(CASES.c.id).where(*conditions, *found).limit(most + 1).subquery()
        count = (await entry.connection.execute(select(func.count()).select_from(few))).scalar_one()
        if count > most:
            break
    return count


async def parcel(entry: Entry, asked: Asked, after: str | None) -> Page[CaseShown]:
    """As many lines as are read at one time, after a cursor; for exports."""
    filters = asked.filters.model_copy(update={"limit": PARCEL, "cursor": after})
    return await shown(entry, replace(asked, filters=filters))


def _conditions(entry: Entry, asked: Asked) -> list[ColumnElement[bool]]:
    filters = asked.filters
    found = [
        *asked.conditions,
        *([false()] if filters.lost else []),
        *reads.equal(CASES.c.size, filters.size),
        *reads.equal(CASES.c.rate_review, None if "rate_review" in asked.without else filters.rate_review),
        *reads.equal(CASES.c.view["path"].astext, filters.path and filters.path.value),
    ]
    if filters.stage in {one.value for one in asked.stages}:
        found.append(CASES.c.stage == filters.stage)
    if filters.grade in {one.value for one in asked.grades}:
        found.append(_graded(filters.grade))
    if filters.open is not None:
        found.append(CASES.c.ended_at.is_(None) if filters.open else CASES.c.ended_at.is_not(None))
    if filters.waiting is not None and "waiting" not in asked.without:
        among = (*reads.own(entry.caller, CASE_FIGURES), CASE_FIGURES.c.kind == asked.kind, CASE_FIGURES.c.waiting)
        waiting = CASES.c.id.in_(select(CASE_FIGURES.c.case_id).where(*among))
        found.append(waiting if filters.waiting else ~waiting)
    if filters.due_on:
        found += due_on(filters.due_on)
    return found


def _with_a_term(asked: Asked) -> list[ColumnElement[bool]]:
    """What a list in the order of terms leaves out, its count leaves out too."""
    in_order = asked.filters.order == "due"
    return [CASES.c.next_due_at.is_not(None), CASES.c.ended_at.is_(None)] if in_order else []


def due_on(on: date) -> list[ColumnElement[bool]]:
    """Whose next term's last day is `on`: such a term ends at the midnight after it, a term in hours before that."""
    within = [CASES.c.next_due_at > midnight(on), CASES.c.next_due_at <= midnight(on + DAY)]
    return [*within, CASES.c.ended_at.is_(None)]


def _graded(grade: str) -> ColumnElement[bool]:
    """Of a grade that most have, said so that PostgreSQL takes it for a frequent one and follows the list's order."""
    same = literal(grade, literal_execute=True) == GRADE
    return same if grade == HazardGrade.MAJOR else func.coalesce(same, false())


async def _named(entry: Entry, asked: Asked) -> Named:
    """What is searched for among the cases this list may show."""
    among = (*reads.own(entry.caller, CASE_FIGURES), *asked.figured, CASE_FIGURES.c.kind == asked.kind)
    return await searched(entry, asked.filters.q, among) if asked.filters.q else Named()


def _shown(row: Row[Any], now: datetime) -> CaseShown:
    line, given = reads.line(row, now), dict(row._mapping)
    brief = next((one for one in given.pop("duties") or () if one["key"] == row.next_duty), None)
    due = row.next_due_at if row.ended_at is None else None
    more: dict[str, Any] = {
        "insurer": given.get("insurer") or "",
        "next_label": brief["label"] if brief else "",
        "due_on": last_day(due, brief),
        "provisional": bool(brief and brief.get("provisional")),
        "left": left(due, reads.as_of(now, row.changed_at)) if due else "",
    }
    return CaseShown.model_validate({**line.model_dump(), **_money(given.pop("money", None)), **given, **more} | {
        "stage_label": line.stage_label, "overdue": line.overdue,
    })  # fmt: skip


def last_day(due: datetime | None, brief: Mapping[str, Any] | None) -> date | None:
    """The last day of a term as people say it: the day before the midnight it ends at."""
    if due is None:
        return None
    if brief and brief.get("effective"):
        return date.fromisoformat(brief["effective"])
    return local_date(due)


def _money(sums: Mapping[str, Any] | None) -> dict[str, Decimal]:
    if sums is None:
        return {}
    reached = sum((Decimal(sums[name]) for name in ("paid", "prepaid", "advanced")), Decimal("0.00"))
    return {"assessed": Decimal(sums["assessed"]), "paid": reached - Decimal(sums["recovered"])}
