"""`anze up` as a person meets it: starts, heals, stops, starts again after any kill."""

import asyncio
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import psutil
import pytest

from runtime import up as upkeep
from runtime.embedded.ports import LOOPBACK, free_ports
from runtime.settings import PROJECT_ROOT, Settings
from runtime.stack import Stack, StackOptions
from tests.runtime.waiting import gone, until

UP = [sys.executable, "-m", "runtime.cli", "up"]
PARTS = {
    "worker": "runtime.cli worker",
    "web": "runtime.cli web",
    "core-system": "runtime.cli core-system",
    "temporal": "server start-dev",
    "postgres": "postgres -D",
}


@dataclass
class Run:
    """One `anze up` and what it has said so far."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.said)

    def listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.said.append(line)

    async def until_ready(self) -> None:
        await until(lambda: "Ctrl-C" in self.text or self.process.poll() is not None)
        assert self.process.poll() is None, self.text

    async def ended(self) -> int:
        await until(lambda: self.process.poll() is not None)
        return self.process.returncode

    def children(self) -> dict[str, int]:
        found = psutil.Process(self.process.pid).children(recursive=True)
        lines = {each.pid: " ".join(each.cmdline()) for each in found if each.status() != psutil.STATUS_ZOMBIE}
        return {name: pid for name, words in PARTS.items() for pid, line in lines.items() if words in line}


@dataclass
class Place:
    """A folder and ports of its own, in which `up` may be run several times."""

    environment: dict[str, str]
    var: Path
    runs: list[Run] = field(default_factory=list)

    def start(self, command: list[str] = UP) -> Run:
        process = subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        run = Run(process)
        self.runs.append(run)
        asyncio.get_running_loop().run_in_executor(None, run.listen)
        return run


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    var = Path(tempfile.mkdtemp(prefix="anze-up-"))
    var.chmod(0o711)
    names = [name for name in Settings.model_fields if name.endswith("_port")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    place = Place(Settings(var=var, **ports).as_environment(), var)  # pyright: ignore[reportArgumentType] - ports are int
    yield place
    for run in place.runs:
        if run.process.poll() is None:
            run.process.terminate()
            await run.ended()
    shutil.rmtree(var, ignore_errors=True)


async def test_it_starts_heals_after_any_kill_and_stops_when_told(place: Place) -> None:
    run = place.start()
    await run.until_ready()
    before = run.children()
    assert set(before) == set(PARTS)

    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    await until(lambda: run.text.count("已恢复") == len(PARTS))
    after = run.children()
    assert set(after) == set(PARTS)
    assert not set(after.values()) & set(before.values())

    run.process.send_signal(signal.SIGINT)
    assert await run.ended() == 0
    assert all(gone(pid) for pid in after.values())


async def test_parts_that_do_not_stop_in_time_are_killed_so_that_ten_seconds_are_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed: list[str] = []

    class Deaf(Stack):
        async def stop(self) -> None:
            await asyncio.Event().wait()

        def kill(self) -> None:
            killed.append("all")

    assert upkeep.STOP_WITHIN < 10
    monkeypatch.setattr(upkeep, "STOP_WITHIN", 0.1)
    await upkeep._stop(Deaf(StackOptions()), upkeep.Printer())
    assert killed == ["all"]


async def test_killed_itself_it_leaves_nothing_that_blocks_the_next_start_and_state_survives(place: Place) -> None:
    first = place.start()
    await first.until_ready()
    secret, children = (place.var / "secret").read_text(), first.children()
    first.process.kill()

    second = place.start()
    await second.until_ready()

    assert all(gone(pid) for pid in children.values())
    assert (place.var / "secret").read_text() == secret
    assert (place.var / "secret").stat().st_mode & 0o077 == 0


async def test_it_stops_when_make_is_killed(place: Place) -> None:
    starter = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"
    run = place.start([sys.executable, "-c", starter, *UP, "--follow-parent"])
    await run.until_ready()
    children = run.children()
    run.process.kill()
    await until(lambda: all(gone(pid) for pid in children.values()))


async def test_a_taken_port_is_named_with_its_setting_and_nothing_stays(place: Place) -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    place.environment["ANZE_API_PORT"] = str(port)
    run = place.start()
    assert await run.ended() == 1
    assert re.search(rf"{port}.*ANZE_API_PORT", run.text)
    server.close()
    await server.wait_closed()


async def test_servers_of_ones_own_are_used_and_not_started_again(stack: Stack) -> None:
    own = stack.settings.model_copy(update={"var": stack.settings.var / "second"})
    async with Stack(StackOptions(settings=own)) as second:
        assert second.parts == {}
        assert second.mailbox is None
        connection = await asyncpg.connect(second.settings.database_dsn)
        assert await connection.fetchval("SELECT current_user") == "anze_app"
        await connection.close()


async def test_two_stacks_do_not_meet(stack: Stack) -> None:
    async with Stack(StackOptions(migrations=False)) as other:
        assert other.temporal_address != stack.temporal_address
        assert other.settings.secret_key != stack.settings.secret_key
        var = other.settings.var
    assert not var.exists()


def test_patience_doubles_forgets_after_a_good_minute_and_ends() -> None:
    patience = upkeep.Patience()
    assert [round(patience.pause(now), 1) for now in (0, 1, 2)] == [0.2, 0.4, 0.8]
    assert patience.pause(100) == pytest.approx(0.2)
    with pytest.raises(RuntimeError, match="反复失败"):
        exhaust(patience.pause)


def exhaust(pause: Callable[[float], float]) -> None:
    for now in range(100, 120):
        pause(float(now))


def test_a_generated_secret_is_strong_enough_for_the_settings() -> None:
    assert Settings(secret=secrets.token_urlsafe(48)).secret is not None  # pyright: ignore[reportArgumentType] - parsed
