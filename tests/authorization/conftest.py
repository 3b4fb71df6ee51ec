"""One world for the whole tier, built once: whoever tests in it must leave it as it was."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.client import Client

from api.tools import Budgets, Tools
from models.tables.engine import make_engine
from runtime.embedded.mail import MailCatcher
from runtime.embedded.postgres import DATABASE, PostgresServer
from runtime.settings import sqlalchemy_url
from runtime.stack import Stack
from runtime.worker import library, make_worker
from tests.api.conftest import SECRET
from tests.authorization.world import PAGE, World, built
from tests.runtime.waiting import PATIENCE

NAME = "test_authorization"
PLENTY = Budgets(
    answer_within=PATIENCE,
    requests_per_second=100_000,
    burst=1_000_000,
    guesses_burst=1_000_000,
    strangers_per_second=100_000,
    strangers_burst=1_000_000,
)
"""Thousands of requests come from one address here, on a busy machine; that is another test's business."""


@pytest.fixture(scope="session")
async def world(
    stack: Stack, postgres: PostgresServer, temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Two insurers, two enterprises each, three offices, and a key or session for every visitor of the matrix."""
    async with founded(stack, postgres, temporal, tmp_path_factory.mktemp("authorization"), NAME) as world:
        yield world


@asynccontextmanager
async def founded(
    stack: Stack, postgres: PostgresServer, temporal: Client, var: Path, name: str
) -> AsyncIterator[World]:
    """A world in a database of its own; both are gone afterwards."""
    admin = await asyncpg.connect(postgres.url("admin", "postgres"))
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{DATABASE}" OWNER anze_owner STRATEGY FILE_COPY')
    try:
        async with standing(stack, postgres, temporal, var, name) as world:
            yield world
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


@asynccontextmanager
async def standing(
    stack: Stack, postgres: PostgresServer, temporal: Client, var: Path, name: str
) -> AsyncIterator[World]:
    """A world in the database of this name, with a worker on a queue of this name."""
    assert isinstance(stack.mailbox, MailCatcher)
    changed = {"database_url": SecretStr(postgres.url("app", name)), "smtp_port": stack.mailbox.port}
    settings = stack.settings.model_copy(update={**changed, "task_queue": name, "var": var})
    above = create_async_engine(sqlalchemy_url(postgres.url("admin", name)))
    engine, theirs = make_engine(settings.database, 5), make_engine(settings.database, 5)
    tools = Tools(
        temporal=temporal,
        engine=engine,
        task_queue=settings.task_queue,
        rules=library(),
        files=var / "files",
        secret=SECRET,
        sealing=settings.sealing,
        base_url=PAGE,
        budgets=PLENTY,
    )
    async with make_worker(temporal, theirs, settings, library()), built(tools, above) as world:
        yield world
    for one in (above, engine, theirs):
        await one.dispose()
