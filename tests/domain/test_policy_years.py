"""The years of a policy: each begins where the one before ends, and a service counts in the year of its day."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import clock as clocks
from domain.policy.years import year_on, year_start
from models.contracts.clock import RunningDuty
from models.contracts.vocabulary import Event, FirstDay, ServiceItem
from tests.domain.lives import JILIN, XIAMEN, Life, at, visit
from tests.domain.test_policy_refusals import PROVIDER
from tests.makers import calendar, clock, duty, running

LAST_DAY, TURNED = date(2025, 3, 4), "2025-03-06T10:00"
YEAR = duty(1, "year", first_day=FirstDay.INCLUDED, on_holiday="keep")


def of_year(life: Life, key: str) -> RunningDuty:
    found = clocks.running(life.state.clock, key)
    assert found
    return found


def in_its_second_year(region: str = JILIN) -> Life:
    """Two years of cover from 5 March 2024, with an institution; nothing was entered in the first year."""
    life = Life.opened(region=region, expires_on=date(2026, 3, 4)).until("2024-06-01")
    life.act(PROVIDER)
    return life.until(TURNED)


@given(effective_on=st.dates(date(2020, 1, 1), date(2032, 12, 31)), year=st.integers(1, 9), later=st.integers(0, 3000))
def test_no_day_of_cover_lies_in_two_years_or_in_none(effective_on: date, year: int, later: int) -> None:
    began, next_began = year_start(effective_on, year), year_start(effective_on, year + 1)
    ended = clocks.project(YEAR, running(YEAR, began), clock(), calendar()).nominal
    assert ended is not None
    assert date.fromordinal(ended.toordinal() + 1) == next_began
    day = date.fromordinal(effective_on.toordinal() + later)
    held = year_on(effective_on, day)
    assert year_start(effective_on, held) <= day < year_start(effective_on, held + 1)


def test_after_a_leap_day_the_next_year_begins_on_the_first_of_march() -> None:
    signed = at("2024-02-20T10:00")
    life = Life.opened(region=JILIN, signed_at=signed, effective_on=date(2024, 2, 29), expires_on=date(2026, 2, 28))
    life.act(PROVIDER)
    life.until("2025-02-28T10:00").act(visit("V-1", date(2025, 2, 28)))
    life.until("2025-03-02")
    years = [line.at.date() for line in life.record.lines(Event.POLICY_YEAR_STARTED)]
    assert years == [date(2024, 2, 29), date(2025, 3, 1)]
    assert of_year(life, "yearly_service").met_at
    assert of_year(life, "yearly_service#2").is_open


@pytest.mark.obligation("JL-20")
def test_a_service_of_the_last_day_that_is_entered_later_is_none_of_the_new_year() -> None:
    life = in_its_second_year()
    assert of_year(life, "yearly_service").is_open
    life.act(visit("V-1", LAST_DAY))
    assert of_year(life, "yearly_service").met_at
    assert of_year(life, "yearly_service#2").is_open, "one service is not two years' service"
    life.act(visit("V-2", date(2025, 3, 5)))
    assert of_year(life, "yearly_service#2").met_at


@pytest.mark.obligation("JL-06a", "XM-25b")
@pytest.mark.parametrize("region", [JILIN, XIAMEN])
def test_services_are_counted_in_the_year_in_which_they_were_held(region: str) -> None:
    life = in_its_second_year(region)
    training = (ServiceItem.TRAINING,)
    life.act(visit("V-1", date(2025, 3, 5), items=training))
    life.act(visit("V-2", date(2024, 7, 1), items=training))
    assert (life.state.visits_last_year, life.state.visits_this_year) == (1, 1)
    assert of_year(life, "contract_services").is_open
    life.act(visit("V-3", LAST_DAY, items=training))
    assert of_year(life, "contract_services").met_at
    assert of_year(life, "contract_services#2").is_open, "two of the first year and one of the second"
    life.act(visit("V-4", date(2025, 3, 6), items=training))
    assert of_year(life, "contract_services#2").met_at
