"""Every case for operators: lists, and the case file without free text, with the way to the Temporal UI and back."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from api.desk.audience import Reader
from api.desk.casefile import read_case
from api.desk.filters import CaseFilters
from api.desk.frame import Visit, visited
from api.desk.lists import INSURERS_ALONE, Asked, CaseShown, with_total
from api.desk.ways_back import WaysBack, list_of
from api.desk.words import translator
from api.operator.engine import describe, ui_address
from api.operator.visits import Reading
from api.problems import not_found
from api.queues import AWAY
from api.rows import CASES
from api.shapes import Page
from models.contracts.vocabulary import ActorKind, CaseKind

ADDRESS = "/operator/cases"
SHELVES = {CaseKind.POLICY: ADDRESS, CaseKind.HAZARD: f"{ADDRESS}/hazards", CaseKind.CLAIM: f"{ADDRESS}/claims"}
router = APIRouter(prefix=ADDRESS, include_in_schema=False)


WAYS = {kind: WaysBack(home, frozenset(SHELVES.values())) for kind, home in SHELVES.items()}


def case_address(kind: CaseKind, case_id: UUID, onward: str = "") -> str:
    """Where a case lies; `onward` is the list one came from."""
    return f"{ADDRESS}/{case_id}{WAYS[kind].trail(onward or SHELVES[kind])}"


@router.get("")
async def policies(visit: Reading) -> Response:
    return await _listed(visit, CaseKind.POLICY)


@router.get("/hazards")
async def hazards(visit: Reading) -> Response:
    return await _listed(visit, CaseKind.HAZARD)


@router.get("/claims")
async def claims(visit: Reading) -> Response:
    return await _listed(visit, CaseKind.CLAIM)


async def _listed(visit: Visit, kind: CaseKind) -> Response:
    """Of all insurers; what was typed into a case is left out."""
    filters = CaseFilters.read(dict(visit.request.query_params))
    asked = Asked(kind, filters, SHELVES[kind], ADDRESS, without=INSURERS_ALONE, trail=WAYS[kind].here(visit))
    page, total = await with_total(visit.entry, asked)
    plain = Page[CaseShown](items=[one.model_copy(update={"description": ""}) for one in page.items], next=page.next)
    return visit.page("operator/cases.html.j2", asked=asked, page=plain, total=total, shelves=SHELVES)


@router.get("/{case_id}")
async def case_page(request: Request, case_id: UUID) -> Response:
    """The case file, and where the engine shows its latest run; without the engine, where it shows the workflow."""
    asked = request.query_params
    why, whole = asked.get("why", ""), asked.get("whole") == "1"
    async with visited(request) as visit:
        entry = visit.entry
        row = (await entry.connection.execute(select(CASES).where(CASES.c.id == case_id))).one_or_none()
        if row is None:
            raise not_found()
        onward = WAYS[row.kind].of(request)
        reader = Reader(ActorKind.OPERATOR, partial(case_address, onward=onward), translator(visit.language))
        case = await read_case(entry, row, reader, why=why, whole=whole)
    run_id, away, known = "", False, True
    try:
        found = await describe(entry.tools, row.workflow_id)
        known, run_id = found is not None, (found.run_id or "") if found else ""
    except AWAY:
        away = True
    ui = ui_address(entry.tools, row.workflow_id, run_id) if known else ""
    return visit.page("operator/case.html.j2", c=case, why=why, run_id=run_id, away=away, known=known, engine=ui,
                      onward=onward, came_from=list_of(onward), keep=WAYS[row.kind].kept(onward))  # fmt: skip
