"""The ground of the fault tests: a Temporal that may be killed, proxies on every line, callers, a history."""

import gc
import shutil
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from runtime.embedded.account import home_for, unprivileged
from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import free_ports
from runtime.embedded.postgres import PostgresServer
from runtime.settings import Settings
from tests.conftest import Database
from tests.faults.ground import Ground, ground_on
from tests.faults.site import Site


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What was cut off in the middle leaves unfinished greenlets behind; collected while Python parses a source, as a
    report of a failure does, they make it lose count of its recursion and raise SystemError. So nothing is."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """As above: plugins are imported, and so parsed, when a session ends."""
    gc.disable()


Measured = Callable[[str, object], None]


@pytest.fixture
async def ground(settings: Settings, database: Database, mailbox: MailCatcher, tmp_path: Path) -> AsyncIterator[Ground]:
    """Everything but worker and web; they are started by the test, inside or as children."""
    async with AsyncExitStack() as leaving:
        yield await ground_on(leaving, settings, database, mailbox, tmp_path)
    gc.collect()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A database server of the test's own, which may be killed and brought back."""
    server, account = PostgresServer(tmp_path / "postgres", free_ports(1)[0], fsync=False), unprivileged("nobody")
    place = home_for(tmp_path / "copies", account)
    try:
        await server.start()
        yield Site(server, place, account)
    finally:
        await server.stop()
        server.remove()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Measured:
    """Keeps a figure for the table of docs/reliability.md: a few words, and what was measured."""

    def keep(words: str, figure: object) -> None:
        shown = f"{figure:.1f}" if isinstance(figure, float) else str(figure)
        record_property("measured", f"{words} {shown}")

    return keep
