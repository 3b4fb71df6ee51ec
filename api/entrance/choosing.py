"""Choosing among one's organisations: the page after the provider, the choice, the way back to it while one is in."""

import hmac

from fastapi import APIRouter, Request, Response

from api.desk.frame import ROOMS, back, page, posted, require_own_form
from api.desk.sessions import entered_by_cookie, forget_cookie
from api.entrance.arriving import arrive_as_chosen, leave_for_another, turned_away
from api.entrance.memberships import memberships
from api.entrance.slips import CHOICE, Choice
from api.entrance.words import NoEntry, NotLetIn
from api.problems import Problem
from api.tools import Tools
from api.words import ProblemCode
from models.contracts.vocabulary import ActorKind, Post

HERE = "/enter/choose"
LONGEST_ID = 40
"""Characters of what may be an id."""
router = APIRouter(include_in_schema=False)


@router.get(HERE)
async def look(request: Request) -> Response:
    """Everybody one may be, as long as one may still choose."""
    choice = Choice.read(request.app.state.tools, request)
    return await _page(request, choice) if choice else back("/enter")


@router.post(HERE)
async def choose(request: Request) -> Response:
    """A session for the one organisation that was chosen; the choosing is used up."""
    tools: Tools = request.app.state.tools
    async with posted(request, most_files=0) as form:
        chosen = str(form.get("user") or "")[:LONGEST_ID]
    choice = Choice.read(tools, request)
    if choice is None:
        return await _turned_away(request, NotLetIn(NoEntry.NOT_FROM_HERE, "no choice"))
    if not hmac.compare_digest(request.state.form_token.encode(), choice.form_token(tools.secret).encode()):
        raise Problem(ProblemCode.FORM_FOREIGN)
    try:
        arrived = await arrive_as_chosen(tools, request, choice, chosen)
    except NotLetIn as refused:
        return await _turned_away(request, refused)
    if arrived is None:
        return await _page(request, choice, 409)
    answer = back(_onwards(choice.wanted, arrived.kind))
    CHOICE.take_back(tools, answer)
    arrived.remember(tools, answer)
    return answer


@router.post("/enter/again")
async def choose_again(request: Request) -> Response:
    """Out of this organisation, and to the choice; whoever had none stays where they are."""
    tools: Tools = request.app.state.tools
    async with posted(request, most_files=0), entered_by_cookie(request) as found:
        if found is None:
            return back("/enter")
        entry, came_in = found
        require_own_form(request, came_in)
        choice = await leave_for_another(request, came_in, entry.connection)
    return choosing(tools, choice) if choice else back(ROOMS[came_in.caller.kind])


def choosing(tools: Tools, choice: Choice) -> Response:
    """To the page; no session is left in this browser."""
    answer = back(HERE)
    choice.hand_out(tools, answer)
    forget_cookie(tools, answer)
    return answer


async def _page(request: Request, choice: Choice, status: int = 200) -> Response:
    """On the data of now; with 409, the one that was chosen is not among them any more."""
    tools: Tools = request.app.state.tools
    try:
        async with tools.engine.connect() as connection:
            users = await memberships(connection, choice.vouched)
    except NotLetIn as refused:
        return await _turned_away(request, refused)
    shown = {"users": users, "posts": list(Post), "gone": status != 200, "wanted": choice.wanted}
    shown["open"] = {one.id for one in users if choice.lets_into(one, tools.now())}
    return page(request, "entrance/choose.html.j2", status, form_token=choice.form_token(tools.secret), **shown)


async def _turned_away(request: Request, refused: NotLetIn) -> Response:
    answer = await turned_away(request, refused)
    CHOICE.take_back(request.app.state.tools, answer)
    return answer


def _onwards(wanted: str, kind: ActorKind) -> str:
    """The page that was asked for, unless it is of another kind of room."""
    others = [room for room in ROOMS.values() if room != ROOMS[kind]]
    return ROOMS[kind] if not wanted or any(wanted.startswith(room) for room in others) else wanted
