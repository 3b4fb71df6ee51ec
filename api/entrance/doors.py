"""The door of people who have an account: the way in, out to the identity provider and back, and the way out."""

import hmac
import secrets
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response

from api.desk.frame import ROOMS, back, page, posted, require_own_form
from api.desk.front import local
from api.desk.sessions import LASTS, entered_by_cookie, forget_cookie
from api.entrance.arriving import arrive_as_user, leave, turned_away
from api.entrance.choosing import choosing
from api.entrance.slips import CHOICE, Choice, Slip
from api.entrance.words import NoEntry, NotLetIn
from api.identity import IdentityProvider, NotVouched, Unreachable, Way
from api.tools import Tools
from models.contracts.vocabulary import CameBy

WAY = Slip("way")
SEED_BYTES = 32
LONGEST_ADDRESS = 500
"""Characters of the page that was asked for; a cookie stays below 4096 bytes."""
Wanted = Annotated[str, Query(alias="next", max_length=4096)]
"""The page that was asked for."""
router = APIRouter(include_in_schema=False)


@router.get("/enter")
async def enter(request: Request, wanted: Wanted = "", left: bool = False) -> Response:
    """The ways in; after leaving, also the way out of the provider."""
    tools: Tools = request.app.state.tools
    onwards = await tools.identity.leaving(f"{tools.base_url}/enter") if left and tools.identity else None
    shown = {"next": local(wanted) if wanted else "", "left": left, "onwards": onwards}
    return page(request, "entrance/enter.html.j2", by_oidc=tools.identity is not None, **shown)


@router.get("/enter/oidc")
async def go(request: Request, wanted: Wanted = "") -> Response:
    """To the provider, with everything that must come back remembered in a cookie of ten minutes."""
    tools: Tools = request.app.state.tools
    seed = secrets.token_urlsafe(SEED_BYTES)
    try:
        way = Way.of(tools.secret, seed)
        answer = back(await _provider(tools).address_of(way, _returning(tools)))
    except Unreachable as lost:
        return await _refused(request, NotLetIn(NoEntry.UNREACHABLE, str(lost)))
    address = local(wanted) if wanted and len(wanted) <= LONGEST_ADDRESS else ""
    WAY.hand_out(tools, answer, {"seed": seed, "next": address})
    return answer


@router.get("/enter/callback")
async def come_back(request: Request, code: str = "", state: str = "", error: str = "") -> Response:
    """Back from the provider. A session begins here and nowhere else for people with an account."""
    tools: Tools = request.app.state.tools
    try:
        said, way = _way_of(request, state)
        if error or not code:
            raise NotLetIn(NoEntry.NOT_VOUCHED, f"provider: {error[:40]}" if error.isascii() else "provider")
        vouched = await _provider(tools).vouches_for(code, way, _returning(tools), tools.now())
        arrived = await arrive_as_user(tools, request, vouched)
    except NotVouched as refused:
        return await _refused(request, NotLetIn(NoEntry.NOT_VOUCHED, str(refused)))
    except Unreachable as lost:
        return await _refused(request, NotLetIn(NoEntry.UNREACHABLE, str(lost)))
    except NotLetIn as refused:
        return await _refused(request, refused)
    if arrived is None:
        ends = tools.now() + LASTS[CameBy.OIDC]
        answer = choosing(tools, Choice(uuid4(), vouched, ends, said["next"]))
    else:
        answer = back(said["next"] or ROOMS[arrived.kind])
        arrived.remember(tools, answer)
    WAY.take_back(tools, answer)
    return answer


@router.post("/leave")
async def go_away(request: Request) -> Response:
    """The session ends; the provider's own is left by the link on the page that follows."""
    tools: Tools = request.app.state.tools
    async with posted(request, most_files=0), entered_by_cookie(request) as found:
        if found is not None:
            entry, came_in = found
            require_own_form(request, came_in)
            await leave(request, came_in, entry.connection)
    answer = back("/enter?left=true")
    answer.headers["Clear-Site-Data"] = '"storage"'  # drafts kept in this browser are not the next person's
    forget_cookie(tools, answer)
    CHOICE.take_back(tools, answer)
    return answer


def _provider(tools: Tools) -> IdentityProvider:
    if tools.identity is None:
        raise Unreachable("not set up")
    return tools.identity


def _returning(tools: Tools) -> str:
    return f"{tools.base_url}/enter/callback"


def _way_of(request: Request, state: str) -> tuple[dict[str, Any], Way]:
    """What this browser set out with. Without it, or with another's state, nobody comes in (login CSRF)."""
    tools: Tools = request.app.state.tools
    said = WAY.read(tools, request)
    if said is None:
        raise NotLetIn(NoEntry.NOT_FROM_HERE, "no cookie")
    way = Way.of(tools.secret, said["seed"])
    if not hmac.compare_digest(way.state.encode(), state.encode()):
        raise NotLetIn(NoEntry.NOT_FROM_HERE, "state")
    return said, way


async def _refused(request: Request, refused: NotLetIn) -> Response:
    answer = await turned_away(request, refused)
    WAY.take_back(request.app.state.tools, answer)
    return answer
