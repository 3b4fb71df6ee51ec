"""What every page of the rooms shares: its visitor, language, headers and frame; what a page says is in its room."""

import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from api.authorization import Authorization, Visitor
from api.bodies import counting
from api.callers import Caller, Entry, authorized
from api.desk.naming import caller_of_fields
from api.desk.origin import comes_from_us, sent_from
from api.desk.sessions import CameIn, entered_by_cookie, recognised
from api.desk.tongues import in_english
from api.desk.words import COOKIE, Language, namer, translator
from api.limits import CHANGING, CONTROLS
from api.pages import PAGES, TEMPLATES
from api.problems import Problem, one_field
from api.tools import Tools
from api.words import ProblemCode, Reason
from domain.wording import instant, plain_day
from models.contracts.vocabulary import ActorKind

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data: blob:; script-src 'nonce-{nonce}'; connect-src 'self';"
    " font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}
MOST_FIELDS, MOST_FILES, MOST_TEXT = 200, 12, 64 * 1024  # of one form; bytes of one text
FORM_TOKEN = "_token"  # noqa: S105 - the name of a field
WORN = {429, 503}
"""Answers that cost no question to the database more: too much was asked of us, or it does not answer."""
ROOMS: dict[ActorKind, str] = {
    ActorKind.INSURER: "/insurer",
    ActorKind.DEPARTMENT: "/department",
    ActorKind.ENTERPRISE: "/enterprise",
    ActorKind.PROVIDER: "/provider",
    ActorKind.OPERATOR: "/operator",
}
NAVIGATION: dict[ActorKind, tuple[tuple[str, str], ...]] = {
    ActorKind.ENTERPRISE: (("/enterprise", "待办事项"), ("/enterprise/history", "办理记录")),
    ActorKind.PROVIDER: (("/provider", "待服务"),),
    ActorKind.DEPARTMENT: (
        ("/department", "收件箱"),
        ("/department/cases", "辖区案卷"),
        ("/department/overview", "辖区概览"),
    ),
    ActorKind.INSURER: (
        ("/insurer", "工作台"),
        ("/insurer/policies", "保单"),
        ("/insurer/hazards", "隐患"),
        ("/insurer/claims", "理赔"),
        ("/insurer/spending", "服务费用"),
        ("/insurer/providers", "服务机构"),
        ("/insurer/import", "批量导入"),
        ("/insurer/people", "人员与密钥"),
        ("/insurer/audit", "审计"),
    ),
    ActorKind.OPERATOR: (
        ("/operator", "卡住的事项"),
        ("/operator/cases", "案卷"),
        ("/operator/mails", "信件"),
        ("/operator/directory", "部门通讯录"),
        ("/operator/packs", "规则包"),
        ("/operator/people", "用户与密钥"),
        ("/operator/audit", "审计"),
    ),
}
"""The rooms' ways, in the order of a day's work; `t()` gives them in English."""


@dataclass(frozen=True)
class Visit:
    """One request of somebody signed in, within one transaction that sees this visitor's rows."""

    request: Request
    entry: Entry
    came_in: CameIn

    @property
    def caller(self) -> Caller:
        return self.came_in.caller

    @property
    def language(self) -> Language:
        return language_of(self.request)

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page of this visitor's room."""
        return page(self.request, template, status, came_in=self.came_in, **values)


class NotSignedIn(Exception):
    """Nobody is signed in; the way in is shown, and afterwards the page that was asked for."""


@asynccontextmanager
async def visited(request: Request) -> AsyncIterator[Visit]:
    """Somebody is signed in whom authorization.yaml lets use this route; one transaction.

    What was posted has been read by `posted` before, and must carry the session's own token.
    Raises NotSignedIn, Problem 403.
    """
    async with entered_by_cookie(request) as found:
        if found is None:
            raise NotSignedIn
        entry, came_in = found
        authorized(request, came_in.caller)
        require_own_form(request, came_in)
        yield Visit(request, entry, came_in)


async def visitor(request: Request) -> AsyncIterator[Visit]:
    """`visited` as a dependency of pages that only read: `Annotated[Visit, Depends(visitor, scope="function")]`."""
    async with visited(request) as visit:
        yield visit


@asynccontextmanager
async def posted(request: Request, most_files: int = MOST_FILES) -> AsyncIterator[FormData]:
    """The form that was posted, read outside any transaction, and only from somebody who may use the route.

    One without files is as small as a body of the API. Raises NotSignedIn, Problem 403 for another site's or another
    visitor's, 413 and 422 for what no page sends.
    """
    tools: Tools = request.app.state.tools
    if not comes_from_us(request, tools.base_url):
        raise Problem(ProblemCode.FORM_FOREIGN)
    if not _open_to_strangers(request):
        await _require_somebody(request)
    if not most_files:
        request = Request(request.scope, counting(request.scope, request.receive, tools.budgets.body, tools.budgets))
    async with request.form(max_files=most_files, max_fields=MOST_FIELDS, max_part_size=MOST_TEXT) as form:
        _check_text(form)
        tokens = form.getlist(FORM_TOKEN)
        request.state.form_token = str(tokens[0]) if len(tokens) == 1 else ""
        yield form


def _open_to_strangers(request: Request) -> bool:
    authorization: Authorization = request.app.state.authorization
    return Visitor.ANYBODY in authorization.rule(request).visitors


async def _require_somebody(request: Request) -> None:
    """Before a byte of a form is kept; whether they may still, is asked again where they act."""
    async with entered_by_cookie(request) as found:
        if found is None:
            raise NotSignedIn
        authorized(request, found[1].caller)


def _check_text(form: FormData) -> None:
    """No keyboard types control characters, and the database keeps no NUL."""
    for name, value in form.multi_items():
        text = value if isinstance(value, str) else value.filename or ""
        if CONTROLS.search(name) or CONTROLS.search(text):
            raise one_field("form", Reason.UNICODE)


def require_own_form(request: Request, came_in: CameIn) -> None:
    """What `posted` read carried this session's token, once. Raises Problem 403."""
    if request.method in CHANGING:
        given = getattr(request.state, "form_token", "")
        if not hmac.compare_digest(given.encode(), came_in.form_token.encode()):
            raise Problem(ProblemCode.FORM_FOREIGN)


def page(
    request: Request, template: str, status: int = 200, *, came_in: CameIn | None = None, **values: Any
) -> HTMLResponse:
    """A whole page in the reader's language, with the headers every page has."""
    language, nonce = language_of(request), secrets.token_urlsafe(16)
    caller = came_in.caller if came_in else None
    t = translator(language)

    def way(address: str, label: str) -> str:
        """What a way is called: English has another word for a list than for one of it, told by the address."""
        return t(label) if t(address) == address else t(address)

    again, stays = _opened_again(request, status)
    frame = {
        "t": t,
        "say": namer(language),
        "called": caller_of_fields(language),
        "plain_day": plain_day,
        "made": instant(request.app.state.tools.now()),
        "lang": language,
        "nonce": nonce,
        "me": caller,
        "form_token": came_in.form_token if came_in else "",
        "may_choose_again": came_in.chose if came_in else False,
        "once": secrets.token_urlsafe(12),
        "drafts": (caller.user_id or caller.owner) if caller else "",
        "way": way,
        "navigation": _ways(request, caller) if caller else (),
        "room": ROOMS[caller.kind] if caller else "/",
        "path": request.url.path,
        "query": request.url.query,
        "again": again or (ROOMS[caller.kind] if caller else "/"),
        "stays": stays,
        "static": static,
    }
    html = PAGES.get_template(template).render(frame | values)
    html = in_english(html) if language is Language.ENGLISH else html
    return HTMLResponse(html, status, headers=HEADERS | {"Content-Security-Policy": POLICY.format(nonce=nonce)})


def _opened_again(request: Request, status: int) -> tuple[str, bool]:
    """Where a page can be opened in another language, and whether that is where it stands.

    What answers a form may stand where nothing can be opened: then it is the nearest page above; empty without one.
    """
    path, methods = request.url.path, request.app.state.methods
    own = request.method not in CHANGING and status != ProblemCode.METHOD_NOT_ALLOWED.status
    found = path if own else methods.page_at(path)
    if found != path:
        return found, False
    return path + (f"?{request.url.query}" if request.url.query else ""), True


def _ways(request: Request, caller: Caller) -> list[tuple[str, str]]:
    """The ways of the caller's room that its posts may go: none leads to a refusal."""
    authorization: Authorization = request.app.state.authorization
    return [way for way in NAVIGATION[caller.kind] if authorization.table[f"GET {way[0]}"].visitors & caller.visitors]


def language_of(request: Request) -> Language:
    """Chinese, unless the reader has switched."""
    return Language.ENGLISH if request.cookies.get(COOKIE) == Language.ENGLISH else Language.CHINESE


def back(address: str) -> Response:
    """After a form was carried out: look at it, so that reloading does nothing twice."""
    return RedirectResponse(address, 303, headers=HEADERS)


@cache
def static(name: str) -> str:
    """The address of a vendored file; it changes with the file, so that browsers may keep it."""
    digest = sha256((TEMPLATES / "static" / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def _wanted(request: Request) -> str:
    """The page to come back to once somebody is signed in: the one asked for, or the one a form was sent from."""
    path, query = request.url.path, request.url.query
    if request.method not in {"GET", "HEAD"}:
        sent, query = sent_from(request, request.app.state.tools.base_url)
        path = request.app.state.methods.page_at(sent)
        query = query if path == sent else ""
    return f"{path}?{query}" if query else path


def install(app: FastAPI) -> None:
    """Whoever is not signed in is shown the way in, and what goes wrong on a page is told as a page."""

    async def show_the_way_in(request: Request, error: Exception) -> Response:
        wanted = quote(_wanted(request))
        return RedirectResponse(f"/enter?next={wanted}" if wanted else "/enter", 303, headers=HEADERS)

    async def in_words(request: Request, problem: Problem) -> Response:
        came_in = await recognised(request, may_look=problem.status not in WORN)
        told = {"problem": problem, "number": str(request.scope.get("request_id", ""))}
        answer = page(request, "desk/trouble.html.j2", problem.status, came_in=came_in, **told)
        answer.headers.update(problem.headers)
        return answer

    app.add_exception_handler(NotSignedIn, show_the_way_in)
    app.state.problem_page = in_words
