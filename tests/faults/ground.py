"""What a fault test stands on: addresses behind proxies, a Temporal that may be killed, workers and web, callers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvicorn
from pydantic import SecretStr
from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.nudger import Nudger
from api.app import create_app
from api.tools import Budgets, Tools
from bench import cast
from bench.midnight import DEPARTMENT, REGION
from domain.calendar import local_date
from models.tables.engine import make_engine
from runtime import web
from runtime.core_system import CoreSystem
from runtime.embedded.guest import Guest
from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import LOOPBACK, free_ports
from runtime.embedded.postgres import PostgresServer
from runtime.embedded.temporal import TemporalServer
from runtime.migrate import migrate
from runtime.search import search_attributes
from runtime.settings import Settings
from runtime.worker import connect, make_worker
from tests.conftest import Database
from tests.faults.child import rules
from tests.faults.children import Servant
from tests.faults.history import History, Voice
from tests.faults.invariants import Look, broken_at_rest, rows_of
from tests.faults.lives import Author
from tests.faults.proxy import Proxy
from tests.runtime.waiting import PATIENCE, until

# pragma: allowlist nextline secret
SECRET = "0123456789abcdef-of-the-core-system"
RULES = rules()
_codes = count(1)


@dataclass
class Ground:
    """`settings` lead through the proxies; `client` goes straight to Temporal."""

    settings: Settings
    database: Database
    temporal: TemporalServer
    to_temporal: Proxy
    to_postgres: Proxy
    to_mail: Proxy
    mailbox: MailCatcher
    bank: CoreSystem
    client: Client
    history: History = field(default_factory=History)
    author: Author = field(default_factory=lambda: Author(local_date(datetime.now(UTC))))
    _leaving: AsyncExitStack = field(default_factory=AsyncExitStack)

    def look(self) -> Look:
        return Look(
            self.database.admin, self.database.backup, self.client, self.mailbox.messages, self.bank, self.history
        )

    async def broken(self, within: float = PATIENCE) -> list[str]:
        """What invariants do not hold once everything has settled; empty is the proof."""
        return await broken_at_rest(self.look(), within)

    async def department(self) -> None:
        """Somebody to be told in the bench's place."""
        engine = make_engine(self.settings.database, 1)
        await cast.department(engine, REGION, DEPARTMENT)
        await engine.dispose()

    async def rows(self, query: str, *given: Any) -> list[asyncpg.Record]:
        """As a superuser sees them."""
        return await rows_of(self.database.admin, query, *given)

    async def kill_temporal(self) -> None:
        """kill -9, and collected; `temporal.start()` brings it back on the same port and file."""
        assert self.temporal.child is not None
        self.temporal.child.kill()
        await self.temporal.child.ended(5)

    @asynccontextmanager
    async def worker(self, *watching: Interceptor) -> AsyncIterator[None]:
        """A worker in this process, with its nudger; `watching` sees what it does."""
        plain, engine = await connect(self._inside()), make_engine(self.settings.database, 8)
        client = Client(**{**plain.config(), "interceptors": watching})
        try:
            async with make_worker(client, engine, self.settings, RULES):
                nudger = Nudger(engine, client, self.settings.task_queue, self.settings.base_url)
                nudging = asyncio.create_task(nudger.run())
                try:
                    yield
                finally:
                    nudging.cancel()
                    await asyncio.wait([nudging])
        finally:
            await engine.dispose()

    def _inside(self) -> Settings:
        return self.settings.model_copy(update={"temporal_metrics_port": free_ports(1)[0]})

    @asynccontextmanager
    async def tools(self, answer_within: float = 5.0) -> AsyncIterator[Tools]:
        """What the API of this process works with."""
        async with web.open_tools(self.settings) as tools:
            yield replace(tools, rules=RULES, budgets=Budgets(answer_within=answer_within))

    @asynccontextmanager
    async def voices(
        self, amount: int = 1, at: Servant | None = None, answer_within: float = 5.0
    ) -> AsyncIterator[list[Voice]]:
        """Insurers with keys at a web server, else at an API in this process."""
        async with AsyncExitStack() as open_:
            if at is None:
                app = create_app(await open_.enter_async_context(self.tools(answer_within)))
                http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://anze.test")
            else:
                http = httpx.AsyncClient(base_url=at.url, trust_env=False, timeout=PATIENCE)
            await open_.enter_async_context(http)
            engine = make_engine(self.settings.database, 1)
            open_.push_async_callback(engine.dispose)
            known = await cast.insurers(engine, f"F{next(_codes)}", amount)
            voices = [Voice(http, one.code, one.id, one.token, self.history) for one in known]
            for voice in voices:
                await self.author.sample(voice)
            yield voices


async def temporal_in(leaving: AsyncExitStack, folder: Path) -> TemporalServer:
    """A Temporal that remembers, and may be killed."""
    temporal = TemporalServer(
        free_ports(1)[0], file=folder / "temporal" / "temporal.db", attributes=search_attributes()
    )
    leaving.push_async_callback(temporal.stop)
    await temporal.start()
    return temporal


async def ground_on(
    leaving: AsyncExitStack,
    settings: Settings,
    database: Database,
    mailbox: MailCatcher,
    folder: Path,
    temporal: TemporalServer | None = None,
) -> Ground:
    """Put proxies before everything, and start the bank, and a Temporal where none is given; all end with `leaving`."""
    temporal = temporal or await temporal_in(leaving, folder)
    bank, bank_port = CoreSystem(SECRET.encode()), free_ports(1)[0]
    await _serve(leaving, bank, bank_port)
    to_temporal = await leaving.enter_async_context(Proxy(temporal.port))
    to_postgres = await leaving.enter_async_context(Proxy(_port(database.app)))
    to_mail = await leaving.enter_async_context(Proxy(mailbox.port))
    core = json.dumps({"*": {"url": f"http://{LOOPBACK}:{bank_port}", "secret": SECRET}})
    told = settings.model_copy(
        update={
            "temporal_address": to_temporal.address,
            "database_url": SecretStr(_through(database.app, to_postgres.port)),
            "smtp_port": to_mail.port,
            "core_systems": SecretStr(core),
        }
    )
    client = await Client.connect(temporal.address, data_converter=pydantic_data_converter)
    return Ground(told, database, temporal, to_temporal, to_postgres, to_mail, mailbox, bank, client)


@asynccontextmanager
async def own_ground(
    server: PostgresServer, settings: Settings, mailbox: MailCatcher, folder: Path
) -> AsyncIterator[Ground]:
    """The ground, on a database server of the test's own that may be killed."""
    database = Database.of(server)
    told = settings.model_copy(update=database.told)
    await migrate(told)
    async with AsyncExitStack() as leaving:
        yield await ground_on(leaving, told, database, mailbox, folder)


async def _serve(leaving: AsyncExitStack, bank: CoreSystem, port: int) -> None:
    server = Guest(uvicorn.Config(bank.app(), host=LOOPBACK, port=port, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())

    async def stop() -> None:
        server.should_exit = server.force_exit = True
        await task

    leaving.push_async_callback(stop)
    await until(lambda: server.started)


def _port(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


def _through(url: str, port: int) -> str:
    """The same address, by another port."""
    head, _, tail = url.rpartition(":")
    return f"{head}:{port}/{tail.partition('/')[2]}"
