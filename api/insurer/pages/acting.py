"""The one pair of routes behind every act of the insurer on a case: its form, and what becomes of a form sent."""

from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api import reads
from api.desk.acting import Wanted, admitted
from api.desk.forms import Form, Looked, brings_files, kept, looked_at, read, store, wants_rows
from api.desk.frame import Visit, posted, visited
from api.desk.sheets import Sheet, outcome_of
from api.doors import Door
from api.insurer.pages.acts import DANGEROUS, DOORS
from api.insurer.pages.cases import WAYS, case_address
from api.insurer.pages.choices import offer, situation_of
from api.insurer.pages.lists import SHELVES
from api.insurer.pages.providers import named_by_register, registered
from api.insurer.pages.visits import staff_number
from api.problems import Problem, not_found

SIGNED = "by_user"
NAMING = "name_provider"
router = APIRouter(prefix="/insurer", include_in_schema=False)


def door_of(shelf: str, update: str) -> Door:
    """The door behind an address; 404 for everything that is not in the tables of doors."""
    door = DOORS.get((SHELVES[shelf], update)) if shelf in SHELVES else None
    if door is None:
        raise not_found()
    return door


async def sheet_of(visit: Visit, door: Door, case_id: UUID) -> Sheet:
    """An empty form, with what the case knows already."""
    row = await reads.case_row(visit.entry, case_id, door.kind)
    offered = await offer(visit.request, visit.entry, await situation_of(visit.entry, row), door)
    signs = SIGNED in door.command.model_fields
    fixed = {SIGNED: staff_number(visit.caller)} if signs else {}
    form = Form(door.command, visit.language, offered.body, options=offered.options, fixed=fixed)
    if door.update == NAMING:
        form = replace(form, body=await named_by_register(visit) or form.body)
    asked = visit.request.query_params.get("number")
    if asked and "number" in offered.options:
        form = replace(form, body={**form.body, "number": asked})
    onward = WAYS[row.kind].of(visit.request)
    beside = {
        "door": door,
        "keep": WAYS[row.kind].kept(onward),
        "dangerous": door.update in DANGEROUS,
        "known": tuple(await registered(visit.entry)) if door.update == NAMING else (),
    }
    return Sheet(visit, row, form, "insurer/act.html.j2", case_address(row.kind, row.id, onward), beside)


@router.get("/{shelf}/{case_id:uuid}/{update}")
async def act_form(request: Request, shelf: str, case_id: UUID, update: str) -> Response:
    """The form of one act; an auditor is refused (403), a case of another insurer is not there (404)."""
    door = door_of(shelf, update)
    async with visited(request) as visit:
        return (await sheet_of(visit, door, case_id)).page()


@router.post("/{shelf}/{case_id:uuid}/{update}")
async def act(request: Request, shelf: str, case_id: UUID, update: str) -> Response:
    """Carry the act out once; or the form again, with what was typed and what is wrong beside it."""
    door = door_of(shelf, update)
    async with posted(request) as form:
        wanted = Wanted(case_id, door.kind, update, door.command, str(form.get("_once") or ""))
        looked: Looked = ()
        if brings_files(form):
            async with visited(request) as visit:
                sheet = await sheet_of(visit, door, case_id)  # nobody else has us look at a file
            try:
                looked = await looked_at(visit.entry.tools, form)
            except Problem as refused:
                typed = replace(sheet.form, body=read(door.command, form, kept(form)))
                return replace(sheet, form=typed, problem=refused).page(refused.status)
        async with visited(request) as visit:
            sheet = await sheet_of(visit, door, case_id)
            stored = await store(visit.entry, visit.caller.tenant, looked, form)
            body = read(door.command, form, stored)
            sheet = replace(sheet, form=replace(sheet.form, body=body))
            if wants_rows(form):
                return sheet.page()
            body = {**body, **sheet.form.fixed}
            ready = await admitted(visit, wanted, body)
    return await outcome_of(sheet, ready, wanted, body)
