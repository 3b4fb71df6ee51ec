"""A hazard's life: told, rectified, rechecked, closed; and the report of a major one as each of five places has it."""

from datetime import date

import pytest

from domain import clock as clocks
from domain.hazard import life as decisions
from domain.hazard import views
from models.contracts import hazard as commands
from models.contracts.base import Actor, Command
from models.contracts.calendar import WorkCalendar
from models.contracts.case import AcknowledgeDuty, AdoptCalendar, AnswerDuty, ExtendDuty, TakeOverDuty
from models.contracts.vocabulary import Event, HazardGrade, HazardStage, NoticeKind, Role, Sector, StopReason
from tests.domain.lives import (
    ANHUI,
    ENTERPRISE,
    FILE,
    JILIN,
    OPERATOR,
    SUZHOU,
    XIAMEN,
    ZHEJIANG,
    Danger,
    at,
    departments,
    library,
)
from tests.makers import DEPARTMENT, SOMEBODY, calendar_year, days

TOLD = commands.ConfirmTold(receipt=FILE)
CLAIM = commands.ClaimRectification(note="已更换阀门", evidence=(FILE,))
REFUSE = commands.RefuseRectification(note="企业表示不予整改")
PASSED = commands.RecheckHazard(passed=True, note="阀门完好")
FAILED = commands.RecheckHazard(passed=False, note="仍有渗漏")


def code(danger: Danger, command: Command, actor: Actor = SOMEBODY) -> str | None:
    refusal = danger.refused(command, actor)
    return refusal.code if refusal else None


def due(danger: Danger, key: str) -> date | None:
    return {brief.key: brief.effective for brief in views.view(danger.state).duties}.get(key)


def reports(danger: Danger) -> list[tuple[str, str, tuple[str, ...]]]:
    """(day, role, departments) of the reports of a major hazard."""
    return [
        (notice.at.astimezone(at("2024-01-01").tzinfo).date().isoformat(), notice.to.value, departments(notice))
        for notice in danger.record.notices
        if notice.kind is NoticeKind.MAJOR_HAZARD_REPORT
    ]


class TestLoop:
    @pytest.mark.obligation("SZ-24b")
    def test_found_it_is_told_at_once_and_proof_is_asked_for(self) -> None:
        danger = Danger.found(grade=HazardGrade.ORDINARY)
        assert danger.record.told("rectification") == [("2024-04-01", "open", "insured")]
        assert danger.record.notices[0].about.effective == date(2024, 4, 16), "the insured reads its own term"
        assert due(danger, "hazard_notice") == date(2024, 4, 7), "4 to 6 April are holidays, 7 April is worked"
        danger.act(TOLD)
        assert due(danger, "hazard_notice") is None

    @pytest.mark.obligation("SZ-24b")
    def test_told_on_the_spot_with_proof_needs_no_further_proof(self) -> None:
        danger = Danger.found(grade=HazardGrade.ORDINARY, told_on=date(2024, 4, 1), receipt=FILE)
        assert danger.state.stage is HazardStage.TOLD
        assert due(danger, "hazard_notice") is None
        assert code(danger, TOLD) == "wrong_stage"

    @pytest.mark.obligation("SZ-25a", "XM-27b", "ZJ-34b", "JL-16b")
    @pytest.mark.parametrize("region", [SUZHOU, XIAMEN, ZHEJIANG, JILIN, ANHUI])
    def test_fifteen_days_where_nobody_set_a_term_else_the_term_that_was_set(self, region: str) -> None:
        assert due(Danger.found(region), "rectification") == date(2024, 4, 16)
        assert due(Danger.found(region, due_on=date(2024, 4, 9)), "rectification") == date(2024, 4, 9)

    @pytest.mark.obligation("SZ-25b")
    def test_no_closing_without_a_recheck_that_passed(self) -> None:
        danger = Danger.found(grade=HazardGrade.ORDINARY)
        assert code(danger, PASSED) == "wrong_stage"
        danger.act(CLAIM)
        assert due(danger, "recheck") == date(2024, 4, 8)
        danger.act(PASSED)
        assert (danger.state.stage, danger.state.ended_at) == (HazardStage.CLOSED, danger.now)
        assert all(not one.is_open for one in danger.state.clock.duties)
        assert code(danger, CLAIM) == "case_closed"

    @pytest.mark.obligation("SZ-25a", "SZ-25b")
    def test_a_failed_recheck_gives_a_new_term_as_often_as_it_fails(self) -> None:
        danger = Danger.found(grade=HazardGrade.ORDINARY)
        for number in range(2, 5):
            danger.act(CLAIM)
            danger.act(FAILED)
            assert (danger.state.stage, danger.state.rounds) == (HazardStage.FAILED, number)
            assert due(danger, f"rectification#{number}") == date(2024, 4, 16)
        danger.act(CLAIM)
        danger.act(PASSED)
        results = [notice for notice in danger.record.notices if notice.kind is NoticeKind.RECHECK_RESULT]
        assert len({notice.key for notice in results}) == 4
        assert [notice.about.effective for notice in results] == [date(2024, 4, 16)] * 3 + [None]

    def test_the_term_after_a_failed_recheck_may_be_set(self) -> None:
        danger = Danger.found(grade=HazardGrade.ORDINARY)
        danger.act(CLAIM)
        danger.act(FAILED.model_copy(update={"due_on": date(2024, 4, 3)}))
        assert due(danger, "rectification#2") == date(2024, 4, 3)

    @pytest.mark.parametrize("answer", [CLAIM, REFUSE])
    def test_who_answers_a_notice_has_received_it(self, answer: Command) -> None:
        danger = Danger.found()
        danger.act(answer)
        assert Event.HAZARD_TOLD in danger.state.facts
        assert due(danger, "hazard_notice") is None

    @pytest.mark.parametrize(
        ("command", "expected"),
        [
            (CLAIM.model_copy(update={"on": date(2024, 3, 31)}), "date_out_of_range"),
            (CLAIM.model_copy(update={"on": date(2024, 4, 2)}), "date_out_of_range"),
            (ExtendDuty(duty="rectification", days=16, reason="停机检修"), "extension_too_long"),
            (ExtendDuty(duty="hazard_notice", days=1, reason="停机检修"), "extension_not_allowed"),
            (ExtendDuty(duty="recheck", days=1, reason="停机检修"), "unknown_duty"),
            (AcknowledgeDuty(duty="rectification"), "not_a_department"),
        ],
    )
    def test_what_cannot_be_is_refused(self, command: Command, expected: str) -> None:
        assert code(Danger.found(), command) == expected

    def test_a_term_is_extended_once_and_before_it_is_out(self) -> None:
        danger = Danger.found()
        danger.act(ExtendDuty(duty="rectification", days=10, reason="配件未到"), ENTERPRISE)
        assert due(danger, "rectification") == date(2024, 4, 26)
        assert code(danger, ExtendDuty(duty="rectification", days=1, reason="又")) == "extension_not_allowed"
        late = Danger.found().until("2024-04-17T08:00")
        assert code(late, ExtendDuty(duty="rectification", days=1, reason="又")) == "extension_too_late"

    def test_a_policy_that_ends_early_stops_the_hazard_with_the_reason(self) -> None:
        danger = Danger.found()
        stopped = decisions.stop(danger.state, "保单已退保", danger.now).state
        assert (stopped.stage, decisions.over(stopped), decisions.next_alarm(stopped)) == (
            HazardStage.STOPPED,
            True,
            None,
        )
        assert {one.stop_reason for one in stopped.clock.duties} == {StopReason.SURRENDERED}


class TestReport:
    """A major hazard is reported on the trigger of its place, to the departments of its place."""

    SECTOR_OFFICE = ("industry", ("应急管理局",))

    @pytest.mark.obligation("ZJ-27")
    def test_zhejiang_on_finding_it_the_sector_department(self) -> None:
        assert reports(Danger.found(ZHEJIANG)) == [("2024-04-01", *self.SECTOR_OFFICE)]

    @pytest.mark.obligation("SZ-26a")
    def test_suzhou_when_it_is_not_rectified_in_time(self) -> None:
        danger = Danger.found(SUZHOU)
        assert reports(danger) == []
        assert reports(danger.until("2024-04-17")) == [("2024-04-17", *self.SECTOR_OFFICE)]

    @pytest.mark.obligation("SZ-26a")
    def test_suzhou_at_once_when_the_insured_says_no_and_only_once(self) -> None:
        danger = Danger.found(SUZHOU)
        danger.act(REFUSE)
        assert len(reports(danger)) == 1
        assert len(reports(danger.until("2024-05-01"))) == 1, "overdue after a refusal is no second report"

    @pytest.mark.obligation("XM-28a")
    def test_xiamen_on_refusal_only(self) -> None:
        assert reports(Danger.found(XIAMEN).until("2024-06-01")) == []
        danger = Danger.found(XIAMEN)
        danger.act(REFUSE)
        assert reports(danger) == [("2024-04-01", "industry", ("市应急局",))]

    @pytest.mark.obligation("XM-36")
    def test_xiamen_fishery_is_the_oceans_bureau(self) -> None:
        danger = Danger.found(XIAMEN, terms={"sector": Sector.FISHERY})
        danger.act(REFUSE)
        assert reports(danger)[0][2][0] == "市海洋局"

    @pytest.mark.obligation("XM-38", "XM-41")
    def test_xiamen_civil_explosives_have_no_department_and_become_a_persons_task(self) -> None:
        danger = Danger.found(XIAMEN, terms={"sector": Sector.CIVIL_EXPLOSIVES})
        danger.act(REFUSE)
        assert reports(danger) == [("2024-04-01", "industry", ())]

    @pytest.mark.obligation("JL-17b")
    def test_jilin_on_refusal_two_of_them(self) -> None:
        danger = Danger.found(JILIN)
        danger.act(REFUSE)
        assert [(role, names) for _, role, names in reports(danger)] == [
            ("emergency", ("应急管理局",)),
            ("industry", ()),
        ]

    def test_anhui_is_silent(self) -> None:
        danger = Danger.found(ANHUI)
        danger.act(REFUSE)
        assert reports(danger.until("2024-06-01")) == []

    @pytest.mark.parametrize("region", [SUZHOU, XIAMEN, ZHEJIANG, JILIN])
    def test_an_ordinary_hazard_is_never_reported(self, region: str) -> None:
        danger = Danger.found(region, HazardGrade.ORDINARY)
        danger.act(REFUSE)
        assert reports(danger.until("2024-06-01")) == []

    @pytest.mark.obligation("SZ-26b")
    def test_a_report_without_answer_is_asked_after_and_then_a_persons_task(self) -> None:
        danger = Danger.found(SUZHOU)
        danger.act(REFUSE)
        told = danger.until("2024-06-30").record.told("department_answer")
        assert [moment for _, moment, _ in told] == ["due", "+7d", "+14d", "+21d", "+28d", "+28d"]
        assert {role for _, _, role in told[-2:]} == {"insurer", "human_queue"}

    @pytest.mark.obligation("SZ-26b")
    @pytest.mark.parametrize(
        ("heard", "after"),
        [
            (AcknowledgeDuty(duty="department_answer"), ["due", "+28d", "+28d"]),
            (TakeOverDuty(duty="department_answer"), []),
            (AnswerDuty(duty="department_answer", answer="已责令停产整顿"), []),
        ],
    )
    def test_acknowledged_repeats_end_taken_over_all_ends_answered_it_is_met(
        self, heard: Command, after: list[str]
    ) -> None:
        danger = Danger.found(SUZHOU)
        danger.act(REFUSE)
        danger.act(heard, DEPARTMENT)
        told = danger.until("2024-06-30").record.told("department_answer")
        assert [moment for _, moment, _ in told] == after
        running = clocks.running(danger.state.clock, "department_answer")
        assert running
        assert running.is_open is not isinstance(heard, AnswerDuty)

    @pytest.mark.obligation("XM-28b", "JL-17a")
    def test_a_refusal_stays_on_the_hazard_even_when_it_is_closed_in_the_end(self) -> None:
        danger = Danger.found(XIAMEN)
        for command in (REFUSE, CLAIM, PASSED):
            danger.act(command)
        assert (danger.state.stage, danger.state.refused) == (HazardStage.CLOSED, True)


class TestLate:
    def test_a_hazard_recorded_weeks_later_is_told_once_and_reported_if_its_term_is_out(self) -> None:
        danger = Danger.found(SUZHOU, now=at("2024-05-06T10:00"))
        kinds = [(notice.kind, notice.to) for notice in danger.record.notices]
        assert kinds.count((NoticeKind.HAZARD_NOTICE, Role.INSURED)) == 1
        assert kinds.count((NoticeKind.MAJOR_HAZARD_REPORT, Role.INDUSTRY)) == 1
        assert (NoticeKind.RECTIFICATION_REMINDER, Role.INSURED) not in kinds
        keys = [notice.key for notice in danger.record.notices]
        assert len(set(keys)) == len(keys)

    def test_a_new_calendar_moves_the_term_on_record_and_tells_the_insured(self) -> None:
        more = {"signed_at": at("2026-12-01T10:00"), "effective_on": "2026-12-01", "expires_on": "2027-11-30"}
        danger = Danger.found(SUZHOU, found_on=date(2027, 1, 25), terms=more)
        assert due(danger, "rectification") == date(2027, 2, 9)
        assert views.view(danger.state).provisional
        spring = calendar_year(2027, days("2027-02-06", "2027-02-12"))
        calendar = WorkCalendar(years=(*library().calendar().years, spring))
        danger.act(AdoptCalendar(calendar=calendar), OPERATOR)
        assert due(danger, "rectification") == date(2027, 2, 15)
        told = [notice.to for notice in danger.record.notices if notice.kind is NoticeKind.DATE_MOVED]
        assert told == [Role.INSURED]
