"""Carries nudges from the outbox to mailrooms after the commit, so that no crash between the two loses a notice."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.client import Client
from temporalio.service import RPCError

from domain.addresses import mailroom_link, mailroom_memo
from models.contracts.ids import mailroom_workflow_id
from models.contracts.mailroom import MailroomState
from models.tables.engine import DATABASE_FAULTS, connected, recipient

MAILROOM_WORKFLOW = "收件室"
NUDGE = "nudge"
BATCH = 2_000  # nudges taken at once; ten thousand deadlines at one midnight are five batches
AT_ONCE = 16  # signals on their way to Temporal at one time
CALL = timedelta(seconds=5)
TOGETHER = 20.0  # seconds for all signals of a batch; well below the 30 s a transaction may wait for us
BUSY, IDLE, AWAY = (
    0.2,
    1.0,
    10.0,
)  # seconds between looks: after work, at most when idle, at most when something is down

# Taken rows are gone when the transaction commits, and back when it does not; other nudgers step over them meanwhile.
TAKE = text(
    "DELETE FROM nudges WHERE id IN (SELECT id FROM nudges ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED)"
    " RETURNING recipient_id"
)
PUT_BACK = text("INSERT INTO nudges (recipient_id) SELECT unnest(CAST(:recipients AS uuid[]))")
NAMES = text("SELECT id, name FROM recipients WHERE id = ANY (CAST(:recipients AS uuid[]))")

log = logging.getLogger(__name__)


class Nudger:
    """One of any number of carriers: each nudge is carried at least once, to a mailroom that does not mind twice."""

    def __init__(
        self, engine: AsyncEngine, client: Client, task_queue: str, base_url: str, patience: timedelta = CALL
    ) -> None:
        self._engine = engine
        self._client = client
        self._task_queue = task_queue
        self._base_url = base_url
        self._patience = patience
        self._places = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Carry until cancelled; a lost database or Temporal only makes it slower."""
        pause = BUSY
        while True:
            try:
                pause = BUSY if await self.carry() else min(pause * 1.5, IDLE)
            except (*DATABASE_FAULTS, RPCError) as error:
                pause = min(pause * 2, AWAY)
                log.warning("nudges are waiting: %s, next look in %.1f s", type(error).__name__, pause)
            await asyncio.sleep(pause)

    async def carry(self) -> int:
        """One batch; gives how many mailrooms were nudged. Raises what the database raises, and RPCError."""
        async with connected(self._engine) as connection, connection.begin():
            taken = set((await connection.execute(TAKE, {"batch": BATCH})).scalars())
            if not taken:
                return 0
            failures = await self._nudge_all(await _named(connection, taken))
            if len(failures) == len(taken):  # nothing works: everything stays where it was
                raise next(iter(failures.values()))
            if failures:
                log.warning("%d of %d mailrooms could not be nudged", len(failures), len(taken))
                await connection.execute(PUT_BACK, {"recipients": list(failures)})
            return len(taken) - len(failures)

    async def _nudge_all(self, named: dict[UUID, str]) -> dict[UUID, Exception]:
        """The recipients that were not reached, and why; a signal that went out after all does no harm."""
        calls = {asyncio.create_task(self._nudge(one, name)): one for one, name in named.items()}
        try:
            done, _ = await asyncio.wait(calls, timeout=TOGETHER)
        finally:
            for call in calls:
                call.cancel()
        ended = {calls[call]: call.result() for call in done}
        late = TimeoutError("Temporal answers slowly")
        outcomes = {one: ended.get(one, late) for one in named}
        return {one: failure for one, failure in outcomes.items() if failure is not None}

    async def _nudge(self, recipient_id: UUID, name: str) -> RPCError | None:
        """Signal-with-start: the mailroom is there afterwards and has something to look at."""
        async with self._places:
            try:
                await self._client.start_workflow(
                    MAILROOM_WORKFLOW,
                    MailroomState(recipient_id=recipient_id),
                    id=mailroom_workflow_id(recipient_id),
                    task_queue=self._task_queue,
                    start_signal=NUDGE,
                    static_summary=f"{MAILROOM_WORKFLOW} · {name}" if name else MAILROOM_WORKFLOW,
                    static_details=mailroom_link(self._base_url, recipient_id),
                    memo=mailroom_memo(self._base_url, recipient_id),
                    rpc_timeout=self._patience,
                )
            except RPCError as failure:
                return failure
        return None


async def _named(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The recipients with their names, which the Temporal UI shows; organisations, never persons."""
    wanted = list(ids)
    await recipient(connection, wanted)
    found = await connection.execute(NAMES, {"recipients": wanted})
    return dict.fromkeys(wanted, "") | {row.id: row.name for row in found}
