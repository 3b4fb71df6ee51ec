"""The insurer's first page: policies by stage, what falls due, hazards, claims, and what waits for an answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import ColumnElement, Numeric, Row, cast, func, literal_column, or_, select

from api.callers import Entry
from api.desk.frame import Visit
from api.desk.words import namer, translator
from api.drawings import words
from api.drawings.bars import StageCount, stage_bar
from api.drawings.calendars import DueDay, Pile, calendar_strip
from api.insurer.pages.visits import Reading, may_act
from api.rows import CASE_FIGURES, CASES
from domain.calendar import DAY, SATURDAY, is_working, local_date, midnight, year_of
from models.contracts.rulebook import WorkCalendar
from models.contracts.vocabulary import CaseKind, PaymentStatus, PolicyStage

DAYS_AHEAD = 14
MOST_WAITING = 20
LIVING = CASES.c.ended_at.is_(None)
RUNNING = CASE_FIGURES.c.ended_at.is_(None)
"""The same of the figures, which count without reading a case's documents."""
OBJECTS = CASES.c.view["objection"].astext.is_not(None)
ASKS_TIME = CASES.c.view["more_time"].astext.is_not(None)
PROPOSED = CASES.c.view.contains({"payments": [{"status": PaymentStatus.PROPOSED.value}]})
router = APIRouter(prefix="/insurer", include_in_schema=False)


@dataclass(frozen=True)
class Figures:
    """Single numbers of the page."""

    policies: int
    overdue: int
    provisional: int
    hazards: int
    major: int
    claims: int
    assessed: Decimal
    paid: Decimal


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
    figures = await _figures(entry)
    waiting = [*await _payments(entry), *await _asked(entry)]
    strip = calendar_strip(
        await _coming(entry, today), "coming", overdue=Pile(figures.overdue, "/insurer/due?overdue=true&order=due"), t=t
    )
    stages = stage_bar(await _stages(visit), "stages", t=t)
    return visit.page("insurer/workbench.html.j2", figures=figures, strip=strip, stages=stages, waiting=waiting,
                      today=today, acts=may_act(visit.caller))  # fmt: skip


async def _stages(visit: Visit) -> list[StageCount]:
    """Living policies by stage, in the order of a life."""
    living = (CASE_FIGURES.c.kind == CaseKind.POLICY) & RUNNING
    found = select(CASE_FIGURES.c.stage, func.count()).where(living).group_by(CASE_FIGURES.c.stage)
    counts: dict[str, int] = {row[0]: row[1] for row in await visit.entry.connection.execute(found)}
    say: Callable[[Any], str] = namer(visit.language)
    return [
        StageCount(say(stage), counts[stage.value], f"/insurer/policies?stage={stage.value}&open=true")
        for stage in PolicyStage
        if counts.get(stage.value)
    ]


async def _figures(entry: Entry) -> Figures:
    kind, figures = CASE_FIGURES.c.kind, CASE_FIGURES
    found = select(
        _count(kind == CaseKind.POLICY).label("policies"),
        _count(figures.c.next_due_at <= func.greatest(entry.tools.now(), figures.c.changed_at)).label("overdue"),
        _count(kind == CaseKind.HAZARD).label("hazards"),
        _count((kind == CaseKind.HAZARD) & figures.c.major).label("major"),
        _count(kind == CaseKind.CLAIM).label("claims"),
    ).where(RUNNING)
    row = (await entry.connection.execute(found)).one()
    unsure = select(func.count()).select_from(CASES).where(CASES.c.provisional.is_(True), LIVING)
    provisional = (await entry.connection.execute(unsure)).scalar_one()
    known: dict[str, Any] = {**row._mapping, "provisional": provisional, **await _sums(entry)}
    return Figures(**known)


def _count(which: ColumnElement[bool]) -> Any:
    return func.count().filter(which)


async def _sums(entry: Entry) -> dict[str, Decimal]:
    """What open claims are assessed at and what has been paid on them, in yuan."""

    def amount(name: str) -> ColumnElement[Decimal]:
        return func.coalesce(func.sum(cast(CASES.c.view["money"][name].astext, Numeric(18, 2))), 0)

    reached = amount("paid") + amount("prepaid") + amount("advanced") - amount("recovered")
    found = select(amount("assessed").label("assessed"), reached.label("paid"))
    found = found.where(CASES.c.kind == CaseKind.CLAIM, LIVING)
    row = (await entry.connection.execute(found)).one()
    return {"assessed": Decimal(row.assessed), "paid": Decimal(row.paid)}


async def _coming(entry: Entry, today: date) -> list[DueDay]:
    """How many cases' next term ends on each of the days to come; those already past stand in the pile."""
    local = func.timezone("Asia/Shanghai", CASE_FIGURES.c.next_due_at - timedelta(microseconds=1))
    day = func.date(local).label("day")
    until = midnight(today + DAYS_AHEAD * DAY)
    ahead = (CASE_FIGURES.c.next_due_at > entry.tools.now()) & (CASE_FIGURES.c.next_due_at <= until)
    found = select(day, func.count().label("n")).where(RUNNING, ahead)
    counts: dict[date, int] = {
        row.day: row.n for row in await entry.connection.execute(found.group_by(literal_column("day")))
    }
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


async def _asked(entry: Entry) -> list[Waiting]:
    """Objections and requests for more time of enterprises that nobody has answered yet, oldest first."""
    columns = CASES.c["id", "number", "insured_name", "view"]
    found = select(*columns).where(CASES.c.kind == CaseKind.HAZARD, LIVING, or_(OBJECTS, ASKS_TIME))
    rows = await entry.connection.execute(found.order_by(CASES.c.changed_at).limit(MOST_WAITING))
    return [one for row in rows for one in _asked_of(row)]


def _asked_of(row: Row[Any]) -> list[Waiting]:
    address = f"/insurer/hazards/{row.id}"
    told: list[Waiting] = []
    if row.view.get("objection"):
        told.append(Waiting("objection", address, row.number, row.insured_name, row.view["objection"]["reason"]))
    if row.view.get("more_time"):
        told.append(Waiting("more_time", address, row.number, row.insured_name, row.view["more_time"]["reason"]))
    return told


async def _payments(entry: Entry) -> list[Waiting]:
    columns = CASES.c["id", "number", "insured_name", "view"]
    found = select(*columns).where(CASES.c.kind == CaseKind.CLAIM, LIVING, PROPOSED)
    rows = await entry.connection.execute(found.order_by(CASES.c.changed_at).limit(MOST_WAITING))
    return [
        Waiting("payment", f"/insurer/claims/{row.id}/payments/{one['number']}", one["number"], row.insured_name,
                row.number, sum((Decimal(line["amount"]) for line in one["lines"]), Decimal("0.00")))
        for row in rows
        for one in row.view["payments"]
        if one["status"] == PaymentStatus.PROPOSED
    ]  # fmt: skip
