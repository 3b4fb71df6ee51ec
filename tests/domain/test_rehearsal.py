"""A policy and its hazards run ahead: who would be told what on which day."""

from datetime import date, datetime

import pytest

from domain.calendar import noon
from domain.rehearsal import Books, Fact, Misplaced, Rehearsal, rehearse
from models.contracts.duty import Duty, Rung
from models.contracts.rulebook import Rulebook
from models.contracts.vocabulary import Event, HazardGrade, NoticeKind, Role, StopReason
from tests.makers import calendar, duty, rulebook, rung

INSURER, INSURED, EMERGENCY, INDUSTRY = Role.INSURER, Role.INSURED, Role.EMERGENCY, Role.INDUSTRY
UPLOAD = duty(7, ladder=(rung("-2d"), rung("due", INSURER, EMERGENCY), rung("+7d", Role.FINANCIAL)))
RENEWAL = duty(0, id="renewal", anchor=Event.POLICY_EXPIRES, met_by=Event.POLICY_RENEWED, on_holiday="keep",
               ladder=(rung("-30d", INSURED), rung("-7d", INSURED), rung("due", INDUSTRY)))  # fmt: skip
YEARLY = duty(1, "year", id="yearly_service", anchor=Event.POLICY_YEAR_STARTED, met_by=Event.VISIT_RECORDED,
              first_day="included", on_holiday="keep", occurs="each_time", until_expiry=True,
              ladder=(rung("due", EMERGENCY),))  # fmt: skip
NOTICE = duty(3, id="hazard_notice", anchor=Event.HAZARD_FOUND, met_by=Event.HAZARD_TOLD,
              ladder=(rung("open", INSURED), rung("due", INSURER)))  # fmt: skip
RECTIFY = duty(15, id="rectification", anchor=[Event.HAZARD_FOUND, Event.RECHECK_FAILED], occurs="each_time",
               met_by=Event.RECTIFICATION_CLAIMED, given_by="due", overdue_event=Event.RECTIFICATION_OVERDUE,
               ladder=(rung("-3d", INSURED), rung("due", INSURED, INSURER)))  # fmt: skip
RECHECK = duty(7, id="recheck", anchor=Event.RECTIFICATION_CLAIMED, occurs="each_time",
               met_by=[Event.RECHECK_PASSED, Event.RECHECK_FAILED], ladder=(rung("due", INSURER),))  # fmt: skip
SENT = Rung(at="open", tell=(INDUSTRY,), notice=NoticeKind.MAJOR_HAZARD_REPORT)
REPORT = duty(0, "hour", id="major_hazard_report", met_by=Event.HAZARD_REPORTED, ladder=(SENT,),
              anchor=[Event.RECTIFICATION_REFUSED, Event.RECTIFICATION_OVERDUE])  # fmt: skip
ANSWER = duty(7, id="department_answer", anchor=Event.HAZARD_REPORTED, met_by=Event.HAZARD_ANSWERED,
              ladder=(rung("due", INDUSTRY),))  # fmt: skip
ORDINARY = (NOTICE, RECTIFY, RECHECK)


def books(*duties: Duty, claim: Rulebook | None = None) -> Books:
    hazards = {
        HazardGrade.ORDINARY: rulebook(*ORDINARY),
        HazardGrade.MAJOR: rulebook(*ORDINARY, REPORT, ANSWER),
    }
    return Books(rulebook(*(duties or (UPLOAD,))), hazards, calendar(), claim)


def on(day: str, event: Event, **more) -> Fact:
    return Fact(event, noon(date.fromisoformat(day)), **more)


def told(run: Rehearsal, *duties: str) -> list[tuple[str, str, str]]:
    return [(one.on.isoformat(), one.key, one.moment) for one in run.told if not duties or one.duty in duties]


@pytest.mark.obligation("SZ-20")
def test_signing_without_upload_is_told_on_the_ninth_day():
    run = rehearse(books(), [on("2024-03-01", Event.POLICY_SIGNED)], date(2024, 3, 12))
    due = run.due["policy_upload"]
    assert (due.nominal, due.effective) == (date(2024, 3, 8), date(2024, 3, 8))
    assert [(one.on.isoformat(), one.tell) for one in run.told] == [
        ("2024-03-06", (INSURER,)),
        ("2024-03-09", (INSURER, EMERGENCY)),
    ]


def test_the_clock_runs_to_the_end_of_the_last_day_and_no_further():
    facts = [on("2024-03-01", Event.POLICY_SIGNED)]
    assert len(rehearse(books(), facts, date(2024, 3, 8)).told) == 1
    assert len(rehearse(books(), facts, date(2024, 3, 9)).told) == 2


def test_events_of_an_instant_come_before_its_alarms():
    at_midnight = Fact(Event.POLICY_UPLOADED, datetime.fromisoformat("2024-03-06T00:00:00+08:00"))
    run = rehearse(books(), [on("2024-03-01", Event.POLICY_SIGNED), at_midnight], date(2024, 4, 1))
    assert run.told == ()


def test_facts_after_the_last_day_have_not_happened():
    facts = [on("2024-03-01", Event.POLICY_SIGNED), on("2024-03-20", Event.POLICY_UPLOADED)]
    latest = rehearse(books(), facts, date(2024, 3, 19)).latest("policy_upload")
    assert latest
    assert latest.met_at is None


def test_days_are_explained_on_demand():
    run = rehearse(books(), [on("2024-09-26", Event.POLICY_SIGNED)], date(2024, 9, 27))
    told_days = run.explain("policy_upload")
    assert told_days
    assert told_days.days[-1].on == date(2024, 10, 8)
    assert run.explain("recheck") is None


class TestYears:
    FACTS = (
        on("2024-01-10", Event.POLICY_SIGNED),
        on("2024-02-01", Event.POLICY_EFFECTIVE),
        on("2025-12-31", Event.POLICY_EXPIRES),
    )

    def test_each_policy_year_has_its_own_term_cut_at_expiry(self):
        run = rehearse(books(YEARLY), self.FACTS, date(2026, 2, 1))
        assert [one.key for one in run.lives[0].clock.duties] == ["yearly_service", "yearly_service#2"]
        assert told(run) == [("2025-02-01", "yearly_service", "due"), ("2026-01-01", "yearly_service#2", "due")]

    def test_the_expiry_is_known_from_the_beginning_and_reminded_of(self):
        run = rehearse(books(RENEWAL), self.FACTS, date(2026, 2, 1))
        assert told(run) == [
            ("2025-12-01", "renewal", "-30d"),
            ("2025-12-24", "renewal", "-7d"),
            ("2026-01-01", "renewal", "due"),
        ]

    def test_reminders_before_signing_are_not_sent(self):
        facts = [on("2024-03-01", Event.POLICY_SIGNED), on("2024-03-15", Event.POLICY_EXPIRES)]
        run = rehearse(books(RENEWAL), facts, date(2024, 4, 1))
        assert [one.moment for one in run.passed] == ["-30d"]
        assert told(run) == [("2024-03-08", "renewal", "-7d"), ("2024-03-16", "renewal", "due")]

    def test_at_expiry_what_has_run_out_climbs_on_and_every_other_clock_stops(self):
        facts = [*self.FACTS[:2], on("2024-02-05", Event.POLICY_EXPIRES)]
        service = duty(60, id="service_completion", met_by=(Event.SERVICE_COMPLETED,))
        run = rehearse(books(service, RENEWAL), facts, date(2024, 6, 1))
        assert ("2024-02-06", "renewal", "due") in told(run)
        reasons = {one.key: one.stop_reason for one in run.lives[0].clock.duties}
        assert reasons == {"service_completion": StopReason.EXPIRED, "renewal": None}


def test_a_surrender_stops_the_clocks_of_the_policy_and_its_hazards():
    facts = [
        on("2024-03-01", Event.POLICY_SIGNED),
        on("2024-03-02", Event.HAZARD_FOUND),
        on("2024-03-05", Event.POLICY_SURRENDERED),
    ]
    run = rehearse(books(), facts, date(2024, 6, 1))
    assert told(run) == [("2024-03-02", "hazard_notice", "open")]
    assert all(one.stop_reason is StopReason.SURRENDERED for life in run.lives for one in life.clock.duties)


class TestHazards:
    def test_a_failed_recheck_opens_a_new_term_and_a_passed_one_closes(self):
        facts = [
            on("2024-03-01", Event.HAZARD_FOUND, due=date(2024, 3, 11)),
            on("2024-03-04", Event.RECTIFICATION_CLAIMED),
            on("2024-03-06", Event.RECHECK_FAILED, due=date(2024, 3, 20)),
            on("2024-03-18", Event.RECTIFICATION_CLAIMED),
            on("2024-03-19", Event.RECHECK_PASSED),
        ]
        run = rehearse(books(), facts, date(2024, 6, 1))
        assert run.due["rectification"].effective == date(2024, 3, 20)
        assert told(run) == [("2024-03-01", "hazard_notice", "open"), ("2024-03-17", "rectification#2", "-3d")]
        assert run.lives[1].over

    @pytest.mark.obligation("SZ-26a")
    def test_a_major_one_not_rectified_is_reported_at_once_and_the_answer_awaited(self):
        facts = [on("2024-03-01", Event.HAZARD_FOUND, major=True), on("2024-03-02", Event.HAZARD_TOLD)]
        run = rehearse(books(), facts, date(2024, 3, 27))
        assert told(run) == [
            ("2024-03-01", "hazard_notice", "open"),
            ("2024-03-15", "rectification", "-3d"),
            ("2024-03-19", "rectification", "due"),
            ("2024-03-19", "major_hazard_report", "open"),
            ("2024-03-27", "department_answer", "due"),
        ]

    def test_an_ordinary_one_is_not_reported(self):
        run = rehearse(books(), [on("2024-03-01", Event.HAZARD_FOUND)], date(2024, 6, 1))
        assert "major_hazard_report" not in run.due

    def test_a_refusal_is_reported_once_although_the_term_runs_out_later(self):
        facts = [
            on("2024-03-01", Event.HAZARD_FOUND, major=True),
            on("2024-03-04", Event.RECTIFICATION_REFUSED),
        ]
        run = rehearse(books(), facts, date(2024, 6, 1))
        assert told(run, "major_hazard_report") == [("2024-03-04", "major_hazard_report", "open")]

    def test_who_refuses_has_been_told(self):
        facts = [on("2024-03-01", Event.HAZARD_FOUND), on("2024-03-03", Event.RECTIFICATION_REFUSED)]
        run = rehearse(books(), facts, date(2024, 6, 1))
        assert told(run, "hazard_notice") == [("2024-03-01", "hazard_notice", "open")]

    def test_facts_concern_the_last_one_found_or_the_one_of_their_number(self):
        facts = [
            on("2024-03-01", Event.HAZARD_FOUND, number="H1"),
            on("2024-03-01", Event.HAZARD_FOUND, number="H2"),
            on("2024-03-02", Event.RECTIFICATION_CLAIMED),
            on("2024-03-03", Event.RECTIFICATION_CLAIMED, number="H1"),
        ]
        run = rehearse(books(), facts, date(2024, 3, 5))
        claimed = {life.number: life.clock.duties[1].met_at for life in run.lives[1:]}
        assert claimed == {"H1": noon(date(2024, 3, 3)), "H2": noon(date(2024, 3, 2))}

    def test_without_one_a_fact_about_it_is_misplaced(self):
        with pytest.raises(Misplaced, match="发现隐患"):
            rehearse(books(), [on("2024-03-02", Event.RECHECK_PASSED)], date(2024, 3, 5))


def test_a_claim_runs_beside_the_policy_where_rules_for_claims_are_given():
    determination = duty(30, id="claim_determination", anchor=Event.CLAIM_REPORTED, met_by=Event.CLAIM_DETERMINED,
                         ladder=(rung("due", INSURER),))  # fmt: skip
    facts = [on("2024-03-01", Event.POLICY_SIGNED), on("2024-03-04", Event.CLAIM_REPORTED)]
    run = rehearse(books(claim=rulebook(determination)), facts, date(2024, 4, 3))
    assert run.due["claim_determination"].effective == date(2024, 4, 3)
    with pytest.raises(Misplaced):
        rehearse(books(), facts, date(2024, 4, 3))


class TestWhatActsOnTheClock:
    SIGNED = on("2024-03-01", Event.POLICY_SIGNED)

    def test_suspended_days_move_the_end(self):
        facts = [
            self.SIGNED,
            on("2024-03-03", Event.CLOCK_SUSPENDED),
            on("2024-03-13", Event.CLOCK_RESUMED),
        ]
        assert rehearse(books(), facts, date(2024, 4, 1)).due["policy_upload"].effective == date(2024, 3, 18)

    def test_extended_days_move_the_end(self):
        facts = [self.SIGNED, on("2024-03-03", Event.DUTY_EXTENDED, duty="policy_upload", days=3)]
        assert rehearse(books(), facts, date(2024, 4, 1)).due["policy_upload"].effective == date(2024, 3, 11)

    @pytest.mark.parametrize("event", [Event.DUTY_TAKEN_OVER, Event.DUTY_EXCUSED])
    def test_what_is_taken_over_or_excused_is_told_no_more(self, event):
        facts = [self.SIGNED, on("2024-03-07", event, duty="policy_upload")]
        assert told(rehearse(books(), facts, date(2024, 4, 1))) == [("2024-03-06", "policy_upload", "-2d")]
