"""The operators' register of people: insurers with their first administrator, officers, operators, sessions."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import ColumnElement, func, or_, select
from starlette.datastructures import FormData

from api.desk.acting import Misfilled
from api.desk.did import Did, back_after, did
from api.desk.frame import Visit, posted, visited, visitor
from api.entrance.forms import (
    DISABLE,
    ENABLE,
    END_SESSIONS,
    Listed,
    act_of,
    added,
    changed,
    kept,
    offices,
    typed,
    users,
)
from api.entrance.people import POSTS, NewInsurer, Place, Taken, found_insurer
from api.rows import INSURERS, RECIPIENTS, SESSIONS, USERS
from api.written import id_of
from models.contracts.vocabulary import ActorKind, Post

HERE = "/operator/people"
Operator = Annotated[Visit, Depends(visitor, scope="function")]
router = APIRouter(prefix=HERE, include_in_schema=False)


class Sought(Listed):
    """Whom one looks for: part of a name, an address or an organisation; one kind of people."""

    text: str = ""
    kind: ActorKind | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = [USERS.c.kind == self.kind] if self.kind else []
        if self.text:
            places = (USERS.c.name, USERS.c.email, INSURERS.c.name, RECIPIENTS.c.name)
            found.append(or_(*(place.icontains(self.text, autoescape=True) for place in places)))
        return found


@router.get("")
async def look(
    visit: Operator,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    text: Annotated[str, Query(max_length=100)] = "",
    kind: str = "",
) -> Response:
    """Everybody who may sign in, and forms for those who come new."""
    wanted = ActorKind(kind) if kind in set(POSTS) else None
    return await _page(visit, Sought(cursor=cursor, text=text.strip(), kind=wanted))


@router.post("")
async def add(request: Request) -> Response:
    """A user of an insurer, of a department, or another operator."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        refused = await added(visit, form, _seat)
        if refused:
            return await _page(visit, status=refused.status, **refused.shown)
    return back_after(Did.REGISTERED, HERE)


@router.post("/insurers")
async def add_insurer(request: Request) -> Response:
    """A new insurer with its desk and its first administrator."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        try:
            new = typed(NewInsurer, form)
            async with visit.entry.connection.begin_nested():  # an insurer without an administrator is none
                await found_insurer(visit.entry.connection, new, act_of(visit))
        except Misfilled as wrong:
            return await _page(visit, status=422, insurer_errors=wrong.errors, typed=kept(form))
        except Taken:
            return await _page(visit, status=409, insurer_taken=True, typed=kept(form))
    return back_after(Did.REGISTERED, HERE)


@router.post("/users/{user_id}")
async def change(request: Request, user_id: UUID) -> Response:
    """In no more, in again, or out of every browser."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        await changed(visit, user_id, form, (DISABLE, ENABLE, END_SESSIONS))
    return back_after(Did.CORRECTED, HERE)


def _seat(form: FormData) -> tuple[Place, Sequence[Post]]:
    """The first user of an insurer is its administrator; others have the one post there is."""
    place = _place(form)
    return place, (Post.INSURER_ADMIN,) if place.kind is ActorKind.INSURER else POSTS[place.kind]


def _place(form: FormData) -> Place:
    """Where the new user belongs: `insurer:<id>`, `department:<id>`, or `operator`. Raises Misfilled."""
    kind, _, written = str(form.get("place") or "").partition(":")
    belongs = id_of(written)
    if kind == ActorKind.OPERATOR:
        return Place(ActorKind.OPERATOR)
    if kind == ActorKind.INSURER and belongs:
        return Place(ActorKind.INSURER, insurer_id=belongs)
    if kind == ActorKind.DEPARTMENT and belongs:
        return Place(ActorKind.DEPARTMENT, recipient_id=belongs)
    raise Misfilled({"place": ""})


async def _places(visit: Visit) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every organisation somebody can belong to, by kind and place."""
    insurers = await visit.entry.connection.execute(select(*INSURERS.c["id", "name"]).order_by(INSURERS.c.name))
    return [
        (ActorKind.OPERATOR.label, [(ActorKind.OPERATOR.value, ActorKind.OPERATOR.label)]),
        (ActorKind.INSURER.label, [(f"{ActorKind.INSURER.value}:{one.id}", one.name) for one in insurers]),
        *(
            (place, [(f"{ActorKind.DEPARTMENT.value}:{office}", name) for office, name in there])
            for place, there in await offices(visit.entry)
        ),
    ]


async def _page(visit: Visit, query: Sought | None = None, status: int = 200, **shown: Any) -> Response:
    sought = query or Sought()
    people, following = await users(visit.entry, sought, *sought.conditions)
    running = (SESSIONS.c.revoked_at.is_(None)) & (SESSIONS.c.expires_at > visit.entry.tools.now())
    counted = select(SESSIONS.c.user_id, func.count().label("number")).where(
        running, SESSIONS.c.user_id.in_([one.id for one in people])
    )
    sessions = await visit.entry.connection.execute(counted.group_by(SESSIONS.c.user_id))
    blank = {"errors": {}, "insurer_errors": {}, "typed": {}, "taken": False, "insurer_taken": False}
    return visit.page(
        "entrance/register.html.j2",
        status,
        people=people,
        following=following,
        sought=sought,
        kinds=list(POSTS),
        posts=list(Post),
        did=did(visit.request),
        sessions={row.user_id: row.number for row in sessions},
        places=await _places(visit),
        **(blank | shown),
    )
