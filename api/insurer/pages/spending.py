"""What is spent on prevention against its floor, policy by policy and in all; and who serves, how much, how well."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import Row, func, literal_column, select

from api import reads
from api.callers import Entry
from api.desk.lists import COMPARED, Asked, CaseFilters, with_total
from api.desk.words import translator
from api.drawings.bars import progress
from api.insurer.pages.lists import WITHOUT
from api.insurer.pages.visits import Reading
from api.rows import CASE_FIGURES, CASES
from models.contracts.vocabulary import CaseKind, PolicyStage, ServiceDimension

FEN = Decimal(100)
SHORT_ONLY = CASE_FIGURES.c.spent_fen < CASE_FIGURES.c.floor_fen
MOST_PROVIDERS = 200
RUNNING = CASE_FIGURES.c.ended_at.is_(None)
router = APIRouter(prefix="/insurer", include_in_schema=False)


@dataclass(frozen=True)
class Totals:
    """Yuan over all policies in force."""

    premium: Decimal
    spent: Decimal
    floor: Decimal
    floored: int
    """Policies whose place demands a floor."""
    short: int
    """Of those, the ones below it."""


@dataclass(frozen=True)
class Provider:
    """An institution or expert and how its services stand."""

    name: str
    policies: int
    served: int
    late: int
    """Policies in force whose service is overdue."""
    rated: int
    stars: tuple[tuple[ServiceDimension, Decimal], ...]
    """The mean of each dimension, one to five, to a tenth; empty where nobody has rated."""


@router.get("/spending")
async def spending(visit: Reading, short: bool = False) -> Response:
    """The whole first, then each policy; `short` leaves only those below their floor."""
    entry, t = visit.entry, translator(visit.language)
    totals = await _totals(entry)
    below = (CASES.c.id.in_(select(CASE_FIGURES.c.case_id).where(SHORT_ONLY)),) if short else ()
    filters = CaseFilters.read({"open": "true", **visit.request.query_params})
    asked = Asked(CaseKind.POLICY, filters, "/insurer/spending", "/insurer/policies", below, without=WITHOUT)
    share = totals.floor / totals.premium if totals.premium else Decimal(0)
    drawing = progress(totals.spent, totals.premium, share, "spending", t=t) if totals.premium else ""
    page, total = await with_total(entry, asked)
    return visit.page("insurer/spending.html.j2", asked=asked, page=page, total=total, totals=totals, drawing=drawing,
                      short=short)  # fmt: skip


async def _totals(entry: Entry) -> Totals:
    """Policies in force whose place demands a floor; without one there is nothing to compare with."""
    found = select(
        func.coalesce(func.sum(CASE_FIGURES.c.premium_fen), 0).label("premium"),
        func.coalesce(func.sum(CASE_FIGURES.c.spent_fen), 0).label("spent"),
        func.coalesce(func.sum(CASE_FIGURES.c.floor_fen), 0).label("floor"),
        func.count().label("floored"),
        func.count().filter(SHORT_ONLY).label("short"),
    ).where(CASE_FIGURES.c.kind == CaseKind.POLICY, COMPARED, *reads.own(entry.caller, CASE_FIGURES))
    row = (await entry.connection.execute(found)).one()
    premium, spent, floor = (Decimal(one) / FEN for one in (row.premium, row.spent, row.floor))
    return Totals(premium, spent, floor, row.floored, row.short)


@router.get("/providers")
async def providers(visit: Reading) -> Response:
    """Who serves how many policies, what is late, and how the insured rate it."""
    return visit.page("insurer/providers.html.j2", providers=await _providers(visit.entry))


async def _providers(entry: Entry) -> list[Provider]:
    """By the institution each policy in force named last; counted from an index alone."""
    figures = CASE_FIGURES.c
    late = (figures.next_due_at <= entry.tools.now()) & figures.service_next
    found = select(
        figures.provider_name,
        func.count().label("policies"),
        func.count().filter(figures.stage == PolicyStage.SERVED).label("served"),
        func.count().filter(late).label("late"),
        func.sum(figures.rated).label("rated"),
        *(func.sum(figures[one.value]).label(one.value) for one in ServiceDimension),
    ).where(figures.provider_name.is_not(None), RUNNING, *reads.own(entry.caller, CASE_FIGURES))
    found = found.group_by(figures.provider_name).order_by(literal_column("policies").desc(), figures.provider_name)
    return [_provider(row) for row in await entry.connection.execute(found.limit(MOST_PROVIDERS))]


def _provider(row: Row[Any]) -> Provider:
    stars = row._mapping
    means = tuple((one, _mean(stars[one.value], row.rated)) for one in ServiceDimension) if row.rated else ()
    return Provider(row.provider_name, row.policies, row.served, row.late, row.rated, means)


def _mean(stars: int, rated: int) -> Decimal:
    return (Decimal(stars) / rated).quantize(Decimal("0.1"))
