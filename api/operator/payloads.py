"""What Temporal keeps sealed, opened for operators in its UI, each time on record; keys and seals are not here.

Nothing is sealed here: what an operator does to a case goes by the operators' pages, with a reason and on record.
The UI asks its codec server by JSON from an address of its own, with the session's cookie. Only the UI's address and
ours are answered; whose cookie it is and whether that may read is asked as for every page.
"""

import re
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from starlette.types import ASGIApp, Receive, Scope, Send
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from api.audit import AuditEntry, Origin, note
from api.bodies import counting
from api.budgets import MEBIBYTE
from api.callers import authorized
from api.desk.sessions import entered_by_cookie
from api.problems import Problem, one_field
from api.tools import Tools
from api.words import ProblemCode, Reason
from models.contracts.vocabulary import AuditEvent

ROOM = "/codec/"
MOST_BYTES, MOST_PAYLOADS = 8 * MEBIBYTE, 1000
NAMESPACE, WORKFLOW = "x-namespace", "x-workflow-id"
WORKFLOW_ID = re.compile(r"[\w./:-]{1,200}")
KEPT = "600"  # seconds a browser remembers that it may ask
router = APIRouter(prefix="/codec", include_in_schema=False)


@router.post("/decode")
async def decode(request: Request) -> Response:
    """Payloads as they were before they were sealed; one that cannot be opened stays as it is."""
    given = await _given(request)
    codec = _codec(request)
    opened = [await _opened(codec, one) for one in given.payloads] if codec else list(given.payloads)
    count = sum(before != after for before, after in zip(given.payloads, opened, strict=True))
    await _on_record(request, len(opened), count)
    return _answered(request, opened)


class Preflight:
    """Tells a browser beforehand that the UI's own pages may ask, and nobody else's."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "OPTIONS" or not scope["path"].startswith(ROOM):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        allowed = _cross_origin(request)
        if "Access-Control-Allow-Origin" in allowed:
            wanted = {"Methods": "POST", "Headers": f"content-type, {NAMESPACE}, {WORKFLOW}"}
            allowed |= {f"Access-Control-Allow-{name}": value for name, value in wanted.items()}
            allowed["Access-Control-Max-Age"] = KEPT
        await Response(status_code=204, headers=allowed)(scope, receive, send)


async def _given(request: Request) -> Payloads:
    """What was asked, from somebody who may: nobody else's bytes are kept. Raises Problem."""
    try:
        await _require_reader(request)
    except Problem as refused:
        refused.headers |= _cross_origin(request)
        raise
    receive = counting(request.scope, request.receive, MOST_BYTES, request.app.state.tools.budgets)
    body = await Request(request.scope, receive).body()
    try:
        given = Parse(body.decode(), Payloads(), max_recursion_depth=10)
    except (ParseError, UnicodeDecodeError, RecursionError, ValueError):
        raise Problem(ProblemCode.NOT_JSON) from None
    if len(given.payloads) > MOST_PAYLOADS:
        raise Problem(ProblemCode.TOO_LARGE)
    return given


async def _require_reader(request: Request) -> None:
    tools: Tools = request.app.state.tools
    async with entered_by_cookie(request) as found:
        if found is None:
            raise Problem(ProblemCode.UNAUTHENTICATED)
        authorized(request, found[1].caller)
    if request.headers.get("origin") not in _origins(tools):  # what the browser says, and no script can change
        raise Problem(ProblemCode.FORM_FOREIGN)
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Problem(ProblemCode.UNSUPPORTED_MEDIA)
    if request.headers.get(NAMESPACE, tools.temporal.namespace) != tools.temporal.namespace:
        raise one_field(f"header.{NAMESPACE}", Reason.PATTERN)


def _origins(tools: Tools) -> set[str]:
    return {
        f"{parts.scheme}://{parts.netloc}"
        for parts in map(urlsplit, (tools.temporal_ui, tools.base_url))
        if parts.netloc
    }


def _codec(request: Request) -> PayloadCodec | None:
    """`None` where nothing is sealed: then everything is readable as it is."""
    tools: Tools = request.app.state.tools
    return tools.temporal.data_converter.payload_codec


async def _opened(codec: PayloadCodec, payload: Payload) -> Payload:
    try:
        return (await codec.decode([payload]))[0]
    except Exception:  # a key that is gone, damage, another's seal: the reader sees that it is sealed
        return payload


async def _on_record(request: Request, asked: int, opened: int) -> None:
    """Who read how many payloads of which workflow, as far as the UI says; never what they said."""
    named = request.headers.get(WORKFLOW, "")
    about = ("workflow", named) if WORKFLOW_ID.fullmatch(named) else ("", "")
    async with entered_by_cookie(request) as found:
        if found is None:  # signed out while the body came in
            raise Problem(ProblemCode.UNAUTHENTICATED)
        entry, came_in = found
        authorized(request, came_in.caller)
        said = {"payloads": asked, "opened": opened}
        row = AuditEntry(
            AuditEvent.PAYLOADS_READ, who=came_in.caller.actor, about=about, said=said, origin=Origin.of(request)
        )
        await note(entry.connection, row)


def _answered(request: Request, payloads: list[Payload]) -> Response:
    text = MessageToJson(Payloads(payloads=payloads), indent=None)
    headers = {"Cache-Control": "no-store", **_cross_origin(request)}
    return Response(text, media_type="application/json", headers=headers)


def _cross_origin(request: Request) -> dict[str, str]:
    """What lets the UI's pages read the answer."""
    origin, allowed = request.headers.get("origin", ""), {"Vary": "Origin"}
    if origin in _origins(request.app.state.tools):
        allowed |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
    return allowed
