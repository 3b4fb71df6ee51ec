"""The address book of departments: by place, with what is missing; registering, correcting, and who would be told."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import Row, func, select
from starlette.datastructures import FormData

from api.desk.acting import Misfilled
from api.desk.did import Did, back_after, did
from api.desk.filters import PLACES
from api.desk.frame import Visit, posted, visited
from api.desk.front import local
from api.operator import coverage, covering, registering, trying
from api.operator.coverage import Seat
from api.operator.mails import mailroom
from api.operator.registering import EVERY, place_of
from api.operator.visits import Reading, text_of
from api.operator.waiting import NOBODY, OPEN
from api.rows import CASES, OUTBOX, RECIPIENTS, TASKS
from domain.calendar import local_date
from domain.places import NAMES, code_of, full_region_name, places_of, region_name
from domain.routing import is_department
from domain.wording import day
from models.contracts.ids import ancestors
from models.contracts.vocabulary import Role, Sector, Size

ADDRESS = "/operator/directory"
router = APIRouter(prefix=ADDRESS, include_in_schema=False)
MOST_TYPED = 120
ROLES = tuple(role for role in Role if is_department(role))


@router.get("")
async def book(visit: Reading) -> Response:
    """The tree of places with gaps; of the chosen place, who is needed and who is there."""
    entry, today = visit.entry, local_date(visit.entry.tools.now())
    asked = visit.request.query_params.get("place", "").strip()[:MOST_TYPED]
    registered, rules = await coverage.seats(entry), entry.tools.rules
    chosen = _the_place(asked, registered.values())
    tree = await asyncio.to_thread(coverage.tree, rules, registered, today)
    needs = coverage.covered(coverage.needs(rules, chosen, today), registered, chosen) if chosen else []
    own = [seat for seat in registered.values() if seat.region == chosen] if chosen else []
    return visit.page(
        "operator/directory.html.j2",
        tree=tree,
        chosen=chosen,
        typed=NAMES.get(chosen, asked),
        meant=_names(asked),
        place=full_region_name(chosen) if chosen else "",
        needs=needs,
        own=own,
        total=len(registered),
        places=PLACES,
        every=len(Sector),
        region_name=region_name,
        did=did(visit.request),
    )


def _the_place(asked: str, registered: Iterable[Seat]) -> str:
    """The one that is meant, by name or code, or where a department is registered; empty where it is none."""
    found = places_of(asked)
    there = any(asked == seat.region for seat in registered)
    return found[0] if len(found) == 1 else asked if there else ""


def _names(asked: str) -> tuple[str, ...]:
    return tuple(full_region_name(code) for code in places_of(asked))


@dataclass(frozen=True)
class Filled:
    """What the form shows: a new department, a registered one, or what was typed."""

    values: Mapping[str, Any]
    errors: Mapping[str, str]


@router.get("/try")
async def try_out(visit: Reading) -> Response:
    """Who would be told now: place, sector and size give every duty with each of its rungs."""
    asked = visit.request.query_params
    typed = asked.get("region", "").strip()[:MOST_TYPED]
    seats = await coverage.seats(visit.entry)
    region = _the_place(typed, seats.values())
    sector, size = asked.get("sector", ""), asked.get("size", "")
    duty = asked.get("duty", "")
    told: list[trying.Tried] = []
    if region and sector in set(Sector):
        place = trying.Where(region, Sector(sector), Size(size) if size in set(Size) else Size.MEDIUM)
        told = trying.tried(visit.entry.tools.rules, place, seats, local_date(visit.entry.tools.now()))
    return visit.page(
        "operator/try.html.j2",
        told=[one for one in told if duty in ("", one.id)],
        duties=tuple(dict.fromkeys((one.id, one.label) for one in told)),
        region=region,
        place=full_region_name(region) if region else typed,
        typed=NAMES.get(region, typed),
        meant=_names(typed),
        sector=sector,
        size=size or Size.MEDIUM.value,
        duty=duty,
        asked=bool(region and sector),
        sectors=tuple(Sector),
        sizes=tuple(Size),
        places=PLACES,
        region_name=region_name,
    )


@router.get("/new")
async def new(visit: Reading) -> Response:
    """An empty form, or one that knows the place and the department that was missed."""
    asked = visit.request.query_params
    values = {name: asked.get(name, "") for name in ("region", "department", "role", "next")}
    region = code_of(values["region"]) if values["region"] else ""
    values["region"] = region_name(region) if region in NAMES else region
    return await _form(visit, Filled({**values, "sectors": [EVERY]}, {}), region=region)


@router.post("/new")
async def register(request: Request) -> Response:
    async with posted(request, most_files=0) as form:
        try:
            asked = registering.department_of(form)
            async with visited(request) as visit:
                await registering.register(visit, asked)
        except Misfilled as wrong:
            async with visited(request) as visit:
                return await _form(visit, Filled(_typed(form), wrong.errors))
        onward = text_of(form, "next")
    return back_after(Did.REGISTERED, local(onward) if onward else f"{ADDRESS}?place={asked.region}")


@router.get("/{recipient_id}")
async def department(visit: Reading, recipient_id: UUID) -> Response:
    row = await registering.standing(visit.entry, recipient_id)
    return await _form(visit, await _standing(visit, row), row)


@router.post("/{recipient_id}")
async def correct(request: Request, recipient_id: UUID) -> Response:
    async with posted(request, most_files=0) as form:
        try:
            async with visited(request) as visit:
                row = await registering.standing(visit.entry, recipient_id)
                await registering.correct(visit, row, registering.department_of(form, row))
        except Misfilled as wrong:
            async with visited(request) as visit:
                row = await registering.standing(visit.entry, recipient_id)
                return await _form(visit, Filled(_typed(form), wrong.errors), row)
    return back_after(Did.CORRECTED, f"{ADDRESS}?place={row.region}")


async def _standing(visit: Visit, row: Row[Any]) -> Filled:
    scopes = await registering.scopes_of(visit.entry, row.id)
    values = {
        "name": row.name,
        "email": row.email,
        "role": row.role.value,
        "fallback": str(row.fallback_id or ""),
        "places": "、".join(dict.fromkeys(region_name(place_of(prefix)) for prefix, _ in sorted(scopes))),
        "sectors": sorted({sector for _, sector in scopes}),
    }
    return Filled(values, {})


def _typed(form: FormData) -> dict[str, Any]:
    names = ("region", "department", "role", "name", "email", "fallback", "places", "reason", "next")
    return {**{name: text_of(form, name, 500) for name in names}, "sectors": [str(x) for x in form.getlist("sectors")]}


async def _form(visit: Visit, filled: Filled, row: Row[Any] | None = None, region: str = "") -> Response:
    entry, place = visit.entry, row.region if row else region
    heirs = registering.heirs()
    if place:
        near = RECIPIENTS.c.region.in_(ancestors(place)) | RECIPIENTS.c.region.is_(None)
        heirs = heirs.where(near | (RECIPIENTS.c.id == (row.fallback_id if row else None)))
    found = await entry.connection.execute(heirs.order_by(RECIPIENTS.c.region.desc().nulls_last(), RECIPIENTS.c.name))
    return visit.page(
        "operator/department.html.j2",
        422 if filled.errors else 200,
        row=row,
        v=filled.values,
        errors=filled.errors,
        heirs=[(str(one.id), one.name) for one in found if row is None or one.id != row.id],
        waits=await _waits(visit, row.region) if row else 0,
        cover=await covering.lasting(visit, row.id) if row else None,
        day=day,
        engine=await mailroom(entry, row.id) if row else "",
        roles=ROLES,
        sectors=tuple(Sector),
        every=EVERY,
        places=PLACES,
        region_name=region_name,
    )


async def _waits(visit: Visit, region: str) -> int:
    """Notices of this place that wait for somebody to be registered."""
    found = (
        select(func.count())
        .select_from(TASKS.join(CASES, CASES.c.id == TASKS.c.case_id).join(OUTBOX, OUTBOX.c.id == TASKS.c.notice_id))
        .where(OPEN, TASKS.c.kind.in_(NOBODY), CASES.c.region == region)
    )
    return (await visit.entry.connection.execute(found)).scalar_one()
