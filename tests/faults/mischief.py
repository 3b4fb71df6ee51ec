"""What the nemesis does: each fault with its own end, from a seeded random."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg

from runtime.core_system import Manner
from runtime.embedded.postgres import PostgresServer
from runtime.embedded.process import ServerFailed
from tests.faults.children import Servant
from tests.faults.ground import Ground
from tests.faults.proxy import Mode, Proxy

CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'anze_app'"
LOOK_EVERY = 0.2  # seconds
TRY_AGAIN = 1.0  # seconds before a server that did not start is started again


@dataclass
class Victims:
    """Everything that may be hurt, and how to heal it."""

    ground: Ground
    postgres: PostgresServer
    workers: list[Servant]
    web: Servant
    chance: random.Random
    revived: int = 0
    """Children that ended by themselves, not by our hand, and were started again."""
    _resting: set[str] = field(default_factory=set)
    """Whom the keeper leaves alone: they are being killed and started by a fault."""

    async def keep(self) -> None:
        """Start again whoever ended by itself, as `anze up` and every orchestrator does."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for one in (*self.workers, self.web):
                if _name(one) not in self._resting and one.child is not None and one.child.returncode is not None:
                    self.revived += 1
                    await self._start(one)

    async def heal(self) -> None:
        """Lines are whole, the mail server and the bank are well, every process is there."""
        for proxy in (self.ground.to_temporal, self.ground.to_postgres, self.ground.to_mail):
            proxy.become(Mode.PASS)
        self.ground.mailbox.replies.clear()
        self.ground.bank.manner = Manner.PROMPT

    async def worker_killed(self) -> None:
        await self._killed(self.chance.choice(self.workers))

    async def web_killed(self) -> None:
        await self._killed(self.web)

    async def temporal_killed(self) -> None:
        await self.ground.kill_temporal()
        await self._pause(0, 5)
        await self.ground.temporal.start()

    async def postgres_killed(self) -> None:
        assert self.postgres.child is not None
        self.postgres.child.kill()
        await self.postgres.child.ended(5)
        await self._pause(0, 2)
        await self.postgres.start()

    async def backends_cut(self) -> None:
        """Five times within a second, whatever they are doing."""
        connection = await asyncpg.connect(self.ground.database.admin)
        try:
            for _ in range(5):
                await connection.fetchval(CUT)
                await self._pause(0.1, 0.3)
        finally:
            await connection.close()

    async def lines_reset(self) -> None:
        for proxy in (self.ground.to_temporal, self.ground.to_postgres, self.ground.to_mail):
            proxy.reset()

    async def temporal_out_of_reach(self) -> None:
        await self._sick(self.ground.to_temporal, Mode.BLACKHOLE, 2, 10)

    async def postgres_out_of_reach(self) -> None:
        await self._sick(self.ground.to_postgres, Mode.BLACKHOLE, 2, 10)

    async def temporal_slow(self) -> None:
        await self._sick(self.ground.to_temporal, Mode.LATENCY, 3, 8)

    async def mail_refused(self) -> None:
        await self._sick(self.ground.to_mail, Mode.RESET, 2, 8)

    async def mail_asks_for_patience(self) -> None:
        self.ground.mailbox.replies.extend(["451 4.7.1 try again later"] * 2)

    async def mail_breaks_after_the_dot(self) -> None:
        self.ground.mailbox.replies.extend([""] * 2)

    async def bank_late(self) -> None:
        self.ground.bank.manner, self.ground.bank.seconds = Manner.LATE, 3.0
        await self._pause(3, 8)
        self.ground.bank.manner = Manner.PROMPT

    async def _sick(self, proxy: Proxy, mode: Mode, least: float, most: float) -> None:
        proxy.become(mode, delay=0.1)
        await self._pause(least, most)
        proxy.become(Mode.PASS)

    async def _killed(self, one: Servant) -> None:
        self._resting.add(_name(one))
        try:
            await one.die()
            await self._pause(0, 2)
            await self._start(one)
        finally:
            self._resting.discard(_name(one))

    async def _start(self, one: Servant) -> None:
        while True:
            try:
                return await one.start()
            except ServerFailed:
                await asyncio.sleep(TRY_AGAIN)

    async def _pause(self, least: float, most: float) -> None:
        await asyncio.sleep(self.chance.uniform(least, most))


def _name(one: Servant) -> str:
    return f"{one.name} {one.settings.worker_metrics_port} {one.settings.web_metrics_port}"


Fault = Callable[[Victims], Awaitable[None]]
FAULTS: dict[str, Fault] = {
    "worker killed": Victims.worker_killed,
    "web server killed": Victims.web_killed,
    "Temporal killed": Victims.temporal_killed,
    "PostgreSQL killed": Victims.postgres_killed,
    "database sessions cut, five times": Victims.backends_cut,
    "every connection reset": Victims.lines_reset,
    "Temporal in a black hole": Victims.temporal_out_of_reach,
    "PostgreSQL in a black hole": Victims.postgres_out_of_reach,
    "Temporal 100 ms away": Victims.temporal_slow,
    "mail server resets": Victims.mail_refused,
    "mail server asks for patience": Victims.mail_asks_for_patience,
    "mail server breaks after the dot": Victims.mail_breaks_after_the_dot,
    "bank answers late": Victims.bank_late,
}
LINGERING = frozenset({"mail server asks for patience"})
"""Twice asked for patience a letter waits a minute and then two, as it should (F23)."""
