"""Lists of the insurer's policies, hazards and claims, what falls due on a day, and each list as a workbook."""

from contextlib import ExitStack
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from api.audit import AuditEntry, Origin, note
from api.desk.export import MOST_ROWS, Sheet, Value, alone, asked_in_words, download, workbook
from api.desk.frame import Visit, visited
from api.desk.lists import Asked, CaseFilters, CaseShown, counted, every, with_total
from api.desk.words import namer, translator
from api.insurer.pages import words
from api.insurer.pages.visits import Reading, may_act
from api.insurer.pages.words import TITLES
from api.problems import not_found
from models.contracts.vocabulary import AuditEvent, CaseKind

SHELVES = {"policies": CaseKind.POLICY, "hazards": CaseKind.HAZARD, "claims": CaseKind.CLAIM}
WITHOUT = frozenset({"insurer"})
router = APIRouter(prefix="/insurer", include_in_schema=False)


def asked_of(visit: Visit, shelf: str) -> Asked:
    """The list this address names, with its filters; 404 for another word."""
    if shelf not in SHELVES:
        raise not_found()
    address = f"/insurer/{shelf}"
    filters = CaseFilters.read(dict(visit.request.query_params))
    return Asked(SHELVES[shelf], filters, address, address, without=WITHOUT)


@router.get("/due")
async def due(visit: Reading) -> Response:
    """Everything that falls due on one day, or is overdue, of all kinds."""
    lists = [asked_of(visit, shelf) for shelf in SHELVES]
    found = [(asked, *await with_total(visit.entry, asked)) for asked in lists]
    return visit.page("insurer/due.html.j2", lists=found, filters=lists[0].filters, titles=TITLES)


async def listed(visit: Visit, shelf: str) -> Response:
    asked = asked_of(visit, shelf)
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
    """The list with the same filters as a workbook, made after the transaction; that it was taken is on record."""
    with ExitStack() as running:
        async with visited(request) as visit:
            running.enter_context(alone(visit))
            asked, say, t = asked_of(visit, shelf), namer(visit.language), translator(visit.language)
            total = await counted(visit.entry, asked, MOST_ROWS)
            if total > MOST_ROWS:
                return visit.page("insurer/trouble.html.j2", 422, says=t(words.NARROW_DOWN).format(most=MOST_ROWS))
            rows = [one async for one in every(visit.entry, asked, MOST_ROWS)]
            await note(visit.entry.connection, _taken(request, visit, asked, total))
        headings = [t(one) for one in words.HEADINGS]
        sheet = Sheet(t(words.COVER), t(TITLES[asked.kind]), _about(visit, asked, total), headings)
        content = await workbook(sheet, rows, lambda one: _line(one, say, t))
    return download(content, f"{t(TITLES[asked.kind])}-{visit.entry.tools.now():%Y%m%d}.xlsx")


def _about(visit: Visit, asked: Asked, total: int) -> list[tuple[str, Value]]:
    t = translator(visit.language)
    at: datetime = visit.entry.tools.now()
    return [
        (t(words.TAKEN_BY), visit.caller.name),
        (t(words.TAKEN_AT), at),
        (t(words.FILTERED_BY), asked_in_words(visit, asked)),
        (t(words.LINES), total),
    ]


def _line(one: CaseShown, say: Any, t: Any) -> list[Value]:
    yes = {True: t(words.YES), False: ""}
    return [
        one.number, one.policy_number, one.insured_name, one.place, one.region, say(one.sector), say(one.size),
        say(one.stage_word), say(one.grade_word) if one.grade_word else "", one.signed_on, one.effective_on,
        one.expires_on, one.next_label, one.due_on, yes[one.provisional], yes[one.overdue], one.open_hazards,
        one.assessed, one.paid,
    ]  # fmt: skip


def _taken(request: Request, visit: Visit, asked: Asked, total: int) -> AuditEntry:
    return AuditEntry(
        AuditEvent.EXPORTED,
        chain=visit.caller.tenant,
        who=visit.caller.actor,
        about=("list", asked.kind.value),
        said={"rows": total, "filters": asked.filters.address()[:1000]},
        origin=Origin.of(request),
    )
