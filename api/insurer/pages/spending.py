"""What is spent on prevention against its floor, policy by policy and in all; who serves stands in providers.py."""

from dataclasses import dataclass
from decimal import Decimal

from fastapi import APIRouter, Response
from sqlalchemy import func, select

from api import reads
from api.callers import Entry
from api.desk.filters import CaseFilters
from api.desk.lists import COMPARED, Asked, with_total
from api.desk.words import translator
from api.drawings.bars import progress
from api.insurer.pages.cases import WAYS
from api.insurer.pages.lists import WITHOUT
from api.insurer.pages.visits import Reading
from api.rows import CASE_FIGURES, CASES
from models.contracts.vocabulary import CaseKind

FEN = Decimal(100)
SHORT_ONLY = CASE_FIGURES.c.spent_fen < CASE_FIGURES.c.floor_fen
router = APIRouter(prefix="/insurer", include_in_schema=False)


class SpendingFilters(CaseFilters):
    """What the page is asked for; it begins with policies in force."""

    open: bool | None = True


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


@router.get("/spending")
async def spending(visit: Reading, short: bool = False) -> Response:
    """The whole first, then each policy; `short` leaves only those below their floor."""
    entry, t = visit.entry, translator(visit.language)
    totals = await _totals(entry)
    below = (CASES.c.id.in_(select(CASE_FIGURES.c.case_id).where(SHORT_ONLY)),) if short else ()
    filters = SpendingFilters.read(visit.request.query_params)
    trail = WAYS[CaseKind.POLICY].here(visit)
    asked = Asked(CaseKind.POLICY, filters, "/insurer/spending", "/insurer/policies", below, (), WITHOUT, trail=trail)
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
