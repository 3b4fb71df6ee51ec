"""The department's room: what was sent to it, the cases of its places and sectors, and what it does with a matter."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import or_, select
from starlette.datastructures import FormData

from api import reads
from api.department.acts import COMMANDS, Act, Sent, body_of, heard, looked_at, matters
from api.department.incoming import InboxFilters, inbox
from api.department.overview import figures
from api.department.plates import address, plates
from api.department.scope import Opened, opened, scopes, told, within
from api.department.taking import line, taken
from api.desk.acting import Misfilled, Wanted, admitted, done
from api.desk.audience import Reader
from api.desk.casefile import read_case
from api.desk.export import MOST_ROWS, alone, download, workbook
from api.desk.frame import Visit, back, posted, visited, visitor
from api.desk.lists import Asked, CaseFilters, counted, shown
from api.desk.words import translator
from api.offices import neighbours
from api.problems import Problem
from api.rows import CASE_FIGURES, CASES, INSURERS
from api.words import ProblemCode
from domain.places import NAMES, NATION, region_name
from models.contracts.vocabulary import ActorKind, CaseKind, NoticeKind, Sector

router = APIRouter(prefix="/department", include_in_schema=False)
Visiting = Annotated[Visit, Depends(visitor, scope="function")]
HIDDEN = frozenset({"money", "rate_review"})
"""Columns of the shared list that are not for departments."""


def case_address(kind: CaseKind, case_id: UUID) -> str:
    return f"/department/cases/{case_id}"


@router.get("")
async def inbox_page(visit: Visiting) -> Response:
    """What was sent to this department, overdue first."""
    filters = InboxFilters.read(visit.request.query_params)
    return visit.page(
        "department/inbox.html.j2",
        f=filters,
        inbox=await inbox(visit.entry, filters),
        sectors=tuple(Sector),
        kinds=tuple(CaseKind),
        notices=tuple(NoticeKind),
        places=tuple(name for code, name in NAMES.items() if code != NATION),
        place=region_name(filters.region) if filters.region else "",
    )


class ScopeFilters(CaseFilters):
    """What the list of cases is asked for, beside what every list knows."""

    kind: CaseKind | None = None
    insurer: UUID | None = None
    here: bool | None = None
    """The place itself, without what lies below it."""


@router.get("/cases")
async def cases_page(visit: Visiting) -> Response:
    """Policies or hazards in this department's places and sectors."""
    asked = await asked_for(visit)
    kept = {
        name: visit.request.query_params[name] for name in ("kind", "insurer") if name in visit.request.query_params
    }
    return visit.page(
        "department/cases.html.j2",
        asked=asked,
        kept=kept,
        insurer=await insurer_asked(visit, asked),
        page=await shown(visit.entry, asked),
        total=await counted(visit.entry, asked),
        export="/department/export.xlsx",
    )


async def asked_for(visit: Visit) -> Asked:
    """The list the address asks for, within the department's scope."""
    filters = ScopeFilters.read(visit.request.query_params)
    kind = CaseKind.HAZARD if filters.kind is CaseKind.HAZARD else CaseKind.POLICY
    mine = await scopes(visit.entry)
    conditions = [within(mine), *reads.equal(CASES.c.insurer_id, filters.insurer)]
    if filters.region and filters.here:
        conditions.append(CASES.c.region == filters.region)
    figured = (within(mine, CASE_FIGURES),)
    return Asked(kind, filters, "/department/cases", "/department/cases", tuple(conditions), figured, HIDDEN)


async def insurer_asked(visit: Visit, asked: Asked) -> str:
    """Whose cases alone are asked for, by name."""
    wanted = asked.filters.insurer if isinstance(asked.filters, ScopeFilters) else None
    if wanted is None:
        return ""
    found = await visit.entry.connection.execute(select(INSURERS.c.name).where(INSURERS.c.id == wanted))
    return found.scalar_one_or_none() or ""


@router.get("/export.xlsx")
async def export(request: Request) -> Response:
    """The list with the same filters as a workbook, made after the transaction that read it."""
    with ExitStack() as running:
        async with visited(request) as visit:
            running.enter_context(alone(visit))
            asked = await asked_for(visit)
            total = await counted(visit.entry, asked, MOST_ROWS)
            if total > MOST_ROWS:
                again = f"/department/cases?{asked.filters.address()}"
                return visit.page("department/narrow.html.j2", 422, most=MOST_ROWS, again=again)
            found = await taken(visit, asked, await scopes(visit.entry), total)
        content = await workbook(found.sheet, found.rows, lambda one: line(one, visit))
    return download(content, found.name)


@router.get("/overview")
async def overview_page(visit: Visiting) -> Response:
    """Places and sectors at a glance; every figure leads to its list."""
    mine, t = await scopes(visit.entry), translator(visit.language)
    found = await figures(visit.entry, mine)
    return visit.page(
        "department/overview.html.j2", f=found, drawn=lambda titles: plates(found, mine, titles, t), address=address
    )


@router.get("/cases/{case_id}")
async def case_page(visit: Visiting, case_id: UUID) -> Response:
    """The case file with what this department may do."""
    return await _case(visit, case_id)


@router.post("/cases/{case_id}/{act}")
async def case_act(request: Request, case_id: UUID, act: Act) -> Response:
    """One act on a matter this department was told about, once."""
    async with posted(request, most_files=1) as form:
        sent = Sent(case_id, act, form)
        if sent.part is not None:
            async with visited(request) as visit:
                await _told(visit, case_id)  # nobody else has us look at a file
            try:
                sent = replace(sent, file=await looked_at(visit.entry.tools, sent.part))
            except Problem as refused:
                async with visited(request) as visit:
                    return await _case(visit, case_id, _again(act, form, {"file": refused.detail}), refused.status)
        async with visited(request) as visit:
            found = await _told(visit, case_id)
            body = await body_of(visit, sent)
            if act is Act.ACKNOWLEDGE and not body.get("duty"):
                await heard(visit.entry, case_id, ("",))
                return back(f"/department/cases/{case_id}?done={act.value}#matters")
            wanted = Wanted(case_id, found.row.kind, act.value, COMMANDS[act], str(form.get("_once") or ""))
            ready = await admitted(visit, wanted, body)
        try:
            await done(ready, wanted, body)
        except Misfilled as wrong:
            async with visited(request) as visit:
                return await _case(visit, case_id, _again(act, form, wrong.errors))
    async with visited(request) as visit:
        await heard(visit.entry, case_id, (body["duty"],))
    return back(f"/department/cases/{case_id}?done={act.value}#matters")


async def _told(visit: Visit, case_id: UUID) -> Opened:
    """A department acts on what it was told about; what it merely sees in its place it reads."""
    found = await opened(visit.entry, case_id)
    if not found.told:
        raise Problem(ProblemCode.FORBIDDEN)
    return found


def _again(act: Act, form: FormData, errors: Mapping[str, str]) -> dict[str, object]:
    """What was typed, with what is wrong beside it."""
    fields = {"answer": "words", "reason": "words", "note": "words", "to_region": "to", "to_department": "to"}
    return {
        "act": act.value,
        "duty": str(form.get("duty") or ""),
        "words": str(form.get("words") or ""),
        "to": str(form.get("to") or ""),
        "errors": {fields.get(name, name): reason for name, reason in errors.items()},
    }


async def _case(visit: Visit, case_id: UUID, again: Mapping[str, object] | None = None, status: int = 422) -> Response:
    asked = visit.request.query_params
    found = await opened(visit.entry, case_id)
    children = (or_(within(found.mine), told(visit.caller.recipient_id)),)
    reader = Reader(ActorKind.DEPARTMENT, case_address, translator(visit.language), children)
    why, whole = asked.get("why", ""), asked.get("whole") == "1"
    case = await read_case(visit.entry, found.row, reader, why=why, whole=whole)
    happened = await reads.timeline(visit.entry, case_id)
    mine = await matters(visit.entry, found.row, happened) if found.told else ()
    seat = (visit.caller.region, visit.caller.department)
    did = {act.value for matter in mine for act, _, _ in matter.done}
    return visit.page(
        "department/case.html.j2",
        status if again else 200,
        c=case,
        why=why,
        matters=mine,
        told=found.told,
        others=await neighbours(visit.entry.connection, case.row.region, seat) if found.told else (),
        again=again or {},
        did=asked.get("done", "") if asked.get("done", "") in did else "",
    )
