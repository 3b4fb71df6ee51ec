"""Limits hold whatever is asked at once, an amount is taken once, and what is given back can be used again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import product
from random import Random

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.treasury import PgTreasury
from models.contracts.claim_terms import Limits
from models.contracts.payment import Reservation, Reserved, Standard
from models.contracts.vocabulary import LimitKind, LimitPot, LossHead
from models.tables.engine import make_engine
from runtime.settings import sqlalchemy_url
from tests.activities.claims import ANNA, BO, LIMITS, claims, release, reservation
from tests.conftest import Database

MANY = tuple(f"C-{number}" for number in range(1, 31))


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(sqlalchemy_url(database.app), pool_size=8)
    yield engine
    await engine.dispose()


@pytest.fixture
async def treasury(database: Database, engine: AsyncEngine) -> PgTreasury:
    await claims(database, *MANY)
    return PgTreasury(engine)


async def in_use(database: Database) -> Decimal:
    admin = await asyncpg.connect(database.admin)
    try:
        used = await admin.fetchval(
            "SELECT coalesce(sum(amount), 0) FROM limit_movements WHERE person IS NULL AND number <> 'Z-1'"
        )
    finally:
        await admin.close()
    return Decimal(used)


async def patiently(treasury: PgTreasury, asked: Reservation) -> Reserved:
    """As the workflow asks: again, whenever the database said no for a while."""
    while True:
        try:
            return await treasury.reserve_payment(asked)
        except ApplicationError:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("limits", [{"per_accident": "250.00"}, {"aggregate": "250.00"}, {"per_person": "250.00"}])
async def test_thirty_claims_that_reserve_five_times_each_at_once_never_exceed_a_limit(
    database: Database, treasury: PgTreasury, limits: dict[str, str]
):
    others = tuple(kind for kind in LimitKind if kind.value not in limits)
    only = Limits.model_validate({**limits, "not_agreed": others})
    asked = [
        reservation(f"{claim}.{attempt}", "7.00", claim, person=ANNA, limits=only)
        for claim, attempt in product(MANY, range(5))
    ]
    Random(7).shuffle(asked)
    twice = asked + asked  # each of them also repeated, as an activity is after a timeout
    answers = await asyncio.gather(*(patiently(treasury, one) for one in twice))
    granted = Counter(answer.granted for answer in answers[: len(asked)])
    assert granted == {True: 35, False: 115}
    assert [a.granted for a in answers[: len(asked)]] == [a.granted for a in answers[len(asked) :]]
    assert await in_use(database) == Decimal("245.00")


async def test_a_repeated_reservation_takes_once_and_another_amount_under_its_number_is_refused(
    database: Database, treasury: PgTreasury
):
    for _ in range(3):
        assert (await treasury.reserve_payment(reservation("Z-2", "90.00"))).granted
    assert await in_use(database) == Decimal("90.00")
    for other in (reservation("Z-2", "90.01"), reservation("Z-2", "90.00", "C-2")):
        answer = await treasury.reserve_payment(other)
        assert (answer.granted, answer.code) == (False, "number_used")


async def test_each_limit_is_told_by_its_name_and_amounts(treasury: PgTreasury):
    assert (await treasury.reserve_payment(reservation("Z-2", "60.00", person=ANNA))).granted
    over = await treasury.reserve_payment(reservation("Z-3", "40.01", "C-2", person=ANNA))
    assert (over.granted, over.code) == (False, "over_per_person")
    assert "每人责任限额" in over.says
    assert "60" in over.says
    assert (await treasury.reserve_payment(reservation("Z-4", "40.00", "C-2", person=ANNA))).granted
    assert (await treasury.reserve_payment(reservation("Z-5", "150.00", "C-3"))).granted
    assert (await treasury.reserve_payment(reservation("Z-6", "0.01", "C-3"))).code == "over_per_accident"
    elsewhere = reservation("Z-7", "150.00", "C-4", accident_number="S-2")
    assert (await treasury.reserve_payment(elsewhere)).granted
    assert (await treasury.reserve_payment(reservation("Z-8", "0.01", "C-4", accident_number="S-3"))).code == (
        "over_aggregate"
    )


async def test_rescue_and_costs_have_their_own_ceilings_beside_the_indemnity(treasury: PgTreasury):
    assert (await treasury.reserve_payment(reservation("Z-2", "250.00"))).granted
    assert (await treasury.reserve_payment(reservation("Z-3", "50.00", pot=LimitPot.RESCUE))).granted
    over = await treasury.reserve_payment(reservation("Z-4", "0.01", pot=LimitPot.RESCUE))
    assert (over.code, over.clause) == ("over_rescue", "保险法第五十七条")
    assert (await treasury.reserve_payment(reservation("Z-5", "20.00", pot=LimitPot.COSTS))).granted
    assert (await treasury.reserve_payment(reservation("Z-6", "0.01", pot=LimitPot.COSTS))).code == "over_costs"


async def test_what_was_given_back_can_be_taken_again_and_is_given_back_once(database: Database, treasury: PgTreasury):
    first = reservation("Z-2", "100.00", person=ANNA)
    await treasury.reserve_payment(first)
    assert not (await treasury.reserve_payment(reservation("Z-3", "1.00", "C-2", person=ANNA))).granted
    for _ in range(3):
        await treasury.release_payment(release(first))
    assert await in_use(database) == 0
    assert (await treasury.reserve_payment(reservation("Z-3", "1.00", "C-2", person=ANNA))).granted


async def test_a_payment_never_gives_back_more_than_it_holds(database: Database, treasury: PgTreasury):
    await treasury.reserve_payment(reservation("Z-2", "30.00", person=BO))
    await treasury.release_payment(release(reservation("Z-2", "20.00", person=BO), "recovered 1"))
    await treasury.release_payment(release(reservation("Z-2", "20.00", person=BO), "recovered 2"))
    await treasury.release_payment(release(reservation("Z-9", "20.00"), "never taken"))
    assert await in_use(database) == 0


async def test_a_payment_taken_up_again_after_a_reset_is_measured_again(database: Database, treasury: PgTreasury):
    first = reservation("Z-2", "100.00", person=ANNA)
    await treasury.reserve_payment(first)
    await treasury.release_payment(release(first))
    await treasury.reserve_payment(reservation("Z-3", "1.00", "C-2", person=ANNA))
    assert (await treasury.reserve_payment(first)).code == "over_per_person"
    await treasury.release_payment(release(reservation("Z-3", "1.00", "C-2", person=ANNA)))
    assert (await treasury.reserve_payment(first)).granted
    await treasury.release_payment(release(first))
    assert await in_use(database) == 0


@pytest.mark.obligation("XM-18b")
async def test_two_claims_of_one_accident_give_employees_one_standard(treasury: PgTreasury):
    def given(amount: str) -> tuple[Standard, ...]:
        return (Standard(head=LossHead.EMPLOYEE_DEATH, amount=Decimal(amount)),)

    first = reservation("Z-2", "90.00", person=ANNA, standards=given("90.00"))
    assert (await treasury.reserve_payment(first)).granted
    other = reservation("Z-3", "80.00", "C-2", person=BO, standards=given("80.00"))
    assert (await treasury.reserve_payment(other)).code == "different_standard"
    same = reservation("Z-3", "80.00", "C-2", person=BO, standards=given("90.00"))
    assert (await treasury.reserve_payment(same)).granted
    elsewhere = other.model_copy(update={"payment_number": "Z-4", "accident_number": "S-2", "amount": Decimal("1.00")})
    assert (await treasury.reserve_payment(elsewhere)).code != "different_standard"


async def test_without_known_limits_nothing_is_reserved_and_a_limit_not_agreed_does_not_bind(treasury: PgTreasury):
    unknown = LIMITS.model_copy(update={"per_person": None})
    answer = await treasury.reserve_payment(reservation("Z-2", "1.00", limits=unknown))
    assert (answer.granted, answer.code) == (False, "limits_unknown")
    free = unknown.model_copy(update={"not_agreed": (LimitKind.PER_PERSON,)})
    assert (await treasury.reserve_payment(reservation("Z-2", "249.00", person=ANNA, limits=free))).granted
