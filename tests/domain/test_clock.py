"""Duties over time: what opens, meets, stops and hushes them, and which rungs fire when."""

from datetime import date, datetime, timedelta

import pytest

from domain import clock as clocks
from domain.calendar import midnight, noon
from models.contracts.vocabulary import Event, Role, StopReason
from tests.makers import DEPARTMENT, calendar, clock, duty, rulebook, rung, running, suspension

CALENDAR = calendar()
SIGNED = noon(date(2024, 3, 1))
UPLOAD = duty(
    7,
    ladder=(
        rung("-2d"),
        rung("due", Role.INSURER, Role.EMERGENCY),
        rung("+7d", Role.FINANCIAL),
    ),
)
BOOK = rulebook(UPLOAD)


def opened(book=BOOK, at=SIGNED, event=Event.POLICY_SIGNED):
    return clocks.record(book, clock(), event, at)


def rung_until(book, held, until: date):
    """Every (day, moment) that fires, alarm by alarm, before the end of a day."""
    fired, end = [], midnight(until + timedelta(days=1))
    while (alarm := clocks.next_alarm(book, held, CALENDAR)) and alarm < end:
        rang = clocks.ring(book, held, CALENDAR, alarm)
        fired += [(one.at.date().isoformat(), one.moment) for one in rang.firings]
        held = rang.clock
    return fired


def moments(*ladder, amount=30, unit="natural_day"):
    return [moment for moment, _, _ in clocks.expanded(duty(amount, unit, ladder=ladder))]


class TestLadder:
    def test_repeats_are_unfolded_and_marked(self):
        of = duty(7, ladder=(rung("+3d", repeat={"every": "7d", "times": 2}),))
        assert [(m, repeat) for m, _, repeat in clocks.expanded(of)] == [("+3d", False), ("+10d", True), ("+17d", True)]

    def test_rungs_stand_in_the_order_in_which_they_fire(self):
        assert moments(rung("+7d"), rung("due"), rung("-2d"), rung("open"), rung("-15d"), rung("+12h")) == [
            "open", "-15d", "-2d", "due", "+12h", "+7d",
        ]  # fmt: skip

    def test_repeats_of_other_moments_say_when_they_are(self):
        assert moments(rung("due", repeat={"every": "1d", "times": 2})) == ["due", "+1d", "+2d"]
        assert moments(rung("-10d", repeat={"every": "5d", "times": 2})) == ["-10d", "-5d", "-24h"]
        assert moments(rung("-2d", repeat={"every": "1d", "times": 2}), unit="hour") == ["-2d", "-1d", "due"]
        assert moments(rung("open", repeat={"every": "7d", "times": 2})) == ["open", "open+7d", "open+14d"]

    def test_reminders_of_a_term_of_no_length_come_before_its_anchor(self):
        assert moments(rung("open"), rung("due"), rung("-30d"), amount=0) == ["-30d", "open", "due"]


@pytest.mark.obligation("SZ-20")
def test_the_eighth_day_without_upload_is_told_to_the_emergency_department():
    assert rung_until(BOOK, opened(), date(2024, 3, 31)) == [
        ("2024-03-06", "-2d"),
        ("2024-03-09", "due"),
        ("2024-03-16", "+7d"),
    ]


def test_hour_rungs_count_from_the_due_instant():
    book = rulebook(duty(48, "hour", ladder=(rung("open"), rung("-1d"), rung("-2h"), rung("due"), rung("+1d"))))
    held = opened(book)
    rang = clocks.ring(book, held, CALENDAR, SIGNED + timedelta(days=9))
    assert [one.at - SIGNED for one in rang.firings] == [timedelta(hours=h) for h in (0, 24, 46, 48, 72)]


def test_a_reminder_that_would_come_before_its_anchor_is_passed_over():
    book = rulebook(duty(2, ladder=(rung("-2d"), rung("-1d"), rung("due"))))
    held = opened(book, noon(date(2024, 3, 4)))
    assert clocks.next_alarm(book, held, CALENDAR) == midnight(date(2024, 3, 5))
    assert [moment for _, moment in rung_until(book, held, date(2024, 3, 31))] == ["-1d", "due"]


def test_reminders_of_the_expiry_of_a_policy_fire_before_that_day():
    renewal = duty(0, id="renewal", anchor=Event.POLICY_EXPIRES, met_by=Event.POLICY_RENEWED, on_holiday="keep",
                   ladder=(rung("-30d"), rung("-7d"), rung("due")))  # fmt: skip
    book = rulebook(renewal)
    held = opened(book, noon(date(2025, 2, 28)), Event.POLICY_EXPIRES)
    held, passed = clocks.pass_over(book, held, CALENDAR, noon(date(2025, 2, 10)))
    assert [one.moment for one in passed] == ["-30d"]
    assert rung_until(book, held, date(2025, 3, 31)) == [("2025-02-21", "-7d"), ("2025-03-01", "due")]


class TestRecord:
    def test_what_meets_a_duty_ends_its_ladder(self):
        met = clocks.record(BOOK, opened(), Event.POLICY_UPLOADED, SIGNED + timedelta(days=1))
        assert met.duties[0].met_at == SIGNED + timedelta(days=1)
        assert clocks.next_alarm(BOOK, met, CALENDAR) is None

    def test_a_duty_that_arises_once_does_not_arise_again(self):
        again = clocks.record(BOOK, opened(), Event.POLICY_SIGNED, SIGNED + timedelta(days=3))
        assert [one.key for one in again.duties] == ["policy_upload"]

    def test_a_duty_of_each_time_is_numbered(self):
        recheck = duty(7, id="recheck", anchor=Event.RECTIFICATION_CLAIMED, occurs="each_time",
                       met_by=[Event.RECHECK_PASSED, Event.RECHECK_FAILED])  # fmt: skip
        book = rulebook(recheck)
        held = opened(book, event=Event.RECTIFICATION_CLAIMED)
        held = clocks.record(book, held, Event.RECHECK_FAILED, SIGNED)
        held = clocks.record(book, held, Event.RECTIFICATION_CLAIMED, SIGNED + timedelta(days=5))
        assert [(one.key, one.is_open) for one in held.duties] == [("recheck", False), ("recheck#2", True)]

    def test_an_event_first_meets_and_then_opens(self):
        again = duty(7, anchor=Event.RECHECK_FAILED, met_by=Event.RECHECK_FAILED, occurs="each_time")
        book = rulebook(again)
        held = opened(book, event=Event.RECHECK_FAILED)
        held = clocks.record(book, held, Event.RECHECK_FAILED, SIGNED + timedelta(days=5))
        assert [one.is_open for one in held.duties] == [False, True]

    def test_a_due_date_is_taken_only_by_duties_that_let_the_event_set_it(self):
        free, fixed = duty(15, id="rectification", given_by="due"), duty(7, id="hazard_notice")
        book = rulebook(free, fixed)
        held = clocks.record(book, clock(), Event.POLICY_SIGNED, SIGNED, date(2024, 4, 1))
        assert [one.given_due for one in held.duties] == [date(2024, 4, 1), None]


class TestOverdue:
    RECTIFY = duty(15, id="rectification", anchor=Event.HAZARD_FOUND, met_by=Event.RECTIFICATION_CLAIMED,
                   overdue_event=Event.RECTIFICATION_OVERDUE, ladder=(rung("due"),))  # fmt: skip
    REPORT = duty(0, id="major_hazard_report", anchor=[Event.RECTIFICATION_REFUSED, Event.RECTIFICATION_OVERDUE],
                  met_by=Event.HAZARD_REPORTED, ladder=(rung("open", Role.INDUSTRY),))  # fmt: skip
    BOOK = rulebook(RECTIFY, REPORT)

    @pytest.mark.obligation("SZ-26a")
    def test_a_term_that_runs_out_is_an_event_once(self):
        held = opened(self.BOOK, event=Event.HAZARD_FOUND)
        due_at = midnight(date(2024, 3, 19))
        assert clocks.ring(self.BOOK, held, CALENDAR, due_at - timedelta(seconds=1)).overdue == ()
        rang = clocks.ring(self.BOOK, held, CALENDAR, noon(date(2024, 3, 25)))
        assert rang.overdue == ((Event.RECTIFICATION_OVERDUE, due_at),)
        assert clocks.ring(self.BOOK, rang.clock, CALENDAR, noon(date(2024, 3, 26))).overdue == ()

    def test_late_entry_leaves_it_to_be_reported(self):
        held = opened(self.BOOK, event=Event.HAZARD_FOUND)
        now = noon(date(2024, 5, 1))
        held, passed = clocks.pass_over(self.BOOK, held, CALENDAR, now)
        assert [one.moment for one in passed] == ["due"]
        rang = clocks.ring(self.BOOK, held, CALENDAR, now)
        assert (len(rang.firings), len(rang.overdue)) == (0, 1)

    def test_it_happens_although_a_department_has_taken_over(self):
        held = opened(self.BOOK, event=Event.HAZARD_FOUND)
        held = clocks.hush(held, "rectification", DEPARTMENT, SIGNED, taken_over=True)
        rang = clocks.ring(self.BOOK, held, CALENDAR, noon(date(2024, 5, 1)))
        assert (len(rang.firings), len(rang.overdue)) == (0, 1)


class TestLateEntry:
    def test_rungs_of_the_past_are_given_back_unsent_and_later_ones_still_fire(self):
        held, passed = clocks.pass_over(BOOK, opened(), CALENDAR, noon(date(2024, 3, 12)))
        assert [(one.moment, one.at) for one in passed] == [
            ("-2d", midnight(date(2024, 3, 6))),
            ("due", midnight(date(2024, 3, 9))),
        ]
        assert rung_until(BOOK, held, date(2024, 3, 31)) == [("2024-03-16", "+7d")]

    def test_a_rung_of_this_very_instant_is_not_past(self):
        held, passed = clocks.pass_over(BOOK, opened(), CALENDAR, midnight(date(2024, 3, 6)))
        assert passed == ()
        assert rung_until(BOOK, held, date(2024, 3, 6)) == [("2024-03-06", "-2d")]

    def test_duties_met_before_entry_pass_silently(self):
        met = clocks.record(BOOK, opened(), Event.POLICY_UPLOADED, SIGNED + timedelta(days=30))
        assert clocks.pass_over(BOOK, met, CALENDAR, noon(date(2024, 6, 1)))[1] == ()


class TestHearing:
    LADDER = (rung("due", repeat={"every": "7d", "times": 2}), rung("+10d"))
    BOOK = rulebook(duty(7, ladder=LADDER))

    def test_acknowledging_ends_the_repeats_only(self):
        held = clocks.hush(opened(self.BOOK), "policy_upload", DEPARTMENT, SIGNED, taken_over=False)
        assert [moment for _, moment in rung_until(self.BOOK, held, date(2024, 4, 30))] == ["due", "+10d"]

    def test_taking_over_ends_the_ladder_and_leaves_the_duty_open(self):
        held = clocks.hush(opened(self.BOOK), "policy_upload", DEPARTMENT, SIGNED, taken_over=True)
        assert rung_until(self.BOOK, held, date(2024, 4, 30)) == []
        assert held.duties[0].is_open

    def test_an_acknowledgement_after_taking_over_does_not_start_it_again(self):
        held = clocks.hush(opened(self.BOOK), "policy_upload", DEPARTMENT, SIGNED, taken_over=True)
        held = clocks.hush(held, "policy_upload", DEPARTMENT, SIGNED, taken_over=False)
        assert rung_until(self.BOOK, held, date(2024, 4, 30)) == []

    def test_unheard_the_whole_ladder_fires(self):
        fired = [moment for _, moment in rung_until(self.BOOK, opened(self.BOOK), date(2024, 4, 30))]
        assert fired == ["due", "+7d", "+10d", "+14d"]


class TestSuspending:
    def test_nothing_rings_while_suspended_without_end_but_the_opening_rung(self):
        book = rulebook(duty(7, ladder=(rung("open"), rung("-2d"), rung("due"))))
        held = clocks.suspend(opened(book), suspension(date(2024, 3, 3)))
        assert rung_until(book, held, date(2026, 1, 1)) == [("2024-03-01", "open")]

    def test_resuming_gives_the_remaining_days_back(self):
        held = clocks.suspend(opened(), suspension(date(2024, 3, 3)))
        held = clocks.resume(held, date(2024, 3, 12))
        assert rung_until(BOOK, held, date(2024, 4, 30)) == [
            ("2024-03-16", "-2d"),
            ("2024-03-19", "due"),
            ("2024-03-26", "+7d"),
        ]

    def test_resuming_early_cuts_what_is_in_force_and_leaves_what_comes_later(self):
        held = clock(suspensions=(suspension(date(2024, 3, 3), date(2024, 3, 20)),
                                  suspension(date(2024, 5, 1), date(2024, 5, 5))))  # fmt: skip
        resumed = clocks.resume(held, date(2024, 3, 10))
        assert [one.until_on for one in resumed.suspensions] == [date(2024, 3, 10), date(2024, 5, 5)]

    def test_a_rung_that_has_fired_does_not_fire_again_when_the_term_becomes_longer(self):
        held = clocks.ring(BOOK, opened(), CALENDAR, midnight(date(2024, 3, 6))).clock
        held = clocks.suspend(held, suspension(date(2024, 3, 7), date(2024, 3, 13)))
        assert rung_until(BOOK, held, date(2024, 3, 31)) == [("2024-03-16", "due"), ("2024-03-23", "+7d")]


class TestExtending:
    OF = duty(7, ladder=(rung("due"),), extension={"at_most": "10d", "times": 2, "by": "product"})

    def test_what_may_be_granted_shrinks_with_days_and_grants(self):
        assert clocks.may_extend(self.OF, running(self.OF, SIGNED)) == 10
        assert clocks.may_extend(self.OF, running(self.OF, SIGNED, extensions=(4,))) == 6
        assert clocks.may_extend(self.OF, running(self.OF, SIGNED, extensions=(4, 1))) == 0
        assert clocks.may_extend(self.OF, running(self.OF, SIGNED, met_at=SIGNED)) == 0
        assert clocks.may_extend(UPLOAD, running(UPLOAD, SIGNED)) == 0

    def test_the_due_rung_moves_with_the_term(self):
        book = rulebook(self.OF)
        held = clocks.extend(opened(book), "policy_upload", 5)
        assert rung_until(book, held, date(2024, 4, 30)) == [("2024-03-14", "due")]


def test_stopping_ends_open_duties_all_or_the_named_ones():
    other = duty(45, id="plan_filing", met_by=Event.PLAN_FILED)
    book = rulebook(UPLOAD, other)
    met = clocks.record(book, opened(book), Event.POLICY_UPLOADED, SIGNED)
    named = clocks.stop(met, SIGNED, StopReason.EXCUSED, ("policy_upload", "plan_filing"))
    assert [one.stop_reason for one in named.duties] == [None, StopReason.EXCUSED]
    assert clocks.next_alarm(book, clocks.stop(opened(book), SIGNED, StopReason.SURRENDERED), CALENDAR) is None


def test_firings_of_several_duties_come_by_instant_then_key():
    twin = duty(7, id="a_twin", ladder=(rung("due"), rung("-2d")))
    rang = clocks.ring(rulebook(UPLOAD, twin), opened(rulebook(UPLOAD, twin)), CALENDAR, noon(date(2024, 3, 20)))
    assert [(one.key, one.moment) for one in rang.firings] == [
        ("a_twin", "-2d"),
        ("policy_upload", "-2d"),
        ("a_twin", "due"),
        ("policy_upload", "due"),
        ("policy_upload", "+7d"),
    ]


def test_a_duty_that_the_rules_no_longer_have_rings_no_more():
    assert clocks.next_alarm(rulebook(), opened(), CALENDAR) is None
    assert clocks.ring(rulebook(), opened(), CALENDAR, datetime.max.replace(tzinfo=SIGNED.tzinfo)).firings == ()


def test_looking_up_what_is_not_there():
    assert clocks.running(opened(), "recheck") is None
    with pytest.raises(KeyError):
        clocks.bound(BOOK, "recheck")
