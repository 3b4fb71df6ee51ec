"""What was committed reaches its mailroom, whoever was down in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.nudger import MAILROOM_WORKFLOW, NUDGE, Nudger
from domain.addresses import MAILS
from models.contracts.ids import mailroom_workflow_id
from models.contracts.mailroom import MailroomState
from models.tables.engine import make_engine
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.runtime.waiting import PATIENCE

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'anze_app' AND datname = current_database()"
)
"""Those to this test's database; other tests keep theirs."""
PAGES = "http://anze.test"


@workflow.defn(name=MAILROOM_WORKFLOW, sandboxed=False)
class Letterbox:
    """Counts how often it was nudged."""

    def __init__(self) -> None:
        self.nudges = 0

    @workflow.run
    async def run(self, state: MailroomState) -> None:
        await workflow.wait_condition(lambda: False, timeout=timedelta(days=1))

    @workflow.signal(name=NUDGE)
    def nudge(self) -> None:
        self.nudges += 1

    @workflow.query
    def count(self) -> int:
        return self.nudges


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(sqlalchemy_url(database.app), pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
async def worker(temporal: Client, task_queue: str) -> AsyncIterator[Worker]:
    async with Worker(temporal, task_queue=task_queue, workflows=[Letterbox]) as running:
        yield running


@asynccontextmanager
async def line_to(target: str) -> AsyncIterator[int]:
    """A port of our own that leads to the target; when it is closed, every connection through it is cut."""
    host, _, port = target.rpartition(":")
    ends: list[asyncio.StreamWriter] = []

    async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while some := await source.read(65536):
            sink.write(some)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection(host, int(port))
        ends.extend((writer, here))
        await asyncio.gather(pass_on(reader, here), pass_on(there, writer))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for end in ends:
        end.close()


async def leave(admin: asyncpg.Connection, *recipients: UUID) -> None:
    await admin.executemany("INSERT INTO nudges (recipient_id) VALUES ($1)", [(one,) for one in recipients])


async def waiting(admin: asyncpg.Connection) -> Any:
    return await admin.fetchval("SELECT count(*) FROM nudges")


async def count(temporal: Client, recipient: UUID) -> int:
    return await temporal.get_workflow_handle(mailroom_workflow_id(recipient)).query("count")


async def test_many_nudges_wake_each_mailroom_once_and_are_gone(
    engine: AsyncEngine, admin: asyncpg.Connection, temporal: Client, task_queue: str, worker: Worker
):
    one, other = uuid4(), uuid4()
    await leave(admin, *[one] * 50, *[other] * 30)
    nudger = Nudger(engine, temporal, task_queue, PAGES)
    assert await nudger.carry() == 2
    assert await nudger.carry() == 0
    assert await waiting(admin) == 0
    assert [await count(temporal, each) for each in (one, other)] == [1, 1]
    shown = await temporal.get_workflow_handle(mailroom_workflow_id(one)).describe()
    page = f"{PAGES}/operator/mails?recipient={one}"
    assert (await shown.static_details(), await shown.memo()) == (f"[{MAILS}]({page})", {MAILS: page})
    assert await shown.static_summary() == MAILROOM_WORKFLOW, "a recipient that is gone has no name"


async def test_a_mailroom_that_lives_already_is_nudged_again(
    engine: AsyncEngine, admin: asyncpg.Connection, temporal: Client, task_queue: str, worker: Worker
):
    recipient = uuid4()
    for _ in range(3):
        await leave(admin, recipient)
        await Nudger(engine, temporal, task_queue, PAGES).carry()
    assert await count(temporal, recipient) == 3


@pytest.mark.fault("F27")
async def test_nudges_stay_where_they_are_while_temporal_is_away(
    engine: AsyncEngine, admin: asyncpg.Connection, temporal: Client, task_queue: str, worker: Worker
):
    recipient = uuid4()
    await leave(admin, recipient)
    async with line_to(temporal.service_client.config.target_host) as port:
        away = await Client.connect(f"127.0.0.1:{port}", data_converter=pydantic_data_converter)
    with pytest.raises(RPCError):
        await Nudger(engine, away, task_queue, PAGES, timedelta(seconds=0.5)).carry()
    assert await waiting(admin) == 1
    assert await Nudger(engine, temporal, task_queue, PAGES).carry() == 1
    assert await count(temporal, recipient) == 1


@pytest.mark.fault("F35")
async def test_several_carriers_take_different_nudges(
    engine: AsyncEngine, admin: asyncpg.Connection, temporal: Client, task_queue: str, worker: Worker
):
    recipients = [uuid4() for _ in range(20)]
    await leave(admin, *recipients)
    carried = await asyncio.gather(*(Nudger(engine, temporal, task_queue, PAGES).carry() for _ in range(4)))
    assert sum(carried) == 20
    assert [await count(temporal, each) for each in recipients] == [1] * 20


@pytest.mark.fault("F16")
async def test_a_running_carrier_goes_on_after_its_database_connections_were_cut(
    engine: AsyncEngine, admin: asyncpg.Connection, temporal: Client, task_queue: str, worker: Worker
):
    recipient = uuid4()
    running = asyncio.create_task(Nudger(engine, temporal, task_queue, PAGES).run())
    try:
        async with asyncio.timeout(PATIENCE):
            await leave(admin, recipient)
            await until_none_waits(admin)
            await admin.fetch(CUT)
            await leave(admin, recipient)
            await until_none_waits(admin)
        assert not running.done()
    finally:
        running.cancel()
    assert await count(temporal, recipient) == 2


async def until_none_waits(admin: asyncpg.Connection) -> None:
    while await waiting(admin):
        await asyncio.sleep(0.02)
