"""Servers for every tier: PostgreSQL, Temporal and mail catcher once a session; a database of its own for each test."""

import ast
import gc
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import count
from pathlib import Path
from threading import RLock
from time import sleep
from typing import Any

import asyncpg
import hypothesis
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.calendar import SHANGHAI
from models.tables.engine import LIMITS
from runtime.embedded.mail import MailCatcher
from runtime.embedded.postgres import DATABASE, PostgresServer
from runtime.settings import Settings
from runtime.stack import Stack, StackOptions
from tests.faults.invariants import Look
from tests.runtime.patient import IN_SERVICE, widen
from tests.runtime.waiting import PATIENCE

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
                  "--disable-background-networking", "--disable-component-update"]  # fmt: skip
JUST_BEFORE = 60.0  # seconds; as long as most tests take on a busy machine
LONG = 6
"""Tests a long one counts as, where files are shared out: so many that enough is left to do beside it."""
_numbers = count(1)
_STATUS = pytest.StashKey[int]()

hypothesis.settings.register_profile(
    "shared machine", deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("ci", parent=hypothesis.settings.get_profile("shared machine"), derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "shared machine")

widen()
_parse, _parsing = ast.parse, RLock()


def parse_alone(*what: Any, **how: Any) -> ast.Module:
    """Read source while no garbage is collected.

    CPython 3.11 counts the depth of all trees it builds in one place. A collection in the middle of one lets another
    thread, or a finalizer, build a second, and the first is refused: SystemError, AST constructor recursion depth
    mismatch. pytest reads what it rewrites while threads of the servers under test read templates.
    """
    with _parsing:
        collecting = gc.isenabled()
        gc.disable()
        try:
            return _parse(*what, **how)
        finally:
            if collecting:
                gc.enable()


ast.parse = parse_alone


def pytest_runtest_setup() -> None:
    """No test begins just before midnight in Shanghai: what is counted in days there would be counted on two."""
    now = datetime.now(SHANGHAI)
    left = (datetime.combine(now.date() + timedelta(days=1), time(), SHANGHAI) - now).total_seconds()
    if left < JUST_BEFORE:
        sleep(left)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes share the files out, they take the longest first, and the short ones fill what is left."""
    if hasattr(config, "workerinput"):
        in_order(items)


def in_order(items: list[pytest.Item]) -> None:
    """Files with most tests first, a long one counts as several; within a file as they stand there (decision 0072)."""
    weights = Counter[Path]()
    for item in items:
        weights[item.path] += LONG if item.get_closest_marker("long") else 1
    items.sort(key=lambda item: -weights[item.path])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave with the tests' own verdict: the Temporal runtime has been seen to abort a finished interpreter."""
    if "temporalio.bridge" in sys.modules and _STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_STATUS])


@dataclass(frozen=True)
class Database:
    """A migrated database of one test; addresses by role, as asyncpg reads them (`sqlalchemy_url` turns them round)."""

    name: str
    app: str
    owner: str
    admin: str
    backup: str

    @classmethod
    def of(cls, server: PostgresServer, name: str = DATABASE) -> "Database":
        """The one of this name at a server of ours."""
        return cls(name, *(server.url(role, name) for role in ("app", "owner", "admin", "backup")))

    @property
    def told(self) -> dict[str, SecretStr]:
        """What settings say of it."""
        urls = {"database_url": self.app, "database_owner_url": self.owner, "database_backup_url": self.backup}
        return {name: SecretStr(url) for name, url in urls.items()}


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """The servers of this session, on free ports, without worker and web."""
    async with Stack(StackOptions()) as running:
        yield running


@pytest.fixture(scope="session")
def postgres(stack: Stack) -> PostgresServer:
    assert stack.postgres is not None
    return stack.postgres


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A copy of the migrated database; gone after the test."""
    name = f"test_{next(_numbers)}"
    admin = await asyncpg.connect(postgres.url("admin", "postgres"))
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{DATABASE}" OWNER anze_owner STRATEGY FILE_COPY')
    try:
        yield Database.of(postgres, name)
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A superuser of that database: row-level security and rights do not bind it."""
    connection = await asyncpg.connect(database.admin)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
async def temporal(stack: Stack) -> Client:
    """A client of the session's Temporal server: time skipping is on, search attributes are registered."""
    return await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)


@pytest.fixture
def look(database: Database, temporal: Client) -> Look:
    """Where the invariants look after a fault (tests/faults/README.md): no nudger runs and no bank is there, so of
    letters and payments on their way nothing is asked."""
    return Look(database.admin, database.backup, temporal)


@pytest.fixture
def limits_of_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that are made after it wait for locks and statements as long as they do where people wait."""
    for name, limit in IN_SERVICE.items():
        monkeypatch.setitem(LIMITS, name, limit)


@pytest.fixture
def task_queue() -> str:
    """A queue no other test listens on."""
    return f"anze-test-{next(_numbers)}"


@pytest.fixture
def mailbox(stack: Stack) -> MailCatcher:
    """The session's SMTP server, emptied, refusing nothing."""
    assert stack.mailbox is not None
    for memory in (stack.mailbox.messages, stack.mailbox.refused, stack.mailbox.replies):
        memory.clear()
    return stack.mailbox


@pytest.fixture
def settings(stack: Stack, database: Database, mailbox: MailCatcher, task_queue: str, tmp_path: Path) -> Settings:
    """Settings of one test: the session's servers, its own database, queue and folder."""
    return stack.settings.model_copy(
        update={
            **database.told,
            "smtp_port": mailbox.port,
            "task_queue": task_queue,
            "var": tmp_path,
        }
    )


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium. Where it is missing the browser tier is skipped, in CI it fails."""
    if not CHROMIUM.exists():
        reason = "浏览器测试没有运行：缺少 /usr/bin/chromium / the browser tier did not run: no chromium"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        _patiently(chromium)
        yield chromium
        await chromium.close()


def _patiently(chromium: Browser) -> None:
    """Every page waits as long as a test waits for anything; Playwright knows no such setting for a browser."""
    new_context, new_page = chromium.new_context, chromium.new_page

    async def context(**how: Any) -> BrowserContext:
        made = await new_context(**how)
        made.set_default_timeout(PATIENCE * 1000)
        return made

    async def page(**how: Any) -> Page:
        made = await new_page(**how)
        made.set_default_timeout(PATIENCE * 1000)
        return made

    chromium.new_context, chromium.new_page = context, page
    expect.set_options(timeout=PATIENCE * 1000)
