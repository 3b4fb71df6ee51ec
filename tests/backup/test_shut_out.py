"""A restored database lets the application in only once everything is held; the walls stand again afterwards."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from activities.ledger import PgLedger
from models.tables.engine import make_engine
from runtime.embedded.postgres import PostgresServer
from runtime.recovery.holding import hold_alone
from runtime.roles import Roles, ensure_roles, let_in, shut_out
from runtime.settings import sqlalchemy_url
from tests.activities.steps import CASE, register, step
from tests.conftest import Database
from tests.tables.rows import A, known

LINK = (
    "INSERT INTO links (id, token_hash, insurer_id, case_id, recipient_id, purpose, duty_key, expires_at)"
    " VALUES ($1, $2, $3, $4, $5, 'rectification', '', now() + interval '7 days')"
)


async def enters(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url)
    except asyncpg.InsufficientPrivilegeError:
        return False
    await connection.close()
    return True


async def test_the_application_stays_out_until_it_is_let_in_whoever_sees_to_the_roles(
    postgres: PostgresServer, database: Database
) -> None:
    await shut_out(database.owner, database.app, database.backup)
    assert not await enters(database.app)
    await ensure_roles(
        postgres.url("admin", "postgres"), Roles(database.owner, database.app, database.backup)
    )  # as a start of the system does
    assert not await enters(database.app)
    assert await enters(database.backup)
    await let_in(database.owner, database.app)
    assert await enters(database.app)


async def test_a_worker_that_is_still_connected_stops_the_restore(database: Database) -> None:
    worker = await asyncpg.connect(database.app)
    try:
        with pytest.raises(LookupError):
            await shut_out(database.owner, database.app, database.backup)
    finally:
        await worker.close()


@pytest.fixture
async def linked(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """An open case with a link that is alive."""
    await register(database)
    engine = make_engine(sqlalchemy_url(database.app), 1)
    await PgLedger(engine).commit_step(step(1))
    await engine.dispose()
    admin = await asyncpg.connect(database.admin)
    await admin.execute(LINK, uuid4(), "f" * 64, A, CASE, known(A, "mailbox"))
    yield admin
    await admin.close()


async def test_what_is_held_is_held_while_nobody_can_come_in_and_no_link_of_before_lives(
    database: Database, linked: asyncpg.Connection
) -> None:
    await shut_out(database.owner, database.app, database.backup)
    walls = "SELECT count(*) FROM pg_class WHERE relforcerowsecurity"
    before = await linked.fetchval(walls)
    held = await hold_alone(database.owner, datetime.now(UTC), "drill")
    assert held.links == 1
    assert await linked.fetchval("SELECT count(*) FROM links WHERE revoked_at IS NULL") == 0
    assert await linked.fetchval("SELECT count(*) FROM restorations WHERE released_at IS NULL") == 1
    assert await linked.fetchval(walls) == before
