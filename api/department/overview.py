"""The figures of a department's places and sectors, counted in two statements over case_figures; no page here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Date, Label, Row, Select, func, literal, select, tuple_

from api.callers import Entry
from api.department.scope import Scope, within
from api.desk.lists import COMPARED
from api.kept import Counted
from api.rows import CASE_FIGURES, INSURERS
from domain.calendar import local_date, midnight
from models.contracts.vocabulary import CaseKind, PolicyStage, Sector
from models.tables.base import INSTANT

MONTHS = 12
F = CASE_FIGURES.c
OF_A_SET = ("region", "sector", "stage", "insurer_id", "month")


@dataclass
class Tally:
    """Cases of one cell: running ones, and how many of them are overdue."""

    running: int = 0
    overdue: int = 0

    def add(self, other: "Tally") -> None:
        self.running += other.running
        self.overdue += other.overdue


@dataclass(frozen=True)
class OfInsurer:
    """One insurer's policies in the scope; sums in 分 over those with a floor (`COMPARED`), shown as shares only."""

    id: UUID
    name: str
    policies: int = 0
    overdue: int = 0
    hazards: int = 0
    premium: int = 0
    spent: int = 0
    floor: int = 0

    @property
    def share(self) -> float | None:
        """What was spent of the premiums, as a share of one."""
        return self.spent / self.premium if self.premium else None

    @property
    def floor_share(self) -> float | None:
        return self.floor / self.premium if self.premium and self.floor else None

    @property
    def below(self) -> bool:
        return self.spent < self.floor


@dataclass
class Figures:
    """Everything the overview shows."""

    cells: Mapping[tuple[str, Sector], Tally]
    """Running policies by place and sector."""
    stages: Mapping[PolicyStage, int]
    insurers: tuple[OfInsurer, ...]
    months: tuple[tuple[date, int, int], ...]
    """First day of a month, policies signed, hazards found in it; the last twelve."""
    policies: Tally
    hazards: Tally
    major: int
    places: frozenset[str] = field(default_factory=frozenset)
    rows: int = 0
    """How many cases were counted, ended ones among them."""


async def lately(entry: Entry, mine: tuple[Scope, ...]) -> Counted[Figures]:
    """As they stand now; over many cases, as they stood some minutes ago."""
    return await entry.tools.kept.figures(("overview", mine), entry.tools.now(), lambda: figures(entry, mine))


async def figures(entry: Entry, mine: tuple[Scope, ...]) -> Figures:
    """All counts as they stand now."""
    now = entry.tools.now()
    months = _months(local_date(now))
    policies = (await entry.connection.execute(_policies(mine, now, months))).all()
    hazards = (await entry.connection.execute(_hazards(mine, now, months))).all()
    known = await entry.connection.execute(select(INSURERS.c.id, INSURERS.c.name))
    names = {row.id: row.name for row in known}
    cells = {(row.region, row.sector): Tally(row.running, row.overdue) for row in policies if row.region is not None}
    return Figures(
        cells=cells,
        stages={PolicyStage(row.stage): row.n for row in policies if row.stage is not None},
        insurers=_insurers(policies, hazards, names),
        months=_trend(months, policies, hazards),
        policies=_total(cells.values()),
        hazards=_total(Tally(row.running, row.overdue) for row in hazards if row.month is None),
        major=sum(row.major for row in hazards if row.month is None),
        places=frozenset(region for region, _ in cells),
        rows=sum(row.n for row in policies if row.stage is not None) + sum(row.n for row in hazards if row.insurer_id),
    )


def _policies(mine: tuple[Scope, ...], now: datetime, months: tuple[date, ...]) -> Select[*tuple[Any, ...]]:
    """By place and sector, by stage, by insurer, and by the month of signing; whatever is not asked of a row is null.

    Counted finely in one scan, then summed: thousands of fine counts would take longer to send than to make.
    """
    month = func.width_bucket(F.signed_on, literal(months, ARRAY(Date)))
    sets = func.grouping_sets(tuple_(F.region, F.sector, F.stage, F.insurer_id), month)
    sums = (
        func.sum(column).filter(COMPARED).label(column.name) for column in F["premium_fen", "spent_fen", "floor_fen"]
    )
    fine = (
        select(F.region, F.sector, F.stage, F.insurer_id, month.label("month"), *_counts(now), *sums)
        .where(F.kind == CaseKind.POLICY, within(mine, CASE_FIGURES))
        .group_by(sets)
        .subquery()
    )
    column = fine.c
    summed = (func.sum(one).cast(BigInteger).label(one.name) for one in column if one.name not in OF_A_SET)
    cell = tuple_(column.region, column.sector)
    coarse = func.grouping_sets(cell, tuple_(column.stage), tuple_(column.insurer_id), tuple_(column.month))
    return select(*(column[name] for name in OF_A_SET), *summed).group_by(coarse)


def _hazards(mine: tuple[Scope, ...], now: datetime, months: tuple[date, ...]) -> Select[*tuple[Any, ...]]:
    month = func.width_bucket(F.opened_at, literal([midnight(one) for one in months], ARRAY(INSTANT)))
    major = func.count().filter(F.ended_at.is_(None) & F.major).label("major")
    return (
        select(F.insurer_id, month.label("month"), *_counts(now), major)
        .where(F.kind == CaseKind.HAZARD, within(mine, CASE_FIGURES))
        .group_by(func.grouping_sets(F.insurer_id, month))
    )


def _counts(now: datetime) -> tuple[Label[int], ...]:
    """All, those still running, and those of them that are overdue where their own clock stands."""
    late = F.ended_at.is_(None) & (F.next_due_at <= func.greatest(now, F.changed_at))
    return (
        func.count().label("n"),
        func.count().filter(F.ended_at.is_(None)).label("running"),
        func.count().filter(late).label("overdue"),
    )


def _total(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for one in tallies:
        total.add(one)
    return total


def _insurers(
    policies: Iterable[Row[Any]], hazards: Iterable[Row[Any]], names: Mapping[UUID, str]
) -> tuple[OfInsurer, ...]:
    """Most overdue first."""
    hazardous = {row.insurer_id: row.running for row in hazards if row.month is None}
    found = (
        OfInsurer(
            id=row.insurer_id,
            name=names.get(row.insurer_id, ""),
            policies=row.running,
            overdue=row.overdue,
            hazards=hazardous.get(row.insurer_id, 0),
            premium=int(row.premium_fen or 0),
            spent=int(row.spent_fen or 0),
            floor=int(row.floor_fen or 0),
        )
        for row in policies
        if row.insurer_id is not None
    )
    return tuple(sorted(found, key=lambda one: (-one.overdue, -one.policies, one.name)))


def _months(today: date) -> tuple[date, ...]:
    """The first days of this month and the eleven before it."""
    count = today.year * 12 + today.month - 1
    return tuple(date(one // 12, one % 12 + 1, 1) for one in range(count - MONTHS + 1, count + 1))


def _trend(
    months: tuple[date, ...], policies: Iterable[Row[Any]], hazards: Iterable[Row[Any]]
) -> tuple[tuple[date, int, int], ...]:
    signed = {row.month: row.n for row in policies if row.month is not None}
    found = {row.month: row.n for row in hazards if row.month is not None}
    return tuple((month, signed.get(number, 0), found.get(number, 0)) for number, month in enumerate(months, start=1))
