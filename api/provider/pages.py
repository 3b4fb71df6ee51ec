"""The service provider's room: its assignments, a policy with its visits, a hazard, two forms; reading is beside."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from api.desk.audience import Reader
from api.desk.frame import Visit, visited, visitor
from api.desk.words import translator
from api.provider.acting import OWN, REPORT, VISIT, act, sheet_of
from api.provider.reading import address, board, hazard, policy
from api.rows import ASSIGNED_CASES
from models.contracts.vocabulary import ActorKind

router = APIRouter(prefix="/provider", include_in_schema=False)
Here = Annotated[Visit, Depends(visitor, scope="function")]
Just = Annotated[str, Query(alias="done", max_length=40)]
"""Which form has just been carried out, to be confirmed on the page it leads back to."""
LONGEST_SEARCH = 120
"""Letters of a number or a name that is looked for."""


@router.get("")
async def assignments(visit: Here) -> Response:
    """What is to be served, by the day it is due; where that is much, what is looked for."""
    asked = visit.request.query_params.get("q", "").strip()[:LONGEST_SEARCH]
    return visit.page("provider/todo.html.j2", board=await board(visit.entry, asked), q=asked)


@router.get("/policies/{case_id:uuid}")
async def assigned(visit: Here, case_id: UUID, done: Just = "") -> Response:
    """Where to go, until when, by which plan; what was done and found there."""
    shown = await policy(visit.entry, case_id, _reader(visit))
    return visit.page("provider/policy.html.j2", p=shown, m=shown.matter, done=done if done in OWN else "")


@router.get("/policies/{case_id:uuid}/visit")
async def visit_form(request: Request, case_id: UUID) -> Response:
    """A visit, to be filled in on the spot."""
    return await _form(request, case_id, VISIT)


@router.post("/policies/{case_id:uuid}/visit")
async def record_visit(request: Request, case_id: UUID) -> Response:
    """The visit with what was found, once."""
    return await act(request, case_id, VISIT)


@router.get("/policies/{case_id:uuid}/report")
async def report_form(request: Request, case_id: UUID) -> Response:
    """The report of the service that is owed within its term."""
    return await _form(request, case_id, REPORT)


@router.post("/policies/{case_id:uuid}/report")
async def hand_in_report(request: Request, case_id: UUID) -> Response:
    """The report, which the insured has confirmed, once."""
    return await act(request, case_id, REPORT)


@router.get("/hazards/{case_id:uuid}")
async def found_hazard(visit: Here, case_id: UUID) -> Response:
    """A hazard and what has become of it; rechecking it is the insurer's."""
    return visit.page("provider/hazard.html.j2", m=await hazard(visit.entry, case_id, _reader(visit)))


async def _form(request: Request, case_id: UUID, update: str) -> Response:
    async with visited(request) as visit:
        return (await sheet_of(visit, case_id, update)).page()


def _reader(visit: Visit) -> Reader:
    of_its_insurer = ASSIGNED_CASES.c.insurer_id == visit.caller.insurer_id  # said for the index: all of its cases are
    return Reader(ActorKind.PROVIDER, address, translator(visit.language), (of_its_insurer,))
