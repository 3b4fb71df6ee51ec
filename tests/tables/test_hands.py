"""Hands of departments below the API: seen and written by that department alone, and only for its own people."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from api.rows import HANDS, OFFICE_HANDS, RECIPIENTS, USERS
from models.contracts.vocabulary import ActorKind, Role
from models.tables import engine as settings
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.tables.rows import EMERGENCY, A, B, known, seed

OTHER = UUID("cccccccc-0000-4000-8000-000000000004")
CASE = known(A, "case")


@pytest.fixture
async def above(database: Database) -> AsyncIterator[AsyncConnection]:
    """The owner of everything: an officer of each of two departments, and the first has a case in hand."""
    await seed(database)
    engine = create_async_engine(sqlalchemy_url(database.admin))
    async with engine.connect() as connection:
        other = {"region": "350200", "department": "应急管理局", "name": "别处", "email": "x@gov.example"}
        await connection.execute(insert(RECIPIENTS).values(id=OTHER, role=Role.EMERGENCY, **other))
        for office in (EMERGENCY, OTHER):
            row = {"id": officer(office), "kind": ActorKind.DEPARTMENT, "recipient_id": office, "name": "科员"}
            await connection.execute(insert(USERS).values(row | {"email": f"{office}@gov.example"}))
        await connection.execute(insert(OFFICE_HANDS).values(hand(EMERGENCY, officer(EMERGENCY))))
        await connection.execute(text("SET LOCAL ROLE anze_app"))
        yield connection
        await connection.rollback()
    await engine.dispose()


def officer(office: UUID) -> UUID:
    return UUID(int=office.int + 256)


def hand(office: UUID, user_id: UUID) -> dict[str, object]:
    return {"recipient_id": office, "case_id": CASE, "user_id": user_id, "given_by": user_id, "given_at": text("now()")}


async def seen(connection: AsyncConnection, table: str) -> int:
    return (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()


async def test_a_department_sees_its_own_hands_and_people_and_nobody_elses(above: AsyncConnection) -> None:
    for office, hands in ((EMERGENCY, 1), (OTHER, 0)):
        await settings.office(above, office)
        assert (await seen(above, "office_hands"), await seen(above, "hands")) == (hands, 0)
        assert (await above.execute(text("SELECT id FROM users"))).scalars().all() == [officer(office)]
    await settings.office(above, uuid4())
    for insurer in (A, B):
        await settings.tenant(above, insurer)
        assert await seen(above, "office_hands") == 0
    await settings.operator(above)
    assert await seen(above, "office_hands") == 0, "how a department shares its work is its own business"


async def test_no_hand_is_written_for_another_department_or_of_another_organisations_user(
    above: AsyncConnection,
) -> None:
    await settings.office(above, OTHER)
    with pytest.raises(DBAPIError, match="row-level security"):
        async with above.begin_nested():
            await above.execute(insert(OFFICE_HANDS).values(hand(EMERGENCY, officer(EMERGENCY))))
    with pytest.raises(IntegrityError, match="fk_office_hands_recipient_id_user_id"):
        async with above.begin_nested():
            await above.execute(insert(OFFICE_HANDS).values(hand(OTHER, officer(EMERGENCY))))
    await settings.tenant(above, B)
    row = {"case_id": known(B, "case"), "insurer_id": B, "given_by": known(B, "user"), "given_at": text("now()")}
    await above.execute(text("DELETE FROM hands"))
    with pytest.raises(IntegrityError, match="fk_hands_insurer_id_user_id"):
        async with above.begin_nested():
            await above.execute(insert(HANDS).values(row | {"user_id": known(A, "user")}))
