"""Who covers for a department whose contact is away: one other department for some days, said by operators, on record.

What goes out because of it is made in activities/copies.py.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import Row, Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from starlette.datastructures import FormData

from api.callers import Entry
from api.desk.acting import Misfilled
from api.desk.frame import Visit, back, posted, visited
from api.operator import registering
from api.operator.acts import Act, reason_of, record
from api.operator.visits import Reading, text_of
from api.operator.words import COVER_IS_OVER, COVER_TOO_LONG, ENDS_BEFORE_IT_BEGINS, NO_SUCH_COVER
from api.rows import COVERS, RECIPIENTS
from api.words import Reason
from api.written import day_of, id_of
from domain.calendar import local_date
from domain.wording import day, instant

MOST_DAYS = 60
"""From the first to the last; who is away for longer is no contact any more, and the address is to be corrected."""
FIELDS = ("cover", "from_on", "until_on", "reason")
END = "end"
DONE = frozenset({"set", "ended"})
router = APIRouter(prefix="/operator/directory", include_in_schema=False)


@dataclass(frozen=True)
class Away:
    """Who covers, from when, until when (inclusive, in Shanghai), and why."""

    cover_id: UUID
    from_on: date
    until_on: date
    reason: str


@router.get("/{recipient_id}/cover")
async def shown(visit: Reading, recipient_id: UUID) -> Response:
    row = await registering.standing(visit.entry, recipient_id)
    return await _form(visit, row, {}, {})


@router.post("/{recipient_id}/cover")
async def said(request: Request, recipient_id: UUID) -> Response:
    """Set anew, or ended. The same form sent twice changes nothing the second time."""
    async with posted(request, most_files=0) as form:
        try:
            async with visited(request) as visit:
                row = await registering.standing(visit.entry, recipient_id)
                did = await _carry_out(visit, row, form)
        except Misfilled as wrong:
            async with visited(request) as visit:
                row = await registering.standing(visit.entry, recipient_id)
                typed = {name: text_of(form, name, 500) for name in FIELDS}
                return await _form(visit, row, typed, dict(wrong.errors))
    return back(f"/operator/directory/{recipient_id}/cover?done={did}")


async def standing(entry: Entry, recipient_id: UUID) -> Row[Any] | None:
    """What was set last, with the name of who covers; it may be over."""
    found = select(COVERS, RECIPIENTS.c.name).join(RECIPIENTS, RECIPIENTS.c.id == COVERS.c.cover_id)
    return (await entry.connection.execute(found.where(COVERS.c.recipient_id == recipient_id))).one_or_none()


async def lasting(visit: Visit, recipient_id: UUID) -> Row[Any] | None:
    """What goes on now or is still to come."""
    found = await standing(visit.entry, recipient_id)
    return found if found and found.until_on >= local_date(visit.entry.tools.now()) else None


async def _carry_out(visit: Visit, row: Row[Any], form: FormData) -> str:
    if text_of(form, "act") == END:
        await _end(visit, row, reason_of(form))
        return "ended"
    await _set(visit, row, _away_of(form, local_date(visit.entry.tools.now())))
    return "set"


def _away_of(form: FormData, today: date) -> Away:
    """What was typed. Raises Misfilled with everything that is wrong."""
    errors: dict[str, str] = {}
    days = {name: day_of(text_of(form, name)) for name in ("from_on", "until_on")}
    errors |= {name: Reason.DATE.label for name, given in days.items() if given is None}
    from_on, until_on = days["from_on"], days["until_on"]
    if from_on and until_on:
        errors |= _out_of_order(from_on, until_on, today)
    cover_id = id_of(text_of(form, "cover"))
    if cover_id is None:
        errors["cover"] = NO_SUCH_COVER
    try:
        reason = reason_of(form)
    except Misfilled as wrong:
        raise Misfilled({**errors, **wrong.errors}) from None
    if errors or not (cover_id and from_on and until_on):
        raise Misfilled(errors)
    return Away(cover_id, from_on, until_on, reason)


def _out_of_order(from_on: date, until_on: date, today: date) -> dict[str, str]:
    if until_on < from_on:
        return {"until_on": ENDS_BEFORE_IT_BEGINS}
    if until_on < today:
        return {"until_on": COVER_IS_OVER}
    return {"until_on": COVER_TOO_LONG} if until_on - from_on >= timedelta(days=MOST_DAYS) else {}


def _who_may_cover(recipient_id: UUID) -> Select[Any]:
    """Another registered department with an address: no insurer, no enterprise, not the operators."""
    others = RECIPIENTS.c.department.is_not(None) & (RECIPIENTS.c.id != recipient_id) & (RECIPIENTS.c.email != "")
    return select(*RECIPIENTS.c["id", "name", "region"]).where(others)


async def _set(visit: Visit, row: Row[Any], asked: Away) -> None:
    """Written where it differs, in place of what was set before."""
    connection = visit.entry.connection
    known = _who_may_cover(row.id).where(RECIPIENTS.c.id == asked.cover_id)
    if (await connection.execute(known)).one_or_none() is None:
        raise Misfilled({"cover": NO_SUCH_COVER})
    wanted = {"cover_id": asked.cover_id, "from_on": asked.from_on, "until_on": asked.until_on}
    before = await standing(visit.entry, row.id)
    if before and all(getattr(before, name) == value for name, value in wanted.items()):
        return
    written = {**wanted, "set_by": visit.caller.actor.id, "set_at": func.now()}
    put = insert(COVERS).values(recipient_id=row.id, **written)
    await connection.execute(put.on_conflict_do_update(index_elements=[COVERS.c.recipient_id], set_=written))
    told = {name: str(value) for name, value in wanted.items()}
    await record(visit, Act("cover", ("recipient", str(row.id)), asked.reason, told))


async def _end(visit: Visit, row: Row[Any], reason: str) -> None:
    """From now on; copies that were made before still go out."""
    gone = delete(COVERS).where(COVERS.c.recipient_id == row.id)
    if (await visit.entry.connection.execute(gone)).rowcount:
        await record(visit, Act("end_cover", ("recipient", str(row.id)), reason))


def _prefilled(now: Row[Any] | None, today: date) -> dict[str, str]:
    if now is None:
        return {"from_on": today.isoformat()}
    return {"cover": str(now.cover_id), "from_on": now.from_on.isoformat(), "until_on": now.until_on.isoformat()}


async def _form(visit: Visit, row: Row[Any], typed: dict[str, str], errors: dict[str, str]) -> Response:
    today, now = local_date(visit.entry.tools.now()), await lasting(visit, row.id)
    order = RECIPIENTS.c.region == row.region, RECIPIENTS.c.region, RECIPIENTS.c.name
    others = _who_may_cover(row.id).order_by(order[0].desc(), *order[1:])
    did = visit.request.query_params.get("done", "")
    return visit.page(
        "operator/cover.html.j2",
        422 if errors else 200,
        row=row,
        now=now,
        begun=bool(now and now.from_on <= today),
        v=typed or _prefilled(now, today),
        errors=errors,
        others=[(str(one.id), one.name) for one in await visit.entry.connection.execute(others)],
        today=today.isoformat(),
        most=MOST_DAYS,
        did=did if did in DONE else "",
        day=day,
        instant=instant,
    )
