"""The last day on which people's data is kept: by law, by our own term, and what puts it off without end."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.retention import Facts, retention
from models.contracts.vocabulary import RetentionWait

DAY = timedelta(days=1)
YEAR = Facts(effective_on=date(2024, 3, 2), expires_on=date(2025, 3, 1))


@pytest.mark.parametrize(
    ("facts", "by_law", "kept"),
    [
        pytest.param(YEAR, date(2030, 3, 1), date(2035, 3, 1), id="a term of one year: five by law, ours is longer"),
        pytest.param(
            replace(YEAR, expires_on=date(2025, 3, 2)), date(2035, 3, 2), date(2035, 3, 2), id="a year and a day: ten"
        ),
        pytest.param(
            replace(YEAR, expires_on=date(2025, 3, 3)), date(2035, 3, 3), date(2035, 3, 3), id="two days longer: ten"
        ),
        pytest.param(
            replace(YEAR, surrendered_on=date(2024, 6, 30)), date(2029, 6, 30), date(2034, 6, 30), id="surrendered"
        ),
        pytest.param(
            replace(YEAR, expires_on=date(2027, 3, 1), surrendered_on=date(2024, 6, 30)), date(2034, 6, 30),
            date(2034, 6, 30), id="surrendered early, but agreed for three years",
        ),
        pytest.param(
            replace(YEAR, last_claim_on=date(2028, 2, 29)), date(2033, 2, 28), date(2038, 2, 28),
            id="a claim that ended later, on a leap day",
        ),
        pytest.param(
            replace(YEAR, last_claim_on=date(2024, 9, 1)), date(2030, 3, 1), date(2035, 3, 1), id="a claim ended before"
        ),
    ],
)  # fmt: skip
def test_data_is_kept_through_its_last_day_and_may_go_the_day_after(facts: Facts, by_law: date, kept: date) -> None:
    found = retention(facts, years=10)
    assert (found.by_law_until, found.kept_until) == (by_law, kept)
    assert [found.may_be_erased(day) for day in (by_law, by_law + DAY)] == [False, True]
    assert [found.is_due(day) for day in (kept, kept + DAY)] == [False, True]


def test_our_own_term_never_falls_below_the_laws() -> None:
    assert retention(YEAR, years=5).kept_until == date(2030, 3, 1)
    assert retention(replace(YEAR, expires_on=date(2027, 3, 1)), years=5).kept_until == date(2037, 3, 1)


@pytest.mark.parametrize(
    ("facts", "wait"),
    [
        (replace(YEAR, policy_open=True), RetentionWait.POLICY_OPEN),
        (replace(YEAR, claim_open=True), RetentionWait.CLAIM_OPEN),
        (replace(YEAR, payment_open=True), RetentionWait.PAYMENT_OPEN),
        (replace(YEAR, held=True), RetentionWait.HELD),
    ],
)
def test_whatever_is_still_open_keeps_the_data_however_late_it_is(facts: Facts, wait: RetentionWait) -> None:
    found, late = retention(facts, years=10), date(2099, 1, 1)
    assert found.waits == (wait,)
    assert not found.is_due(late)
    assert not found.may_be_erased(late)
