"""Cases whose books came back from a base backup and WAL go on: proved row by row, nothing paid or mailed twice."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from runtime.backup.restoring import prove
from runtime.embedded.account import home_for
from runtime.embedded.mail import MailCatcher
from runtime.embedded.postgres import PostgresServer
from runtime.embedded.process import Child, Launch
from runtime.settings import Settings
from tests.conftest import Database
from tests.faults.conftest import Measured
from tests.faults.drill import backed_up, begun, led_on, speaking, taken_again
from tests.faults.ground import Ground, own_ground
from tests.faults.site import Site, brought_back, by_hand, enters, recover
from tests.runtime.waiting import until

RECEIVED = "SELECT bool_or(flush_lsn >= $1::text::pg_lsn) FROM pg_stat_replication WHERE state = 'streaming'"
SLOT = ("--slot", "anze")


async def streaming(site: Site, wal: Path) -> Child:
    """The WAL leaves as it is written."""
    site.run("pg_receivewal", "--directory", str(wal), *SLOT, "--create-slot")
    command = site.command("pg_receivewal", "--directory", str(wal), *SLOT, "--no-loop", "--synchronous")
    return Child.start(Launch("wal", command, account=site.account, directory=site.place))


async def cut(server: PostgresServer, receiver: Child) -> None:
    """Nothing of what is written from now on leaves; all that was has."""
    admin = await asyncpg.connect(server.url("admin"))
    last = await admin.fetchval("SELECT pg_logical_emit_message(true, 'cut', '')::text")

    async def received() -> bool:
        return await admin.fetchval(RECEIVED, last) is True

    await until(received)
    await admin.close()
    await receiver.stop(signal.SIGINT, patience=10)


def upon(ground: Ground, server: PostgresServer) -> Ground:
    """The same engine, bank and letters over the books of this server."""
    database = Database.of(server)
    return replace(ground, database=database, settings=ground.settings.model_copy(update=database.told))


@pytest.mark.fault("F31")
@pytest.mark.slow_fault
async def test_books_from_base_backup_and_wal_are_proved_like_a_dump_and_their_cases_go_on(
    site: Site,
    settings: Settings,
    mailbox: MailCatcher,
    tmp_path: Path,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wal, base, home = site.folder("wal"), site.folder("base"), tmp_path / "restored"
    async with own_ground(site.server, settings, mailbox, tmp_path) as ground:
        receiver = await streaming(site, wal)
        site.run("pg_basebackup", "--pgdata", str(base), "--checkpoint", "fast", "--wal-method", "stream")
        async with ground.worker(), ground.voices() as (voice,):
            lived = await begun(ground, voice)
        manifest = (await backed_up(ground, tmp_path)).manifest  # what is there now; the dump itself is not used
        await cut(site.server, receiver)
        async with ground.worker(), speaking(ground, voice) as later:
            await led_on(ground, later, lived)
        assert site.server.child is not None
        site.server.child.kill()
        await site.server.child.ended(5)
        server = await brought_back(site, base, wal, home)
        try:
            proof = await prove(manifest, server.url("backup"))
            assert proof.faults == []
            assert manifest.rows > 0
            assert proof.audit_rows == manifest.tables["audit"].rows
            restored = upon(ground, server)
            as_of = f"{manifest.taken_at:%Y-%m-%dT%H:%M:%S%z}"
            words = ("hold", "--as-of", as_of, "--why", f"drill {uuid4().hex[:6]}")
            await asyncio.to_thread(recover, restored.settings, monkeypatch, *words)
            by_hand(site, home_for(home, site.account) / "data", "sed -i '/ anze_app")
            await until(lambda: enters(server))
            measured("rows proved", manifest.rows)
            measured("steps taken again", await taken_again(restored, voice, lived, manifest.taken_at))
        finally:
            await server.stop()
            server.remove()
