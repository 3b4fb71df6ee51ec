"""A database server whose copies go elsewhere, and what people do by hand when it is gone; nothing is lived here.

By hand means as docs/runbooks/restore.md spells it, line by line, read from there.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from runtime.cli import app
from runtime.embedded.account import Account, home_for
from runtime.embedded.ports import free_ports
from runtime.embedded.postgres import LOGINS, PostgresServer, programs_for
from runtime.settings import PROJECT_ROOT, Settings

RUNBOOK = PROJECT_ROOT / "docs" / "runbooks" / "restore.md"


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
    by_hand(site, folder / "data", "sed -i '1i host")
    await server.start()
    return server


def by_hand(site: Site, data: Path, begins: str) -> None:
    """The one line of the runbook that begins so, by who owns the database."""
    (line,) = [one for one in RUNBOOK.read_text(encoding="utf-8").splitlines() if one.startswith(begins)]
    where = {"PGDATA": str(data), "PATH": f"{programs_for(site.account)}:{os.environ['PATH']}"}
    who = {"user": site.account.uid, "group": site.account.gid, "extra_groups": ()} if site.account else {}
    subprocess.run(["bash", "-ec", line], check=True, capture_output=True, cwd=site.place, env=where, **who)


def recover(settings: Settings, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """`anze recover …`, here."""
    monkeypatch.setattr("runtime.commands.recover.Settings", lambda: settings)
    answer = CliRunner().invoke(app, ["recover", *words])
    assert answer.exit_code == 0, answer.output


async def enters(server: PostgresServer) -> bool:
    """Whether the application may come in."""
    try:
        connection = await asyncpg.connect(server.url("app"))
    except asyncpg.InvalidAuthorizationSpecificationError:
        return False
    await connection.close()
    return True
