"""The operators' first page, work that is stuck, and the pages of each remedy; what a remedy does is in remedies.py."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from api.chains import verifying
from api.desk.acting import Misfilled
from api.desk.frame import Visit, back, posted, visited
from api.operator import remedies, waiting
from api.operator.acts import Act, reason_of, record
from api.operator.engine import Failing, Report, Watch, try_again, ui_address
from api.operator.mails import mailroom
from api.operator.restored import stopped
from api.operator.trails import last_verified
from api.operator.visits import Reading, text_of, until_of
from api.problems import not_found, try_later
from api.queues import AWAY
from api.words import ProblemCode
from domain.places import full_region_name, region_name
from domain.wording import instant, plain_day

router = APIRouter(prefix="/operator", include_in_schema=False)
DONE = frozenset({"redelivered", "rerouted", "put_away", "retried", "registered", "corrected"})


def watch_of(request: Request) -> Watch:
    """One watch for an application: all its visitors share what the engine said."""
    state = request.app.state
    if not hasattr(state, "engine_watch"):
        state.engine_watch = Watch()
    return state.engine_watch


@router.get("")
async def stuck(request: Request) -> Response:
    """Everything that waits for an operator, with its remedy; readable also while the engine is away."""
    report = await _report(request)
    async with visited(request) as visit:
        return await _stuck(visit, report)


async def _report(request: Request) -> Report:
    """What the engine says, asked between two transactions: an answer may take seconds."""
    async with visited(request) as visit:
        suspects = await waiting.suspects(visit.entry)
    return await watch_of(request).report(visit.entry.tools, suspects)


async def _stuck(visit: Visit, report: Report, errors: Mapping[str, str] | None = None) -> Response:
    request, entry, tools = visit.request, visit.entry, visit.entry.tools
    names = await waiting.named(entry, [one.workflow_id for one in report.failing])
    return visit.page(
        "operator/stuck.html.j2",
        422 if errors else 200,
        instant=instant,
        plain_day=plain_day,
        pick_of=pick_of,
        report=report,
        names=names,
        ui_of={one.workflow_id: ui_address(tools, one.workflow_id, one.run_id) for one in report.failing},
        returned=await waiting.returned(entry),
        unaddressed=await waiting.unaddressed(entry),
        provisional=await waiting.provisional(entry),
        books=await waiting.books(entry),
        stopped=await stopped(entry),
        queues=await waiting.queues(entry),
        oldest=await waiting.oldest(entry),
        verified=await last_verified(entry),
        verifying=await verifying(entry),
        did=_did(request),
        count=request.query_params.get("n", ""),
        errors=errors or {},
    )


def _did(request: Request) -> str:
    did = request.query_params.get("done", "")
    return did if did in DONE else ""


@router.post("/retry")
async def retry(request: Request) -> Response:
    """Let the chosen failing activities be tried at once; on record first, so that no try is without its reason."""
    async with posted(request, most_files=0) as form:
        chosen = {str(one) for one in form.getlist("pick")}
        report = await _report(request)
        async with visited(request) as visit:
            failing = [one for one in report.failing if one.activity_id and pick_of(one) in chosen]
            try:
                reason = reason_of(form)
            except Misfilled as wrong:
                return await _stuck(visit, report, wrong.errors)
            if failing:
                said = {"activities": [f"{one.workflow_id} {one.what}"[:80] for one in failing[:20]], "n": len(failing)}
                await record(visit, Act("retry", ("activities", ""), reason, said))
            tools, by = visit.entry.tools, visit.caller.actor.id
    try:
        for one in failing:
            await try_again(tools, one, by)
    except AWAY:
        raise try_later(ProblemCode.OUTCOME_UNKNOWN, tools.budgets.retry_after) from None
    finally:
        watch_of(request).forget()
    return back(f"/operator?done=retried&n={len(failing)}")


def pick_of(one: Failing) -> str:
    """How a form names a failing activity; only one that is in the report is ever touched."""
    return f"{one.run_id}/{one.activity_id}"


@router.get("/returned/{recipient_id}")
async def returned_page(visit: Reading, recipient_id: UUID) -> Response:
    """What came back from one recipient, and what correcting its address would do."""
    return await _returned(visit, recipient_id)


async def _returned(visit: Visit, recipient_id: UUID, again: Mapping[str, object] | None = None) -> Response:
    entry = visit.entry
    row = await remedies.recipient(entry, recipient_id)
    heir = remedies.heir_of(row)
    lines = await remedies.returned_to(entry, recipient_id)
    return visit.page(
        "operator/returned.html.j2",
        422 if again else 200,
        instant=instant,
        recipient=row,
        address=waiting.shown_address(row),
        fallback=(await entry.connection.execute(heir)).one_or_none(),
        engine=await mailroom(entry, recipient_id),
        lines=lines,
        going=sum(line.again for line in lines),
        until=entry.tools.now().isoformat(),
        again=again or {"errors": {}},
    )


@router.post("/returned/{recipient_id}")
async def redeliver(request: Request, recipient_id: UUID) -> Response:
    """Correct the address and send again."""
    async with posted(request, most_files=0) as form:
        try:
            asked = remedies.Redelivery(
                text_of(form, "email", 254), form.get("to") == "fallback", until_of(form), reason_of(form)
            )
            async with visited(request) as visit:
                sent = await remedies.redeliver(visit, recipient_id, asked)
        except Misfilled as wrong:
            async with visited(request) as visit:
                return await _returned(visit, recipient_id, _again(form, wrong))
    return back(f"/operator?done=redelivered&n={sent}")


def _again(form: FormData, wrong: Misfilled) -> dict[str, object]:
    """What was typed, with what is wrong beside it."""
    typed = {name: str(form.get(name) or "") for name in ("email", "to", "reason")}
    return {**typed, "errors": wrong.errors}


@router.get("/unaddressed/{task_id}")
async def unaddressed_page(visit: Reading, task_id: UUID) -> Response:
    """Whom the documents name for what waits, who is registered, and what sending it there would do."""
    return await _unaddressed(visit, task_id)


async def _unaddressed(visit: Visit, task_id: UUID, again: Mapping[str, object] | None = None) -> Response:
    entry = visit.entry
    lines = await remedies.unaddressed_like(entry, task_id)
    if not lines:
        raise not_found()
    row = lines[0].row
    return visit.page(
        "operator/unaddressed.html.j2",
        422 if again else 200,
        instant=instant,
        region_name=region_name,
        lines=lines,
        row=row,
        task_id=task_id,
        place=full_region_name(row.region),
        offices=await remedies.offices(entry, row),
        until=entry.tools.now().isoformat(),
        by_hand=remedies.BY_HAND,
        again=again or {"errors": {}},
        did=_did(visit.request),
    )


@router.post("/unaddressed/{task_id}")
async def reroute(request: Request, task_id: UUID) -> Response:
    """Send what waits to a department, or put it away."""
    async with posted(request, most_files=0) as form:
        try:
            until, reason = until_of(form), reason_of(form)
            async with visited(request) as visit:
                sent = await remedies.reroute(visit, task_id, text_of(form, "to"), until, reason)
        except Misfilled as wrong:
            async with visited(request) as visit:
                return await _unaddressed(visit, task_id, _again(form, wrong))
    return back(f"/operator?done=rerouted&n={sent}")


@router.get("/books/{task_id}")
async def book_page(visit: Reading, task_id: UUID) -> Response:
    """A payment nobody is sure of: who clears it up, and what putting the line away means."""
    return await _book(visit, task_id)


async def _book(visit: Visit, task_id: UUID, again: Mapping[str, object] | None = None) -> Response:
    line = await remedies.book_line(visit.entry, task_id)
    if line is None:
        return back("/operator")
    return visit.page("operator/book.html.j2", 422 if again else 200, line=line, again=again or {"errors": {}})


@router.post("/books/{task_id}")
async def put_away(request: Request, task_id: UUID) -> Response:
    """Close the line."""
    async with posted(request, most_files=0) as form:
        try:
            reason = reason_of(form)
            async with visited(request) as visit:
                await remedies.put_away(visit, task_id, reason)
        except Misfilled as wrong:
            async with visited(request) as visit:
                return await _book(visit, task_id, _again(form, wrong))
    return back("/operator?done=put_away")
