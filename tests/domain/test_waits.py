"""Terms held between two events: which days do not count, once only, and what people's suspensions leave alone."""

from datetime import date, datetime, timedelta

import pytest

from domain import clock as clocks
from domain import waits
from domain.calendar import SHANGHAI, noon
from models.contracts.clock import Clock
from models.contracts.rulebook import Rulebook
from models.contracts.vocabulary import DayMark, Event, SuspendReason
from tests.makers import calendar, duty, rulebook, suspension

CALENDAR = calendar()
ASKED, CAME = Event.DOCUMENTS_REQUESTED, Event.DOCUMENTS_RECEIVED
DETERMINE = duty(
    30, id="claim_determination", anchor=Event.CLAIM_REPORTED, met_by=Event.CLAIM_DETERMINED, on_holiday="keep",
    suspended_between=(ASKED, CAME),
)  # fmt: skip
OTHER = duty(60, id="other", anchor=Event.CLAIM_REPORTED, met_by=Event.CLAIM_PAID, on_holiday="keep")
BOOK = rulebook(DETERMINE, OTHER)


def lived(*events: tuple[str, Event], book: Rulebook = BOOK) -> Clock:
    held = Clock()
    for day, event in (("2025-06-03", Event.CLAIM_REPORTED), *events):
        held = clocks.record(book, held, event, noon(date.fromisoformat(day)))
    return held


def last_day(held: Clock, of: str = "claim_determination") -> date | None:
    running = clocks.running(held, of)
    assert running
    return clocks.project(clocks.bound(BOOK, of).duty, running, held, CALENDAR).nominal


def test_without_a_request_nothing_is_held():
    assert last_day(lived()) == date(2025, 7, 3)


def test_the_term_stands_still_from_the_day_after_the_request():
    held = lived(("2025-06-09", ASKED))
    assert last_day(held) is None
    assert held.suspensions[0].from_on == date(2025, 6, 10)
    assert clocks.next_alarm(rulebook(duty(30, id="claim_determination")), held, CALENDAR) is None


def test_days_after_the_request_through_the_arrival_of_the_documents_are_deducted():
    assert last_day(lived(("2025-06-09", ASKED), ("2025-06-24", CAME))) == date(2025, 7, 3) + timedelta(days=15)


def test_asked_and_answered_on_one_day_deducts_nothing():
    assert last_day(lived(("2025-06-09", ASKED), ("2025-06-09", CAME))) == date(2025, 7, 3)


def test_one_day_between_deducts_one_day():
    assert last_day(lived(("2025-06-09", ASKED), ("2025-06-10", CAME))) == date(2025, 7, 4)


def test_a_second_request_holds_nothing_more():
    events = (("2025-06-09", ASKED), ("2025-06-24", CAME), ("2025-06-26", ASKED), ("2025-07-10", CAME))
    assert last_day(lived(*events)) == date(2025, 7, 18)


def test_a_second_request_before_the_documents_came_does_not_begin_anew():
    assert last_day(lived(("2025-06-09", ASKED), ("2025-06-12", ASKED), ("2025-06-24", CAME))) == date(2025, 7, 18)


def test_the_day_is_that_of_shanghai():
    asked_at = datetime(2025, 6, 9, 23, 30, tzinfo=SHANGHAI)
    held = clocks.record(BOOK, lived(), ASKED, asked_at)
    assert held.suspensions[0].from_on == date(2025, 6, 10)
    next_day = clocks.record(BOOK, lived(), ASKED, asked_at + timedelta(hours=1))
    assert next_day.suspensions[0].from_on == date(2025, 6, 11)


def test_other_duties_run_on():
    assert last_day(lived(("2025-06-09", ASKED)), "other") == date(2025, 8, 2)


def test_a_duty_that_is_met_or_never_arose_is_not_held():
    assert lived(("2025-06-05", Event.CLAIM_DETERMINED), ("2025-06-09", ASKED)).suspensions == ()
    assert clocks.record(BOOK, Clock(), ASKED, noon(date(2025, 6, 9))).suspensions == ()


def test_documents_without_a_request_change_nothing():
    assert lived(("2025-06-09", CAME)) == lived()


def test_the_explanation_names_the_reason_of_the_days_that_do_not_count():
    held = lived(("2025-06-09", ASKED), ("2025-06-11", CAME))
    running = clocks.running(held, "claim_determination")
    assert running
    days = clocks.explain(DETERMINE, running, held, CALENDAR).days
    said = [(one.on, one.note) for one in days if one.mark is DayMark.SUSPENDED]
    reason = SuspendReason.DOCUMENTS_AWAITED.label
    assert said == [(date(2025, 6, 10), reason), (date(2025, 6, 11), reason)]


def test_a_person_who_resumes_clocks_does_not_end_the_wait_for_documents():
    held = clocks.suspend(lived(("2025-06-09", ASKED)), suspension(date(2025, 6, 12)))
    resumed = clocks.resume(held, date(2025, 6, 20))
    assert [entry.until_on for entry in resumed.suspensions] == [None, date(2025, 6, 20)]
    assert [waits.by_rule(entry) for entry in resumed.suspensions] == [True, False]


def test_days_that_a_person_suspended_too_are_deducted_once():
    held = clocks.suspend(lived(("2025-06-09", ASKED)), suspension(date(2025, 6, 20), date(2025, 6, 30)))
    held = clocks.record(BOOK, held, CAME, noon(date(2025, 6, 24)))
    assert last_day(held) == date(2025, 7, 3) + timedelta(days=21)


def test_a_rule_may_not_wait_for_events_of_another_life():
    with pytest.raises(ValueError, match="同一类案件"):
        duty(30, anchor=Event.CLAIM_REPORTED, suspended_between=(Event.HAZARD_FOUND, CAME))
