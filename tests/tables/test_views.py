"""Who sees across insurers, and exactly how far: recipients, operators, the holder of a link, the bearer of a key."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.contracts.ids import HUMAN_QUEUE
from models.tables.engine import api_key, connected, link, make_engine, operator, recipient
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.tables.rows import EMERGENCY, A, B, known, seed

TABLES = ("insureds", "recipients", "api_keys", "cases", "steps", "timeline", "commands", "outbox", "links", "files")
As = Callable[[AsyncConnection], Awaitable[None]]


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    await seed(database)
    engine = make_engine(sqlalchemy_url(database.app), pool_size=1)
    yield engine
    await engine.dispose()


async def seen(engine: AsyncEngine, who: As | None, *tables: str) -> dict[str, int]:
    """How many rows there are for somebody, by table; empty ones left out."""
    async with connected(engine) as connection:
        if who:
            await who(connection)
        counts = {}
        for table in tables or TABLES:
            counts[table] = (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
        return {table: count for table, count in counts.items() if count}


async def test_departments_and_operators_are_in_everybodys_directory_and_nobody_else_is(engine: AsyncEngine):
    assert await seen(engine, None) == {"recipients": 2}


async def test_a_department_reads_what_was_addressed_to_it_by_every_insurer_and_nothing_more(engine: AsyncEngine):
    mine = await seen(engine, partial(recipient, recipient_ids=EMERGENCY))
    assert mine == {"recipients": 2, "outbox": 2, "links": 2}


async def test_an_enterprise_reads_no_notice_of_anybody_else(engine: AsyncEngine):
    mine = await seen(engine, partial(recipient, recipient_ids=known(A, "mailbox")))
    assert mine == {"recipients": 3}


async def test_the_holder_of_a_token_finds_its_link_and_no_other(engine: AsyncEngine):
    assert await seen(engine, partial(link, token_hash="token-a")) == {"recipients": 2, "links": 1}
    assert await seen(engine, partial(link, token_hash="token-c")) == {"recipients": 2}


async def test_the_bearer_of_a_key_finds_it_and_no_other(engine: AsyncEngine):
    assert await seen(engine, partial(api_key, key_hash="key-b")) == {"recipients": 2, "api_keys": 1}
    assert await seen(engine, partial(api_key, key_hash="")) == {"recipients": 2}


async def test_operators_see_where_cases_stand_and_what_happened_but_no_step_and_no_file(engine: AsyncEngine):
    """Whose words they read, api/desk/audience.py says: sentences that nobody typed."""
    mine = await seen(engine, operator)
    assert mine == {"insureds": 2, "recipients": 6, "api_keys": 2, "cases": 2, "timeline": 2, "outbox": 2}


async def test_operators_cannot_change_a_case(engine: AsyncEngine):
    async with connected(engine) as connection:
        await operator(connection)
        changed = await connection.execute(text("UPDATE cases SET stage = 'x'"))
        assert changed.rowcount == 0


async def test_a_refused_notice_can_be_handed_to_the_recipient_that_takes_over(engine: AsyncEngine):
    move = text("UPDATE outbox SET recipient_id = :to WHERE recipient_id = :mine")
    values: dict[str, Any] = {"to": HUMAN_QUEUE, "mine": EMERGENCY}
    async with connected(engine) as connection:
        await recipient(connection, [EMERGENCY, HUMAN_QUEUE])
        assert (await connection.execute(move, values)).rowcount == 2


async def test_a_notice_cannot_be_taken_from_somebody_else_or_pushed_to_a_stranger(engine: AsyncEngine):
    move = text("UPDATE outbox SET recipient_id = :to")
    async with connected(engine) as connection:
        await recipient(connection, known(B, "desk"))
        assert (await connection.execute(move, {"to": known(B, "desk")})).rowcount == 0
        await recipient(connection, EMERGENCY)
        with pytest.raises(DBAPIError, match="row-level security"):
            await connection.execute(move, {"to": known(B, "desk")})
