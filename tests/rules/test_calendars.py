"""The published calendars agree, day by day, with an independent source; counting days is tested in tests/domain."""

from datetime import date, timedelta

import chinese_calendar
import pytest

from domain.calendar import is_published, is_working
from rules.library import Library

YEARS = (2024, 2025, 2026)
CALENDAR = Library().calendar()


def days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days)]


@pytest.mark.parametrize("year", YEARS)
def test_every_day_of_a_published_year_is_a_working_day_exactly_where_the_other_source_says_so(year: int) -> None:
    wrong = [day for day in days_of(year) if is_working(CALENDAR, day) != chinese_calendar.is_workday(day)]
    assert wrong == []


@pytest.mark.parametrize("year", YEARS)
def test_days_off_are_exactly_the_days_of_the_holidays_and_worked_days_are_weekends(year: int) -> None:
    published = next(one for one in CALENDAR.years if one.year == year)
    assert published.off == {day for day in days_of(year) if chinese_calendar.get_holiday_detail(day)[1] is not None
                             and not chinese_calendar.is_workday(day)}  # fmt: skip
    assert all(day.weekday() >= 5 and day.year == year for day in published.work)
    assert not published.off & published.work


def test_each_year_names_the_notice_of_the_state_council() -> None:
    notices = {one.year: one.notice for one in CALENDAR.years}
    assert sorted(notices) == list(YEARS)
    for year, number in (
        (2024, "国办发明电〔2023〕7号"),
        (2025, "国办发明电〔2024〕12号"),
        (2026, "国办发明电〔2025〕7号"),
    ):
        assert number in notices[year]
        assert f"{year}年" in notices[year]


def test_a_year_without_notice_is_not_published() -> None:
    assert is_published(CALENDAR, date(2026, 12, 31))
    assert not is_published(CALENDAR, date(2027, 1, 1))
    assert not is_published(CALENDAR, date(2023, 12, 31))
    assert CALENDAR.through == 2026
