"""The disk under Temporal is full, or the power fails: what was acknowledged is on disk, and it heals by itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest

from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import free_ports
from runtime.embedded.postgres import PostgresServer
from runtime.settings import Settings
from tests.conftest import Database
from tests.faults.conftest import Measured
from tests.faults.disks import filled, mounted
from tests.faults.ground import ground_on, temporal_in
from tests.faults.history import Outcome
from tests.runtime.waiting import PATIENCE


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Path]:
    with mounted(tmp_path / "small", "160m") as place:  # its log alone may take 64 MB
        yield place


@pytest.mark.slow_fault
@pytest.mark.fault("F19")
async def test_a_full_disk_under_temporal_loses_nothing_acknowledged_and_heals_without_a_restart(
    disk: Path, settings: Settings, database: Database, mailbox: MailCatcher, measured: Measured
) -> None:
    async with AsyncExitStack() as leaving:
        ground = await ground_on(leaving, settings, database, mailbox, disk)
        async with ground.worker(), ground.voices() as (voice,):
            await asyncio.gather(*(ground.author.life(voice, number) for number in (1, 2)))
            before = ground.history.count(Outcome.OK)
            filled(disk / "filler")
            lives = [asyncio.create_task(ground.author.life(voice, number)) for number in (3, 4, 5)]
            async with asyncio.timeout(PATIENCE):
                while not any(503 in one.answers for one in ground.history.operations[before:]):
                    await asyncio.sleep(0.1)
            assert ground.temporal.child is not None
            pid = ground.temporal.child.pid
            (disk / "filler").unlink()
            began = time.monotonic()
            await asyncio.gather(*lives)
            assert await ground.broken() == []
            healed = time.monotonic() - began
            assert (ground.temporal.child.pid, ground.temporal.child.returncode) == (pid, None)
    measured("acknowledged, all there:", ground.history.count(Outcome.OK))
    measured("503 while full:", sum(answer == 503 for one in ground.history.operations for answer in one.answers))
    measured("all settled s after there was room:", healed)


@pytest.mark.slow_fault
@pytest.mark.fault("F40")
async def test_both_stores_write_through_to_the_disk(tmp_path: Path, measured: Measured) -> None:
    """A power cut is not simulated. PostgreSQL is asked itself; Temporal's settings are read off the running server."""
    server = PostgresServer(tmp_path / "postgres", free_ports(1)[0])
    await server.start()
    try:
        connection = await asyncpg.connect(server.url("app"))
        names = ("fsync", "full_page_writes", "synchronous_commit")
        told = {name: await connection.fetchval(f"SHOW {name}") for name in names}
        await connection.close()
    finally:
        await server.stop()
        server.remove()
    assert told == dict.fromkeys(names, "on")
    pragmas = await _pragmas(tmp_path)
    assert pragmas >= {"journal_mode=wal", "synchronous=full"}
    measured("PostgreSQL:", ", ".join(f"{name} {value}" for name, value in told.items()))
    measured("Temporal's file:", ", ".join(sorted(pragmas)))


async def _pragmas(folder: Path) -> set[str]:
    """Those a running server was given, as the kernel tells its command line."""
    async with AsyncExitStack() as leaving:
        temporal = await temporal_in(leaving, folder)
        assert temporal.child is not None
        given = Path(f"/proc/{temporal.child.pid}/cmdline").read_text(encoding="utf-8").split("\0")
    return {value for flag, value in pairwise(given) if flag == "--sqlite-pragma"}
