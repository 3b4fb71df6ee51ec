"""The enterprise's room: what is open, a hazard, a plan, a service, what was done; how a form acts is in acting.py."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from api.desk.audience import Reader
from api.desk.deeds import MOST_FILES, Deed
from api.desk.evidence import file_address
from api.desk.filling import EMPTY, Filling
from api.desk.frame import Visit, back, visited, visitor
from api.desk.matters import hazard_matter, policy_matter
from api.desk.words import translator
from api.enterprise.acting import act
from api.enterprise.reading import HistoryQuery, address, board, history, own_case
from api.problems import not_found
from models.contracts.vocabulary import ActorKind, CaseKind, ServiceDimension

router = APIRouter(prefix="/enterprise", include_in_schema=False)
Here = Annotated[Visit, Depends(visitor, scope="function")]
Just = Annotated[str, Query(alias="done", max_length=40)]
"""Which deed has just been carried out, to be confirmed on the page it leads back to."""


@dataclass(frozen=True)
class Page:
    """What a page is told besides its matter: what was just done, or the form to be mended."""

    done: Deed | None = None
    filling: Filling = EMPTY

    @property
    def status(self) -> int:
        return 422 if self.filling.deed else 200


@router.get("")
async def todo(visit: Here, done: Just = "") -> Response:
    """What is open, most urgent first."""
    return visit.page("enterprise/todo.html.j2", board=await board(visit.entry), done=_named(done))


@router.get("/history")
async def done_before(visit: Here, query: Annotated[HistoryQuery, Query()]) -> Response:
    """What the enterprise did, latest first."""
    listed, following = await history(visit.entry, query)
    return visit.page("enterprise/history.html.j2", listed=listed, next=following)


@router.get("/hazards/{case_id:uuid}")
async def hazard(visit: Here, case_id: UUID, done: Just = "") -> Response:
    return await _hazard(visit, case_id, Page(_named(done)))


@router.post("/hazards/{case_id:uuid}")
async def act_on_hazard(request: Request, case_id: UUID) -> Response:
    """One of the three acts, or the receipt of the notice."""
    outcome = await act(request, case_id, CaseKind.HAZARD)
    if isinstance(outcome, Deed):
        return back(f"{request.url.path}?done={outcome}")
    async with visited(request) as visit:
        return await _hazard(visit, case_id, Page(filling=outcome))


@router.get("/policies/{case_id:uuid}")
async def policy(visit: Here, case_id: UUID) -> Response:
    return await _policy(visit, "enterprise/policy.html.j2", case_id, Page())


@router.get("/policies/{case_id:uuid}/plan")
async def plan(visit: Here, case_id: UUID, done: Just = "") -> Response:
    return await _policy(visit, "enterprise/plan.html.j2", case_id, Page(_named(done)))


@router.post("/policies/{case_id:uuid}/plan")
async def act_on_plan(request: Request, case_id: UUID) -> Response:
    return await _acted(request, "enterprise/plan.html.j2", case_id)


@router.get("/policies/{case_id:uuid}/visits/{number}")
async def service(visit: Here, case_id: UUID, number: str, done: Just = "") -> Response:
    return await _policy(visit, "enterprise/visit.html.j2", case_id, Page(_named(done)), number)


@router.post("/policies/{case_id:uuid}/visits/{number}")
async def act_on_service(request: Request, case_id: UUID, number: str) -> Response:
    return await _acted(request, "enterprise/visit.html.j2", case_id, number)


async def _acted(request: Request, template: str, case_id: UUID, number: str = "") -> Response:
    outcome = await act(request, case_id, CaseKind.POLICY, number)
    if isinstance(outcome, Deed):
        return back(f"{request.url.path}?done={outcome}")
    async with visited(request) as visit:
        return await _policy(visit, template, case_id, Page(filling=outcome), number)


async def _hazard(visit: Visit, case_id: UUID, page: Page) -> Response:
    row = await own_case(visit.entry, case_id, CaseKind.HAZARD)
    matter = await hazard_matter(visit.entry, row, _reader(visit), file_address)
    return visit.page("enterprise/hazard.html.j2", page.status, m=matter, **_frame(page, f"hazard-{case_id}"))


async def _policy(visit: Visit, template: str, case_id: UUID, page: Page, number: str = "") -> Response:
    row = await own_case(visit.entry, case_id, CaseKind.POLICY)
    matter = await policy_matter(visit.entry, row, _reader(visit), file_address)
    one = matter.visit(number)
    if (number and one is None) or (template.endswith("plan.html.j2") and matter.plan is None):
        raise not_found()
    frame = _frame(page, f"policy-{case_id}-{number}")
    return visit.page(template, page.status, m=matter, v=one, open=row.ended_at is None, **frame)


def _frame(page: Page, draft: str) -> dict[str, Any]:
    return {
        "done": page.done,
        "f": page.filling,
        "empty": EMPTY,
        "draft": draft,
        "most_files": MOST_FILES,
        "dimensions": tuple(ServiceDimension),
    }


def _reader(visit: Visit) -> Reader:
    return Reader(ActorKind.ENTERPRISE, address, translator(visit.language))


def _named(done: str) -> Deed | None:
    return Deed(done) if done in set(Deed) else None
