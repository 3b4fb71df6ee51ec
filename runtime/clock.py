"""What time it is for whoever decides about deadlines: the database's clock, carried on by one that cannot be set."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from models.tables.engine import LOST, connected

EVERY = 30.0  # seconds between looks; ordinary clocks drift by less than a millisecond meanwhile
WHAT_TIME = text("SELECT clock_timestamp()")

log = logging.getLogger(__name__)


class DatabaseClock:
    """Links, codes, sessions and terms end by one clock, whatever becomes of the clocks of our hosts.

    Between two looks at the database time is counted by the monotonic clock, which no administrator and no time
    service sets. Until the first look it is this host's time.
    """

    def __init__(self, engine: AsyncEngine, ticks: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._ticks = ticks
        self._at, self._tick = datetime.now(UTC), ticks()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=self._ticks() - self._tick)

    async def look(self) -> None:
        """Set the clock by the database. Raises what the database raises."""
        before = self._ticks()
        async with connected(self._engine) as connection:
            at: datetime = (await connection.execute(WHAT_TIME)).scalar_one()
        self._at, self._tick = at.astimezone(UTC), (before + self._ticks()) / 2

    async def try_look(self) -> None:
        """The same; a database that is away leaves the clock running as it is."""
        try:
            await self.look()
        except (SQLAlchemyError, *LOST) as error:
            log.warning("the clock runs on by itself, the database is away: %s", type(error).__name__)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator["DatabaseClock"]:
        """Set now, and again and again until left."""
        await self.try_look()
        keeping = asyncio.create_task(self._keep(), name="clock")
        try:
            yield self
        finally:
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self.try_look()
