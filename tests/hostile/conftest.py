"""A world of this tier's own, which may be written into, served over a real port for what needs one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest
import uvicorn
from temporalio.client import Client

from runtime.embedded.guest import Guest
from runtime.embedded.ports import LOOPBACK, free_ports
from runtime.embedded.postgres import PostgresServer
from runtime.stack import Stack
from runtime.wire import Bounded
from tests.authorization.conftest import founded
from tests.authorization.world import World
from tests.runtime.waiting import until

NAME = "test_hostile"


@pytest.fixture(scope="session")
async def world(
    stack: Stack, postgres: PostgresServer, temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Everybody and everything of the authorization tier once more, for requests that may change it."""
    async with founded(stack, postgres, temporal, tmp_path_factory.mktemp("hostile"), NAME) as world:
        yield world


@dataclass(frozen=True)
class Served:
    """The world's application behind a real server, on a port."""

    world: World
    port: int
    server: uvicorn.Server

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"


@pytest.fixture(scope="session")
async def served(world: World) -> AsyncIterator[Served]:
    """As `run_web` serves it: nothing said by a proxy is believed, headers are bounded."""
    [port] = free_ports(1)
    server = Guest(
        uvicorn.Config(
            world.app, LOOPBACK, port, http=Bounded, ws="none", log_config=None, access_log=False, proxy_headers=False
        )
    )
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield Served(world, port, server)
    server.should_exit = True
    await serving


@pytest.fixture
def fuzz_seconds(request: pytest.FixtureRequest) -> int:
    """How long `make fuzz` was told to run each part."""
    return int(str(request.config.getoption("--fuzz-seconds")))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[[int, int], None]:
    """Tells `make fuzz` of a part, when it is through: how many cases, how many of them answered wrongly."""
    begun, told = monotonic(), request.config.getoption("--fuzz-told")

    def through(cases: int, findings: int) -> None:
        name = request.node.name.removeprefix("test_").replace("_", " ")
        line = {"name": name, "seconds": monotonic() - begun, "cases": cases, "findings": findings}
        if told:
            with Path(str(told)).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    return through


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-seconds", default="60", help="how long make fuzz runs each part")
    parser.addoption("--fuzz-told", default="", help="where make fuzz reads what each part tried")
