"""The insurer's first page: policies by stage, what falls due, hazards, claims, and what waits for an answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import Row, func, literal_column, select, tuple_

from api import reads
from api.callers import Entry
from api.desk.frame import Visit
from api.desk.words import namer, translator
from api.drawings import words
from api.drawings.bars import StageCount, stage_bar
from api.drawings.calendars import DueDay, Pile, calendar_strip
from api.drawings.words import capital
from api.insurer.pages.cases import ROOM, WAYS, case_address
from api.insurer.pages.visits import Reading, may_act, may_approve, must_leave
from api.rows import CASE_FIGURES, CASES
from domain.calendar import DAY, SATURDAY, is_working, local_date, midnight, year_of
from domain.wording import instant
from models.contracts.calendar import WorkCalendar
from models.contracts.claim_terms import ClaimTerms
from models.contracts.payment import Payment
from models.contracts.vocabulary import CaseKind, PaymentStatus, PolicyStage

DAYS_AHEAD = 14
MOST_WAITING = 20
"""Of each kind; the lists have all of them."""
AT_ONCE = 60  # cases, of which some may be for another person
RUNNING = CASE_FIGURES.c.ended_at.is_(None)
router = APIRouter(prefix="/insurer", include_in_schema=False)


@dataclass(frozen=True)
class Figures:
    """Single numbers of the page; money in yuan."""

    policies: int
    provisional: int
    hazards: int
    major: int
    claims: int
    assessed: Decimal
    paid: Decimal

    @classmethod
    def of(cls, tallies: Sequence[Row[Any]]) -> "Figures":
        """Summed over kinds and stages."""

        def of_kind(kind: CaseKind) -> int:
            return sum(row.n for row in tallies if row.kind is kind)

        return cls(
            policies=of_kind(CaseKind.POLICY),
            hazards=of_kind(CaseKind.HAZARD),
            claims=of_kind(CaseKind.CLAIM),
            provisional=sum(row.provisional for row in tallies),
            major=sum(row.major for row in tallies),
            assessed=sum((Decimal(row.assessed) for row in tallies), Decimal(0)) / 100,
            paid=sum((Decimal(row.reached) for row in tallies), Decimal(0)) / 100,
        )


@dataclass(frozen=True)
class Day:
    """What is counted for the page."""

    tallies: Sequence[Row[Any]]
    overdue: int
    coming: dict[date, int]
    """Terms that end on each of the days to come."""
    waiting: dict[CaseKind, int]
    """Cases that wait for somebody's word here, whoever may give it."""

    @property
    def rows(self) -> int:
        return sum(row.n for row in self.tallies)


@dataclass(frozen=True)
class Waiting:
    """Something that waits for the insurer's own word."""

    what: str
    address: str
    number: str
    insured_name: str
    said: str
    amount: Decimal | None = None


@router.get("")
async def workbench(visit: Reading) -> Response:
    """The day at a glance; every number leads to its list."""
    entry, t = visit.entry, translator(visit.language)
    today = local_date(entry.tools.now())
    counted = await entry.tools.kept.figures(("day", visit.caller.tenant), entry.tools.now(), lambda: _day(entry))
    day = counted.figures
    pile = Pile(day.overdue, "/insurer/due?overdue=true&order=due")
    strip = calendar_strip(_due_days(entry, today, day.coming), "coming", overdue=pile, t=t)
    stages = stage_bar(_stages(visit, day.tallies), "stages", t=t)
    return visit.page("insurer/workbench.html.j2", figures=Figures.of(day.tallies), overdue=day.overdue, strip=strip,
                      stages=stages, waiting=await _waiting(visit), kinds=_kinds_for(visit),
                      all_waiting=day.waiting, today=today,
                      as_of=counted.as_of and instant(counted.as_of), acts=may_act(visit.caller))  # fmt: skip


async def _day(entry: Entry) -> Day:
    return Day(await _tallies(entry), await _overdue(entry), await _coming(entry), await _all_waiting(entry))


async def _tallies(entry: Entry) -> Sequence[Row[Any]]:
    """Everything that runs, by kind and stage, counted from an index alone."""
    figures = CASE_FIGURES.c
    found = select(
        figures.kind,
        figures.stage,
        func.count().label("n"),
        *(func.count().filter(which).label(which.name) for which in (figures.provisional, figures.major)),
        func.coalesce(func.sum(figures.assessed_fen), 0).label("assessed"),
        func.coalesce(func.sum(figures.reached_fen), 0).label("reached"),
    )
    rows = await entry.connection.execute(
        found.where(RUNNING, *reads.own(entry.caller, CASE_FIGURES)).group_by(figures.kind, figures.stage)
    )
    return rows.all()


async def _overdue(entry: Entry) -> int:
    """How many terms have run out; two counts, each by its index, of which the second finds next to nothing.

    A case whose own clock has been moved ahead of ours is judged there.
    """
    now, due = entry.tools.now(), CASE_FIGURES.c.next_due_at
    past = select(func.count()).where(RUNNING, due <= now, *reads.own(entry.caller, CASE_FIGURES))
    ahead = select(func.count()).where(
        CASES.c.kind.in_(CaseKind), CASES.c.changed_at > now, CASES.c.ended_at.is_(None), CASES.c.next_due_at > now,
        CASES.c.next_due_at <= CASES.c.changed_at, *reads.own(entry.caller, CASES),
    )  # fmt: skip
    both = select(past.scalar_subquery() + ahead.scalar_subquery())
    return (await entry.connection.execute(both)).scalar_one()


def _stages(visit: Visit, tallies: Sequence[Row[Any]]) -> list[StageCount]:
    """Living policies by stage, in the order of a life."""
    counts: dict[str, int] = {row.stage: row.n for row in tallies if row.kind is CaseKind.POLICY}
    say: Callable[[Any], str] = namer(visit.language)
    return [
        StageCount(capital(say(stage)), counts[stage.value], f"/insurer/policies?stage={stage.value}&open=true")
        for stage in PolicyStage
        if counts.get(stage.value)
    ]


async def _coming(entry: Entry) -> dict[date, int]:
    """How many cases' next term ends on each of the days to come; those already past stand in the pile."""
    local = func.timezone("Asia/Shanghai", CASE_FIGURES.c.next_due_at - timedelta(microseconds=1))
    day = func.date(local).label("day")
    until = midnight(local_date(entry.tools.now()) + DAYS_AHEAD * DAY)
    ahead = (CASE_FIGURES.c.next_due_at > entry.tools.now()) & (CASE_FIGURES.c.next_due_at <= until)
    found = select(day, func.count().label("n")).where(RUNNING, ahead, *reads.own(entry.caller, CASE_FIGURES))
    return {row.day: row.n for row in await entry.connection.execute(found.group_by(literal_column("day")))}


def _due_days(entry: Entry, today: date, counts: dict[date, int]) -> list[DueDay]:
    calendar = entry.tools.rules.calendar()
    return [_due_day(calendar, today + step * DAY, counts) for step in range(DAYS_AHEAD)]


def _due_day(calendar: WorkCalendar, on: date, counts: dict[date, int]) -> DueDay:
    count = counts.get(on, 0)
    rest = not is_working(calendar, on)
    return DueDay(on, count, rest, _letter(calendar, on, rest), f"/insurer/due?due_on={on}" if count else "")


def _letter(calendar: WorkCalendar, on: date, rest: bool) -> str:
    year = year_of(calendar, on.year)
    if not rest:
        return words.MAKE_UP_LETTER if on.weekday() >= SATURDAY else ""
    return words.HOLIDAY_LETTER if year and on in year.off else words.REST_LETTER


async def _all_waiting(entry: Entry) -> dict[CaseKind, int]:
    """How many cases wait, by kind: the lists with `waiting` have as many."""
    figures = CASE_FIGURES.c
    found = select(figures.kind, func.count().label("n")).where(figures.waiting, *reads.own(entry.caller, CASE_FIGURES))
    return {row.kind: row.n for row in await entry.connection.execute(found.group_by(figures.kind))}


def _kinds_for(visit: Visit) -> list[CaseKind]:
    """What this person may answer: an administrator payments and requests, a handler requests, an auditor nothing."""
    payments = [CaseKind.CLAIM] if may_approve(visit.caller) else []
    return [*payments, CaseKind.HAZARD] if may_act(visit.caller) else []


async def _waiting(visit: Visit) -> list[Waiting]:
    """What this person may decide and nobody has decided yet: payments first, of each kind the oldest."""
    return [one for kind in _kinds_for(visit) for one in await _oldest(visit, kind)]


async def _oldest(visit: Visit, kind: CaseKind) -> list[Waiting]:
    """Read on until there are enough: what another person must approve takes nobody's place."""
    entry, figures, found = visit.entry, CASE_FIGURES.c, list[Waiting]()
    order, after = (figures.changed_at, figures.case_id), None
    asked = select(*CASES.c["id", "number", "insured_name", "view"], figures.changed_at)
    asked = asked.join(CASE_FIGURES, figures.case_id == CASES.c.id).order_by(*order).limit(AT_ONCE)
    among = (figures.waiting, figures.kind == kind)
    asked = asked.where(*among, *reads.own(entry.caller, CASE_FIGURES), *reads.own(entry.caller, CASES))
    while len(found) < MOST_WAITING:
        page = asked if after is None else asked.where(tuple_(*order) > tuple_(*after))
        rows = (await entry.connection.execute(page)).all()
        found += [
            one for row in rows for one in (_proposed_of(row, visit) if kind is CaseKind.CLAIM else _asked_of(row))
        ]
        if len(rows) < AT_ONCE:
            break
        after = rows[-1].changed_at, rows[-1].id
    return found[:MOST_WAITING]


def _asked_of(row: Row[Any]) -> list[Waiting]:
    address = case_address(CaseKind.HAZARD, row.id, ROOM)
    told: list[Waiting] = []
    if row.view.get("objection"):
        told.append(Waiting("objection", address, row.number, row.insured_name, row.view["objection"]["reason"]))
    if row.view.get("more_time"):
        told.append(Waiting("more_time", address, row.number, row.insured_name, row.view["more_time"]["reason"]))
    return told


def _proposed_of(row: Row[Any], visit: Visit) -> list[Waiting]:
    terms = ClaimTerms.model_validate(row.view.get("terms") or {})
    claim, trail = case_address(CaseKind.CLAIM, row.id), WAYS[CaseKind.CLAIM].trail(ROOM)
    proposed = [Payment.model_validate(one) for one in row.view["payments"] if one["status"] == PaymentStatus.PROPOSED]
    return [
        Waiting("payment", f"{claim}/payments/{one.number}{trail}", one.number, row.insured_name,
                row.number, one.amount)
        for one in proposed
        if not must_leave(visit.caller, one, terms)
    ]  # fmt: skip
