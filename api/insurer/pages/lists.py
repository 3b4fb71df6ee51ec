"""Lists of the insurer's policies, hazards and claims, what falls due on a day, and each list as a workbook."""

from functools import partial

from fastapi import APIRouter, Request, Response

from api.desk.filters import CaseFilters
from api.desk.frame import Visit
from api.desk.hands import with_hands
from api.desk.lists import Asked, with_total
from api.desk.taking import Taking, taken
from api.insurer.pages.cases import WAYS
from api.insurer.pages.visits import Reading, may_act
from api.insurer.pages.words import TITLES
from api.problems import not_found
from models.contracts.vocabulary import CaseKind

SHELVES = {"policies": CaseKind.POLICY, "hazards": CaseKind.HAZARD, "claims": CaseKind.CLAIM}
WITHOUT = frozenset({"insurer"})
router = APIRouter(prefix="/insurer", include_in_schema=False)


def asked_of(visit: Visit, shelf: str, **usual: str) -> Asked:
    """The list this address names, with its filters; 404 for another word. `usual`: where the address does not say."""
    if shelf not in SHELVES:
        raise not_found()
    address = f"/insurer/{shelf}"
    filters = CaseFilters.read({**usual, **visit.request.query_params})
    kind = SHELVES[shelf]
    return Asked(kind, filters, address, address, without=WITHOUT, trail=WAYS[kind].here(visit))


@router.get("/due")
async def due(visit: Reading) -> Response:
    """Everything that falls due on one day, or is overdue, of all kinds, in the order of its terms."""
    lists = [await with_hands(visit, asked_of(visit, shelf, order="due")) for shelf in SHELVES]
    found = [(asked, *await with_total(visit.entry, asked)) for asked in lists]
    return visit.page("insurer/due.html.j2", lists=found, filters=lists[0].filters, titles=TITLES)


async def listed(visit: Visit, shelf: str) -> Response:
    asked = await with_hands(visit, asked_of(visit, shelf))
    page, total = await with_total(visit.entry, asked)
    given = {"asked": asked, "page": page, "total": total, "title": TITLES[asked.kind]}
    export = f"/insurer/{shelf}/export.xlsx"
    return visit.page("insurer/list.html.j2", **given, export=export, acts=may_act(visit.caller))


@router.get("/policies")
async def policies(visit: Reading) -> Response:
    return await listed(visit, "policies")


@router.get("/hazards")
async def hazards(visit: Reading) -> Response:
    return await listed(visit, "hazards")


@router.get("/claims")
async def claims(visit: Reading) -> Response:
    return await listed(visit, "claims")


@router.get("/{shelf}/export.xlsx")
async def export(request: Request, shelf: str) -> Response:
    """The list with the same filters as a workbook."""
    return await taken(request, partial(_taking, shelf=shelf))


async def _taking(visit: Visit, shelf: str) -> Taking:
    asked = await with_hands(visit, asked_of(visit, shelf))
    return Taking(asked, TITLES[asked.kind])
