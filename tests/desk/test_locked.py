"""A page that cannot get at the database says so in time, and in words for people."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from models.contracts.vocabulary import ActorKind
from tests.desk.conftest import SignedIn
from tests.faults.invariants import Look, broken
from tests.runtime.waiting import in_time


@pytest.mark.fault("F17")
@pytest.mark.usefixtures("limits_of_service")
async def test_a_page_that_waits_for_a_lock_says_within_the_budget_that_nothing_was_done(
    signed_in: SignedIn, admin: AsyncEngine, look: Look, record_property
) -> None:
    person = await signed_in(ActorKind.INSURER)

    async def looked() -> None:
        page = await person.get("/insurer")
        assert page.status_code == 503
        assert "尚未办理，请稍后再试。" in page.text
        assert "Idempotency" not in page.text

    async with admin.begin() as connection:
        await connection.exec_driver_sql("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        took = await in_time(5.5, looked)
    record_property("measured", f"page refused after s: {took:.1f}")
    assert (await person.get("/insurer")).status_code == 200
    assert await broken(look) == []
