"""What is spent on prevention against its floor, policy by policy and in all; and who serves, how much, how well."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import func, literal_column, select
from sqlalchemy.dialects.postgresql import distinct_on

from api.callers import Entry
from api.desk.lists import Asked, CaseFilters, counted, shown
from api.desk.words import translator
from api.drawings.bars import progress
from api.insurer.pages.lists import WITHOUT
from api.insurer.pages.visits import Reading
from api.rows import CASE_FIGURES, CASES, STEPS
from models.contracts.policy import NameProvider
from models.contracts.vocabulary import CaseKind, PolicyStage, ServiceDimension

FEN = Decimal(100)
SHORT_ONLY = CASE_FIGURES.c.spent_fen < CASE_FIGURES.c.floor_fen
LATE = "service_completion"
MOST_PROVIDERS = 200
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
    page, total = await shown(entry, asked), await counted(entry, asked)
    return visit.page("insurer/spending.html.j2", asked=asked, page=page, total=total, totals=totals, drawing=drawing,
                      short=short)  # fmt: skip


async def _totals(entry: Entry) -> Totals:
    """Policies in force whose place demands a floor; without one there is nothing to compare with."""
    floored = CASE_FIGURES.c.floor_fen.is_not(None)
    found = select(
        func.coalesce(func.sum(CASE_FIGURES.c.premium_fen), 0).label("premium"),
        func.coalesce(func.sum(CASE_FIGURES.c.spent_fen), 0).label("spent"),
        func.coalesce(func.sum(CASE_FIGURES.c.floor_fen), 0).label("floor"),
        func.count().label("floored"),
        func.count().filter(SHORT_ONLY).label("short"),
    ).where(CASE_FIGURES.c.kind == CaseKind.POLICY, CASE_FIGURES.c.ended_at.is_(None), floored)
    row = (await entry.connection.execute(found)).one()
    premium, spent, floor = (Decimal(one) / FEN for one in (row.premium, row.spent, row.floor))
    return Totals(premium, spent, floor, row.floored, row.short)


@router.get("/providers")
async def providers(visit: Reading) -> Response:
    """Who serves how many policies, what is late, and how the insured rate it."""
    return visit.page("insurer/providers.html.j2", providers=await _providers(visit.entry))


async def _providers(entry: Entry) -> list[Provider]:
    """By the institution each policy in force named last."""
    name = STEPS.c.cause["body"]["command"]["provider_name"].astext.label("name")
    named = (
        select(STEPS.c.case_id, name)
        .where(STEPS.c.command_name == NameProvider.__name__)
        .ext(distinct_on(STEPS.c.case_id))
        .order_by(STEPS.c.case_id, STEPS.c.seq.desc())
        .subquery()
    )
    late = (CASES.c.next_due_at <= entry.tools.now()) & CASES.c.next_duty.startswith(LATE)
    served = CASES.c.stage == PolicyStage.SERVED
    found = (
        select(
            named.c.name,
            func.count().label("policies"),
            func.count().filter(served).label("served"),
            func.count().filter(late).label("late"),
            func.array_agg(CASES.c.view["ratings"]).filter(_rated()).label("ratings"),
        )
        .join(CASES, CASES.c.id == named.c.case_id)
        .where(CASES.c.ended_at.is_(None))
        .group_by(named.c.name)
        .order_by(literal_column("policies").desc(), named.c.name)
    )
    return [_provider(row) for row in await entry.connection.execute(found.limit(MOST_PROVIDERS))]


def _rated() -> Any:
    return func.jsonb_array_length(func.coalesce(CASES.c.view["ratings"], literal_column("'[]'::jsonb"))) > 0


def _provider(row: Any) -> Provider:
    stars = [one["stars"] for ratings in row.ratings or () for one in ratings]
    means = tuple((one, _mean(given[one.value] for given in stars)) for one in ServiceDimension) if stars else ()
    return Provider(row.name, row.policies, row.served, row.late, len(stars), means)


def _mean(given: Iterable[int]) -> Decimal:
    stars = list(given)
    return (Decimal(sum(stars)) / len(stars)).quantize(Decimal("0.1"))
