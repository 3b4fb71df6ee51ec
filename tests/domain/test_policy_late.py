"""A policy entered late, and a calendar that arrives: the past is on record, what stands is told once."""

from datetime import date, timedelta
from typing import Any

import pytest

from domain import clock as clocks
from domain.policy import views
from models.contracts.calendar import WorkCalendar
from models.contracts.case import AdoptCalendar
from models.contracts.clock import Clock
from models.contracts.policy import PastFact
from models.contracts.vocabulary import Event, NoticeKind, PolicyStage
from tests.domain.lives import OPERATOR, Life, at, library
from tests.makers import calendar_year, days

HALF_WAY = at("2024-05-06T10:00")


def entered(*facts: tuple[Event, str]) -> Life:
    """Signed on 1 March, entered on 6 May."""
    past = tuple(PastFact(event=event, on=date.fromisoformat(on)) for event, on in facts)
    return Life.opened(HALF_WAY, past)


class TestEnteredLate:
    def test_rungs_of_the_past_are_on_record_as_not_sent(self) -> None:
        passed = [
            (line.duty_key, line.at.date().isoformat()) for line in entered().record.lines(Event.RUNG_PASSED_OVER)
        ]
        assert ("policy_upload", "2024-03-09") in passed
        assert ("service_completion", "2024-04-16") in passed
        assert entered().record.lines(Event.RUNG_FIRED) == []

    @pytest.mark.obligation("SZ-20", "SZ-21c")
    def test_each_duty_that_stands_open_is_told_once_to_whom_its_ladder_had_reached(self) -> None:
        notices = [notice for notice in entered().record.notices if notice.kind is NoticeKind.DUTY_STANDING]
        by_duty: dict[str, set[str]] = {}
        for notice in notices:
            by_duty.setdefault(notice.about.duty_key, set()).add(notice.to.value)
        assert by_duty["policy_upload"] == {"insurer", "emergency", "financial"}
        assert by_duty["plan_filing"] == {"insurer"}, "a reminder passed over tells no department"
        assert len({notice.key for notice in notices}) == len(notices)

    def test_nothing_of_the_past_is_ever_told_again(self) -> None:
        life = entered()
        before = len(life.record.notices)
        life.until("2024-12-31")
        assert life.record.told()[before:] == []

    def test_facts_already_met_stay_silent(self) -> None:
        done = [
            (Event.POLICY_UPLOADED, "2024-03-04"),
            (Event.PROVIDER_NAMED, "2024-03-10"),
            (Event.PLAN_FILED, "2024-03-20"),
            (Event.PLAN_CONFIRMED, "2024-03-22"),
            (Event.VISIT_RECORDED, "2024-04-01"),
            (Event.FIRST_SERVICE_DONE, "2024-04-01"),
            (Event.SERVICE_COMPLETED, "2024-04-02"),
        ]
        life = entered(*done)
        assert [notice.kind for notice in life.record.notices] == [NoticeKind.POLICY_OPENED] * 2
        assert life.state.stage is PolicyStage.SERVED
        assert {brief.key for brief in views.view(life.state).duties} == {"contract_services", "renewal"}

    def test_a_fact_that_came_too_late_is_met_all_the_same_and_told_to_nobody_now(self) -> None:
        life = entered((Event.POLICY_UPLOADED, "2024-04-20"))
        assert life.record.told("policy_upload") == []

    def test_what_lies_ahead_is_told_as_ever(self) -> None:
        life = entered().until("2025-03-06")
        assert ("2025-02-02", "-30d", "insured") in life.record.told("renewal")

    def test_years_that_began_before_the_entry_have_begun(self) -> None:
        life = Life.opened(at("2025-06-01T10:00"), expires_on=date(2027, 3, 4))
        assert life.state.year == 2
        assert clocks.running(life.state.clock, "service_in_year#2")

    def test_entered_in_time_nothing_is_passed_over(self) -> None:
        assert Life.opened().record.lines(Event.RUNG_PASSED_OVER) == []


class TestCalendar:
    """Signed in November 2026: the last days lie in a year whose holidays nobody knows yet."""

    SPRING = calendar_year(2027, days("2027-02-06", "2027-02-12") | days("2027-01-01", "2027-01-03"))

    def november(self) -> Life:
        more: dict[str, Any] = {"effective_on": date(2026, 12, 25), "expires_on": date(2027, 12, 24)}
        return Life.opened(signed_at=at("2026-12-24T10:00"), **more)

    def adopted(self, life: Life) -> Life:
        known = library().calendar()
        calendar = WorkCalendar(years=(*(year for year in known.years if year.year != 2027), self.SPRING))
        life.now += timedelta(days=5)
        life.act(AdoptCalendar(calendar=calendar), OPERATOR)
        return life

    def test_until_the_year_is_published_its_last_days_are_provisional(self) -> None:
        view = views.view(self.november().state)
        provisional = {brief.key for brief in view.duties if brief.provisional}
        assert view.provisional
        assert "service_completion" in provisional
        assert "policy_upload" not in provisional, "31 December 2026 is a day of a published year"

    @pytest.mark.obligation("SZ-21c")
    def test_the_published_year_moves_the_day_on_record_and_tells_who_owes_it(self) -> None:
        life = self.november()
        before = {brief.key: brief.effective for brief in views.view(life.state).duties}
        assert before["service_completion"] == date(2027, 2, 8), "a plain Monday as far as anybody knew"
        self.adopted(life)
        after = {brief.key: brief.effective for brief in views.view(life.state).duties}
        assert after["service_completion"] == date(2027, 2, 15)
        assert not views.view(life.state).duties[0].provisional
        lines = life.record.lines(Event.CALENDAR_ADOPTED)
        moved = {key for key in before if before[key] != after[key]}
        assert {line.duty_key for line in lines} == {"", *moved}
        told = [notice for notice in life.record.notices if notice.kind is NoticeKind.DATE_MOVED]
        assert {notice.about.duty_key for notice in told} == moved
        assert all("改为" in notice.about.note for notice in told)

    def test_days_that_stay_are_not_spoken_of(self) -> None:
        life = self.adopted(self.november())
        told = {notice.about.duty_key for notice in life.record.notices if notice.kind is NoticeKind.DATE_MOVED}
        assert "renewal" not in told

    def test_reminders_follow_the_new_day(self) -> None:
        life = self.adopted(self.november()).until("2027-03-01")
        assert [day for day, moment, _ in life.record.told("service_completion") if moment == "due"] == [
            "2027-02-16"
        ] * 2

    def test_a_second_table_of_the_same_year_is_told_under_its_own_key(self) -> None:
        life = self.adopted(self.november())
        known = library().calendar()
        life.act(AdoptCalendar(calendar=known), OPERATOR)
        keys = [notice.key for notice in life.record.notices]
        assert len(set(keys)) == len(keys)

    def test_nothing_open_nothing_moves(self) -> None:
        life = self.november()
        life.state = life.state.model_copy(update={"clock": Clock()})
        self.adopted(life)
        assert [line.duty_key for line in life.record.lines(Event.CALENDAR_ADOPTED)] == [""]
