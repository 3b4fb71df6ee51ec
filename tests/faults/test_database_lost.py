"""PostgreSQL dies, loses its lines or its disk: nothing acknowledged is lost, nothing is half done, all heals."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest

from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import free_ports
from runtime.embedded.postgres import PostgresServer
from runtime.settings import Settings
from tests.faults.children import serving
from tests.faults.conftest import Measured
from tests.faults.disks import filled, mounted
from tests.faults.ground import Ground, own_ground
from tests.faults.history import Outcome, Voice
from tests.faults.invariants import rows_of
from tests.runtime.waiting import until

CUT_EVERY = 0.12  # seconds
CUTS = 10
DOWN = 1.5  # seconds
DISK = "160m"
OURS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'anze_app' AND datname = current_database()"
)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PostgresServer]:
    server = PostgresServer(tmp_path / "postgres", free_ports(1)[0], fsync=False)
    await server.start()
    yield server
    await server.stop()
    server.remove()


@pytest.mark.slow_fault
@pytest.mark.fault("F15")
async def test_a_database_killed_under_load_loses_nothing_that_was_acknowledged(
    server: PostgresServer, settings: Settings, mailbox: MailCatcher, tmp_path: Path, measured: Measured
) -> None:
    async with (
        own_ground(server, settings, mailbox, tmp_path) as ground,
        serving("worker", ground.settings),
        ground.voices(2) as voices,
    ):
        lives = [asyncio.create_task(ground.author.life(voice, n)) for n, voice in enumerate(voices * 2, 1)]
        slowest = 0.0
        for acknowledged in (4, 10, 16):
            await until(lambda least=acknowledged: ground.history.count(Outcome.OK) >= least)
            slowest = max(slowest, await _killed_for_a_while(server, voices[0]))
        await asyncio.gather(*lives)
        assert ground.history.count(Outcome.OK) == 4 * 9
        assert await ground.broken() == []
        unanswered = sum(len(one.answers) - 1 for one in ground.history.operations)
    measured("kills:", 3)
    measured("acknowledged, all there:", ground.history.count(Outcome.OK))
    measured("503 or lost answers, repeated:", unanswered)
    measured("slowest 503 in s:", slowest)


@pytest.mark.slow_fault
@pytest.mark.fault("F15", "F1", "F5")
async def test_all_four_killed_at_once_lose_nothing_that_was_acknowledged(
    settings: Settings, mailbox: MailCatcher, tmp_path: Path, measured: Measured
) -> None:
    server = PostgresServer(tmp_path / "postgres", free_ports(1)[0])
    await server.start()
    async with own_ground(server, settings, mailbox, tmp_path) as ground, AsyncExitStack() as leaving:
        leaving.push_async_callback(server.stop)
        worker = await leaving.enter_async_context(serving("worker", ground.settings))
        web = await leaving.enter_async_context(serving("web", ground.settings))
        voices = await leaving.enter_async_context(ground.voices(2, at=web))
        lives = [asyncio.create_task(ground.author.life(voice, n)) for n, voice in enumerate(voices * 2, 1)]
        for acknowledged in (5, 14):
            await until(lambda least=acknowledged: ground.history.count(Outcome.OK) >= least)
            parts = (server, ground.temporal, worker, web)
            children = [part.child for part in parts if part.child]
            for child in children:
                child.kill()
            assert len([await child.ended(5) for child in children]) == len(parts)
            for part in parts:
                await part.start()
        await asyncio.gather(*lives)
        assert ground.history.count(Outcome.OK) == 4 * 9
        assert await ground.broken() == []
        unanswered = sum(len(one.answers) - 1 for one in ground.history.operations)
    measured("kills of everything:", 2)
    measured("acknowledged, all there:", ground.history.count(Outcome.OK))
    measured("503 or lost answers, repeated:", unanswered)


async def _killed_for_a_while(server: PostgresServer, voice: Voice) -> float:
    """kill -9; meanwhile a write is answered 503; the server comes back. The seconds that answer took."""
    assert server.child is not None
    server.child.kill()
    await server.child.ended(5)
    began = time.monotonic()
    answer = await voice.http.post(
        "/v1/policies", json={}, headers={"Authorization": f"Bearer {voice.token}", "Idempotency-Key": "while-down"}
    )
    took = time.monotonic() - began
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert took < 5.5
    ready = (await voice.http.get("/health/ready")).json()
    assert (ready["ready"], ready["database"]) == (False, False)
    await asyncio.sleep(max(0.0, DOWN - took))
    await server.start()
    return took


@pytest.mark.fault("F16")
async def test_connections_terminated_in_the_middle_of_transactions_leave_nothing_half_written(
    ground: Ground, measured: Measured
) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        lives = [asyncio.create_task(ground.author.life(voice, number)) for number in range(1, 5)]
        cut = 0
        for _ in range(CUTS):
            await asyncio.sleep(CUT_EVERY)
            while not (lost := await rows_of(ground.database.admin, OURS)):  # they are not back yet
                await asyncio.sleep(CUT_EVERY)
            cut += len(lost)
        await asyncio.gather(*lives)
        assert cut >= CUTS
        assert ground.history.count(Outcome.OK) == 4 * 9
        assert await ground.broken() == []
        repeated = sum(len(one.answers) - 1 for one in ground.history.operations)
    measured("connections cut:", cut)
    measured("requests repeated after a 503:", repeated)
    measured("commands, each once:", 4 * 9)


@dataclass
class SmallDisk:
    """A database server on a disk of its own that can be filled."""

    server: PostgresServer
    filler: Path
    said: list[str]

    @property
    def is_full(self) -> bool:
        return any("No space left on device" in line for line in self.said)


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[SmallDisk]:
    said = list[str]()
    with mounted(tmp_path / "small", DISK) as place:
        server = PostgresServer(place / "postgres", free_ports(1)[0], sink=said.append)
        await server.start()
        yield SmallDisk(server, place / "filler", said)
        await server.stop()


@pytest.mark.slow_fault
@pytest.mark.fault("F18")
async def test_a_full_disk_is_answered_with_503_and_heals_when_there_is_room_again(
    disk: SmallDisk, settings: Settings, mailbox: MailCatcher, tmp_path: Path, measured: Measured
) -> None:
    server = disk.server
    async with own_ground(server, settings, mailbox, tmp_path) as ground, ground.worker(), ground.voices() as (voice,):
        await ground.author.life(voice, 1)
        filled(disk.filler)
        unanswered = await _led_until_full(ground, voice, disk)
        disk.filler.unlink()
        began = time.monotonic()
        if server.child is not None and server.child.returncode is not None:  # as `make up` and systemd do
            await server.start()
        await unanswered
        assert await ground.broken() == []
        healed = time.monotonic() - began
        await _no_page_is_damaged(server)
        refused = sum(answer == 503 for one in ground.history.operations for answer in one.answers)
    assert refused >= 1
    measured("acknowledged before, during and after:", ground.history.count(Outcome.OK))
    measured("503:", refused)
    measured("all settled s after there was room:", healed)


async def _led_until_full(ground: Ground, voice: Voice, disk: SmallDisk) -> asyncio.Task[UUID]:
    """Lives one after the other until the database says that there is no room; the life that has to wait for it."""
    for number in range(2, 200):
        life = asyncio.create_task(ground.author.life(voice, number))
        while not life.done() and not disk.is_full:
            await asyncio.sleep(0.05)
        if disk.is_full:
            stuck = ground.history.operations[-1]
            while 503 not in stuck.answers and not life.done():
                await asyncio.sleep(0.05)
            return life
        await life
    raise AssertionError("the disk was never full")


async def _no_page_is_damaged(server: PostgresServer) -> None:
    """Every row of every table can be read, and every checksum holds."""
    connection = await asyncpg.connect(server.url("admin"))
    try:
        for row in await connection.fetch("SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r'"):
            await connection.execute(f"SELECT count(t) FROM {row['name']} t")
        assert await connection.fetchval("SELECT sum(checksum_failures) FROM pg_stat_database") == 0
        assert await connection.fetchval("SHOW data_checksums") == "on"
    finally:
        await connection.close()
