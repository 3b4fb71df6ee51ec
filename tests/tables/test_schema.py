"""The migrated database is what the tables say, and nobody sees or changes rows that are not theirs."""

from collections.abc import AsyncIterator
from itertools import product
from uuid import UUID, uuid4

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, ForeignKeyConstraint, UniqueConstraint, text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.tables.engine import connected, make_engine, tenant
from models.tables.every import METADATA
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.tables.rows import A, B, seed

OWNERS = {"audit": "chain", "audit_heads": "chain"}
"""The column that says whose a row is, where it is not insurer_id: a chain bears its insurer's id."""


def owner_of(table: str) -> str:
    return OWNERS.get(table, "insurer_id")


OWN_ROWS = sorted(name for name, table in METADATA.tables.items() if owner_of(name) in table.columns)
RIGHTS = {
    **{table: {"SELECT", "INSERT"} for table in ("steps", "timeline", "commands", "link_uses")},
    **{table: {"SELECT", "INSERT"} for table in ("limit_movements", "payment_answers", "victim_sights")},
    **{table: {"SELECT", "INSERT"} for table in ("insurer_claim_rules", "audit")},
    "insured_names": {"SELECT", "INSERT"},
    "nudges": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "department_scopes": {"SELECT", "INSERT", "DELETE"},
    "matters": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    **{table: {"SELECT", "INSERT", "UPDATE", "DELETE"} for table in ("hands", "office_hands")},
    "covers": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "key_witnesses": {"SELECT", "INSERT", "DELETE"},
    "alembic_version": {"SELECT"},
}
CHANGING = {"SELECT", "INSERT", "UPDATE"}


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    """One connection only: whatever leaks, leaks into the next user of it."""
    engine = make_engine(sqlalchemy_url(database.app), pool_size=1)
    yield engine
    await engine.dispose()


async def test_migrations_and_tables_agree(database: Database):
    engine = make_engine(sqlalchemy_url(database.owner), pool_size=1)
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return compare_metadata(context, METADATA)


async def test_every_constraint_of_the_tables_is_in_the_database(admin: asyncpg.Connection):
    rows = await admin.fetch("SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace")
    kept = {row["conname"] for row in rows}
    kinds = (CheckConstraint, ForeignKeyConstraint, UniqueConstraint)
    said = {c.name for t in METADATA.tables.values() for c in t.constraints if isinstance(c, kinds)}
    assert said - kept == set()


async def test_whatever_belongs_to_an_insurer_is_walled_off_for_every_command(admin: asyncpg.Connection):
    for table in OWN_ROWS:
        flags = await admin.fetchrow(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = $1::regclass", table
        )
        assert flags is not None, table
        assert tuple(flags) == (True, True), table
        policy = await admin.fetchrow("SELECT * FROM pg_policies WHERE policyname = $1", f"{table}_tenant")
        assert policy is not None, table
        assert policy["cmd"] == "ALL", table
        assert policy["roles"] == ["anze_app"], table
        assert "anze.tenant" in policy["qual"], table
        assert "anze.tenant" in policy["with_check"], table


async def test_children_point_at_their_case_together_with_its_insurer():
    for name in OWN_ROWS:
        table = METADATA.tables[name]
        # the audit trail points at nothing: it must be able to say what is gone, and its lock is the last one
        if "case_id" in table.columns and name != "audit":
            keys = [set(key.column_keys) for key in table.foreign_key_constraints]
            assert {"insurer_id", "case_id"} in keys, name


async def test_the_application_is_a_plain_role_that_owns_nothing_and_deletes_nothing(admin: asyncpg.Connection):
    role = await admin.fetchrow("SELECT * FROM pg_roles WHERE rolname = 'anze_app'")
    assert role is not None
    assert not any(role[power] for power in ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb"))
    rows = await admin.fetch("SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert {row["tableowner"] for row in rows} == {"anze_owner"}
    for table in (row["tablename"] for row in rows):
        grants = await admin.fetch(
            "SELECT privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee = 'anze_app' AND table_name = $1",
            table,
        )
        assert {grant["privilege_type"] for grant in grants} == RIGHTS.get(table, CHANGING), table


async def test_no_view_looks_past_the_wall_but_the_one_that_narrows_it(admin: asyncpg.Connection):
    """And whose eyes it borrows see by row-level security too: what is assigned to a provider (test_assigned.py)."""
    query = (
        "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace"
        " AND NOT coalesce(reloptions, '{}') && '{security_invoker=true,security_invoker=on}'"
    )
    assert [row["relname"] for row in await admin.fetch(query)] == ["assigned_cases"]
    lent = await admin.fetch("SELECT policyname, cmd, qual FROM pg_policies WHERE 'anze_owner' = ANY (roles)")
    assert {(row["policyname"], row["cmd"]) for row in lent} == {
        ("cases_provider", "SELECT"),
        ("assignments_provider", "SELECT"),
    }
    assert all("anze.provider" in row["qual"] for row in lent)


async def test_no_function_runs_with_the_rights_of_its_owner(admin: asyncpg.Connection):
    query = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    assert await admin.fetch(query) == []


async def test_without_a_tenant_nothing_of_any_insurer_is_seen(database: Database, engine: AsyncEngine):
    await seed(database)
    async with connected(engine) as connection:
        for table in OWN_ROWS:
            where = f" WHERE {owner_of(table)} IS NOT NULL"
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}{where}"))).scalar_one() == 0, table


@pytest.mark.parametrize("table", OWN_ROWS)
async def test_a_tenant_sees_its_own_rows_only(database: Database, engine: AsyncEngine, table: str):
    await seed(database)
    seen = {who: await _insurers_in(engine, table, who) for who in (A, B)}
    assert seen == {A: {A}, B: {B}}


async def _insurers_in(engine: AsyncEngine, table: str, who: UUID) -> set[UUID]:
    async with connected(engine) as connection:
        await tenant(connection, who)
        column = owner_of(table)
        found = await connection.execute(text(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"))
        return set(found.scalars())


@pytest.mark.parametrize("table", OWN_ROWS)
async def test_a_row_cannot_be_handed_to_another_insurer(database: Database, table: str):
    await seed(database)
    connection = await asyncpg.connect(database.app)
    try:
        for giver, taker in ((A, B), (B, A)):
            async with connection.transaction():
                await connection.execute("SELECT set_config('anze.tenant', $1, true)", str(giver))
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    async with connection.transaction():
                        await connection.execute(f"UPDATE {table} SET {owner_of(table)} = $1", taker)
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    async with connection.transaction():
                        await connection.execute(await _insert_as(connection, table), taker)
    finally:
        await connection.close()


async def _insert_as(connection: asyncpg.Connection, table: str) -> str:
    """The tenant's own row once more, but under the insurer of $1."""
    columns = [column.name for column in METADATA.tables[table].columns]
    values = ", ".join("$1::uuid" if name == owner_of(table) else f'"{name}"' for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} LIMIT 1"


async def test_a_pooled_connection_forgets_its_tenant_however_the_work_ended(database: Database, engine: AsyncEngine):
    await seed(database)
    for number, (who, ending) in enumerate(product((A, B, None) * 20, ("well", "badly"))):
        try:
            async with connected(engine) as connection:
                before = await connection.execute(text("SELECT count(*) FROM cases"))
                assert before.scalar_one() == 0, number
                if who:
                    await tenant(connection, who)
                rows = await connection.execute(text("SELECT insurer_id FROM cases"))
                assert set(rows.scalars()) == ({who} if who else set())
                if ending == "badly":
                    raise RuntimeError(str(uuid4()))
        except RuntimeError:
            continue


async def test_the_record_cannot_be_rewritten_by_the_application(database: Database):
    await seed(database)
    connection = await asyncpg.connect(database.app)
    try:
        for table, verb in product(
            ("steps", "timeline", "commands", "audit"), ("UPDATE {} SET seq = 9", "DELETE FROM {}")
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(verb.format(table))
    finally:
        await connection.close()
