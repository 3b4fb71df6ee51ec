"""Refused attempts on record, bounded so that nobody fills the disk with them; what is refused is decided elsewhere."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from fastapi import FastAPI, Request, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from api import problems
from api.audit import AuditEntry, Origin, noted
from api.callers import BEARER, Caller
from api.keys import TOKEN
from api.problems import Problem
from models.contracts.vocabulary import AuditEvent, AuditResult
from models.tables.audit import COMMON_CHAIN

WINDOW = 60.0  # seconds
SPELT_OUT = 10
"""Rows of one caller in one window of one process; what comes after them is counted in one row more."""
SPELT_OUT_IN_ALL = 300
"""Rows of all callers in one window: an attacker has many addresses."""
MOST_CALLERS = 10_000
"""Callers remembered at once; whoever comes beyond that is counted together."""
WRITTEN_WITHIN = 2.0  # seconds; the answer waits for the row, but not for ever
NOTED = {401, 403, 429}
EVERYBODY_ELSE = ""
log = logging.getLogger(__name__)


@dataclass
class _Window:
    """What one caller was refused since `opened`; the first refusal of it tells whose it is."""

    opened: float
    first: AuditEntry
    rows: int = 0
    more: int = 0


class Denials:
    """Refusals of this process; one instance for an application."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._all = 0
        self._all_since = clock()
        self._settling: asyncio.Task[None] | None = None

    async def note(self, engine: AsyncEngine, entry: AuditEntry) -> None:
        """Put a refusal on record, or count it. Never raises: the refusal itself must reach the caller."""
        try:
            async with asyncio.timeout(WRITTEN_WITHIN):
                await self.settle(engine)
                if self._spells_out(entry):
                    await noted(engine, entry)
                else:
                    self._settle_later(engine)
        except problems.CONNECTION_LOST as error:
            log.warning("a refusal is not on record: %s", type(error).__name__)

    async def close(self, engine: AsyncEngine) -> None:
        """The process ends: what was counted is written down now."""
        if self._settling is not None:
            self._settling.cancel()
        try:
            await self.settle(engine, early=True)
        except problems.CONNECTION_LOST as error:
            log.warning("refusals are not on record: %s", type(error).__name__)

    async def settle(self, engine: AsyncEngine, *, early: bool = False) -> None:
        """Write down how many refusals were not spelt out in the windows that are over (`early`: in all of them)."""
        over = self._clock() - WINDOW
        done = [who for who, window in self._windows.items() if early or window.opened <= over]
        for window in [self._windows.pop(who) for who in done]:
            if window.more:
                await noted(engine, _rest(window))

    def _spells_out(self, entry: AuditEntry) -> bool:
        now, who = self._clock(), _caller_of(entry)
        if now - self._all_since >= WINDOW:
            self._all, self._all_since = 0, now
        if who not in self._windows and len(self._windows) >= MOST_CALLERS:
            who, entry = EVERYBODY_ELSE, AuditEntry(entry.what)
        window = self._windows.setdefault(who, _Window(now, entry))
        if window.rows >= SPELT_OUT or self._all >= SPELT_OUT_IN_ALL:
            window.more += 1
            return False
        window.rows += 1
        self._all += 1
        return True

    def _settle_later(self, engine: AsyncEngine) -> None:
        """Also when nobody is refused any more, the count is written once the window is over."""
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._wait_and_settle(engine), name="denials")

    async def _wait_and_settle(self, engine: AsyncEngine) -> None:
        await asyncio.sleep(WINDOW)
        try:
            await self.settle(engine)
        except problems.CONNECTION_LOST as error:
            log.warning("refusals are not on record: %s", type(error).__name__)


def install(app: FastAPI) -> None:
    """Every problem that says no to somebody is put on record before it is answered."""
    app.state.denials = Denials()
    app.add_exception_handler(Problem, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    if _is_an_attempt(request, error):
        await request.app.state.denials.note(request.app.state.tools.engine, _refusal(request, error))
    return await problems.answer(request, error)


def _is_an_attempt(request: Request, problem: Problem) -> bool:
    """Somebody known who may not, somebody who asks too often, or a key that looks like one but is none.

    What belongs to somebody else is answered as what does not exist (promises.md P18), so a 404 tells nothing.
    """
    return problem.status in NOTED and (problem.status != 401 or _prefix(request) != "")


def _refusal(request: Request, problem: Problem) -> AuditEntry:
    caller: Caller | None = request.scope.get("caller")
    named = {name: value for name, value in request.path_params.items() if isinstance(value, UUID)}
    return AuditEntry(
        AuditEvent.DENIED,
        chain=(caller.insurer_id if caller else None) or COMMON_CHAIN,
        who=caller.actor if caller else None,
        about=("route", _door(request)),
        result=AuditResult.REFUSED,
        said={"code": problem.code, "status": problem.status} | named | _by(request, caller),
        origin=Origin.of(request),
    )


def _door(request: Request) -> str:
    """The address as the description writes it: what was put in its places may be a secret (a link's token)."""
    if "route" not in request.scope:
        return request.method
    places = {str(value): f"{{{name}}}" for name, value in request.path_params.items()}
    return f"{request.method} {'/'.join(places.get(part, part) for part in request.url.path.split('/'))}"


def _by(request: Request, caller: Caller | None) -> dict[str, str]:
    """By which key: the public part of it, never the secret one."""
    if caller is not None:
        return {"key_id": str(caller.key_id)}
    prefix = _prefix(request)
    return {"key_prefix": prefix} if prefix else {}


def _prefix(request: Request) -> str:
    given = BEARER.fullmatch(request.headers.get("authorization", ""))
    return given[1].split("_")[1] if given and TOKEN.fullmatch(given[1]) else ""


def _caller_of(entry: AuditEntry) -> str:
    """A stranger is an address: keys that were never issued cost nothing to make up."""
    return f"{entry.who.kind}:{entry.who.id}" if entry.who else f"ip:{entry.origin.ip}"


def _rest(window: _Window) -> AuditEntry:
    first = window.first
    return AuditEntry(
        AuditEvent.NOT_SPELT_OUT,
        chain=first.chain,
        who=first.who,
        result=AuditResult.REFUSED,
        said={"count": window.more, "within_seconds": int(WINDOW)},
        origin=Origin(ip=first.origin.ip),
    )
