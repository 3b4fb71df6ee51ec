"""When a term ends and how that is explained, day by day (domain.md section 8)."""

from datetime import date, datetime, timedelta

import pytest

from domain.calendar import midnight
from domain.clock import explain, project
from models.contracts.clock import Projection
from models.contracts.vocabulary import DayMark
from tests.makers import calendar, calendar_2024, clock, duty, running, suspension

CALENDAR = calendar()


def projected(of, anchor, ledger=(), ends_on=None, **more) -> Projection:
    held = running(of, anchor if isinstance(anchor, datetime) else date.fromisoformat(anchor), **more)
    return project(of, held, clock(suspensions=ledger, ends_on=ends_on), CALENDAR)


def explained(of, anchor, ledger=(), ends_on=None, **more):
    held = running(of, date.fromisoformat(anchor), **more)
    return explain(of, held, clock(suspensions=ledger, ends_on=ends_on), CALENDAR)


def day(text: str) -> date:
    return date.fromisoformat(text)


VECTORS = [
    pytest.param(7, "natural_day", "2024-01-02", "2024-01-09", "2024-01-09", id="plain"),
    pytest.param(7, "natural_day", "2024-03-01", "2024-03-08", "2024-03-08", id="the example of house.md"),
    pytest.param(
        45, "natural_day", "2024-01-02", "2024-02-16", "2024-02-18", id="make-up Sunday after Spring Festival"
    ),
    pytest.param(7, "natural_day", "2024-09-26", "2024-10-03", "2024-10-08", id="National Day"),
    pytest.param(2, "natural_day", "2024-02-29", "2024-03-02", "2024-03-04", id="plain weekend"),
    pytest.param(10, "working_day", "2024-09-26", "2024-10-15", "2024-10-15", id="working days"),
    pytest.param(1, "working_day", "2024-02-09", "2024-02-18", "2024-02-18", id="one working day over the festival"),
    pytest.param(0, "natural_day", "2024-03-01", "2024-03-01", "2024-03-01", id="a term of no length"),
    pytest.param(1, "year", "2024-03-01", "2025-03-01", "2025-03-03", id="a year, ending on a Saturday"),
    pytest.param(1, "year", "2024-02-29", "2025-02-28", "2025-02-28", id="a year from 29 February ends with the month"),
]


@pytest.mark.obligation("SZ-20", "SZ-21a", "SZ-21b", "SZ-21c")
@pytest.mark.parametrize(("amount", "unit", "anchor", "nominal", "effective"), VECTORS)
def test_a_term_ends_on_its_last_day_rolled_over_rest_days(amount, unit, anchor, nominal, effective):
    due = projected(duty(amount, unit), anchor)
    assert (due.nominal, due.effective, due.provisional) == (day(nominal), day(effective), False)
    assert due.due_at == midnight(day(effective) + timedelta(days=1))


def test_the_first_day_counts_where_the_rule_says_so():
    assert projected(duty(7, first_day="included"), "2024-01-02").nominal == day("2024-01-08")
    assert projected(duty(1, "working_day", first_day="included"), "2024-01-02").nominal == day("2024-01-02")
    assert projected(duty(1, "year", first_day="included"), "2024-03-01").nominal == day("2025-02-28")


def test_an_included_year_from_29_february_ends_with_february():
    assert projected(duty(1, "year", first_day="included"), "2024-02-29").nominal == day("2025-02-28")


def test_a_term_that_is_kept_does_not_roll():
    due = projected(duty(7, on_holiday="keep"), "2024-09-26")
    assert due.effective == due.nominal == day("2024-10-03")


def test_signing_one_minute_before_midnight_still_starts_from_that_day():
    due = projected(duty(7), datetime.fromisoformat("2024-01-02T15:59:00+00:00"))
    assert due.effective == day("2024-01-09")


def test_hours_run_continuously_and_are_never_rolled():
    due = projected(duty(48, "hour"), datetime.fromisoformat("2024-02-09T10:30:00+08:00"))
    assert due.due_at == datetime.fromisoformat("2024-02-11T10:30:00+08:00")
    assert due.nominal == due.effective == day("2024-02-11")
    assert not due.provisional


@pytest.mark.parametrize(
    ("of", "anchor", "provisional"),
    [
        pytest.param(duty(60), "2026-11-16", True, id="the last day lies in an unpublished year"),
        pytest.param(duty(60, on_holiday="keep"), "2026-11-16", False, id="nothing rolls"),
        pytest.param(duty(60), "2025-11-16", False, id="published"),
        pytest.param(duty(1, "working_day"), "2026-12-31", True, id="a working day of an unpublished year"),
        pytest.param(duty(1, "working_day"), "2026-12-30", False, id="the last working day of the published years"),
        pytest.param(duty(48, "hour"), "2026-12-31", False, id="hours"),
        pytest.param(duty(7), "2023-12-20", True, id="before the first published year"),
        pytest.param(duty(7), "2023-12-29", False, id="anchored before it, ending inside"),
    ],
)
def test_a_date_is_provisional_exactly_where_it_depends_on_an_unpublished_year(of, anchor, provisional):
    assert projected(of, anchor).provisional is provisional


def test_rolling_into_an_unpublished_year_is_provisional():
    assert (
        project(duty(1), running(duty(1), date(2024, 12, 27)), clock(), calendar(calendar_2024())).provisional is False
    )
    due = project(duty(2), running(duty(2), date(2022, 12, 29)), clock(), calendar())
    assert due.provisional
    rolled = project(duty(4), running(duty(4), date(2026, 12, 29)), clock(), calendar())
    assert (rolled.nominal, rolled.effective, rolled.provisional) == (date(2027, 1, 2), date(2027, 1, 4), True)


class TestSuspension:
    def test_suspended_days_do_not_count(self):
        ledger = (suspension(day("2024-01-05"), day("2024-01-10")),)
        assert projected(duty(7), "2024-01-02", ledger).nominal == day("2024-01-15")

    def test_overlapping_entries_are_counted_once(self):
        ledger = (
            suspension(day("2024-01-05"), day("2024-01-10")),
            suspension(day("2024-01-08"), day("2024-01-12")),
            suspension(day("2024-01-06"), day("2024-01-07")),
        )
        assert projected(duty(7), "2024-01-02", ledger).nominal == day("2024-01-17")

    def test_one_on_the_last_day_moves_it_and_one_after_it_does_not(self):
        of = duty(7, on_holiday="keep")
        assert projected(of, "2024-01-02", (suspension(day("2024-01-09"), day("2024-01-09")),)).nominal == day(
            "2024-01-10"
        )
        assert projected(of, "2024-01-02", (suspension(day("2024-01-10"), day("2024-01-20")),)).nominal == day(
            "2024-01-09"
        )

    def test_without_end_there_is_no_due_date(self):
        assert projected(duty(7), "2024-01-02", (suspension(day("2024-01-09")),)) == Projection()
        assert projected(duty(48, "hour"), "2024-01-02", (suspension(day("2024-01-03")),)) == Projection()
        assert projected(duty(9, "working_day"), "2024-01-02", (suspension(day("2024-01-03")),)) == Projection()

    def test_without_end_but_after_the_last_day_changes_nothing(self):
        assert projected(duty(7), "2024-01-02", (suspension(day("2024-01-10")),)).effective == day("2024-01-09")

    def test_of_another_duty_changes_nothing(self):
        ledger = (suspension(day("2024-01-05"), None, "recheck"),)
        assert projected(duty(7), "2024-01-02", ledger).effective == day("2024-01-09")

    def test_working_days_skip_rest_days_and_suspended_days_alike(self):
        ledger = (suspension(day("2024-09-30"), day("2024-10-09")),)
        assert projected(duty(3, "working_day"), "2024-09-27", ledger).nominal == day("2024-10-11")

    def test_a_rolled_last_day_cannot_be_a_suspended_one(self):
        ledger = (suspension(day("2024-10-08"), day("2024-10-09")),)
        due = projected(duty(7), "2024-09-26", ledger)
        assert (due.nominal, due.effective) == (day("2024-10-03"), day("2024-10-10"))

    def test_hours_stand_still_on_suspended_days(self):
        ledger = (suspension(day("2024-01-03"), day("2024-01-04")),)
        due = projected(duty(24, "hour"), datetime.fromisoformat("2024-01-02T18:00:00+08:00"), ledger)
        assert due.due_at == datetime.fromisoformat("2024-01-05T18:00:00+08:00")

    def test_a_term_of_no_length_is_not_suspended(self):
        ledger = (suspension(day("2024-01-01")),)
        assert projected(duty(0, on_holiday="keep"), "2024-01-06", ledger).effective == day("2024-01-06")
        assert projected(duty(0, "hour"), "2024-01-06", ledger).due_at is not None


def test_extensions_add_natural_days_before_rolling():
    due = projected(duty(7), "2024-01-02", extensions=(3, 1))
    assert (due.nominal, due.effective) == (day("2024-01-13"), day("2024-01-15"))
    assert projected(duty(24, "hour"), "2024-01-02", extensions=(1,)).effective == day("2024-01-04")


def test_a_given_date_replaces_the_term_and_is_rolled_suspended_and_extended_like_it():
    of = duty(15, given_by="due")
    given = {"given_due": day("2024-03-24")}
    assert projected(of, "2024-03-10", **given).effective == day("2024-03-25")
    assert projected(of, "2024-03-10", **given, extensions=(3,)).nominal == day("2024-03-27")
    ledger = (suspension(day("2024-03-11"), day("2024-03-12")),)
    assert projected(of, "2024-03-10", ledger, **given).nominal == day("2024-03-26")
    assert projected(of, "2024-03-10", given_due=day("2024-03-08")).effective == day("2024-03-08")


def test_until_expiry_a_term_never_runs_nor_rolls_beyond_the_last_day_of_the_policy():
    of = duty(1, "year", first_day="included", until_expiry=True)
    assert projected(of, "2024-03-02", ends_on=day("2024-12-31")).effective == day("2024-12-31")
    saturday = projected(of, "2024-03-02", ends_on=day("2025-03-01"))
    assert (saturday.nominal, saturday.effective) == (day("2025-03-01"), day("2025-03-01"))
    assert projected(of, "2024-03-02", ends_on=day("2025-06-30")).effective == day("2025-03-03")
    assert projected(duty(45), "2024-03-02", ends_on=day("2024-03-10")).nominal == day("2024-04-16")


class TestExplanation:
    def test_names_every_day_and_the_holiday_table_that_moved_the_last(self):
        days = {one.on.isoformat(): one for one in explained(duty(7), "2024-09-26").days}
        assert [days[on].mark for on in ("2024-09-26", "2024-09-27", "2024-09-28", "2024-10-03", "2024-10-07")] == [
            DayMark.START, DayMark.COUNTED, DayMark.REST_COUNTED, DayMark.ROLLED, DayMark.ROLLED,
        ]  # fmt: skip
        assert days["2024-10-08"].mark is DayMark.DUE
        assert days["2024-10-03"].number == 7
        assert days["2024-10-08"].number is None
        assert days["2024-10-03"].note == "2024 年放假通知"
        assert days["2024-09-28"].note == "周末"
        assert days["2024-09-29"].note == "调休上班：2024 年放假通知"

    def test_skips_rest_days_of_a_working_day_term(self):
        days = explained(duty(10, "working_day"), "2024-09-26").days
        assert [one.mark for one in days].count(DayMark.REST_SKIPPED) == 9
        assert (days[-1].mark, days[-1].number) == (DayMark.DUE, 10)

    def test_shows_suspended_and_extended_days(self):
        ledger = (suspension(day("2024-01-04"), day("2024-01-05"), note="停产整顿"),)
        days = explained(duty(3), "2024-01-02", ledger, extensions=(2,)).days
        assert [(one.mark, one.number) for one in days] == [
            (DayMark.START, None),
            (DayMark.COUNTED, 1),
            (DayMark.SUSPENDED, None),
            (DayMark.SUSPENDED, None),
            (DayMark.REST_COUNTED, 2),
            (DayMark.REST_COUNTED, 3),
            (DayMark.EXTENDED, 4),
            (DayMark.DUE, 5),
        ]
        assert days[2].note == "停产整顿"

    def test_stops_at_the_suspension_without_end(self):
        told = explained(duty(7), "2024-01-02", (suspension(day("2024-01-04")),))
        assert told.effective is None
        assert [one.mark for one in told.days] == [DayMark.START, DayMark.COUNTED, DayMark.SUSPENDED]

    def test_says_that_a_year_is_not_published(self):
        told = explained(duty(4), "2026-12-29")
        assert told.provisional
        assert "尚未公布" in told.days[-2].note

    def test_says_where_the_date_was_given_or_cut_by_expiry(self):
        assert explained(duty(15), "2024-03-11", given_due=day("2024-03-25")).days[-1].note == "期限随事件指定"
        capped = explained(duty(45, until_expiry=True), "2024-03-11", ends_on=day("2024-03-29"))
        assert capped.days[-1].note == "不超过保险期间届满日"

    def test_of_a_term_of_no_length_is_one_day(self):
        assert [one.mark for one in explained(duty(0), "2024-03-01").days] == [DayMark.DUE]
