"""A database server that is gone comes back from a base backup and the WAL that was streamed away from it."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import asyncpg
import pytest

from runtime.auditing import Verifier
from runtime.embedded.account import Account, home_for, unprivileged
from runtime.embedded.ports import free_ports
from runtime.embedded.postgres import LOGINS, PostgresServer, programs_for
from runtime.embedded.process import Child, Launch
from runtime.migrate import upgrade
from tests.conftest import Database
from tests.faults.conftest import Measured
from tests.tables.rows import seed

WRITE = "SELECT write_audit(jsonb_populate_record(NULL::audit, $1::jsonb))"
ENTRY = '{"chain": "00000000-0000-0000-0000-000000000000", "what": "operator_act", "result": "done"}'


@dataclass
class Site:
    """A server, and the place its copies go to."""

    server: PostgresServer
    place: Path
    account: Account | None

    def command(self, *words: str) -> list[str]:
        return [str(programs_for(self.account) / words[0]), *words[1:], "--dbname", self.server.url("backup")]

    def run(self, *words: str) -> None:
        who = {"user": self.account.uid, "group": self.account.gid, "extra_groups": ()} if self.account else {}
        subprocess.run(self.command(*words), check=True, capture_output=True, cwd=self.place, **who)

    def folder(self, name: str) -> Path:
        made = self.place / name
        made.mkdir(mode=0o700)
        if self.account:
            os.chown(made, self.account.uid, self.account.gid)
        return made


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    server, account = PostgresServer(tmp_path / "postgres", free_ports(1)[0], fsync=False), unprivileged("nobody")
    place = home_for(tmp_path / "copies", account)
    try:
        await server.start()
        await upgrade(server.url("owner"))
        yield Site(server, place, account)
    finally:
        await server.stop()
        server.remove()
        shutil.rmtree(place, ignore_errors=True)


async def brought_back(site: Site, base: Path, wal: Path, home: Path) -> PostgresServer:
    """As docs/runbooks/restore.md says: the copy in the place of the data, and where the WAL is to be had."""
    server = PostgresServer(home, free_ports(1)[0], fsync=False)
    folder = home_for(home, site.account)
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    shutil.copy2(site.server.home / LOGINS, home / LOGINS)
    base.rename(folder / "data")
    for cut_off in wal.glob("*.partial"):
        cut_off.rename(cut_off.with_suffix(""))
    (folder / "data" / "recovery.signal").touch()
    with (folder / "data" / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"restore_command = 'cp {wal}/%f %p'\nhot_standby = off\n")  # ready means: it may be written to
    await server.start()
    return server


@pytest.mark.fault("F31")
@pytest.mark.slow_fault
async def test_what_was_committed_until_the_server_died_is_there_again(
    site: Site, tmp_path: Path, measured: Measured
) -> None:
    urls = (site.server.url(role) for role in ("app", "owner", "admin", "backup"))
    await seed(Database("anze", *urls))
    wal, base = site.folder("wal"), site.folder("base")
    site.run("pg_receivewal", "--directory", str(wal), "--slot", "anze", "--create-slot")
    streaming = ("pg_receivewal", "--directory", str(wal), "--slot", "anze", "--no-loop")
    receiver = Child.start(Launch("wal", site.command(*streaming), account=site.account, directory=site.place))
    site.run("pg_basebackup", "--pgdata", str(base), "--checkpoint", "fast", "--wal-method", "stream")
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
    finally:
        await restored.stop()
        restored.remove()


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
