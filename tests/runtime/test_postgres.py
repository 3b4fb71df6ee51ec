"""The PostgreSQL launcher: survives kills, never touches a stranger, lets nobody in without the password."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from runtime.embedded.account import home_for, unprivileged
from runtime.embedded.ports import LOOPBACK, PortTaken, free_ports
from runtime.embedded.postgres import PostgresServer
from tests.runtime.waiting import gone, until

OWNER_PROGRAM = """
import asyncio, sys
from pathlib import Path
from runtime.embedded.postgres import PostgresServer
from tests.runtime.waiting import gone, until

async def own() -> None:
    server = PostgresServer(Path(sys.argv[1]), int(sys.argv[2]), fsync=False)
    await server.start()
    print(server.child.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(own())
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PostgresServer]:
    server = PostgresServer(tmp_path / "postgres", free_ports(1)[0], fsync=False)
    await server.start()
    yield server
    await server.stop()
    server.remove()


def data_of(server: PostgresServer) -> Path:
    return home_for(server.home, unprivileged(server.os_user)) / "data"


@pytest.mark.fault("F15")
async def test_a_killed_server_starts_again_at_once_and_keeps_every_row(server: PostgresServer) -> None:
    connection = await asyncpg.connect(server.url("owner"))
    await connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1500) AS n")
    assert server.child is not None
    os.kill(server.child.pid, signal.SIGKILL)
    connection.terminate()

    await server.start()

    again = await asyncpg.connect(server.url("owner"))
    assert await again.fetchval("SELECT count(*) FROM kept") == 1500
    await again.close()


@pytest.mark.fault("F41")
async def test_a_pid_file_that_names_a_stranger_neither_stops_us_nor_harms_the_stranger(server: PostgresServer) -> None:
    await server.stop()
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    pid_file = data_of(server) / "postmaster.pid"
    pid_file.write_text(f"{stranger.pid}\n{data_of(server)}\n1700000000\n{server.port}\n\n127.0.0.1\n")

    await server.start()

    assert server.child is not None
    assert server.child.pid != stranger.pid
    assert stranger.poll() is None
    stranger.communicate(b"\n")


@pytest.mark.parametrize("content", ["", "not a number\n", "4194304999\n"])
@pytest.mark.fault("F41")
async def test_a_broken_pid_file_does_not_lock_us_out(server: PostgresServer, content: str) -> None:
    await server.stop()
    (data_of(server) / "postmaster.pid").write_text(content)

    await server.start()

    connection = await asyncpg.connect(server.url("app"))
    await connection.close()


async def test_a_wrong_password_is_refused(server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        # pragma: allowlist nextline secret
        await asyncpg.connect(server.url("app"), password="guess")


async def test_the_application_role_owns_nothing_and_cannot_look_past_row_level_security(
    server: PostgresServer,
) -> None:
    connection = await asyncpg.connect(server.url("app"))
    powers = await connection.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    )
    assert powers is not None
    assert not any(powers.values())
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE TABLE mine (n int)")
    await connection.close()


async def test_the_server_listens_on_this_machine_only(server: PostgresServer) -> None:
    assert server.child is not None
    listening = [
        each.laddr.ip
        for each in psutil.Process(server.child.pid).net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    ]
    assert listening == [LOOPBACK]


async def test_secrets_and_data_are_closed_to_other_users(server: PostgresServer) -> None:
    assert (server.home / "passwords.json").stat().st_mode & 0o077 == 0
    assert data_of(server).stat().st_mode & 0o077 == 0
    assert not list(data_of(server).parent.glob("*.draft"))


async def test_folders_above_are_not_opened_to_others(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = PostgresServer(closed / "postgres", free_ports(1)[0], fsync=False)
    await server.start()
    await server.stop()
    assert closed.stat().st_mode & 0o777 == 0o700
    server.remove()


async def test_a_taken_port_is_named_with_its_setting(server: PostgresServer, tmp_path: Path) -> None:
    second = PostgresServer(tmp_path / "second", server.port, fsync=False)
    with pytest.raises(PortTaken, match=rf"(?s){server.port}.*ANZE_POSTGRES_PORT"):
        await second.start()
    second.remove()


@pytest.mark.fault("F41")
async def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    home, port = tmp_path / "postgres", free_ports(1)[0]
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER_PROGRAM, str(home), str(port)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    postgres = int(await asyncio.to_thread(owner.stdout.readline))

    owner.kill()
    owner.communicate()

    await until(lambda: gone(postgres))
    again = PostgresServer(home, port, fsync=False)
    await again.start()
    await again.stop()
    again.remove()
