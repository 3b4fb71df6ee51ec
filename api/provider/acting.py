"""The two forms of a service provider, a visit and the report of a service, and what becomes of one that is sent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import Row, func, select
from starlette.datastructures import FormData, UploadFile

from api.desk.acting import Wanted, admitted
from api.desk.filling import KEPT, kept_before, kept_field
from api.desk.forms import Form, Looked, kept, looked_at, read, store, wants_rows
from api.desk.frame import Visit, posted, visited
from api.desk.sheets import Sheet, outcome_of
from api.problems import Problem
from api.provider.reading import WAYS, address, own_case
from api.rows import STEPS
from api.words import FileFault, ProblemCode
from domain.calendar import local_date
from models.contracts.base import Attachment, Command
from models.contracts.policy import CompleteService, RecordVisit
from models.contracts.vocabulary import CaseKind

BLANK = 6
"""Rows for hazards that stand ready: on the spot there may be no network to ask for one more."""
MOST_HAZARDS = 20
MOST_PICTURES = 24
"""Files of one form; each is made anew, which takes its time."""
MOST_PARTS = 120
"""Places for files in a form with all its rows, most of them left empty."""
VISIT, REPORT = "record_visit", "complete_service"
OWN: Mapping[str, type[Command]] = {VISIT: RecordVisit, REPORT: CompleteService}
"""By the name of the update; who may is decided in domain/serving.py."""
SHEETS = {VISIT: "provider/record_visit.html.j2", REPORT: "provider/complete_service.html.j2"}
Stored = dict[str, list[dict[str, str]]]


async def sheet_of(visit: Visit, case_id: UUID, update: str) -> Sheet:
    """An empty form, with what the case knows already. Raises Problem 404."""
    row = await own_case(visit.entry, case_id, CaseKind.POLICY)
    begun = await _visit(visit, row) if update == VISIT else {"on": str(local_date(visit.entry.tools.now()))}
    form = _with_rows(Form(OWN[update], visit.language, begun))
    beside = {"files": "", "most_files": MOST_PICTURES}
    return Sheet(visit, row, form, SHEETS[update], address(row.kind, row.id, WAYS.of(visit.request)), beside)


async def _visit(visit: Visit, row: Row[Any]) -> dict[str, Any]:
    """Today, what the contract names, and the next number of this policy."""
    recorded = (STEPS.c.case_id == row.id) & (STEPS.c.command_name == "RecordVisit")
    count = (await visit.entry.connection.execute(select(func.count()).where(recorded))).scalar_one()
    today = local_date(visit.entry.tools.now())
    items = list(row.view["terms"].get("service_items", ()))
    return {"number": f"F-{today:%Y%m%d}-{count + 1}", "on": str(today), "items": items, "staff_count": 1}


def _with_rows(form: Form) -> Form:
    """At least some rows for hazards, and one more than are filled in."""
    if form.contract is not OWN[VISIT]:
        return form
    rows = list(form.body.get("hazards") or ())
    wanted = min(max(BLANK, len(rows) + 1), MOST_HAZARDS)
    return replace(form, body={**form.body, "hazards": rows + [{}] * (wanted - len(rows))})


async def act(request: Request, case_id: UUID, update: str) -> Response:
    """Carry the form out once; or the form again, with what was typed and what is wrong beside it."""
    async with posted(request, most_files=MOST_PARTS) as form:
        wanted = Wanted(case_id, CaseKind.POLICY, update, OWN[update], str(form.get("_once") or ""))
        async with visited(request) as visit:  # nobody else has us look at a file
            sheet = await sheet_of(visit, case_id, update)
        try:
            looked = await _looked(visit, form)
        except Problem as refused:
            sheet = _typed(sheet, form, _allowed(visit, form, kept(form), ()))
            return replace(sheet, problem=refused).page(refused.status)
        async with visited(request) as visit:
            row = await own_case(visit.entry, case_id, CaseKind.POLICY)
            stored = await store(visit.entry, row.insurer_id, looked, form)
            stored = _allowed(visit, form, stored, looked)
            sheet = _typed(replace(sheet, visit=visit, row=row), form, stored)
            if wants_rows(form):
                return sheet.page()
            body = _numbered(read(OWN[update], form, stored))
            ready = await admitted(visit, wanted, body)
    if update == REPORT and not body.get("report"):
        return sheet.wrong({"report": FileFault.MISSING.label})
    return await outcome_of(sheet, ready, wanted, body)


async def _looked(visit: Visit, form: FormData) -> Looked:
    brought = sum(isinstance(one, UploadFile) and bool(one.filename) for _, one in form.multi_items())
    if brought > MOST_PICTURES:
        raise Problem(ProblemCode.TOO_LARGE)
    return await looked_at(visit.entry.tools, form)


def _allowed(visit: Visit, form: FormData, stored: Stored, looked: Looked) -> Stored:
    """Files that came now, or came before by this provider's own form: nobody names a file they do not hold."""
    before = kept_before(visit.entry.tools.secret, visit.caller.owner, str(form.get(KEPT) or ""))
    known = {one.attachment.digest for _, one in looked} | {one.digest for one in before}
    return {
        name: list({one["digest"]: one for one in files if one["digest"] in known}.values())
        for name, files in stored.items()
    }


def _typed(sheet: Sheet, form: FormData, stored: Stored) -> Sheet:
    """What was typed and brought, to be shown again; files are signed for this provider."""
    tools, owner = sheet.visit.entry.tools, sheet.visit.caller.owner
    carried = tuple(Attachment.model_validate(one) for files in stored.values() for one in files)
    filled = _with_rows(replace(sheet.form, body=read(sheet.form.contract, form, stored)))
    beside = {**sheet.beside, "files": kept_field(tools.secret, owner, carried)}
    return replace(sheet, form=filled, beside=beside)


def _numbered(body: dict[str, Any]) -> dict[str, Any]:
    """Hazards are numbered after their visit, the same however often the form is sent."""
    rows = [{"number": f"{body.get('number', '')}-H{at}", **row} for at, row in enumerate(body.get("hazards", ()), 1)]
    return {**body, "hazards": rows} if rows else body
