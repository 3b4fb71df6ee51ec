"""Every refusal as RFC 9457 problem+json; what is said stands in words.py, and no answer ever echoes what was sent."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.reasons import plainly, reason_of
from api.words import REFUSALS, REFUSED_TITLE, RULES_LACKING, ProblemCode, Reason
from domain.places import full_region_name
from models.contracts.step import Refusal
from models.tables.engine import is_lost
from rules.findings import UnknownPack

API = "/v1/"
MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 50
BY_STATUS = {404: ProblemCode.NOT_FOUND, 405: ProblemCode.METHOD_NOT_ALLOWED, 413: ProblemCode.TOO_LARGE}
CREDENTIALS = {"WWW-Authenticate": 'Bearer realm="anze"'}
CONNECTION_LOST: tuple[type[Exception], ...] = (
    DBAPIError,
    PoolTimeout,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
BAD_DATA = "22"
"""The class of SQLSTATE for values the database does not take: too large a number, a character no text has."""
RETRY_AFTER = 2  # seconds
UNTIL_PUT_BACK = 300  # seconds; a person has to put the file back
DIGITS = 12
"""Hexadecimal digits of a digest that name a rule file; no secret."""
ASKING = frozenset({"GET", "HEAD", "OPTIONS"})
MAY_COME_BACK = frozenset(
    {ProblemCode.OUTCOME_UNKNOWN.value, ProblemCode.UNAVAILABLE.value, ProblemCode.TOO_MANY.value}
)
"""After these the same may be sent again under its key: it happens once, however often it comes."""
log = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """One field that was refused, and why."""

    field: str = Field(description="字段路径 / path of the field", examples=["body.terms.region"])
    reason: str = Field(
        description="原因和可填的内容，给人看，文字会变 / why, and what may be given; wording may change",
        examples=["格式不符，须为六位行政区划代码，例如 341300"],
    )


class ProblemDocument(BaseModel):
    """RFC 9457 的问题说明 / problem details."""

    type: str = Field(examples=["/problems/outcome_unknown"])
    title: str = Field(examples=["结果尚不明确"])
    status: int = Field(examples=[503])
    code: str = Field(examples=["outcome_unknown"])
    detail: str
    clause: str = Field("", description="依据的文号与条款 / clause, where there is one")
    instance: str = Field(description="本次请求的编号，与 X-Request-Id 相同 / correlation id")
    errors: list[FieldProblem] = []


class Problem(Exception):
    """An answer that is not the one asked for; raised anywhere below a route."""

    def __init__(
        self,
        code: ProblemCode,
        detail: str = "",
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code: str = code
        self.title = code.label
        self.status = code.status
        self.detail = detail or code.advice
        self.clause = ""
        self.about = ""
        """What it is about, in figures that need no language."""
        self.errors = tuple(errors)
        self.headers = dict(headers or {}) | (CREDENTIALS if code.status == 401 else {})


def not_found() -> Problem:
    """The one answer for what is absent and for what belongs to somebody else (promises.md P18)."""
    return Problem(ProblemCode.NOT_FOUND)


def refused(refusal: Refusal) -> Problem:
    """A refusal of the case itself: its code, sentence and clause as the rules gave them."""
    problem = Problem(ProblemCode.CASE_CLOSED, refusal.says)
    problem.code, problem.status, problem.clause = refusal.code, refusal.status, refusal.clause
    problem.title = REFUSALS.get(refusal.code, REFUSED_TITLE)
    return problem


def try_later(code: ProblemCode, seconds: int) -> Problem:
    return Problem(code, headers={"Retry-After": str(seconds)})


def rules_missing(request: Request, unknown: UnknownPack) -> Problem:
    """A case cannot be shown: the file it is pinned to was changed or removed. Which one, is no secret."""
    log.error("rules missing %s: %s", request.scope.get("request_id"), unknown)
    ref, digits = unknown.ref, unknown.ref.digest[:DIGITS]
    place = full_region_name(ref.region)
    said = RULES_LACKING.format(place=place, region=ref.region, on=ref.in_force_on, digits=digits)
    problem = Problem(ProblemCode.RULES_MISSING, said, headers={"Retry-After": str(UNTIL_PUT_BACK)})
    problem.about = f"{ref.region} · {ref.in_force_on} · {digits}…"
    return problem


def one_field(field: str, reason: Reason | str) -> Problem:
    """One field that is wrong: a reason of the list, or a sentence that says what would be taken."""
    said = plainly(reason) if isinstance(reason, Reason) else reason
    return Problem(ProblemCode.INVALID, errors=[FieldProblem(field=field, reason=said)])


def document(problem: Problem, instance: str) -> bytes:
    """The body of a problem, in UTF-8; lone surrogates cannot occur because nothing of the request is repeated."""
    body = {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "clause": problem.clause,
        "instance": instance,
        "errors": [error.model_dump() for error in problem.errors],
    }
    return json.dumps(body, ensure_ascii=False).encode()


async def answer(request: Request, problem: Problem) -> Response:
    """The problem as its reader wants it: a document of the API, or a page where a page was asked for."""
    in_words = getattr(request.app.state, "problem_page", None) if "app" in request.scope else None
    if in_words is not None and not request.url.path.startswith(API) and reads_pages(request):
        return await in_words(request, problem)
    instance = str(request.scope.get("request_id", ""))
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(document(problem, instance), problem.status, headers, media_type=MEDIA_TYPE)


def reads_pages(request: Request) -> bool:
    """Whether a browser asks, for a page or for a part of one."""
    return "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers


def install(app: FastAPI) -> None:
    """Every error leaves as a problem document, the unforeseen ones too."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(UnknownPack, _lacking)
    for lost in CONNECTION_LOST:
        app.add_exception_handler(lost, _unavailable)
    app.add_middleware(LastResort)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return await answer(request, error)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found, on_page = error.errors(), not request.url.path.startswith(API)
    if any(one["type"] == "json_invalid" for one in found):
        return await answer(request, Problem(ProblemCode.NOT_JSON))
    return await answer(request, Problem(ProblemCode.INVALID, errors=field_problems(found, on_page=on_page)))


def field_problems(found: Sequence[Mapping[str, Any]], *, on_page: bool = False) -> list[FieldProblem]:
    """Pydantic's errors as fields and reasons, without a word of what was sent; people read labels, programs values."""
    return [
        FieldProblem(field=_path(one["loc"]), reason=reason_of(one, on_page=on_page)) for one in found[:MOST_ERRORS]
    ]


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = BY_STATUS.get(error.status_code, ProblemCode.BAD_REQUEST)
    return await answer(request, Problem(code, headers=error.headers))


async def _lacking(request: Request, error: Exception) -> Response:
    assert isinstance(error, UnknownPack)
    return await answer(request, rules_missing(request, error))


async def _unavailable(request: Request, error: Exception) -> Response:
    """The database did not answer, or not to this; whether anything was done is said as far as it is known."""
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    log.warning("database unavailable %s: %s %s", request.scope.get("request_id"), type(error).__name__, state)
    if isinstance(error, IntegrityError):
        return await answer(request, Problem(ProblemCode.CONFLICT))
    if state.startswith(BAD_DATA):
        return await answer(request, Problem(ProblemCode.INVALID))
    code = ProblemCode.OUTCOME_UNKNOWN if may_be_done(request, error) else ProblemCode.UNAVAILABLE
    return await answer(request, try_later(code, RETRY_AFTER))


def may_be_done(request: Request, error: Exception) -> bool:
    """A line that broke, or time that ran out, may have done so just after a commit (promises.md P2).

    Who was not let in, found no free connection or waited for a lock has certainly done nothing.
    """
    turned_away = isinstance(error, ConnectionRefusedError)
    return request.method not in ASKING and not turned_away and is_lost(error)


class LastResort:
    """Nothing about an unforeseen error leaves the house; the log has it under the same id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watching(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watching)
        except Problem:
            raise
        except Exception as error:
            log.exception("unforeseen %s", scope.get("request_id"))
            if started or scope["type"] != "http":
                raise error from None
            told = await answer(Request(scope), Problem(ProblemCode.INTERNAL))
            await told(scope, receive, send)


def _path(location: Sequence[Any]) -> str:
    """Field names of ours and positions; an unknown field's own name is what was sent, so it is not repeated."""
    parts = [str(part) for part in location]
    return ".".join(part if (part.isascii() and part.isidentifier()) or part.isdigit() else "?" for part in parts)[:200]
