"""What the insured may ask about a hazard: to drop it, or to have longer; nothing of it stops a clock by itself."""

from datetime import date

import pytest
from pydantic import ValidationError

from domain.hazard import life as hazards
from domain.hazard import views
from models.contracts.base import Command
from models.contracts.case import ExtendDuty
from models.contracts.hazard import (
    AnswerObjection,
    AskMoreTime,
    ClaimRectification,
    DeclineMoreTime,
    HazardState,
    ObjectToHazard,
    RecheckHazard,
    RefuseRectification,
)
from models.contracts.notice import Notice
from models.contracts.vocabulary import Event, HazardGrade, HazardStage, NoticeKind, Role, StopReason
from tests.domain.lives import ENTERPRISE, FILE, SUZHOU, ZHEJIANG, Danger
from tests.makers import SOMEBODY

OBJECT = ObjectToHazard(reason="该设备已停用", evidence=(FILE,))
UPHOLD = AnswerObjection(upheld=True, note="核实确已停用")
REJECT = AnswerObjection(upheld=False, note="设备仍在使用")
ASK = AskMoreTime(days=10, reason="备件未到")
DECLINE = DeclineMoreTime(note="风险较高")
CLAIM = ClaimRectification(note="已更换", evidence=(FILE,))


def ordinary() -> Danger:
    return Danger.found(grade=HazardGrade.ORDINARY)


def code(danger: Danger, command: Command, by=ENTERPRISE) -> str:
    refusal = danger.refused(command, by)
    return refusal.code if refusal else ""


def letters(danger: Danger, kind: NoticeKind) -> list[Notice]:
    return [one for one in danger.record.notices if one.kind is kind]


class TestObjection:
    def test_it_is_on_record_and_told_to_the_insurer_and_no_term_moves(self) -> None:
        danger, still = ordinary(), ordinary()
        danger.act(OBJECT, ENTERPRISE)
        assert [line.said for line in danger.record.lines(Event.HAZARD_OBJECTED)] == ["该设备已停用（凭证 1 件）"]
        (told,) = letters(danger, NoticeKind.HAZARD_OBJECTION)
        assert (told.to, told.about.effective) == (Role.INSURER, date(2024, 4, 16))
        danger.until("2024-05-30")
        still.until("2024-05-30")
        ladder = [line for line in danger.record.told("rectification") if not line[1].startswith("objection")]
        assert ladder == still.record.told("rectification")
        assert danger.record.lines(Event.RECTIFICATION_OVERDUE)

    def test_who_objects_has_received_the_notice(self) -> None:
        danger = ordinary()
        danger.act(OBJECT, ENTERPRISE)
        assert danger.state.stage is HazardStage.TOLD

    def test_only_one_waits_for_its_answer_and_another_may_follow_it(self) -> None:
        danger = ordinary()
        danger.act(OBJECT, ENTERPRISE)
        assert code(danger, OBJECT) == "waits_for_answer"
        assert views.view(danger.state).objection is not None
        danger.act(REJECT)
        assert views.view(danger.state).objection is None
        danger.act(OBJECT, ENTERPRISE)
        assert len({one.key for one in letters(danger, NoticeKind.HAZARD_OBJECTION)}) == 2

    def test_upheld_it_closes_the_hazard_as_none_and_stops_every_clock_with_the_reason(self) -> None:
        danger = ordinary()
        danger.act(OBJECT, ENTERPRISE)
        decision = danger.act(UPHOLD)
        assert [line.event for line in decision.happened] == [Event.OBJECTION_UPHELD, Event.HAZARD_CLOSED]
        assert decision.happened[1].said == "异议成立，不属于隐患"
        assert danger.state.stage is HazardStage.CLOSED
        assert hazards.over(danger.state)
        assert hazards.next_alarm(danger.state) is None
        stopped = [one for one in danger.state.clock.duties if one.met_at is None]
        assert {one.stop_reason for one in stopped} == {StopReason.NOT_A_HAZARD}
        (told,) = letters(danger, NoticeKind.OBJECTION_ANSWER)
        assert (told.to, told.about.note, told.about.effective) == (Role.INSURED, "异议成立，核实确已停用", None)

    def test_rejected_it_is_told_to_the_insured_with_the_term_that_still_runs(self) -> None:
        danger = ordinary()
        danger.act(OBJECT, ENTERPRISE)
        danger.act(REJECT)
        assert danger.record.lines(Event.OBJECTION_REJECTED)
        (told,) = letters(danger, NoticeKind.OBJECTION_ANSWER)
        assert (told.to, told.about.note, told.about.effective) == (
            Role.INSURED, "异议不成立，设备仍在使用", date(2024, 4, 16),
        )  # fmt: skip
        assert danger.state.stage is HazardStage.TOLD

    def test_a_major_hazard_that_departments_were_told_of_is_not_closed_by_the_insurer(self) -> None:
        danger = Danger.found(ZHEJIANG)
        danger.act(OBJECT, ENTERPRISE)
        refusal = danger.refused(UPHOLD)
        assert refusal is not None
        assert (refusal.code, refusal.clause) == ("department_decides", "")
        assert "主管部门认定" in refusal.says
        danger.act(REJECT)

    def test_a_major_hazard_nobody_was_told_of_may_be(self) -> None:
        danger = Danger.found(SUZHOU)
        danger.act(OBJECT, ENTERPRISE)
        danger.act(UPHOLD)
        assert danger.state.stage is HazardStage.CLOSED

    def test_nobody_answers_what_was_not_said_and_nobody_his_own(self) -> None:
        danger = ordinary()
        assert code(danger, REJECT, SOMEBODY) == "nothing_asked"
        danger.act(OBJECT, ENTERPRISE)
        assert code(danger, UPHOLD) == "not_the_insurer"

    def test_after_rectification_is_claimed_there_is_nothing_to_object_to(self) -> None:
        danger = ordinary()
        danger.act(CLAIM, ENTERPRISE)
        assert code(danger, OBJECT) == "wrong_stage"

    def test_a_hazard_that_closes_otherwise_takes_the_open_objection_with_it(self) -> None:
        danger = ordinary()
        danger.act(OBJECT, ENTERPRISE)
        danger.act(CLAIM, ENTERPRISE)
        danger.act(RecheckHazard(passed=True, note="合格"))
        assert danger.state.objection is None


class TestMoreTime:
    def test_it_is_on_record_and_told_to_the_insurer_and_the_term_runs_on(self) -> None:
        danger = ordinary()
        danger.act(ASK, ENTERPRISE)
        (line,) = danger.record.lines(Event.MORE_TIME_ASKED)
        assert (line.duty_key, line.said) == ("rectification", "申请延长 10 日：备件未到")
        (told,) = letters(danger, NoticeKind.MORE_TIME_ASKED)
        assert (told.to, told.about.effective) == (Role.INSURER, date(2024, 4, 16))
        danger.until("2024-04-18")
        assert danger.record.lines(Event.RECTIFICATION_OVERDUE)

    def test_an_extension_grants_it_and_the_insured_hears_the_new_day(self) -> None:
        danger = ordinary()
        danger.act(ASK, ENTERPRISE)
        danger.act(ExtendDuty(duty="rectification", days=10, reason="同意"))
        (told,) = letters(danger, NoticeKind.MORE_TIME_ANSWER)
        assert (told.to, told.about.effective) == (Role.INSURED, date(2024, 4, 26))
        assert views.view(danger.state).more_time is None

    def test_an_extension_nobody_asked_for_is_no_answer(self) -> None:
        danger = ordinary()
        danger.act(ExtendDuty(duty="rectification", days=10, reason="主动延长"))
        assert letters(danger, NoticeKind.MORE_TIME_ANSWER) == []

    def test_declining_leaves_the_term_as_it_was_and_another_request_may_follow(self) -> None:
        danger = ordinary()
        danger.act(ASK, ENTERPRISE)
        assert code(danger, ASK) == "waits_for_answer"
        danger.act(DECLINE)
        (told,) = letters(danger, NoticeKind.MORE_TIME_ANSWER)
        assert (told.about.note, told.about.effective) == ("不同意延长，风险较高", date(2024, 4, 16))
        danger.act(ASK, ENTERPRISE)
        assert len({one.key for one in letters(danger, NoticeKind.MORE_TIME_ASKED)}) == 2

    def test_a_day_may_be_named_instead(self) -> None:
        danger = ordinary()
        danger.act(AskMoreTime(until_on=date(2024, 4, 20), reason="备件未到"), ENTERPRISE)
        assert danger.state.more_time is not None
        assert danger.state.more_time.days == 4
        assert code(ordinary(), AskMoreTime(until_on=date(2024, 4, 16), reason="备件未到")) == "date_out_of_range"
        assert code(ordinary(), AskMoreTime(until_on=date(2024, 6, 30), reason="备件未到")) == "extension_too_long"

    @pytest.mark.parametrize("asked", [{}, {"days": 5, "until_on": "2024-04-20"}, {"days": 0}, {"days": 61}])
    def test_days_or_a_day_are_asked_for_and_not_both(self, asked: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            AskMoreTime.model_validate({"reason": "备件未到", **asked})

    def test_where_no_more_can_be_granted_it_says_who_says_so(self) -> None:
        danger = ordinary()
        danger.act(ExtendDuty(duty="rectification", days=15, reason="备件未到"))
        refusal = danger.refused(ASK, ENTERPRISE)
        assert refusal is not None
        assert refusal.code == "extension_not_allowed"
        assert "系统约定" in refusal.says

    def test_only_while_a_term_of_rectification_runs(self) -> None:
        danger = ordinary()
        danger.act(CLAIM, ENTERPRISE)
        assert code(danger, ASK) == "wrong_stage"
        danger.act(RecheckHazard(passed=False, note="仍有渗漏"))
        danger.act(ASK, ENTERPRISE)
        assert danger.state.more_time is not None
        assert danger.state.more_time.duty == "rectification#2"

    def test_a_request_falls_away_with_its_term(self) -> None:
        danger = ordinary()
        danger.act(ASK, ENTERPRISE)
        danger.act(CLAIM, ENTERPRISE)
        assert views.view(danger.state).more_time is None
        assert code(danger, DECLINE, SOMEBODY) == "nothing_asked"

    def test_after_the_term_is_out_it_is_too_late(self) -> None:
        assert code(ordinary().until("2024-04-17T08:00"), ASK) == "extension_too_late"

    def test_nobody_declines_his_own(self) -> None:
        danger = ordinary()
        danger.act(ASK, ENTERPRISE)
        assert code(danger, DECLINE) == "not_the_insurer"


def test_a_hazard_of_before_these_questions_loads() -> None:
    danger = ordinary()
    old = danger.state.model_dump(mode="json", exclude={"objection", "more_time"})
    assert HazardState.model_validate(old) == danger.state


def test_a_refusal_may_still_be_objected_to() -> None:
    danger = ordinary()
    danger.act(RefuseRectification(note="不整改"))
    danger.act(OBJECT, ENTERPRISE)
    assert danger.state.stage is HazardStage.REFUSED
