"""One connection passed from hand to hand in every order, through errors and cancellations: no row of who had it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.tables import engine as settings
from models.tables.engine import connected, make_engine
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.tables.rows import EMERGENCY, A, B, known, seed

STEPS = 1000
SESSIONS = (
    "INSERT INTO sessions (token_hash, user_id, came_by, expires_at)"
    " VALUES ('{insurer}', '{user}', 'oidc', 'infinity')",
    "INSERT INTO department_scopes (recipient_id, prefix, sector) VALUES ('{emergency}', '3413', '*')"
    " ON CONFLICT DO NOTHING",
)
TABLES = ("insureds", "recipients", "api_keys", "cases", "steps", "timeline", "commands", "outbox", "links", "files",
          "victims", "users", "sessions", "audit", "tasks", "reservations", "assigned_cases")  # fmt: skip
LOOK = text(
    " UNION ALL ".join(
        f"SELECT '{table}' AS table, count(*) AS rows, md5(string_agg(t::text, '' ORDER BY t::text)) AS said"
        f" FROM {table} t"
        for table in TABLES
    )
)
Setting = Callable[[AsyncConnection], Awaitable[None]]
Seen = tuple[tuple[str, int, str | None], ...]


@dataclass(frozen=True)
class Hand:
    """Somebody who takes the connection: by which settings, and how they give it back."""

    name: str
    settings: tuple[Setting, ...] = ()


def hands() -> list[Hand]:
    """Nobody, and everybody a transaction is ever opened for, of both insurers."""
    both = [Hand("nobody"), Hand("operator", (settings.operator,)), Hand("office", _office(EMERGENCY))]
    for name, insurer in (("a", A), ("b", B)):
        mailbox, insured, user = known(insurer, "mailbox"), known(insurer, "insured"), known(insurer, "user")
        both += [
            Hand(f"tenant {name}", (partial(settings.tenant, insurer_id=insurer),)),
            Hand(f"key {name}", (partial(settings.api_key, key_hash=f"key-{name}"),)),
            Hand(f"link {name}", (partial(settings.link, token_hash=f"token-{name}"),)),
            Hand(f"session {name}", (partial(settings.session, token_hash=str(insurer)),)),
            Hand(f"identity {name}", (partial(settings.identity, vouched_for=f"u@{name}.example"),)),
            Hand(f"enterprise {name}", (partial(settings.recipient, recipient_ids=mailbox),
                                        partial(settings.insured, insured_id=insured))),
            Hand(f"office of a user {name}", _office(user)),
            Hand(f"provider {name}", (partial(settings.provider, provider_id=known(insurer, "provider")),)),
        ]  # fmt: skip
    return both


def _office(recipient_id: object) -> tuple[Setting, ...]:
    return partial(settings.recipient, recipient_ids=recipient_id), partial(settings.office, recipient_id=recipient_id)  # pyright: ignore[reportArgumentType]


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    await seed(database)
    above = make_engine(sqlalchemy_url(database.admin), pool_size=1)
    async with above.begin() as connection:
        for insurer in (A, B):
            for statement in SESSIONS:
                values = {"insurer": insurer, "user": known(insurer, "user"), "emergency": EMERGENCY}
                await connection.execute(text(statement.format(**values)))
    await above.dispose()
    engine = make_engine(sqlalchemy_url(database.app), pool_size=1)
    yield engine
    await engine.dispose()


async def look(engine: AsyncEngine, hand: Hand) -> Seen:
    async with connected(engine) as connection:
        for setting in hand.settings:
            await setting(connection)
        return tuple((row[0], row[1], row[2]) for row in await connection.execute(LOOK))


async def fail(engine: AsyncEngine, hand: Hand) -> None:
    """The transaction ends with an error of the database, its settings made."""
    async with connected(engine) as connection:
        for setting in hand.settings:
            await setting(connection)
        await connection.execute(text("SELECT 1 / 0"))


async def leave(engine: AsyncEngine, hand: Hand) -> None:
    """The one who asked has gone away in the middle of it."""

    async def waiting() -> None:
        async with connected(engine) as connection:
            for setting in hand.settings:
                await setting(connection)
            begun.set()
            await connection.execute(text("SELECT pg_sleep(5)"))

    begun = asyncio.Event()
    task = asyncio.create_task(waiting())
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def commit(engine: AsyncEngine, hand: Hand) -> None:
    async with engine.begin() as connection:
        for setting in hand.settings:
            await setting(connection)


async def test_a_thousand_changes_of_hands_leak_no_row(engine: AsyncEngine) -> None:
    dice, everybody = random.Random(20261122), hands()
    alone = {hand.name: await look(engine, hand) for hand in everybody}
    assert len(set(alone.values())) > len(everybody) // 2
    for _ in range(STEPS):
        before, hand = dice.choice(everybody), dice.choice(everybody)
        await dice.choices((_looked, _failed, leave, commit), (10, 5, 1, 5))[0](engine, before)
        assert await look(engine, hand) == alone[hand.name], f"{hand.name} after {before.name}"


async def _looked(engine: AsyncEngine, hand: Hand) -> None:
    await look(engine, hand)


async def _failed(engine: AsyncEngine, hand: Hand) -> None:
    with pytest.raises(DBAPIError, match="division by zero"):
        await fail(engine, hand)
