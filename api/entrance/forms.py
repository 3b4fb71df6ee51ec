"""What the pages of users have in common: typed forms, lists in pages, what is done to a user; no route."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import ColumnElement, Row, Select, Table, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData

from api.audit import Origin
from api.callers import Entry
from api.cursors import Cursors
from api.desk.acting import Misfilled
from api.desk.frame import Visit
from api.entrance.memberships import WITH_ORGANISATION
from api.entrance.people import (
    NewUser,
    Place,
    Taken,
    UserAct,
    change_posts,
    end_sessions,
    let_in,
    register,
)
from api.problems import Problem, not_found
from api.rows import RECIPIENTS, USERS
from api.words import ProblemCode
from domain.places import region_name
from models.contracts.base import Strict
from models.contracts.vocabulary import Post

PAGE = 50
TICKED = ("posts", "scopes")
"""What a form may say several times."""
NEW_POSTS, DISABLE, ENABLE, END_SESSIONS = "posts", "disable", "enable", "end_sessions"
"""What can be done to a user: other posts, in no more, in again, out of every browser."""

M = TypeVar("M", bound=Strict)


class Listed(BaseModel):
    """Which page of the users is looked at."""

    model_config = ConfigDict(frozen=True)

    cursor: str | None = None
    limit: int = PAGE


def typed(model: type[M], form: FormData) -> M:
    """What was typed into the fields of this model; what may be left out and was is none. Raises Misfilled."""
    written = {name: str(form.get(name) or "").strip() for name in model.model_fields}
    given = {name: one for name, one in written.items() if one or model.model_fields[name].is_required()}
    try:
        return model.model_validate_json(json.dumps(given))
    except ValidationError as error:
        raise Misfilled.of(error) from error


def ticked(form: FormData) -> tuple[Post, ...]:
    """The posts that were ticked; what is no post is ignored, and which ones there are, people.py says."""
    return tuple(Post(one) for one in map(str, form.getlist("posts")) if one in set(Post))


def kept(form: FormData) -> dict[str, Any]:
    """What was typed and ticked, to be shown again beside what is wrong with it."""
    written: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
    return written | {name: form.getlist(name) for name in TICKED}


def act_of(visit: Visit) -> UserAct:
    return UserAct(visit.caller.actor, Origin.of(visit.request))


@dataclass(frozen=True)
class Refused:
    """What a page shows where a form was not taken: its status, and what was typed with what is wrong."""

    status: int
    shown: dict[str, Any]


async def added(
    visit: Visit, form: FormData, seat: Callable[[FormData], tuple[Place, Sequence[Post]]]
) -> Refused | None:
    """Register the user a form describes. `seat` reads where they belong and with which posts; raises Misfilled."""
    try:
        place, posts = seat(form)
        await register(visit.entry.connection, place, typed(NewUser, form), posts, act_of(visit))
    except Misfilled as wrong:
        return Refused(422, {"errors": wrong.errors, "typed": kept(form)})
    except Taken:
        return Refused(409, {"taken": True, "typed": kept(form)})
    return None


async def changed(visit: Visit, user_id: UUID, form: FormData, offered: Sequence[str]) -> None:
    """Do to a user what the form asks for, of what this page offers. Nobody shuts out himself: raises Problem 409."""
    connection, act, wanted = visit.entry.connection, act_of(visit), form.get("act")
    user = await user_of(connection, user_id)
    if user.id == visit.caller.user_id:
        raise Problem(ProblemCode.NOT_ONESELF)
    if wanted not in offered:
        return
    if wanted == NEW_POSTS:
        await change_posts(connection, user, ticked(form), act)
    elif wanted == END_SESSIONS:
        await end_sessions(connection, user, act)
    else:
        await let_in(connection, user, act, again=wanted == ENABLE)


async def user_of(connection: AsyncConnection, user_id: UUID) -> Row[Any]:
    """A user the transaction may see; 404 for anybody else's."""
    row = (await connection.execute(select(USERS).where(USERS.c.id == user_id))).one_or_none()
    if row is None:
        raise not_found()
    return row


async def users(entry: Entry, query: Listed, *conditions: ColumnElement[bool]) -> tuple[Sequence[Row[Any]], str | None]:
    """Newest first, with the organisation each belongs to; and where the next page begins."""
    return await in_pages(entry, query, WITH_ORGANISATION.where(*conditions), USERS)


async def in_pages(entry: Entry, query: Listed, found: Select[Any], of: Table) -> tuple[Sequence[Row[Any]], str | None]:
    """A page of what is found of this table, newest first; and where the next page begins."""
    cursors = Cursors(entry.tools.secret, entry.caller.owner, of.name, query)
    order = (of.c.created_at, of.c.id)
    place = cursors.read(query.cursor)
    if place is not None:
        found = found.where(tuple_(*order) < tuple_(*place))
    found = found.order_by(*(one.desc() for one in order)).limit(query.limit + 1)
    rows = (await entry.connection.execute(found)).all()
    more = len(rows) > query.limit
    last = rows[query.limit - 1] if more else None
    return rows[: query.limit], cursors.write(last.created_at, last.id) if last else None


async def offices(entry: Entry) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every registered department, by place: what the place is called, and (id, name) of each."""
    registered = select(*RECIPIENTS.c["id", "region", "name"]).where(RECIPIENTS.c.department.is_not(None))
    grouped: dict[str, list[tuple[str, str]]] = {}
    for one in await entry.connection.execute(registered.order_by(*RECIPIENTS.c["region", "name"])):
        grouped.setdefault(region_name(one.region), []).append((str(one.id), one.name))
    return list(grouped.items())
