"""Money in the database is exact and finite: no column of it takes what is no number, whoever writes."""

import asyncpg
import pytest

from tests.conftest import Database
from tests.tables.rows import seed

COLUMNS = """
SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type = 'numeric' ORDER BY 1
"""
FLOATING = """
SELECT table_name || '.' || column_name FROM information_schema.columns
WHERE table_schema = 'public' AND data_type IN ('real', 'double precision', 'money')
"""


async def test_no_column_of_money_takes_what_is_no_number_and_none_is_a_float(
    database: Database, admin: asyncpg.Connection
) -> None:
    """NaN is greater than every number in PostgreSQL: a check that an amount is above nothing lets it through."""
    await seed(database)
    columns = [row[0] for row in await admin.fetch(COLUMNS)]
    assert "payment_orders.amount" in columns
    assert await admin.fetch(FLOATING) == []
    await admin.execute("SET session_replication_role = replica")  # past the triggers that forbid every change
    for column in columns:
        table, _, name = column.partition(".")
        for value in ("NaN", "Infinity", "-Infinity", "1e16"):
            with pytest.raises((asyncpg.CheckViolationError, asyncpg.NumericValueOutOfRangeError)):
                await admin.execute(f"UPDATE {table} SET {name} = '{value}'")
