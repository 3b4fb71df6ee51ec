"""Last days counted by hand on the published calendars: festivals, make-up weekends, leap years, the edges of a day."""

from datetime import date, datetime

import pytest

from domain.calendar import local_date, midnight
from domain.clock import project
from domain.policy.refusals import rules_for
from models.contracts.duty import Duty
from models.contracts.vocabulary import FirstDay
from rules.library import Library
from tests.domain.lives import library, terms
from tests.makers import clock, duty, running

CALENDAR = Library().calendar()
NATURAL, WORKING, YEAR = "natural_day", "working_day", "year"


def last_days(of: Duty, anchor: date | datetime) -> tuple[str, str, bool]:
    """Nominal and effective last day, and whether the date may still move."""
    due = project(of, running(of, anchor), clock(), CALENDAR)
    return str(due.nominal), str(due.effective), due.provisional


@pytest.mark.obligation("SZ-20", "SZ-21c", "SZ-A2", "SZ-A8", "SZ-18", "XM-18a", "ZJ-29")
@pytest.mark.parametrize(
    ("amount", "unit", "anchor", "nominal", "effective"),
    [
        pytest.param(7, NATURAL, "2025-01-19", "2025-01-26", "2025-01-26", id="a make-up Sunday before the festival"),
        pytest.param(7, NATURAL, "2025-01-21", "2025-01-28", "2025-02-05", id="over the eight days of 2025"),
        pytest.param(7, NATURAL, "2026-02-07", "2026-02-14", "2026-02-14", id="a make-up Saturday before nine days"),
        pytest.param(7, NATURAL, "2026-02-08", "2026-02-15", "2026-02-24", id="over the nine days of 2026"),
        pytest.param(10, NATURAL, "2026-02-13", "2026-02-23", "2026-02-24", id="the last of the nine days"),
        pytest.param(3, NATURAL, "2026-09-22", "2026-09-25", "2026-09-28", id="three days into Mid-Autumn"),
        pytest.param(60, NATURAL, "2024-12-02", "2025-01-31", "2025-02-05", id="sixty days into the festival"),
        pytest.param(45, NATURAL, "2024-11-17", "2025-01-01", "2025-01-02", id="forty-five days to New Year"),
        pytest.param(30, NATURAL, "2024-01-31", "2024-03-01", "2024-03-01", id="over a leap February"),
        pytest.param(30, NATURAL, "2025-01-31", "2025-03-02", "2025-03-03", id="over a plain February, to a Sunday"),
        pytest.param(10, NATURAL, "2024-04-20", "2024-04-30", "2024-04-30", id="the last day of a month"),
        pytest.param(10, WORKING, "2025-09-26", "2025-10-16", "2025-10-16", id="ten worked days over eight off"),
        pytest.param(10, WORKING, "2026-02-12", "2026-03-04", "2026-03-04", id="ten worked days over nine off"),
        pytest.param(30, WORKING, "2026-01-20", "2026-03-09", "2026-03-09", id="thirty worked days over nine off"),
    ],
)
def test_a_last_day_is_the_one_a_lawyer_finds_in_the_calendar(
    amount: int, unit: str, anchor: str, nominal: str, effective: str
) -> None:
    assert last_days(duty(amount, unit), date.fromisoformat(anchor)) == (nominal, effective, False)


@pytest.mark.parametrize(
    ("of", "anchor", "last"),
    [
        pytest.param(duty(7), "2028-02-22", "2028-02-29", id="seven days to 29 February 2028"),
        pytest.param(duty(7), "2028-02-29", "2028-03-07", id="seven days from it"),
        pytest.param(duty(45), "2028-01-15", "2028-02-29", id="forty-five days to it"),
        pytest.param(duty(2, YEAR), "2028-02-29", "2030-02-28", id="two years from it end with the month"),
        pytest.param(duty(1, YEAR, first_day=FirstDay.INCLUDED), "2027-03-01", "2028-02-29", id="a year that has it"),
        pytest.param(duty(1, YEAR, first_day=FirstDay.INCLUDED), "2028-02-29", "2029-02-28", id="a year from it on"),
    ],
)
def test_the_leap_day_of_a_year_without_a_calendar_counts_and_the_date_is_provisional(
    of: Duty, anchor: str, last: str
) -> None:
    nominal, _, provisional = last_days(of, date.fromisoformat(anchor))
    assert (nominal, provisional) == (last, True)


@pytest.mark.obligation("SZ-20", "SZ-40")
@pytest.mark.parametrize(
    ("signed_at", "day", "due"),
    [
        ("2024-02-29T23:59:59+08:00", "2024-02-29", "2024-03-07"),
        ("2024-03-01T00:00:00+08:00", "2024-03-01", "2024-03-08"),
        ("2024-02-29T15:59:59Z", "2024-02-29", "2024-03-07"),
        ("2024-02-29T16:00:00Z", "2024-03-01", "2024-03-08"),
        ("2024-01-01T00:00:00+08:00", "2024-01-01", "2024-01-08"),
        ("2023-12-31T23:59:59+08:00", "2023-12-31", None),
    ],
)
def test_a_second_before_midnight_in_shanghai_is_another_day_and_on_new_year_another_law(
    signed_at: str, day: str, due: str | None
) -> None:
    signed = datetime.fromisoformat(signed_at)
    asked = rules_for(terms(signed_at=signed))
    assert (str(asked.on), local_date(signed)) == (day, asked.on)
    found = [one.duty for one in library().resolve(asked).rulebook.duties if one.duty.id == "policy_upload"]
    assert [last_days(one, signed)[1] for one in found] == ([due] if due else [])


def test_a_term_runs_out_at_twenty_four_hours_of_its_last_day() -> None:
    of = duty(7)
    due = project(of, running(of, date(2024, 3, 1)), clock(), CALENDAR)
    assert due.due_at == midnight(date(2024, 3, 9)) == datetime.fromisoformat("2024-03-08T16:00:00+00:00")
