"""Keys of the API for departments and operators, on the operators' page; an insurer's own are in staff.py."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import func, select
from starlette.datastructures import FormData

from api.desk.acting import Misfilled
from api.desk.did import Did, back_after, did
from api.desk.frame import Visit, posted, visited, visitor
from api.entrance.forms import Listed, in_pages, kept, offices
from api.entrance.keyforms import BLANK, about_keys, changed_key, made
from api.keys import KeyFor
from api.rows import API_KEYS, RECIPIENTS
from api.written import id_of
from models.contracts.vocabulary import ActorKind

HERE = "/operator/people/keys"
NO_INSURERS = API_KEYS.c.kind != ActorKind.INSURER
"""An insurer's keys are its administrators' business."""
Operator = Annotated[Visit, Depends(visitor, scope="function")]
router = APIRouter(prefix=HERE, include_in_schema=False)


@router.get("")
async def look(visit: Operator, cursor: Annotated[str | None, Query(max_length=200)] = None) -> Response:
    """Every key of a department or an operator, newest first, and the form for a new one."""
    return await _page(visit, Listed(cursor=cursor))


@router.post("")
async def make(request: Request) -> Response:
    """A key of a department, shown on this page once; the form sent again shows no other."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        try:
            fresh = await made(visit, form, await _holder(visit, form))
        except Misfilled as wrong:
            return await _page(visit, status=422, key_errors=wrong.errors, key_typed=kept(form))
        return await _page(visit, fresh=fresh, did=Did.REGISTERED) if fresh else back_after(Did.REGISTERED, HERE)


@router.post("/{key_id}")
async def change(request: Request, key_id: UUID) -> Response:
    """A successor, shown once, with some days for both; or the end of the key at once."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        try:
            changed = await changed_key(visit, form, key_id, NO_INSURERS)
        except Misfilled:
            return await _page(visit, status=422, overlap_at=key_id)
        if changed.fresh:
            return await _page(visit, fresh=changed.fresh)
    return back_after(Did.REVOKED if changed.revoked else Did.CORRECTED, HERE)


async def _holder(visit: Visit, form: FormData) -> KeyFor:
    """The department whose key it becomes; it has none of the further rights. Raises Misfilled."""
    asked = (RECIPIENTS.c.id == id_of(form.get("department"))) & RECIPIENTS.c.department.is_not(None)
    known = (await visit.entry.connection.execute(select(RECIPIENTS.c.id).where(asked))).scalar_one_or_none()
    if known is None:
        raise Misfilled({"department": ""})
    return KeyFor(ActorKind.DEPARTMENT, "", recipient_id=known)


async def _page(visit: Visit, query: Listed | None = None, status: int = 200, **shown: Any) -> Response:
    found = select(API_KEYS, func.coalesce(RECIPIENTS.c.name, "").label("of"))
    found = found.outerjoin(RECIPIENTS, RECIPIENTS.c.id == API_KEYS.c.recipient_id).where(NO_INSURERS)
    keys, following = await in_pages(visit.entry, query or Listed(), found, API_KEYS)
    return visit.page(
        "entrance/office_keys.html.j2",
        status,
        following=following,
        offices=await offices(visit.entry),
        **about_keys(keys, visit.entry.tools.now()),
        **(BLANK | {"did": did(visit.request)} | shown),
    )
