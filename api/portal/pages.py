"""The page behind a mailed link: GET and HEAD show, POST acts; small, without script, and for one matter only."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from api.desk.origin import comes_from_us
from api.files import keep
from api.gateway import act
from api.pages import PAGES
from api.portal.deeds import MOST_FILES, WITH_FILES, Deed, Incomplete, command_id, given, is_only_noted, offered
from api.portal.links import OpenedLink, entered_by_link, record_use
from api.portal.showing import page_of
from api.problems import CONNECTION_LOST, Problem
from api.tools import Tools
from models.contracts.base import Attachment

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
MOST_FIELDS = 6
MOST_TEXT = 16 * 1024  # bytes of one text field
router = APIRouter(include_in_schema=False)


@router.api_route("/l/{token}", methods=["GET", "HEAD"])
async def show(request: Request, token: str) -> Response:
    """What the link is about, and a form for each act it allows. Fetching it changes nothing (P15)."""
    tools: Tools = request.app.state.tools
    try:
        async with entered_by_link(tools, token) as (_, link):
            return _matter(tools, link) if link else _dead()
    except CONNECTION_LOST:
        return _page("trouble", 503, reason="unavailable", said="")


@router.post("/l/{token}")
async def do(request: Request, token: str) -> Response:
    """Act once: the first one counts, everybody after it is shown that it is done."""
    tools: Tools = request.app.state.tools
    if not comes_from_us(request, tools.base_url):
        return _page("trouble", 403, reason="foreign", said="")
    try:
        return await _done(request, tools, token)
    except Incomplete:
        return _page("trouble", 422, reason="incomplete", said="")
    except Problem as problem:
        return _page("trouble", problem.status, reason=problem.code, said=problem.detail)
    except HTTPException:  # a form that cannot be read, or has too many parts
        return _page("trouble", 400, reason="form", said="")
    except CONNECTION_LOST:
        return _page("trouble", 503, reason="unavailable", said="")


async def _done(request: Request, tools: Tools, token: str) -> Response:
    async with entered_by_link(tools, token) as (_, link):
        if link is None:
            return _dead()
    async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=MOST_TEXT) as form:
        deed = _deed(form)
        if deed is None:
            return _page("trouble", 400, reason="form", said="")
        if deed in link.used:
            return _back(request)
        if deed not in offered(link):
            return _page("trouble", 409, reason="not_now", said="")
        await _carry_out(tools, token, link, deed, form)
    await record_use(tools, link, deed, command_id(link, deed))
    return _back(request)


async def _carry_out(tools: Tools, token: str, link: OpenedLink, deed: Deed, form: FormData) -> None:
    """The case itself counts a repeated command once, so a crash before the use is recorded does no harm."""
    if is_only_noted(link, deed):
        return
    note = str(form.get("note") or "").strip()
    files = await _files(tools, token, link, form) if deed in WITH_FILES else ()
    await act(tools, link.found, deed.value, given(link, deed, note, files))


async def _files(tools: Tools, token: str, link: OpenedLink, form: FormData) -> tuple[Attachment, ...]:
    """The photographs and documents of a form, kept as the API keeps them. Raises Problem 413 or 422."""
    sent = [part for part in form.getlist("files") if isinstance(part, UploadFile) and part.filename]
    kept: list[Attachment] = []
    for part in sent[:MOST_FILES]:
        content = await part.read(tools.budgets.file + 1)
        name = (part.filename or "").replace("\\", "/").rpartition("/")[2]
        async with entered_by_link(tools, token) as (connection, _):
            receipt = await keep(tools, connection, link.insurer_id, (name, part.content_type or ""), content)
        kept.append(Attachment(digest=receipt.digest, name=name, media_type=receipt.media_type))
    return tuple(kept)


def _deed(form: FormData) -> Deed | None:
    asked = form.get("deed")
    return Deed(asked) if isinstance(asked, str) and asked in set(Deed) else None


def _matter(tools: Tools, link: OpenedLink) -> Response:
    return _page("link", 200, p=page_of(link, tools.now()), with_files=WITH_FILES, most_files=MOST_FILES)


def _dead() -> Response:
    """One page for a link that never was, is over, or belongs to a closed case (P17)."""
    return _page("trouble", 404, reason="dead", said="")


def _back(request: Request) -> Response:
    return RedirectResponse(request.url.path, 303, headers=HEADERS)


def _page(name: str, status: int, **values: Any) -> Response:
    return HTMLResponse(PAGES.get_template(f"portal/{name}.html.j2").render(**values), status, headers=HEADERS)
