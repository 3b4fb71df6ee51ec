"""A database server that is gone comes back from a base backup and the WAL that was streamed away from it.

Cases were lived on it, and their engine never stopped: at the end both agree, and the invariants hold.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic

import asyncpg
import pytest
from pydantic import SecretStr

from runtime.auditing import Verifier
from runtime.embedded.account import home_for
from runtime.embedded.mail import MailCatcher
from runtime.embedded.postgres import PostgresServer
from runtime.embedded.process import Child, Launch
from runtime.settings import Settings
from tests.faults.conftest import Measured
from tests.faults.ground import Ground, own_ground
from tests.faults.history import Voice
from tests.faults.invariants import broken_at_rest
from tests.faults.lives import WALK
from tests.faults.site import Site, brought_back, by_hand, enters, recover
from tests.runtime.waiting import PATIENCE

WRITE = "SELECT write_audit(jsonb_populate_record(NULL::audit, $1::jsonb))"
AS_OF = "2026-11-22T09:30:00+0800"
HELD = "SELECT count(*) FROM restorations WHERE released_at IS NULL AND as_of = '2026-11-22 01:30:00+00'"
LINKS = "SELECT count(*) FROM links WHERE revoked_at IS NULL AND expires_at > now()"
ENTRY = '{"chain": "00000000-0000-0000-0000-000000000000", "what": "operator_act", "result": "done"}'


@asynccontextmanager
async def lived(
    site: Site, settings: Settings, mailbox: MailCatcher, folder: Path
) -> AsyncIterator[tuple[Ground, Voice]]:
    """A policy was led to the end of its service; then what the test does, while a worker runs."""
    async with (
        own_ground(site.server, settings, mailbox, folder) as ground,
        ground.worker(),
        ground.voices() as (voice,),
    ):
        await ground.author.life(voice, 1)
        yield ground, voice


async def half_a_life(ground: Ground, voice: Voice) -> int:
    """A policy whose plan the enterprise has yet to confirm; how many links are alive when its letter has left."""
    policy = await ground.author.open(voice, 2)
    for path in WALK[:3]:
        await ground.author.act(voice, policy, 2, path)
    assert await ground.broken() == []
    return (await ground.rows(LINKS))[0]["count"]


async def proved(ground: Ground, server: PostgresServer) -> None:
    """The engine lives, and the books at this server are those it knows: nothing is lost, doubled or left behind."""
    look = replace(ground.look(), admin_url=server.url("admin"), backup_url=server.url("backup"))
    assert await broken_at_rest(look) == []


async def told(server: PostgresServer, *asked: str) -> list[int]:
    connection = await asyncpg.connect(server.url("admin"))
    try:
        return [await connection.fetchval(one) for one in asked]
    finally:
        await connection.close()


@pytest.mark.fault("F31")
@pytest.mark.slow_fault
async def test_what_was_committed_until_the_server_died_is_there_again(
    site: Site,
    settings: Settings,
    mailbox: MailCatcher,
    tmp_path: Path,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wal, base = site.folder("wal"), site.folder("base")
    async with lived(site, settings, mailbox, tmp_path) as (ground, voice):
        site.run("pg_receivewal", "--directory", str(wal), "--slot", "anze", "--create-slot")
        streaming = ("pg_receivewal", "--directory", str(wal), "--slot", "anze", "--no-loop")
        receiver = Child.start(Launch("wal", site.command(*streaming), account=site.account, directory=site.place))
        site.run("pg_basebackup", "--pgdata", str(base), "--checkpoint", "fast", "--wal-method", "stream")
        assert await half_a_life(ground, voice) > 0  # in the streamed WAL alone
        written = await _writing(site.server, seconds=2)
        assert site.server.child is not None
        site.server.child.kill()  # nobody asked it to finish
        await site.server.child.ended(5)
        await receiver.ended(5)
        await receiver.stop(signal.SIGINT, patience=5)
        began = monotonic()
        restored = await brought_back(site, base, wal, tmp_path / "restored")
        try:
            await _compare(restored, written, measured)
            measured("seconds to come back", monotonic() - began)
            await _held_and_let_in(site, restored, home_for(tmp_path / "restored", site.account) / "data", monkeypatch)
            await proved(ground, restored)
        finally:
            await restored.stop()
            restored.remove()


async def _held_and_let_in(site: Site, restored: PostgresServer, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application stays out until what may have left is held."""
    assert not await enters(restored)
    settings = Settings(database_owner_url=SecretStr(restored.url("owner")))
    await asyncio.to_thread(recover, settings, monkeypatch, "hold", "--as-of", AS_OF, "--why", "主库磁盘损坏")
    assert await told(restored, HELD, LINKS) == [1, 0]
    assert not await enters(restored)
    by_hand(site, data, "sed -i '/ anze_app")
    async with asyncio.timeout(PATIENCE):  # the server reads it in a moment
        while not await enters(restored):
            await asyncio.sleep(0.05)


@pytest.mark.fault("F31")
@pytest.mark.slow_fault
async def test_a_folder_that_was_put_back_is_held_while_it_is_stopped(
    site: Site, settings: Settings, mailbox: MailCatcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make up` with its `var/` of before: nothing runs, and what it would send again waits for a person."""
    async with lived(site, settings, mailbox, tmp_path) as (ground, voice):
        assert await half_a_life(ground, voice) > 0
        await site.server.stop()
        here = Settings(var=tmp_path, postgres_port=site.server.port)
        await asyncio.to_thread(recover, here, monkeypatch, "hold", "--stopped", "--as-of", AS_OF, "--why", "换回 var/")
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncpg.connect(site.server.url("admin"))
        await site.server.start()
        assert await told(site.server, HELD, LINKS) == [1, 0]
        assert await enters(site.server)
        await proved(ground, site.server)


async def _writing(server: PostgresServer, seconds: float) -> list[tuple[int, float]]:
    """Rows of the audit trail one after the other: their numbers, and when each was acknowledged."""
    written: list[tuple[int, float]] = []
    connection = await asyncpg.connect(server.url("app"))
    ends = monotonic() + seconds
    while monotonic() < ends:
        number = await connection.fetchval(WRITE, ENTRY)
        written.append((number, monotonic()))
        await asyncio.sleep(0.005)
    connection.terminate()
    return written


async def _compare(server: PostgresServer, written: list[tuple[int, float]], measured: Measured) -> None:
    connection = await asyncpg.connect(server.url("backup"))
    try:
        last = await connection.fetchval("SELECT max(number) FROM audit WHERE chain = $1", written_chain())
        lost = [at for number, at in written if number > last]
        window = written[-1][1] - lost[0] if lost else 0.0
        measured("seconds of writes lost", window)
        assert window < 5 * 60
        assert len(lost) < len(written) / 2
        forced = "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relname IN ('cases', 'steps', 'audit')"
        assert await connection.fetchval(forced)
        verifier = Verifier(connection)
        chains = [one for one in await verifier.chains() if str(one.id) == written_chain()]
        verdict = await verifier.run(chains, insurer="nobody")
        assert verdict.findings == []
        assert verdict.rows == last
    finally:
        await connection.close()


def written_chain() -> str:
    return "00000000-0000-0000-0000-000000000000"
