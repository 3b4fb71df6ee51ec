"""Carries an import out beside the requests: rows are checked, then opened a few at a time as the API does."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice

from sqlalchemy import select

from api.callers import Caller, Entry, open_rows
from api.idempotency import Attempt, stored_answer
from api.insurer.opening import Opening, opened_policy
from api.limits import spelled
from api.portfolio.jobs import Job, Shelf, Stage
from api.portfolio.parcels import Outcome, Parcel, Plan, Result, checked, column_of, planned
from api.portfolio.reading import BadFile, Fault, Row
from api.portfolio.words import FOREIGN, STOPPED
from api.problems import CONNECTION_LOST, MAY_COME_BACK, Problem
from api.rows import SESSIONS, USERS
from api.shapes import PolicyApplication
from api.tools import Tools
from domain.calendar import local_date
from domain.wording import with_clause
from models.contracts.vocabulary import Post
from models.tables import engine as settings

AT_ONCE = 4
ATTEMPTS = 6
LONGEST_PAUSE = 10.0  # seconds
AT_A_TIME = 25
"""Rows that are checked before others get a turn, and before progress is told."""
ACTORS = {Post.INSURER_ADMIN.value, Post.INSURER_HANDLER.value}


log = logging.getLogger(__name__)


class NoLongerAllowed(Exception):
    """Whoever started the import has left or was disabled: what is not open yet stays unopened."""


@dataclass
class Import:
    """One job on its way, for the person who started it; `token_hash` is that person's session."""

    tools: Tools
    caller: Caller
    token_hash: str
    job: Job
    results: dict[int, Result] = field(default_factory=dict)

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.tools.files, self.caller.tenant)

    async def run(self) -> None:
        """Check every row; where the job is to import, open what passed. Whatever happens is written down."""
        try:
            plan = await asyncio.to_thread(self._plan)
        except BadFile as bad:
            self._tell(stage=Stage.CHECKED, trouble=str(bad))
            return
        if self.job.stage is Stage.CHECKING:
            await self._check(plan)
        else:
            await self._open_all(plan)

    def _plan(self) -> Plan:
        return planned(self.shelf.portfolio(self.job), self._whose)

    def _whose(self, row: Row) -> tuple[str, tuple[Fault, ...]]:
        code = str(row.values.get("insurer", "") or self.caller.insurer_code)
        own = code == self.caller.insurer_code
        return code, () if own else (Fault(column_of("insurer"), FOREIGN),)

    async def _check(self, plan: Plan) -> None:
        self._take(*plan.refused)
        self._tell(rows=len(plan.portfolio.rows))
        looking = checked(plan, self.tools.rules, local_date(self.tools.now()))
        while some := await asyncio.to_thread(lambda: list(islice(looking, AT_A_TIME))):
            self._take(*some)
            self._tell()
        self.shelf.keep(self.job, self.results)
        self._tell(stage=Stage.CHECKED)

    async def _open_all(self, plan: Plan) -> None:
        """Four at a time; one that fails holds up no other."""
        self._take(*plan.refused)
        self._tell(rows=len(plan.portfolio.rows))
        waiting = iter(plan.parcels)

        async def hand() -> None:
            for parcel in waiting:
                self._take(await self._opened(parcel))
                self._tell()

        stopped = ""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(hand())
        except* NoLongerAllowed:
            stopped = STOPPED
        self.shelf.keep(self.job, self.results)
        self._tell(stage=Stage.DONE, trouble=stopped)

    async def _opened(self, parcel: Parcel) -> Result:
        for tried in range(ATTEMPTS):
            try:
                return await self._open(parcel)
            except Problem as problem:
                if problem.code not in MAY_COME_BACK:
                    return Result(parcel.line, parcel.number, Outcome.REFUSED, faults=_faults(problem))
            except CONNECTION_LOST:
                pass  # nothing is known of the outcome; the same key may ask again
            await asyncio.sleep(min(2.0**tried, LONGEST_PAUSE))
        return Result(parcel.line, parcel.number, Outcome.UNKNOWN)

    async def _open(self, parcel: Parcel) -> Result:
        """One row as one request of the API: the same key, the same body, so that either finds what the other did."""
        deadline = asyncio.get_running_loop().time() + self.tools.budgets.answer_within
        async with asyncio.timeout_at(deadline), AsyncExitStack() as transaction:
            connection = await transaction.enter_async_context(self.tools.engine.begin())
            await open_rows(connection, self.caller)
            entry = Entry(connection, self.caller, self.tools, deadline)
            await self._require_still_allowed(entry)
            made = attempt_of(self.caller, parcel)
            opening = Opening(entry, made, transaction, await stored_answer(entry, self.caller.tenant, made))
            application = PolicyApplication.model_validate(parcel.body)
            view, replayed = await opened_policy(opening, application)
        return Result(parcel.line, parcel.number, Outcome.THERE if replayed else Outcome.OPENED, str(view.id))

    async def _require_still_allowed(self, entry: Entry) -> None:
        """On current data, row by row (promises.md P21)."""
        await settings.session(entry.connection, self.token_hash)
        found = (
            select(USERS.c.posts)
            .join(SESSIONS, SESSIONS.c.user_id == USERS.c.id)
            .where(SESSIONS.c.token_hash == self.token_hash, SESSIONS.c.revoked_at.is_(None))
            .where(USERS.c.disabled_at.is_(None))
        )
        posts = (await entry.connection.execute(found)).scalar_one_or_none()
        if posts is None or ACTORS.isdisjoint(posts):
            raise NoLongerAllowed

    def _take(self, *results: Result) -> None:
        self.results.update({one.line: one for one in results})

    def _tell(self, **changes: object) -> None:
        counts = Counter(one.outcome.name for one in self.results.values())
        told: Mapping[str, object] = {"done": len(self.results), "counts": dict(counts), "seen_at": self.tools.now()}
        self.job = self.job.model_copy(update={**told, **changes})
        self.shelf.save(self.job)


def attempt_of(caller: Caller, parcel: Parcel) -> Attempt:
    """As if the row had been posted to /v1/policies with the key the command line gives it."""
    written = b"\n".join((b"POST", b"/v1/policies", spelled(parcel.body).encode()))
    return Attempt(f"{caller.owner}:{parcel.key}", sha256(written).hexdigest())


def _faults(problem: Problem) -> tuple[Fault, ...]:
    if problem.errors:
        return tuple(Fault(column_of(one.field), one.reason) for one in problem.errors)
    return (Fault("", with_clause(problem.detail, problem.clause)),)


class Imports:
    """The imports this process carries out: one at a time for each insurer; they end with the process, and resume."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, one: Import) -> bool:
        """Begin, unless this insurer has one running; says whether it began."""
        key = str(one.caller.tenant)
        running = self._tasks.get(key)
        if running is not None and not running.done():
            return False
        self._tasks[key] = asyncio.create_task(_logged(one), name=f"import {one.job.id}")
        return True


async def _logged(one: Import) -> None:
    """What nobody foresaw leaves the job as it is: it is seen to have stalled, and can be started again."""
    try:
        await one.run()
    except Exception:
        log.exception("import %s", one.job.id)
