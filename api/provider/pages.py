"""The service provider's room: its assignments, a policy with its visits, a hazard, two forms; reading is beside."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from api.desk.audience import Reader
from api.desk.filters import PLACES
from api.desk.frame import Visit, visited, visitor
from api.desk.words import translator
from api.provider.acting import OWN, REPORT, VISIT, act, sheet_of
from api.provider.board import BoardFilters, board
from api.provider.reading import ROOM, WAYS, address, hazard, policy
from api.rows import ASSIGNED_CASES
from models.contracts.vocabulary import ActorKind, HazardGrade, Sector

router = APIRouter(prefix="/provider", include_in_schema=False)
Here = Annotated[Visit, Depends(visitor, scope="function")]
Just = Annotated[str, Query(alias="done", max_length=40)]
"""Which form has just been carried out, to be confirmed on the page it leads back to."""


@router.get("")
async def assignments(visit: Here) -> Response:
    """What is to be served, by the day it is due, a page at a time."""
    filters, asked = BoardFilters.read(visit.request.query_params), visit.request.url
    return visit.page(
        "provider/todo.html.j2",
        board=await board(visit.entry, filters, f"{ROOM}?{asked.query}" if asked.query else ROOM),
        f=filters,
        sectors=tuple(Sector),
        grades=tuple(HazardGrade),
        places=PLACES,
    )


@router.get("/policies/{case_id:uuid}")
async def assigned(visit: Here, case_id: UUID, done: Just = "") -> Response:
    """Where to go, until when, by which plan; what was done and found there."""
    shown = await policy(visit.entry, case_id, _reader(visit))
    onward = WAYS.of(visit.request)
    return visit.page("provider/policy.html.j2", p=shown, m=shown.matter, done=done if done in OWN else "",
                      onward=onward, trail=WAYS.trail(onward))  # fmt: skip


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
    return visit.page("provider/hazard.html.j2", m=await hazard(visit.entry, case_id, _reader(visit)),
                      trail=WAYS.trail(WAYS.of(visit.request)))  # fmt: skip


async def _form(request: Request, case_id: UUID, update: str) -> Response:
    async with visited(request) as visit:
        return (await sheet_of(visit, case_id, update)).page()


def _reader(visit: Visit) -> Reader:
    of_its_insurer = ASSIGNED_CASES.c.insurer_id == visit.caller.insurer_id  # said for the index: all of its cases are
    address_of = partial(address, onward=WAYS.of(visit.request))
    return Reader(ActorKind.PROVIDER, address_of, translator(visit.language), (of_its_insurer,))
