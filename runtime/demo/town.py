"""A whole system in one process whose present can be moved: worker, web and post; who lives in it is people.py's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

import httpx
import uvicorn
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from activities.nudger import Nudger
from api.app import create_app
from api.tools import Tools
from domain.calendar import SHANGHAI, is_working, local_date, next_working
from models.contracts.calendar import WorkCalendar
from models.tables.engine import connected, make_engine, operator
from runtime.codec import converter
from runtime.embedded.ports import LOOPBACK
from runtime.settings import Settings
from runtime.timetravel import Traveller
from runtime.web import open_tools
from runtime.worker import library, make_worker

MORNING, NOON, EVENING = time(9, 30), time(13), time(16)
"""When the post goes out, when people act, and when the answers to what they did go out; all in office hours."""
DAY = timedelta(days=1)
CONNECTIONS = 16
PATIENCE = 180.0  # seconds within which some of the post must have gone out, on a machine that does much else
BETWEEN_LOOKS = 0.05  # seconds
REQUEST_WITHIN = 20.0  # seconds
ANSWER_WITHIN = 12.0  # seconds; everything shares one process here, and nobody waits at a counter

# Mails on their way; urgent notices; and, where the office is open, digests of those who had none a moment ago.
UNTOLD = text(
    "SELECT count(*) FROM outbox o JOIN recipients r ON r.id = o.recipient_id AND r.email <> ''"
    " WHERE o.status = 'queued' AND (o.mail_id IS NOT NULL OR o.urgency = 'now' OR (:is_open AND NOT EXISTS ("
    "  SELECT 1 FROM mails m WHERE m.recipient_id = o.recipient_id AND m.urgency = 'digest'"
    "  AND m.composed_at > :lately)))"
)
LATELY = timedelta(minutes=12)
"""A little more than a mailroom waits between two digests."""


class PostStuck(Exception):
    """Notices that should have gone out did not."""


@dataclass
class Town:
    """Handles of a running system; `http` speaks to its web server, `traveller` moves its present."""

    settings: Settings
    engine: AsyncEngine
    traveller: Traveller
    nudger: Nudger
    http: httpx.AsyncClient
    calendar: WorkCalendar
    readers: dict[str, asyncio.Lock] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return local_date(self.traveller.now())

    def moment(self, on: date, at: time) -> datetime:
        return datetime.combine(on, at, SHANGHAI)

    async def go_to(self, on: date, at: time) -> None:
        """Let time pass until then: rungs fire, and what is to be told is told."""
        self.traveller.set(self.moment(on, at))
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while await self.traveller.move_cases():
            if asyncio.get_running_loop().time() > deadline:
                raise PostStuck("三分钟内没有走到这一天 / the day was not reached within three minutes")
            await asyncio.sleep(BETWEEN_LOOKS)
        await self.post()

    async def post(self) -> None:
        """Carry nudges and wait until everything that can be told now was told. Raises PostStuck.

        Stuck is where nothing went out for so long; where all is slow, much takes longer and is not stuck.
        """
        deadline, left = asyncio.get_running_loop().time() + PATIENCE, -1
        while True:
            carried = await self.nudger.carry()
            await self.traveller.move_mailrooms()
            before, left = left, await self._untold()
            if not carried and not left:
                return
            if carried or left != before:
                deadline = asyncio.get_running_loop().time() + PATIENCE
            if asyncio.get_running_loop().time() > deadline:
                raise PostStuck("三分钟内没有发完 / the post did not go out within three minutes")
            await asyncio.sleep(BETWEEN_LOOKS)

    def reading(self, address: str) -> asyncio.Lock:
        """Whoever reads a mailbox does one thing at a time, and so knows which letter belongs to it."""
        return self.readers.setdefault(address, asyncio.Lock())

    async def delivered(self, look: Callable[[], str | None]) -> str:
        """Carry nudges until something that was asked for has come. Raises PostStuck."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while (found := look()) is None:
            if asyncio.get_running_loop().time() > deadline:
                raise PostStuck("三分钟内没有收到所要的信 / a letter that was asked for did not come")
            await self.nudger.carry()
            await asyncio.sleep(BETWEEN_LOOKS)
        return found

    @property
    def coming(self) -> date:
        """The first day whose morning is still to come."""
        return next_morning(self.traveller.now())

    async def next_day(self) -> date | None:
        """The next morning on which time alone changes something, or a digest may go; `None` if there is none.

        Today's, while it is still to come: a digest that waits since the night leaves before what tomorrow brings.
        """
        alarm = await self.traveller.next_alarm()
        days = [local_date(alarm)] if alarm else []
        if await self._count(text("SELECT count(*) FROM outbox WHERE status = 'queued'")):
            days.append(next_working(self.calendar, self.coming))
        return max(min(days), self.coming) if days else None

    async def _untold(self) -> int:
        now = self.traveller.now()
        here = now.astimezone(SHANGHAI)
        is_open = is_working(self.calendar, here.date()) and time(9) <= here.time() < time(17)
        return await self._count(UNTOLD, is_open=is_open, lately=now - LATELY)

    async def _count(self, statement: TextClause, **values: object) -> int:
        async with connected(self.engine) as connection, connection.begin():
            await operator(connection)
            return (await connection.execute(statement, values)).scalar_one()


def next_morning(now: datetime) -> date:
    """The day of the first morning after now: today's, while it is still to come, or tomorrow's."""
    here = now.astimezone(SHANGHAI)
    return here.date() if here.time() < MORNING else here.date() + DAY


@asynccontextmanager
async def open_town(settings: Settings) -> AsyncIterator[Town]:
    """Worker and web server on the given servers, both in this process, until left."""
    async with AsyncExitStack() as leaving:
        client = await Client.connect(
            **settings.temporal_connect_config(),  # pyright: ignore[reportArgumentType] - a narrower dictionary
            data_converter=converter(settings),
        )
        engine = make_engine(settings.database, CONNECTIONS)
        leaving.push_async_callback(engine.dispose)
        traveller, rules = Traveller(client, engine), library()
        tools = await leaving.enter_async_context(open_tools(settings))
        budgets = replace(tools.budgets, answer_within=ANSWER_WITHIN)
        told = replace(tools, temporal=traveller.client, now=traveller.now, budgets=budgets)
        await leaving.enter_async_context(make_worker(traveller.client, engine, settings, rules))
        await leaving.enter_async_context(_serving(told, settings.api_port))
        base = f"http://{LOOPBACK}:{settings.api_port}"
        # a connection of its own for each request: one kept while days pass is closed just as it is used again
        limits = httpx.Limits(max_keepalive_connections=0)
        http = httpx.AsyncClient(base_url=base, timeout=REQUEST_WITHIN, limits=limits, trust_env=False)
        await leaving.enter_async_context(http)
        nudger = Nudger(engine, traveller.client, settings.task_queue, settings.base_url)
        yield Town(settings, engine, traveller, nudger, http, rules.calendar())


@asynccontextmanager
async def _serving(tools: Tools, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(
        create_app(tools),
        host=LOOPBACK,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        lifespan="on",
    )
    server = _Guest(config)
    running = asyncio.create_task(server.serve())
    try:
        while not server.started and not running.done():
            await asyncio.sleep(0.02)
        yield
    finally:
        server.should_exit = True
        await running


class _Guest(uvicorn.Server):
    """A server inside somebody else's process leaves that process's signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
