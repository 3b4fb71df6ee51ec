"""An insurer's own users and keys of the API, for its administrators; the operators' page is in register.py."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Row, select
from starlette.datastructures import FormData

from api.audit import Origin
from api.desk.acting import Misfilled
from api.desk.frame import Visit, back, posted, visited, visitor
from api.entrance.forms import (
    DISABLE,
    ENABLE,
    LASTING,
    NEW_POSTS,
    OVERLAPS,
    Listed,
    added,
    changed,
    chosen_days,
    kept,
    ticked,
    typed,
    users,
)
from api.entrance.people import POSTS, Place
from api.keys import KeyAct, KeyFor, mint_key, revoke_key, rotate_key
from api.problems import not_found, one_field
from api.rows import API_KEYS, USERS
from api.words import Reason, Scope
from domain import wording
from models.contracts.base import Name, Strict
from models.contracts.ids import NAMESPACE
from models.contracts.vocabulary import ActorKind

HERE = "/insurer/people"
SOON = timedelta(days=30)
Admin = Annotated[Visit, Depends(visitor, scope="function")]
router = APIRouter(prefix=HERE, include_in_schema=False)


class NewKey(Strict):
    """What is typed about a new key; its scopes and days are ticked and chosen."""

    name: Name


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
        return (
            await _page(visit, status=refused.status, **refused.shown) if refused else back(f"{HERE}?done=registered")
        )


@router.post("/users/{user_id}")
async def change(request: Request, user_id: UUID) -> Response:
    """Other posts, in no more, or in again."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        await changed(visit, user_id, form, (NEW_POSTS, DISABLE, ENABLE))
    return back(f"{HERE}?done=corrected")


@router.post("/keys")
async def make_key(request: Request) -> Response:
    """A key, shown on this page once; the form sent again shows no other."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        try:
            wanted = _wanted(visit, form)
        except Misfilled as wrong:
            return await _page(visit, status=422, key_errors=wrong.errors, typed=kept(form))
        if await _known(visit, _id_of(visit, form)):
            return back(f"{HERE}?done=registered")
        minted = await mint_key(visit.entry.connection, wanted, _key_act(visit))
        return await _page(visit, fresh=minted.token, did="registered")


@router.post("/keys/{key_id}")
async def change_key(request: Request, key_id: UUID) -> Response:
    """A successor, shown once, with some days for both; or the end of the key at once."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        key = await _known(visit, key_id)
        if key is None or key.revoked_at is not None:
            raise not_found()
        if form.get("act") == "revoke":
            await revoke_key(visit.entry.connection, key, _key_act(visit))
        elif form.get("act") == "rotate":
            new_id = _id_of(visit, form)
            if not await _known(visit, new_id):
                until = _both_until(visit, form)
                minted = await rotate_key(visit.entry.connection, key, until, _key_act(visit), new_id)
                return await _page(visit, fresh=minted.token)
    return back(f"{HERE}?done=corrected")


def _both_until(visit: Visit, form: FormData) -> datetime:
    """How long the old key goes on beside the new one. Raises Problem 422 for days that were not offered."""
    try:
        return visit.entry.tools.now() + chosen_days(form, "overlap", OVERLAPS)
    except Misfilled:
        raise one_field("overlap", Reason.WORD) from None


def _wanted(visit: Visit, form: FormData) -> KeyFor:
    """The key that is asked for. Raises Misfilled."""
    name = typed(NewKey, form).name
    expires_at = visit.entry.tools.now() + chosen_days(form, "days", LASTING)
    scopes = tuple(one.value for one in Scope if one.value in form.getlist("scopes"))
    return KeyFor(
        ActorKind.INSURER,
        name,
        visit.caller.tenant,
        expires_at=expires_at,
        scopes=scopes,
        id=_id_of(visit, form),
    )


def _id_of(visit: Visit, form: FormData) -> UUID:
    """The same key however often the form is sent."""
    return uuid5(NAMESPACE, f"key/{visit.caller.user_id}/{form.get('_once')}")


def _key_act(visit: Visit) -> KeyAct:
    return KeyAct(visit.caller.actor, Origin.of(visit.request))


async def _known(visit: Visit, key_id: UUID) -> Row[Any] | None:
    found = select(API_KEYS).where(API_KEYS.c.id == key_id, API_KEYS.c.insurer_id == visit.caller.tenant)
    return (await visit.entry.connection.execute(found)).one_or_none()


async def _page(visit: Visit, query: Listed | None = None, status: int = 200, **shown: Any) -> Response:
    """The page as it stands now; `fresh` is a key that was made just now, and is seen this once."""
    now = visit.entry.tools.now()
    people, following = await users(visit.entry, query or Listed(), USERS.c.kind == ActorKind.INSURER)
    rows = (await visit.entry.connection.execute(select(API_KEYS).order_by(API_KEYS.c.created_at.desc()))).all()
    states = {row.id: _state(row, now) for row in rows}
    asked = visit.request.query_params
    blank = {"errors": {}, "key_errors": {}, "typed": {}, "taken": False, "fresh": "", "did": asked.get("done", "")}
    return visit.page(
        "entrance/staff.html.j2",
        status,
        people=people,
        following=following,
        keys=rows,
        states=states,
        posts=POSTS[ActorKind.INSURER],
        scopes=list(Scope),
        days=LASTING,
        overlaps=OVERLAPS,
        day=wording.instant,
        **(blank | shown),
    )


def _state(key: Row[Any], now: datetime) -> str:
    """live, ending (within thirty days), over, or revoked."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None or key.expires_at > now + SOON:
        return "live"
    return "ending" if key.expires_at > now else "over"
