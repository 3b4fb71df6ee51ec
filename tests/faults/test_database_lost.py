"""PostgreSQL dies, loses its lines or its disk: nothing acknowledged is lost, nothing is half done, all heals."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from runtime.embedded.account import home_for, unprivileged
from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import free_ports
from runtime.embedded.postgres import DATABASE, PostgresServer
from runtime.migrate import migrate
from runtime.settings import Settings
from tests.conftest import Database
from tests.faults.conftest import Measured
from tests.faults.ground import Ground, ground_on
from tests.faults.history import Outcome, Voice
from tests.faults.invariants import rows_of
from tests.runtime.waiting import until

pytestmark = pytest.mark.timeout(300)
CUT_EVERY = 0.12  # seconds
CUTS = 15
DOWN = 1.5  # seconds
DISK = "160m"
OURS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'anze_app' AND datname = current_database()"
)


@asynccontextmanager
async def own_ground(
    server: PostgresServer, settings: Settings, mailbox: MailCatcher, folder: Path
) -> AsyncIterator[Ground]:
    """The ground, on a database server of the test's own that may be killed."""
    urls = {role: server.url(role) for role in ("app", "owner", "admin", "backup")}
    told = settings.model_copy(
        update={
            "database_url": SecretStr(urls["app"]),
            "database_owner_url": SecretStr(urls["owner"]),
            "database_backup_url": SecretStr(urls["backup"]),
        }
    )
    await migrate(told)
    async with AsyncExitStack() as leaving:
        yield await ground_on(leaving, told, Database(DATABASE, **urls), mailbox, folder)


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
    async with own_ground(server, settings, mailbox, tmp_path) as ground, ground.worker(), ground.voices(2) as voices:
        lives = [asyncio.create_task(ground.author.life(voice, n)) for n, voice in enumerate(voices * 4, 1)]
        slowest = 0.0
        for acknowledged in (6, 14, 22):
            await until(lambda least=acknowledged: ground.history.count(Outcome.OK) >= least, 60)
            slowest = max(slowest, await _killed_for_a_while(server, voices[0]))
        await asyncio.gather(*lives)
        assert ground.history.count(Outcome.OK) == 8 * 9
        assert await ground.broken(60) == []
        unanswered = sum(len(one.answers) - 1 for one in ground.history.operations)
    measured("kills:", 3)
    measured("acknowledged, all there:", 8 * 9)
    measured("503 or lost answers, repeated:", unanswered)
    measured("slowest 503 in s:", slowest)


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
        lives = [asyncio.create_task(ground.author.life(voice, number)) for number in range(1, 7)]
        cut = 0
        for _ in range(CUTS):
            await asyncio.sleep(CUT_EVERY)
            cut += len(await rows_of(ground.database.admin, OURS))
        await asyncio.gather(*lives)
        assert cut >= CUTS
        assert ground.history.count(Outcome.OK) == 6 * 9
        assert await ground.broken() == []
        repeated = sum(len(one.answers) - 1 for one in ground.history.operations)
    measured("connections cut:", cut)
    measured("requests repeated after a 503:", repeated)
    measured("commands, each once:", 6 * 9)


@pytest.fixture
async def small_disk(tmp_path: Path) -> AsyncIterator[tuple[PostgresServer, Path]]:
    """A database server on a disk of its own that can be filled; needs the right to mount (root)."""
    disk = home_for(tmp_path / "small", unprivileged("nobody"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0711", "anze", str(disk)], check=True)
    server = PostgresServer(disk / "postgres", free_ports(1)[0])
    try:
        await server.start()
        yield server, disk
        await server.stop()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
        shutil.rmtree(disk, ignore_errors=True)


@pytest.mark.slow_fault
@pytest.mark.fault("F18")
async def test_a_full_disk_is_answered_with_503_and_heals_when_there_is_room_again(
    small_disk: tuple[PostgresServer, Path],
    settings: Settings,
    mailbox: MailCatcher,
    tmp_path: Path,
    measured: Measured,
) -> None:
    server, disk = small_disk
    async with own_ground(server, settings, mailbox, tmp_path) as ground, ground.worker(), ground.voices() as (voice,):
        for number in (1, 2):
            await ground.author.life(voice, number)
        filler = disk / "filler"
        _fill(filler)
        full = asyncio.create_task(_lives_until(ground, voice, range(3, 60)))
        await until(lambda: any(503 in one.answers for one in ground.history.operations), 90)
        refused = time.monotonic()
        for _ in range(3):
            answer = await voice.http.get("/health/live")
            assert answer.status_code == 200
        filler.unlink()
        if server.child is not None and server.child.returncode is not None:  # as `make up` and systemd do
            await server.start()
        led = await full
        assert await ground.broken(60) == []
        healed = time.monotonic() - refused
        await _no_page_is_damaged(server)
    measured("lives led over a full disk:", led)
    measured("settled after s:", healed)


def _fill(path: Path) -> None:
    """Every byte there is."""
    with path.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            return


async def _lives_until(ground: Ground, voice: Voice, numbers: range) -> int:
    """Lives one after the other until one had to wait for room and ended well."""
    for led, number in enumerate(numbers, 1):
        begun = len(ground.history.operations)
        await ground.author.life(voice, number)
        if any(503 in one.answers for one in ground.history.operations[begun:]):
            return led
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
