"""Victims after a rotation: every field and digest comes under the current key, whatever interrupts the walk."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from models.tables.engine import make_engine
from models.tables.sealed import FieldKeys, FieldOf, new_key
from runtime.resealing import Resealer
from runtime.settings import sqlalchemy_url
from tests.activities.claims import claim, claims
from tests.conftest import Database
from tests.tables.rows import A, B

OLD, NEW = f"k1:{new_key()}", f"k2:{new_key()}"
BEFORE, ROTATED, AFTER = FieldKeys.parse(OLD), FieldKeys.parse(f"{NEW},{OLD}"), FieldKeys.parse(NEW)
FIELDS = {"name": "张某某", "identity_number": "341300190001010000", "phone": "13000000000"}


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Sees every row; the seeded victims give way to those of the test."""
    await claims(database, "C-1")
    connection = await asyncpg.connect(database.admin)
    await connection.execute("DELETE FROM victim_sights; DELETE FROM victims")
    yield connection
    await connection.close()


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(sqlalchemy_url(database.app), pool_size=2)
    yield engine
    await engine.dispose()


async def entered(admin: asyncpg.Connection, keys: FieldKeys, identity: str = FIELDS["identity_number"]) -> UUID:
    """A victim of the first insurer's claim, sealed and digested under these keys."""
    ref, fields = uuid4(), FIELDS | {"identity_number": identity}
    sealed = {name: keys.seal(value, FieldOf(A, ref, name)) for name, value in fields.items()}
    await admin.execute(
        "INSERT INTO victims (id, insurer_id, case_id, ref, employee, name, identity_number, phone, look_alike)"
        " VALUES ($1, $2, $3, $4, true, $5, $6, $7, $8)",
        uuid4(), A, claim("C-1"), ref, sealed["name"], sealed["identity_number"], sealed["phone"],
        keys.look_alike(identity, A),
    )  # fmt: skip
    return ref


async def opened(admin: asyncpg.Connection, ref: UUID, keys: FieldKeys) -> dict[str, str]:
    row = await admin.fetchrow("SELECT name, identity_number, phone, look_alike FROM victims WHERE ref = $1", ref)
    assert row is not None
    known = {name: keys.open(row[name], FieldOf(A, ref, name)) for name in FIELDS}
    assert row["look_alike"] == keys.look_alike(known["identity_number"], A)
    return known


@pytest.mark.fault("F42")
async def test_the_new_key_alone_opens_and_finds_everybody_afterwards(
    admin: asyncpg.Connection, engine: AsyncEngine
) -> None:
    refs = [await entered(admin, BEFORE, f"34130019000101000{n}") for n in range(7)]
    resealer, batches = Resealer(engine, ROTATED, batch=3), list[int]()
    assert await resealer.count() == await resealer.left() == 7
    ended = await resealer.run(batches.append)
    assert (ended.persons, ended.resealed, ended.unreadable, ended.doubled) == (7, 7, [], [])
    assert batches == [3, 3, 1]
    assert await resealer.left() == 0
    for n, ref in enumerate(refs):
        assert await opened(admin, ref, AFTER) == FIELDS | {"identity_number": f"34130019000101000{n}"}


async def test_what_is_current_is_left_alone(admin: asyncpg.Connection, engine: AsyncEngine) -> None:
    await entered(admin, ROTATED)
    before = await admin.fetch("SELECT * FROM victims")
    ended = await Resealer(engine, ROTATED).run()
    assert (ended.persons, ended.resealed) == (1, 0)
    assert await admin.fetch("SELECT * FROM victims") == before


@pytest.mark.fault("F42")
async def test_an_interrupted_walk_keeps_what_it_did_and_the_next_one_does_the_rest(
    admin: asyncpg.Connection, engine: AsyncEngine
) -> None:
    for n in range(5):
        await entered(admin, BEFORE, f"34130019000101000{n}")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await Resealer(engine, ROTATED, batch=2).run(interrupted)
    current = "SELECT count(*) FROM victims WHERE look_alike LIKE 'k2:%'"
    assert await admin.fetchval(current) == 2
    ended = await Resealer(engine, ROTATED, batch=2).run()
    assert (ended.persons, ended.resealed) == (5, 3)
    assert await admin.fetchval(current) == 5


async def test_a_field_whose_key_is_lost_is_named_and_untouched_and_the_others_go_on(
    admin: asyncpg.Connection, engine: AsyncEngine
) -> None:
    lost = await entered(admin, FieldKeys.parse(f"k0:{new_key()}"), "110000190001010000")
    known = await entered(admin, BEFORE)
    before = await admin.fetchrow("SELECT * FROM victims WHERE ref = $1", lost)
    ended = await Resealer(engine, ROTATED).run()
    assert (ended.resealed, ended.unreadable) == (1, [str(lost)])
    assert await admin.fetchrow("SELECT * FROM victims WHERE ref = $1", lost) == before
    assert await opened(admin, known, AFTER) == FIELDS


async def test_one_person_entered_under_both_keys_is_told_and_stays_readable(
    admin: asyncpg.Connection, engine: AsyncEngine
) -> None:
    old, new = await entered(admin, BEFORE), await entered(admin, ROTATED)
    ended = await Resealer(engine, ROTATED).run()
    assert (ended.resealed, ended.doubled) == (1, [str(old)])
    sealed = await admin.fetchval("SELECT name FROM victims WHERE ref = $1", old)
    assert sealed is not None
    assert AFTER.open(sealed, FieldOf(A, old, "name")) == FIELDS["name"]
    assert await opened(admin, new, AFTER) == FIELDS


async def test_every_insurer_is_walked_through_behind_its_own_wall(
    admin: asyncpg.Connection, engine: AsyncEngine
) -> None:
    await entered(admin, BEFORE)
    codes = await admin.fetch("SELECT id FROM insurers")
    assert {row["id"] for row in codes} == {A, B}
    assert (await Resealer(engine, ROTATED).run()).persons == 1
