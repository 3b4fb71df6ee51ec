"""Users, sessions and asked letters below the API: seen by the one token, identity or address that was proven."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from api.rows import ASKED_LETTERS, SESSIONS, USERS
from models.contracts.vocabulary import ActorKind, AskedFor, CameBy
from models.tables import engine as settings
from models.tables.engine import make_engine
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.tables.rows import AT, EMERGENCY, A, B, known, seed

LATER = "2099-01-01 00:00+08"


@pytest.fixture
async def users(database: Database) -> dict[UUID, UUID]:
    """One user with a session for each insurer, and a letter asked for by each insurer's enterprise."""
    await seed(database)
    admin = create_async_engine(sqlalchemy_url(database.admin))
    made: dict[UUID, UUID] = {}
    async with admin.begin() as connection:
        for insurer, name in ((A, "ann"), (B, "bob")):
            made[insurer] = uuid4()
            row = {"id": made[insurer], "kind": ActorKind.INSURER, "insurer_id": insurer, "email": f"{name}@x.example"}
            bound = {"name": name, "issuer": "https://id.example", "subject": name}
            await connection.execute(insert(USERS).values(row | bound))
            session = {"token_hash": f"hash-{name}", "user_id": made[insurer], "came_by": CameBy.OIDC}
            await connection.execute(insert(SESSIONS).values(session | {"expires_at": text(f"'{LATER}'")}))
            asked = {"id": uuid4(), "recipient_id": known(insurer, "mailbox"), "asked_for": AskedFor.CODE_TO_ENTER}
            await connection.execute(insert(ASKED_LETTERS).values(asked | {"expires_at": text(f"'{AT}'")}))
    await admin.dispose()
    return made


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(sqlalchemy_url(database.app), pool_size=1)
    yield engine
    await engine.dispose()


async def seen(connection: AsyncConnection, table: str) -> int:
    return (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()


async def test_without_a_proof_nobody_and_nothing_is_seen(users: dict[UUID, UUID], engine: AsyncEngine):
    async with engine.begin() as connection:
        assert [await seen(connection, table) for table in ("users", "sessions", "asked_letters")] == [0, 0, 0]


async def test_a_token_shows_its_own_session_and_user_alone(users: dict[UUID, UUID], engine: AsyncEngine):
    async with engine.begin() as connection:
        await settings.session(connection, "hash-ann")
        assert (await connection.execute(text("SELECT token_hash FROM sessions"))).scalars().all() == ["hash-ann"]
        assert (await connection.execute(text("SELECT id FROM users"))).scalars().all() == [users[A]]
        stolen = await connection.execute(text("UPDATE sessions SET user_id = user_id WHERE token_hash = 'hash-bob'"))
        assert stolen.rowcount == 0
        raised = await connection.execute(text("UPDATE users SET posts = '{insurer_admin}'"))
        assert raised.rowcount == 0, "a session reads its user, it does not change it"


async def test_an_identity_shows_the_user_it_is_bound_to_or_whose_address_it_is(
    users: dict[UUID, UUID], engine: AsyncEngine
):
    for vouched in ("https://id.example ann", "ann@x.example"):
        async with engine.begin() as connection:
            await settings.identity(connection, vouched)
            assert (await connection.execute(text("SELECT id FROM users"))).scalars().all() == [users[A]]
            assert await seen(connection, "sessions") == 0
    for vouched in ("ann", "https://id.example", "", " "):
        async with engine.begin() as connection:
            await settings.identity(connection, vouched)
            assert await seen(connection, "users") == 0, vouched


async def test_of_two_memberships_a_session_shows_its_own_and_an_identity_what_it_is_bound_to(
    users: dict[UUID, UUID], engine: AsyncEngine
):
    """Ann is registered by the other insurer as well, and has not come in there yet."""
    second = uuid4()
    async with engine.begin() as connection:
        await settings.tenant(connection, B)
        row = {"id": second, "kind": ActorKind.INSURER, "insurer_id": B, "email": "ann@x.example", "name": "ann"}
        await connection.execute(insert(USERS).values(row))
    for proven, value, shown in (
        (settings.session, "hash-ann", {users[A]}),
        (settings.identity, "https://id.example ann", {users[A]}),
        (settings.identity, "ann@x.example", {users[A], second}),
    ):
        async with engine.begin() as connection:
            await proven(connection, value)
            assert set((await connection.execute(text("SELECT id FROM users"))).scalars()) == shown


async def test_letters_are_seen_by_whom_they_are_addressed_to(users: dict[UUID, UUID], engine: AsyncEngine):
    for to, number in ((known(A, "mailbox"), 1), (EMERGENCY, 0)):
        async with engine.begin() as connection:
            await settings.recipient(connection, to)
            assert await seen(connection, "asked_letters") == number
    async with engine.begin() as connection:
        await settings.tenant(connection, A)
        assert await seen(connection, "asked_letters") == 0, "an insurer does not see that its enterprise asked"
        assert (await connection.execute(text("SELECT DISTINCT insurer_id FROM users"))).scalars().all() == [A]
        assert await seen(connection, "sessions") == 0


async def test_an_insurer_ends_the_sessions_of_its_recipients_and_of_a_user_it_names(
    users: dict[UUID, UUID], engine: AsyncEngine
):
    ended = text("UPDATE sessions SET revoked_at = now() WHERE revoked_at IS NULL")
    for insurer in (A, B):
        async with engine.begin() as connection:
            await settings.session(connection, f"hash-mailbox-{insurer}")
            row = {"token_hash": f"hash-mailbox-{insurer}", "recipient_id": known(insurer, "mailbox")}
            row |= {"came_by": CameBy.CODE, "expires_at": text(f"'{LATER}'")}
            await connection.execute(insert(SESSIONS).values(row))
    async with engine.begin() as connection:
        await settings.tenant(connection, A)
        assert await seen(connection, "sessions") == 1, "its enterprise's, nobody else's"
        assert (await connection.execute(ended)).rowcount == 1
        await settings.user(connection, users[A])
        assert (await connection.execute(ended)).rowcount == 1
    for held, alive in ((f"hash-mailbox-{A}", 0), ("hash-ann", 0), (f"hash-mailbox-{B}", 1), ("hash-bob", 1)):
        async with engine.begin() as connection:
            await settings.session(connection, held)
            assert (await connection.execute(text("SELECT * FROM sessions WHERE revoked_at IS NULL"))).rowcount == alive
