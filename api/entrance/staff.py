"""An insurer's own users and keys of the API, for its administrators; the operators' page is in register.py."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import ColumnElement, select

from api.desk.acting import Misfilled
from api.desk.did import Did, back_after, did
from api.desk.frame import Visit, posted, visited, visitor
from api.entrance.forms import DISABLE, ENABLE, NEW_POSTS, Listed, added, changed, kept, ticked, users
from api.entrance.keyforms import BLANK, about_keys, changed_key, made
from api.entrance.people import POSTS, Place
from api.keys import KeyFor
from api.rows import API_KEYS, USERS
from models.contracts.vocabulary import ActorKind

HERE = "/insurer/people"
Admin = Annotated[Visit, Depends(visitor, scope="function")]
router = APIRouter(prefix=HERE, include_in_schema=False)


@router.get("")
async def look(visit: Admin, cursor: Annotated[str | None, Query(max_length=200)] = None) -> Response:
    """Everybody of this insurer, and every key it has."""
    return await _page(visit, Listed(cursor=cursor))


@router.post("")
async def add(request: Request) -> Response:
    """A new user, who may sign in from now on."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        place = Place(ActorKind.INSURER, visit.caller.tenant)
        refused = await added(visit, form, lambda sent: (place, ticked(sent)))
        if refused:
            return await _page(visit, status=refused.status, **refused.shown)
    return back_after(Did.REGISTERED, HERE)


@router.post("/users/{user_id}")
async def change(request: Request, user_id: UUID) -> Response:
    """Other posts, in no more, or in again."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        await changed(visit, user_id, form, (NEW_POSTS, DISABLE, ENABLE))
    return back_after(Did.CORRECTED, HERE)


@router.post("/keys")
async def make_key(request: Request) -> Response:
    """A key, shown on this page once; the form sent again shows no other."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        try:
            fresh = await made(visit, form, KeyFor(ActorKind.INSURER, "", visit.caller.tenant))
        except Misfilled as wrong:
            return await _page(visit, status=422, key_errors=wrong.errors, key_typed=kept(form))
        return await _page(visit, fresh=fresh, did=Did.REGISTERED) if fresh else back_after(Did.REGISTERED, HERE)


@router.post("/keys/{key_id}")
async def change_key(request: Request, key_id: UUID) -> Response:
    """A successor, shown once, with some days for both; or the end of the key at once."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        try:
            changed = await changed_key(visit, form, key_id, _own_keys(visit))
        except Misfilled:
            return await _page(visit, status=422, overlap_at=key_id)
        if changed.fresh:
            return await _page(visit, fresh=changed.fresh)
    return back_after(Did.REVOKED if changed.revoked else Did.CORRECTED, HERE)


def _own_keys(visit: Visit) -> ColumnElement[bool]:
    return API_KEYS.c.insurer_id == visit.caller.tenant


async def _page(visit: Visit, query: Listed | None = None, status: int = 200, **shown: Any) -> Response:
    """The page as it stands now; `fresh` is a key that was made just now, and is seen this once."""
    people, following = await users(visit.entry, query or Listed(), USERS.c.kind == ActorKind.INSURER)
    found = select(API_KEYS).where(_own_keys(visit)).order_by(API_KEYS.c.created_at.desc())
    keys = (await visit.entry.connection.execute(found)).all()
    blank = BLANK | {"errors": {}, "typed": {}, "taken": False, "did": did(visit.request)}
    return visit.page(
        "entrance/staff.html.j2",
        status,
        people=people,
        following=following,
        posts=POSTS[ActorKind.INSURER],
        **about_keys(keys, visit.entry.tools.now()),
        **(blank | shown),
    )
