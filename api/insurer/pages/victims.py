"""The victims of a claim: masked in a list, entered by form, seen in clear only for a reason that goes on record."""

from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from sqlalchemy import Row

from api import reads
from api.claims.shapes import VictimEntry, VictimQuery, VictimReading
from api.claims.victims import Arrival, enter, victims
from api.desk.acting import Misfilled
from api.desk.forms import Form, read
from api.desk.frame import Visit, back, posted, visited
from api.idempotency import attempt
from api.insurer.pages.cases import WAYS, case_address
from api.insurer.pages.opening import checked
from api.insurer.pages.visits import Reading
from api.limits import spelled
from api.problems import Problem
from api.words import Scope
from domain.wording import instant
from models.contracts.vocabulary import CaseKind

WAY = WAYS[CaseKind.CLAIM]
router = APIRouter(prefix="/insurer/claims/{claim_id:uuid}/victims", include_in_schema=False)


@router.get("")
async def shelf(visit: Reading, claim_id: UUID) -> Response:
    """The victims, masked, and a form for another one."""
    row = await reads.case_row(visit.entry, claim_id, CaseKind.CLAIM)
    return await _page(visit, row, Form(VictimEntry, visit.language))


@router.post("")
async def entered(request: Request, claim_id: UUID) -> Response:
    """Seal a person field by field; from then on it is called by a reference."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        row = await reads.case_row(visit.entry, claim_id, CaseKind.CLAIM)
        body = read(VictimEntry, form, {})
        sheet = Form(VictimEntry, visit.language, body)
        made = attempt(visit.caller.tenant, f"form:{form.get('_once')}", request, spelled(body).encode())
        try:
            await enter(Arrival(visit.entry, row, made), checked(VictimEntry, body))
        except Misfilled as wrong:
            return await _page(visit, row, sheet.wrong(wrong.errors), status=422)
        except Problem as problem:
            return await _page(visit, row, sheet, status=problem.status, problem=problem)
    return back(f"{case_address(CaseKind.CLAIM, claim_id)}/victims{WAY.led(request)}")


@router.post("/sight")
async def seen(request: Request, claim_id: UUID) -> Response:
    """The originals, once, for a reason; who looked, at whom and why is written down before the page leaves."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        row = await reads.case_row(visit.entry, claim_id, CaseKind.CLAIM)
        sheet = Form(VictimEntry, visit.language)
        try:
            query = VictimQuery(unmasked=True, why=str(form.get("why") or ""))
        except ValidationError:
            return await _page(visit, row, sheet, status=422, unreasoned=True)
        looking = replace(visit.caller, scopes=frozenset({Scope.VICTIMS_READ.value}))
        people = await victims(request, replace(visit.entry, caller=looking), claim_id, query)
        return await _page(visit, row, sheet, people=people)


async def _page(
    visit: Visit,
    row: Row[object],
    sheet: Form,
    *,
    status: int = 200,
    people: list[VictimReading] | None = None,
    problem: Problem | None = None,
    unreasoned: bool = False,
) -> Response:
    masked = VictimQuery(unmasked=False, why=None)
    listed = people if people is not None else await victims(visit.request, visit.entry, row.id, masked)
    onward = WAY.of(visit.request)
    return visit.page(
        "insurer/victims.html.j2", status, row=row, sheet=sheet, people=listed, clear=people is not None,
        address=case_address(CaseKind.CLAIM, row.id), trail=WAY.trail(onward),
        back=case_address(CaseKind.CLAIM, row.id, onward), problem=problem, unreasoned=unreasoned, instant=instant,
    )  # fmt: skip
