"""The page behind a mailed link: GET and HEAD show, POST acts; for one matter, one holder, with or without scripts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID
from weakref import WeakValueDictionary

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from api.audit import AuditEntry, Origin
from api.desk.acting import Misfilled
from api.desk.deeds import LEGAL, MOST_FILES, TYPED, Deed, body, command
from api.desk.filling import EMPTY, MOST_FIELDS, MOST_TEXT, Filling, Received, again, received
from api.desk.frame import back, language_of, page
from api.desk.origin import comes_from_us
from api.desk.words import translator
from api.entrance.links import ask_fresh
from api.evidence import DIGEST, SMALL, Piece, given_out, held_by
from api.gateway import act
from api.portal.codes import Pledge, proven, sent_to, to_room
from api.portal.links import TOKEN, command_id, entered_by_link, record_use
from api.portal.showing import Offer, offer_of
from api.problems import CONNECTION_LOST, Problem, may_be_done, not_found, rules_missing
from api.tools import Tools
from api.words import ProblemCode
from models.contracts.base import Given
from models.contracts.vocabulary import AuditEvent, AuditResult, ServiceDimension
from rules.findings import UnknownPack

HEADERS = {"Referrer-Policy": "no-referrer"}
"""The address of these pages is their key: it goes to nobody."""
FRESH = "fresh"
"""What a dead page's one button asks for."""
ROOM = "room"
"""What leads from one matter to everything of its holder, by a code."""
HASH_SHOWN = 16
"""Characters of a token's hash that tell links apart in the audit trail."""
TURNS: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
"""One lock for each link somebody is acting with just now; between processes the database decides."""
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Trouble(Exception):
    """Why a page is shown instead of what was asked for; the words are the template's."""

    reason: str
    status: int
    said: str = ""


@router.api_route("/l/{token}", methods=["GET", "HEAD"])
async def show_link(request: Request, token: str) -> Response:
    """What the link is about, and a form for each act it allows. Fetching it changes nothing (P15)."""
    try:
        return await _shown(request, token, EMPTY)
    except Trouble as trouble:
        return await _refused(request, token, trouble)
    except UnknownPack as unknown:
        return _lacking(request, unknown)
    except CONNECTION_LOST:
        return _trouble(request, Trouble("unavailable", 503))


@router.get("/l/{token}/evidence/{digest}")
async def show_evidence(
    request: Request, token: str, digest: Annotated[str, DIGEST], small: Annotated[str | None, SMALL] = None
) -> Response:
    """A file of the one case the link speaks of, or of its policy's visit; 404 for every other."""
    tools: Tools = request.app.state.tools
    async with entered_by_link(tools, token) as opened:
        if opened is None:
            raise not_found()
        entry, link = opened
        try:
            file = await held_by(entry, link.insurer_id, link.case.id, digest)
        except Problem:
            if link.case.parent_id is None:
                raise
            file = await held_by(entry, link.insurer_id, link.case.parent_id, digest, of_hazard=link.case.number)
    answer = await given_out(file, as_small=small is not None)
    answer.headers.update(HEADERS)
    return answer


@router.post("/l/{token}")
async def act_by_link(request: Request, token: str) -> Response:
    """Act once: the first one counts, everybody after it is shown that it is done."""
    if not comes_from_us(request, request.app.state.tools.base_url):
        return _trouble(request, Trouble("foreign", 403))
    try:
        return await _acted(request, token)
    except Trouble as trouble:
        return await _refused(request, token, trouble)
    except Problem as problem:
        return _trouble(request, Trouble(problem.code, problem.status, problem.detail))
    except UnknownPack as unknown:
        return _lacking(request, unknown)
    except HTTPException:  # a form that cannot be read, or has too many parts
        alive = await _is_alive(request, token)
        return await _refused(request, token, Trouble("form", 400) if alive else Trouble("dead", 404))
    except CONNECTION_LOST as lost:
        code = ProblemCode.OUTCOME_UNKNOWN if may_be_done(request, lost) else ProblemCode.UNAVAILABLE
        return _trouble(request, Trouble(code, 503))


async def _acted(request: Request, token: str) -> Response:
    """Nobody who lacks a living link hands in a file; of many who press at once, one goes at a time."""
    alive = await _is_alive(request, token)
    most = MOST_FILES if alive else 0
    async with request.form(max_files=most, max_fields=MOST_FIELDS, max_part_size=MOST_TEXT) as form:
        if form.get("deed") == FRESH:
            await ask_fresh(request.app.state.tools, token, Origin.of(request))
            return _page(request, "portal/asked.html.j2", 200)
        async with TURNS.setdefault(sha256(token.encode()).digest(), asyncio.Lock()):
            return await _in_turn(request, token, form)


async def _in_turn(request: Request, token: str, form: FormData) -> Response:
    offer = await _looked(request, token)
    if offer is None:
        raise Trouble("dead", 404)
    if form.get("deed") == ROOM:
        return await to_room(request, offer.link)
    deed = _deed(form)
    if deed in offer.did:
        return _back(request)
    if deed not in offer.deeds:
        raise Trouble("not_now", 409)
    come = await received(request.app.state.tools, form, offer.link.id, partial(_keeping, request, token))
    return await _carried_out(request, token, offer, Form(deed, come, form))


@dataclass(frozen=True)
class Form:
    """What was posted: which deed, what it says, and the fields beside it (a code)."""

    deed: Deed
    come: Received
    fields: FormData


async def _carried_out(request: Request, token: str, offer: Offer, form: Form) -> Response:
    """The case counts a repeated command once; a use that is lost on the way is put down when the link is next seen."""
    tools, link, deed = request.app.state.tools, offer.link, form.deed
    try:
        given = _given(offer, form)
    except Misfilled as misfilled:
        return await _shown(request, token, again(tools.secret, link.id, deed, form.come, misfilled))
    pledge = Pledge(tools, link, deed, Origin.of(request))
    if deed in LEGAL:
        held = await proven(pledge, form.fields)
        if held != "proven":
            return _code_page(request, offer, form, held)
    try:
        if given is not None:
            await act(tools, link.found, deed.value, given)
    except Problem as problem:
        if problem.status not in {409, 422}:
            raise
        return await _shown(request, token, again(tools.secret, link.id, deed, form.come, problem))
    await record_use(tools, link, deed, Origin.of(request))
    return _back(request)


def _given(offer: Offer, form: Form) -> Given[Any] | None:
    """The command of a form, the same one however often it is sent; `None` where the letter is only acknowledged.

    A department acknowledges a letter that names no duty: nothing in the case changes, the delivery ledger does.
    """
    link, deed = offer.link, form.deed
    if deed is Deed.ACKNOWLEDGE and not link.duty_key:
        return None
    if form.come.refused:
        raise Misfilled({})
    made = command(deed, body(deed, form.come.sent, offer.topic))
    known_as = command_id(link.id, deed)
    fingerprint = sha256(known_as.encode()).hexdigest()
    return Given[Any](command_id=known_as, actor=link.actor, fingerprint=fingerprint, command=made)


async def _is_alive(request: Request, token: str) -> bool:
    async with entered_by_link(request.app.state.tools, token) as opened:
        return opened is not None


async def _looked(request: Request, token: str) -> Offer | None:
    """The link and what it offers, `None` for a dead one."""
    tools: Tools = request.app.state.tools
    async with entered_by_link(tools, token) as opened:
        if opened is None:
            return None
        return await offer_of(*opened, translator(language_of(request)), partial(_file, token))


@asynccontextmanager
async def _keeping(request: Request, token: str) -> AsyncIterator[tuple[AsyncConnection, UUID]]:
    """What is handed in with a link lies with the insurer of its case."""
    async with entered_by_link(request.app.state.tools, token) as opened:
        if opened is None:
            raise Trouble("dead", 404)
        entry, link = opened
        yield entry.connection, link.insurer_id


def _deed(form: FormData) -> Deed:
    asked = form.get("deed")
    if not isinstance(asked, str) or asked not in set(Deed):
        raise Trouble("form", 400)
    return Deed(asked)


def _file(token: str, piece: Piece) -> str:
    return f"/l/{token}/evidence/{piece.digest}"


async def _shown(request: Request, token: str, filling: Filling) -> Response:
    offer = await _looked(request, token)
    if offer is None:
        raise Trouble("dead", 404)
    told = {"o": offer, "f": filling, "empty": EMPTY, "most_files": MOST_FILES, "dimensions": tuple(ServiceDimension)}
    return _page(request, "portal/link.html.j2", 422 if filling.deed else 200, **told)


def _code_page(request: Request, offer: Offer, form: Form, held: str) -> Response:
    """The form as it was, with one field more; what was typed and handed in goes along."""
    tools: Tools = request.app.state.tools
    filling = again(tools.secret, offer.link.id, form.deed, form.come)
    told = {"o": offer, "f": filling, "held": held, "typed": TYPED, "sent_to": sent_to(offer.link)}
    return _page(request, "portal/code.html.j2", 422 if held == "wrong" else 200, **told)


async def _refused(request: Request, token: str, trouble: Trouble) -> Response:
    """A dead link that was tried is on record, by the beginning of its hash; as bounded as every other refusal."""
    if trouble.reason == "dead" and TOKEN.fullmatch(token):
        entry = AuditEntry(
            AuditEvent.LINK_OPENED_DEAD,
            about=("link", sha256(token.encode()).hexdigest()[:HASH_SHOWN]),
            result=AuditResult.REFUSED,
            said={"method": request.method},
            origin=Origin.of(request),
        )
        await request.app.state.denials.note(request.app.state.tools.engine, entry)
    return _trouble(request, trouble)


def _trouble(request: Request, trouble: Trouble) -> Response:
    """One page for a link that never was, is over, or belongs to a closed case (P17)."""
    return _page(request, "portal/trouble.html.j2", trouble.status, reason=trouble.reason, said=trouble.said)


def _lacking(request: Request, unknown: UnknownPack) -> Response:
    """The case's rule file is not here; the form is not lost with it."""
    problem = rules_missing(request, unknown)
    answer = _trouble(request, Trouble(problem.code, problem.status, problem.about))
    answer.headers.update(problem.headers)
    return answer


def _back(request: Request) -> Response:
    answer = back(request.url.path)
    answer.headers.update(HEADERS)
    return answer


def _page(request: Request, template: str, status: int, **values: Any) -> Response:
    answer = page(request, template, status, **values)
    answer.headers.update(HEADERS)
    return answer
