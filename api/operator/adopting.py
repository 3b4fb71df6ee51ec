"""A published year reaches the cases that wait for it: what would move, the batch under way, what became of it.

The batch runs in this process; where the process ends before it does, it is begun again, and repeats nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import Row, func, select

from api.audit import AuditEntry
from api.desk.acting import Misfilled
from api.desk.frame import Visit, back, posted, visited
from api.operator import calendars
from api.operator.acts import Act, reason_of, record
from api.operator.batches import Batch, batches, carried_out
from api.operator.calendars import Adoption
from api.operator.sending import Outcome, Result
from api.operator.visits import Reading
from api.rows import CASES
from api.tools import Tools
from api.trail import TrailQuery, trail
from domain.wording import instant
from models.contracts.vocabulary import AuditEvent
from models.tables.cases import Case

ADDRESS = "/operator/calendars"
MOST_FORESEEN = 100
"""Cases whose dates the preview works out; the rest are counted."""
CALENDAR, BATCHES = "calendar", "calendar_batches"
Year = Annotated[int, Path(ge=2000, le=2199)]
router = APIRouter(prefix=ADDRESS, include_in_schema=False)


@router.get("/{year}")
async def calendar(request: Request, visit: Reading, year: Year) -> Response:
    """The cases that wait for a year, what it would move, and how far the batch is."""
    return await _calendar(request, visit, year)


async def _calendar(request: Request, visit: Visit, year: int, again: Mapping[str, object] | None = None) -> Response:
    entry, batch = visit.entry, batches(request, BATCHES).get(year)
    adopted = _adoption(entry.tools, year)
    lacking = CASES.c.provisional & CASES.c.ended_at.is_(None) & (CASES.c.calendar_through < year)
    total = (await entry.connection.execute(select(func.count()).where(lacking))).scalar_one()
    runs = batch is not None and batch.runs
    rows = (
        await entry.connection.execute(select(CASES).where(lacking).order_by(CASES.c.id).limit(MOST_FORESEEN))
    ).all()
    foreseen = await asyncio.to_thread(_foreseen, entry.tools, rows, adopted) if adopted and not runs else []
    return visit.page(
        "operator/calendar.html.j2",
        422 if again else 200,
        year=year,
        adopted=adopted,
        notice=next((one.notice for one in adopted.calendar.years if one.year == year), "") if adopted else "",
        total=total,
        cases=[(row, result) for row, result in zip(rows, foreseen or [None] * len(rows), strict=True)],
        moving=sum(bool(one.moved) for one in foreseen),
        most=MOST_FORESEEN,
        batch=batch,
        outcomes=tuple(Outcome),
        acts=await _acts(visit, year),
        instant=instant,
        again=again or {"errors": {}},
    )


def _adoption(tools: Tools, year: int) -> Adoption | None:
    """The year's table, where it is in this installation."""
    try:
        return calendars.adoption(tools.rules, year, None)
    except LookupError:
        return None


def _foreseen(tools: Tools, rows: Sequence[Row[Any]], adopted: Adoption) -> list[Result]:
    return [calendars.foreseen(tools.rules, Case.model_validate(dict(row._mapping)), adopted) for row in rows]


async def _acts(visit: Visit, year: int) -> list[Row[Any]]:
    """What operators did about this year before."""
    asked = TrailQuery(what=frozenset({AuditEvent.OPERATOR_ACT}), about=f"{CALENDAR}-{year}", limit=10)
    return await trail(visit.entry.connection, asked)


@router.post("/{year}")
async def adopt(request: Request, year: Year) -> Response:
    """Begin the batch, once: while it runs, and where nothing waits, there is nothing to begin."""
    async with posted(request, most_files=0) as form:
        try:
            reason = reason_of(form)
        except Misfilled as wrong:
            async with visited(request) as visit:
                return await _calendar(request, visit, year, {"errors": wrong.errors})
        async with visited(request) as visit:
            tools, by, known = visit.entry.tools, visit.caller.actor, batches(request, BATCHES)
            adopted = _adoption(tools, year)
            if adopted is None or (year in known and known[year].runs):
                return back(f"{ADDRESS}/{year}")
            cases = await calendars.waiting(tools.engine, lacking=year)
            if not cases or (year in known and known[year].runs):  # somebody may have begun while we looked
                return back(f"{ADDRESS}/{year}")
            said = {"cases": len(cases), "digest": adopted.digest[:16]}
            await record(visit, Act("adopt_calendar", (CALENDAR, f"{CALENDAR}-{year}"), reason, said))
    if year in known and known[year].runs:  # somebody began while ours was put on record
        return back(f"{ADDRESS}/{year}")
    batch = known[year] = Batch(total=len(cases), begun_at=tools.now())
    sending = calendars.send_all(tools.temporal, cases, adopted, batch.add, by)
    about, ended = (CALENDAR, f"{CALENDAR}-{year}"), {"act": "adopted_calendar"}
    entry = AuditEntry(AuditEvent.OPERATOR_ACT, who=by, about=about, said=ended)
    batch.task = asyncio.create_task(carried_out(tools, batch, sending, entry))
    return back(f"{ADDRESS}/{year}")
