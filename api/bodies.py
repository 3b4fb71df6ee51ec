"""How the body of a request comes in: as large, as long and as fast as budgets allow; what it says is not read here."""

import asyncio

from starlette.types import Message, Receive, Scope

from api.callers import Caller
from api.problems import Problem, try_later
from api.rates import Rates, asked_from
from api.tools import Budgets
from api.words import ProblemCode


def charged(scope: Scope, receive: Receive, uploads: Rates) -> Receive:
    """Bytes of forms and files count for whoever was recognised by now, else for the address. Raises Problem 429."""

    async def charging() -> Message:
        message = await receive()
        caller: Caller | None = scope.get("caller")
        whose = str(caller.owner) if caller else asked_from(scope)
        if wait := uploads.spend(whose, len(message.get("body", b""))):
            raise try_later(ProblemCode.TOO_MANY, wait)
        return message

    return charging


def header(scope: Scope, wanted: bytes) -> bytes:
    """What a request says in this header, named in small letters; nothing where it has none."""
    return next((value for name, value in scope["headers"] if name.lower() == wanted), b"")


def _require_length(scope: Scope, most: int) -> None:
    given = header(scope, b"content-length")
    if given and (not given.isdigit() or len(given) > 12 or int(given) > most):
        raise Problem(ProblemCode.TOO_LARGE)


async def whole(scope: Scope, receive: Receive, most: int) -> bytes:
    """The body, chunked or not, as long as it stays within the limit."""
    _require_length(scope, most)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(ProblemCode.BAD_REQUEST)
        body += message.get("body", b"")
        if len(body) > most:
            raise Problem(ProblemCode.TOO_LARGE)
        if not message.get("more_body"):
            return bytes(body)


def counting(scope: Scope, receive: Receive, most: int, budgets: Budgets) -> Receive:
    """For routes that read their body themselves: pass it on, and stop at the limit, at a standstill, at a trickle.

    Afterwards only a disconnect can come, and for that one waits as long as the answer takes.
    """
    _require_length(scope, most)
    read, over, clock = 0, False, asyncio.get_running_loop().time
    began: float | None = None

    async def counted() -> Message:
        nonlocal read, over, began
        began = clock() if began is None else began
        late = began + budgets.body_within + read / budgets.body_per_second - clock()
        try:
            async with asyncio.timeout(None if over else min(budgets.body_within, late)):
                message = await receive()
        except TimeoutError:
            raise Problem(ProblemCode.BAD_REQUEST) from None
        over = not message.get("more_body")
        read += len(message.get("body", b""))
        if read > most:
            raise Problem(ProblemCode.TOO_LARGE)
        return message

    return counted


def replaying(body: bytes, receive: Receive) -> Receive:
    """Hand the checked bytes on; afterwards only a disconnect can come."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
