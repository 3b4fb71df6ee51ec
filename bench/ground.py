"""What the bench stands on: the system of `make up` in a temporary place, and which worker processes are at work."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg
from sqlalchemy import Row, TextClause
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.crew import READY
from bench.measure import Meter, resident
from models.tables.engine import make_engine, operator
from runtime.embedded.process import Child, Launch
from runtime.settings import PROJECT_ROOT, Settings, plain_dsn
from runtime.stack import Stack, StackOptions

STARTS_WITHIN = 60.0  # seconds; a cold start on a busy machine imports for a while
LOOK, SHARE_OF_LOOKS = 0.5, 20
"""Seconds between looks at least; one in so many of all seconds, or counting twenty thousand rows would be measured."""
Role = Literal["floor", "quiet", "midnight"]

PUT_ASIDE = (
    "INSERT INTO mails (id, recipient_id, message_id, urgency, composed_at, sent_at, attempts)"
    " SELECT gen_random_uuid(), recipient_id, 'aside-' || recipient_id || clock_timestamp(), 'now', now(), now(), 1"
    " FROM (SELECT DISTINCT recipient_id FROM outbox WHERE mail_id IS NULL) AS waiting",
    "UPDATE outbox SET mail_id = mails.id, told_at = now(), status = 'accepted' FROM mails"
    " WHERE outbox.mail_id IS NULL AND mails.recipient_id = outbox.recipient_id AND mails.message_id LIKE 'aside-%'",
    "DELETE FROM nudges",
)
"""What earlier measurements left in the outbox is marked as sent, and nobody is nudged for it."""


@dataclass
class Ground:
    """The running system; `client` and `engine` are the bench's own."""

    stack: Stack
    client: Client
    engine: AsyncEngine

    @property
    def settings(self) -> Settings:
        return self.stack.settings

    @asynccontextmanager
    async def crew(self, role: Role, **told: object) -> AsyncIterator[Child]:
        """A worker process of ours at work, with the settings it is told; the stack itself has none."""
        command = [sys.executable, "-m", "bench.crew", role]
        settings = self.settings.model_copy(update=told)
        launch = Launch(f"bench {role}", command, settings.as_environment(), PROJECT_ROOT)
        child = Child.start(launch)
        try:
            await _at_work(child)
            yield child
        finally:
            await child.stop(signal.SIGTERM, patience=8)

    async def put_aside(self) -> None:
        """Let no mail of an earlier measurement go out during the next one."""
        if self.stack.postgres is None:
            raise RuntimeError("the bench needs the embedded PostgreSQL")
        admin = await asyncpg.connect(plain_dsn(self.stack.postgres.url("admin")))
        try:
            for statement in PUT_ASIDE:
                await admin.execute(statement)
        finally:
            await admin.close()

    async def rows(self, asked: TextClause, **values: object) -> Sequence[Row[Any]]:
        """Read with the operators' eyes, which see every insurer's outbox; nothing where nothing is read."""
        async with self.engine.begin() as connection:
            await operator(connection)
            answer = await connection.execute(asked, values)
            return answer.all() if answer.returns_rows else []

    async def until(self, enough: Callable[[int], bool], counted: TextClause, patience: float) -> None:
        """Until the count is enough, or patience (seconds) ends; how far it came then is seen in the figures."""
        over = time.perf_counter() + patience
        while (began := time.perf_counter()) < over:
            if enough((await self.rows(counted))[0][0]):
                return
            await asyncio.sleep(max(LOOK, SHARE_OF_LOOKS * (time.perf_counter() - began)))

    def pids(self, *workers: Child) -> dict[str, int]:
        """The processes whose CPU counts; several workers are `worker`, `worker 2` …"""
        pids = {name: part.child.pid for name, part in self.stack.parts.items() if part.child is not None}
        names = ("worker", *(f"worker {number}" for number in range(2, len(workers) + 1)))
        return {**pids, **{name: worker.pid for name, worker in zip(names, workers, strict=False)}}

    def server_memory(self) -> float:
        """Resident memory of the Temporal server in MiB."""
        return resident(self.pids()["temporal"])

    def meter(self, *workers: Child) -> Meter:
        return Meter(self.pids(*workers)).start()


@asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    """PostgreSQL, Temporal and the web server as on a real machine: every commit reaches the disk."""
    async with Stack(StackOptions(web="process", durable=True)) as stack:
        client = await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)
        engine = make_engine(stack.settings.database, 4)
        try:
            yield Ground(stack, client, engine)
        finally:
            await engine.dispose()


async def _at_work(child: Child) -> None:
    async with asyncio.timeout(STARTS_WITHIN):
        while READY not in child.last_words:
            child.require_alive()
            await asyncio.sleep(0.05)
