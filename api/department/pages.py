"""The department's room: what was sent to it, the cases of its places and sectors, and what it does with a matter."""

from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Row, or_, select

from api import reads
from api.audit import Origin
from api.callers import speak_for
from api.department import words
from api.department.incoming import InboxFilters, inbox, kinds_told
from api.department.overview import lately
from api.department.plates import address, plates
from api.department.scope import EVERY_SECTOR, Scope, opened, scopes, told, within
from api.desk.audience import Reader
from api.desk.casefile import read_case
from api.desk.deeds import FOR_DEPARTMENTS, Deed, Topic
from api.desk.filling import EMPTY, Filling
from api.desk.filters import PLACES, CaseFilters
from api.desk.frame import Visit, back, posted, visited, visitor
from api.desk.handling import handlings
from api.desk.hands import choices, in_hand, with_hands
from api.desk.letters import News, acknowledge_news
from api.desk.lists import INSURERS_ALONE, Asked, with_total
from api.desk.posting import Wish, carried_out
from api.desk.taking import Taking, taken
from api.desk.ways_back import WaysBack
from api.desk.words import namer, translator
from api.offices import neighbours
from api.problems import Problem, not_found
from api.rows import CASE_FIGURES, CASES, INSURERS
from api.words import ProblemCode
from domain.places import region_name
from domain.wording import instant
from models.contracts.vocabulary import ActorKind, CaseKind, NoticeKind, Sector

router = APIRouter(prefix="/department", include_in_schema=False)
Visiting = Annotated[Visit, Depends(visitor, scope="function")]
INBOX, LIST = "/department", "/department/cases"
WAYS = WaysBack(INBOX, frozenset({INBOX, LIST}))


def case_address(kind: CaseKind, case_id: UUID, trail: str = "") -> str:
    return f"{LIST}/{case_id}{trail}"


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
        notices=await kinds_told(visit.entry, filters),
        hands=await choices(visit.entry),
        places=PLACES,
        trail=WAYS.here(visit),
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
    page, total = await with_total(visit.entry, asked)
    return visit.page(
        "department/cases.html.j2",
        asked=asked,
        kept=kept,
        insurer=await insurer_asked(visit, asked),
        page=page,
        total=total,
        export="/department/export.xlsx",
    )


async def asked_for(visit: Visit) -> Asked:
    """The list the address asks for, within the department's scope."""
    filters = ScopeFilters.read(visit.request.query_params)
    kind = CaseKind.HAZARD if filters.kind is CaseKind.HAZARD else CaseKind.POLICY
    mine = await scopes(visit.entry)
    conditions = [within(mine), *reads.equal(CASES.c.insurer_id, filters.insurer)]
    if filters.region and filters.here and not filters.lost:
        conditions.append(CASES.c.region == filters.region)
    figured = (within(mine, CASE_FIGURES),)
    asked = Asked(kind, filters, LIST, LIST, tuple(conditions), figured, INSURERS_ALONE, trail=WAYS.here(visit))
    return await with_hands(visit, asked)


async def insurer_asked(visit: Visit, asked: Asked) -> str:
    """Whose cases alone are asked for, by name."""
    wanted = asked.filters.insurer if isinstance(asked.filters, ScopeFilters) else None
    if wanted is None:
        return ""
    found = await visit.entry.connection.execute(select(INSURERS.c.name).where(INSURERS.c.id == wanted))
    return found.scalar_one_or_none() or ""


@router.get("/export.xlsx")
async def export(request: Request) -> Response:
    """The list with the same filters as a workbook."""
    return await taken(request, _taking)


async def _taking(visit: Visit) -> Taking:
    asked = await asked_for(visit)
    name = words.HAZARDS if asked.kind is CaseKind.HAZARD else words.POLICIES
    return Taking(asked, name, "；".join(_in_words(one, visit) for one in await scopes(visit.entry)))


def _in_words(one: Scope, visit: Visit) -> str:
    """宿州市 · 危险化学品"""
    t, say = translator(visit.language), namer(visit.language)
    place = region_name(one.prefix.ljust(6, "0")) if one.prefix else t(words.EVERYWHERE)
    return f"{place} · {t(words.EVERY_SECTOR) if one.sector == EVERY_SECTOR else say(Sector(one.sector))}"


@router.get("/overview")
async def overview_page(visit: Visiting) -> Response:
    """Places and sectors at a glance; every figure leads to its list."""
    mine, t = await scopes(visit.entry), translator(visit.language)
    counted = await lately(visit.entry, mine)
    found = counted.figures
    return visit.page(
        "department/overview.html.j2",
        f=found,
        as_of=counted.as_of and instant(counted.as_of),
        drawn=lambda titles: plates(found, mine, titles, t),
        address=address,
    )


@router.get("/cases/{case_id}")
async def case_page(visit: Visiting, case_id: UUID) -> Response:
    """The case file with what this department may do."""
    return await _case(visit, case_id, WAYS.of(visit.request))


@router.post("/cases/{case_id}/{act}")
async def case_act(request: Request, case_id: UUID, act: Deed) -> Response:
    """One act on a matter this department was told about, once."""
    if act not in FOR_DEPARTMENTS:
        raise not_found()
    async with posted(request, most_files=1) as form:
        duty, onward = str(form.get("duty") or ""), WAYS.sent(form)
        if duty:
            wish = Wish(act, case_id, Topic(duty=duty), partial(_told, case_id=case_id))
            mending = await carried_out(request, form, wish)
        else:
            mending = await _read_news(request, case_id, str(form.get("letter") or ""))
    if mending is not None:
        async with visited(request) as visit:
            return await _case(visit, case_id, onward, mending, duty)
    about = f"&{urlencode({'of': duty})}" if duty else ""
    kept = f"&{kept}" if (kept := WAYS.kept(onward)) else ""
    return back(f"{LIST}/{case_id}?done={act.value}{about}{kept}#matters")


async def _told(visit: Visit, case_id: UUID) -> Row[Any]:
    """A department acts on what it was told about; what it merely sees in its place it reads."""
    found = await opened(visit.entry, case_id)
    if not found.told:
        raise Problem(ProblemCode.FORBIDDEN)
    return found.row


async def _read_news(request: Request, case_id: UUID, letter: str) -> None:
    """A letter that names no duty is acknowledged and that is all."""
    if letter not in set(NoticeKind):
        raise Problem(ProblemCode.BAD_REQUEST)
    async with visited(request) as visit:
        row, entry, caller = await _told(visit, case_id), visit.entry, visit.caller
        await speak_for(entry, case_id, None)
        news = News(NoticeKind(letter), row, caller.owner, caller.actor)
        await acknowledge_news(entry.connection, news, entry.tools.now(), Origin.of(request))


async def _case(visit: Visit, case_id: UUID, onward: str, mending: Filling = EMPTY, duty: str = "") -> Response:
    asked = visit.request.query_params
    found = await opened(visit.entry, case_id)
    children = (or_(within(found.mine), told(visit.caller.recipient_id)),)
    reader = Reader(
        ActorKind.DEPARTMENT, partial(case_address, trail=WAYS.trail(onward)), translator(visit.language), children
    )
    why, whole = asked.get("why", ""), asked.get("whole") == "1"
    case = await read_case(visit.entry, found.row, reader, why=why, whole=whole)
    mine = await handlings(visit.entry, found.row) if found.told else ()
    seat = (visit.caller.region, visit.caller.department)
    did = {one.deed.value for matter in mine for one in matter.done}
    return visit.page(
        "department/case.html.j2",
        422 if mending.deed else 200,
        c=case,
        why=why,
        handlings=mine,
        told=found.told,
        offices=await neighbours(visit.entry.connection, case.row.region, seat) if found.told else (),
        f=mending,
        mending=duty,
        empty=EMPTY,
        did=asked.get("done", "") if asked.get("done", "") in did else "",
        about=asked.get("of", ""),
        hand=await in_hand(visit.entry, found.row),
        handed=asked.get("done") == "hand",
        onward=onward,
        keep=WAYS.kept(onward),
    )
