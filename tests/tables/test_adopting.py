"""Steps from before the audit trail are taken into it by the migration, in their order, and are bound from then on."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic import command

from runtime.auditing import Fault, Verifier
from runtime.embedded.postgres import PostgresServer
from runtime.migrate import _config, upgrade
from runtime.roles import Roles, ensure_roles
from tests.activities.steps import register, step
from tests.conftest import Database

NAME = "test_adopting"
BEFORE = "20261122_4"


@pytest.fixture
async def earlier(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A database as it was before there was an audit trail, with a case of three steps."""
    urls = Database.of(postgres, NAME)
    await ensure_roles(postgres.url("admin", "postgres"), Roles(urls.owner, urls.app, urls.backup))
    await asyncio.to_thread(command.upgrade, _config(urls.owner), BEFORE)
    await register(urls)
    connection = await asyncpg.connect(urls.app)
    for seq in (1, 2, 3):
        taken = step(seq, command=f"k-{seq}")
        await connection.fetchval("SELECT record_step($1::text::jsonb, '{}', '{}')", taken.model_dump_json())
    await connection.close()
    yield urls
    admin = await asyncpg.connect(postgres.url("admin", "postgres"))
    await admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    await admin.close()


async def test_earlier_steps_are_adopted_and_bound(earlier: Database) -> None:
    await upgrade(earlier.owner)
    admin = await asyncpg.connect(earlier.admin)
    try:
        verifier = Verifier(admin)
        verdict = await verifier.run(await verifier.chains())
        assert (verdict.findings, verdict.steps) == ([], 3)
        rows = await admin.fetch("SELECT seq, result FROM audit ORDER BY number")
        assert [tuple(row) for row in rows] == [(1, "adopted"), (2, "adopted"), (3, "adopted")]
        forced = "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relname IN ('cases', 'steps', 'timeline')"
        assert await admin.fetchval(forced)
        await admin.execute("UPDATE steps SET actor_name = '别人' WHERE seq = 2")
        verifier = Verifier(admin)
        found = (await verifier.run(await verifier.chains())).findings
        assert [(one.number, one.fault) for one in found] == [(2, Fault.STEP_CHANGED)]
    finally:
        await admin.close()
