"""The front of the house: the first page, problem codes, the switch of languages, and files browsers may keep."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from api.desk.frame import ROOMS, back, page, posted
from api.desk.sessions import CameIn, entered_by_cookie
from api.desk.words import COOKIE, Language
from api.problems import not_found
from api.words import REFUSALS, ProblemCode

YEAR = 365 * 24 * 3600  # seconds
router = APIRouter(include_in_schema=False)


async def whoever(request: Request) -> CameIn | None:
    """Who is signed in, if anybody."""
    async with entered_by_cookie(request) as found:
        return found[1] if found else None


@router.get("/")
async def front(request: Request, came_in: Annotated[CameIn | None, Depends(whoever)]) -> Response:
    """One's own room, or the ways in."""
    return back(ROOMS[came_in.caller.kind]) if came_in else page(request, "desk/front.html.j2")


@router.get("/problems/{code}")
async def problem(request: Request, code: str) -> Response:
    """What a code of the API means and what to do; 404 for a code that no answer carries."""
    known = {one.value: (one.status, one.label, one.english, one.advice) for one in ProblemCode}
    known |= {name: (None, said, "", "") for name, said in REFUSALS.items() if name not in known}
    if code not in known:
        raise not_found()
    status, label, english, advice = known[code]
    return page(
        request, "desk/problem.html.j2", code=code, answered=status, label=label, english=english, advice=advice
    )


@router.post("/language")
async def language(request: Request) -> Response:
    """Switch the language, and stay on the page."""
    async with posted(request, most_files=0) as form:
        wanted = Language.ENGLISH if form.get("language") == Language.ENGLISH else Language.CHINESE
        answer = back(local(str(form.get("next") or "/")))
    secure = request.app.state.tools.base_url.startswith("https:")
    answer.set_cookie(COOKIE, wanted, max_age=YEAR, secure=secure, httponly=True, samesite="lax")
    return answer


def local(address: str) -> str:
    """An address of this host, whatever was asked for: nobody is sent elsewhere."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    # browsers read a backslash as a slash, and drop tabs and line ends wherever they stand
    plain = "\\" not in address and address.isprintable()
    safe = plain and not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith("//")
    return address if safe else "/"


class Kept(StaticFiles):
    """Style sheets, scripts and pictures; an address with a digest stays good for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        versioned = b"v=" in (scope.get("query_string") or b"")
        answer.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if versioned else "no-cache"
        return answer
