"""Working days, office hours and day arithmetic in Shanghai time."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import (
    is_published,
    is_working,
    local_date,
    midnight,
    next_working,
    noon,
    nth_working,
    opens_at,
    working_between,
)
from tests.makers import calendar

CALENDAR = calendar()
ANY_DAY = st.dates(date(2023, 6, 1), date(2028, 6, 1))


def test_the_day_of_an_instant_is_the_day_in_shanghai():
    assert local_date(datetime(2024, 3, 1, 15, 59, tzinfo=UTC)) == date(2024, 3, 1)
    assert local_date(datetime(2024, 3, 1, 16, 0, tzinfo=UTC)) == date(2024, 3, 2)
    assert midnight(date(2024, 3, 2)) == datetime(2024, 3, 1, 16, 0, tzinfo=UTC)
    assert noon(date(2024, 3, 2)) - midnight(date(2024, 3, 2)) == timedelta(hours=12)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2024-02-09", True),
        ("2024-02-10", False),
        ("2024-02-16", False),
        ("2024-02-18", True),
        ("2024-02-24", False),
        ("2024-10-12", True),
        ("2027-01-01", False),
        ("2027-02-08", True),
        ("2027-05-03", True),
        ("2027-10-04", True),
        ("2027-01-02", False),
    ],
)
def test_make_up_weekends_are_worked_and_an_unpublished_year_knows_fixed_holidays_only(day: str, working: bool):
    assert is_working(CALENDAR, date.fromisoformat(day)) is working


def test_a_year_without_a_table_is_not_published():
    assert is_published(CALENDAR, date(2026, 12, 31))
    assert not is_published(CALENDAR, date(2027, 1, 1))
    assert not is_published(CALENDAR, date(2023, 12, 31))


def test_the_next_working_day_is_the_day_itself_or_the_first_after_the_rest_days():
    assert next_working(CALENDAR, date(2024, 2, 9)) == date(2024, 2, 9)
    assert next_working(CALENDAR, date(2024, 2, 10)) == date(2024, 2, 18)
    assert next_working(CALENDAR, date(2024, 10, 3)) == date(2024, 10, 8)


@pytest.mark.parametrize(
    ("instant", "opening"),
    [
        ("2024-03-01T10:00:00+08:00", "2024-03-01T10:00:00+08:00"),
        ("2024-03-01T08:59:59+08:00", "2024-03-01T09:00:00+08:00"),
        ("2024-03-01T00:00:00+08:00", "2024-03-01T09:00:00+08:00"),
        ("2024-03-01T17:00:00+08:00", "2024-03-04T09:00:00+08:00"),
        ("2024-03-02T10:00:00+08:00", "2024-03-04T09:00:00+08:00"),
        ("2024-02-09T18:00:00+08:00", "2024-02-18T09:00:00+08:00"),
        ("2024-03-01T01:30:00+00:00", "2024-03-01T09:30:00+08:00"),
    ],
)
def test_an_office_opens_at_nine_of_a_working_day_and_closes_at_five(instant: str, opening: str):
    assert opens_at(CALENDAR, datetime.fromisoformat(instant)) == datetime.fromisoformat(opening)


@given(after=ANY_DAY, length=st.integers(0, 900))
def test_working_days_reckoned_by_the_week_agree_with_those_counted_one_by_one(after: date, length: int):
    counted = sum(is_working(CALENDAR, after + timedelta(days=step)) for step in range(1, length + 1))
    assert working_between(CALENDAR, after, after + timedelta(days=length)) == counted


@given(after=ANY_DAY, count=st.integers(1, 300))
def test_the_nth_working_day_is_worked_and_has_n_working_days_up_to_it(after: date, count: int):
    day = nth_working(CALENDAR, after, count)
    assert is_working(CALENDAR, day)
    assert working_between(CALENDAR, after, day) == count
    assert nth_working(CALENDAR, after, 0) == after
