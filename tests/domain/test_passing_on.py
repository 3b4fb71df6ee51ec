"""Departments side by side: each speaks for itself, and one that is not the right one names another."""

import pytest

from models.contracts.base import Actor, Office
from models.contracts.case import AcknowledgeDuty, AnswerDuty, PassOn, TakeOverDuty
from models.contracts.clock import RunningDuty
from models.contracts.hazard import RefuseRectification
from models.contracts.notice import Notice
from models.contracts.policy import UploadPolicy
from models.contracts.vocabulary import ActorKind, Event, NoticeKind, Role
from tests.domain.lives import FILE, JILIN, SUZHOU, ZHEJIANG, Danger, Life, departments
from tests.makers import SOMEBODY

ANSWER = "department_answer"
REPORT = "major_hazard_report"
REFUSE = RefuseRectification(note="不整改")


def bureau(*roles: Role, region: str = JILIN, name: str = "应急管理局") -> Actor:
    office = Office(region=region, department=name, roles=roles)
    return Actor(kind=ActorKind.DEPARTMENT, id=name, name=name, office=office)


def refused_in_jilin() -> Danger:
    """A refusal there is reported to emergency management and to the sector's department, who share one duty."""
    danger = Danger.found(JILIN)
    danger.act(REFUSE)
    return danger


def reminded(danger: Danger) -> set[str]:
    return {role for _, moment, role in danger.record.told(ANSWER) if not moment.startswith("passed")}


def last(danger: Danger | Life) -> Notice:
    return danger.record.notices[-1]


@pytest.mark.obligation("JL-17b")
def test_one_department_that_acknowledges_ends_its_own_repeats_and_no_others() -> None:
    danger = refused_in_jilin()
    danger.act(AcknowledgeDuty(duty=REPORT), bureau(Role.EMERGENCY))
    danger.until("2024-06-30")
    told = danger.record.told(ANSWER)
    assert [role for _, moment, role in told if moment == "due"] == ["emergency", "industry"]
    assert [role for _, moment, role in told if moment in ("+7d", "+14d", "+21d")] == ["industry"] * 3


@pytest.mark.obligation("JL-17b")
def test_one_department_that_takes_over_does_not_quiet_the_other() -> None:
    danger = refused_in_jilin()
    danger.act(TakeOverDuty(duty=REPORT), bureau(Role.EMERGENCY))
    danger.until("2024-06-30")
    assert reminded(danger) == {"industry"}
    assert len(danger.record.told(ANSWER)) == 4
    assert danger.state.clock.duties[-1].is_open


def test_when_both_have_taken_over_nobody_hears_more() -> None:
    danger = refused_in_jilin()
    danger.act(TakeOverDuty(duty=REPORT), bureau(Role.EMERGENCY))
    danger.act(TakeOverDuty(duty=REPORT), bureau(Role.INDUSTRY, name="住建局"))
    danger.until("2024-06-30")
    assert danger.record.told(ANSWER) == []


def test_an_office_that_is_both_departments_speaks_for_both() -> None:
    danger = refused_in_jilin()
    danger.act(TakeOverDuty(duty=REPORT), bureau(Role.EMERGENCY, Role.INDUSTRY))
    danger.until("2024-06-30")
    assert danger.record.told(ANSWER) == []


def test_taking_over_an_overdue_duty_ends_its_escalation() -> None:
    life = Life.opened().until("2024-03-09")
    life.act(TakeOverDuty(duty="policy_upload"), bureau(Role.EMERGENCY, region=SUZHOU))
    life.until("2024-04-30")
    assert "financial" not in {role for _, _, role in life.record.told("policy_upload")}


def test_who_acknowledges_an_overdue_duty_does_not_end_its_escalation() -> None:
    life = Life.opened().until("2024-03-09")
    life.act(AcknowledgeDuty(duty="policy_upload"), bureau(Role.EMERGENCY, region=SUZHOU))
    life.until("2024-04-30")
    assert "financial" in {role for _, _, role in life.record.told("policy_upload")}


def test_a_state_of_before_roles_loads_with_its_hush_for_everybody() -> None:
    life = Life.opened().until("2024-03-09")
    duty = life.state.clock.duties[0].model_dump(mode="json", exclude={"hushes", "passed_on"})
    by = {"kind": "department", "id": "x", "name": "市应急局"}
    loaded = RunningDuty.model_validate({**duty, "hush": {"by": by, "at": duty["anchor_at"], "taken_over": True}})
    assert loaded.is_taken_over
    assert loaded.hushes[0].roles == ()
    assert RunningDuty.model_validate({**duty, "hush": None}).hushes == ()
    assert RunningDuty.model_validate_json(loaded.model_dump_json()) == loaded


class TestPassingOn:
    """转办"""

    def passed(self, danger: Danger, by: Actor, to: str = "住房和城乡建设局", region: str = JILIN) -> Notice:
        danger.act(PassOn(duty=REPORT, to_region=region, to_department=to, reason="属于在建工地"), by)
        return next(one for one in danger.record.notices if ":passed" in one.key and one.departments[0][1] == to)

    def test_the_named_department_gets_the_same_notice_with_who_sent_it_and_why(self) -> None:
        danger = refused_in_jilin()
        told = self.passed(danger, bureau(Role.INDUSTRY, name="工信局"))
        assert (told.kind, told.to) == (NoticeKind.MAJOR_HAZARD_REPORT, Role.INDUSTRY)
        assert told.departments == ((JILIN, "住房和城乡建设局"),)
        assert told.about.duty_key == REPORT
        assert told.about.passed_on == "工信局转来：属于在建工地"
        line = danger.record.lines(Event.DUTY_PASSED_ON)[0]
        assert line.said == "工信局将“报告重大隐患拒不整改”转长春市住房和城乡建设局办理：属于在建工地"

    def test_the_department_that_passed_it_on_is_reminded_no_more_and_the_other_one_is(self) -> None:
        danger = Danger.found(ZHEJIANG)
        self.passed(danger, bureau(Role.INDUSTRY, region=ZHEJIANG), region=ZHEJIANG)
        danger.until("2024-06-30")
        reminders = [one for one in danger.record.notices if one.about.duty_key == ANSWER and one.to is Role.INDUSTRY]
        assert len(reminders) == 4
        assert {departments(one) for one in reminders} == {("住房和城乡建设局",)}

    def test_in_jilin_the_other_department_is_told_as_before(self) -> None:
        danger = refused_in_jilin()
        self.passed(danger, bureau(Role.INDUSTRY, name="工信局"))
        danger.until("2024-04-30")
        emergency = [one for one in danger.record.notices if one.about.duty_key == ANSWER and one.to is Role.EMERGENCY]
        assert emergency
        assert {one.about.passed_on for one in emergency} == {""}
        assert all("应急管理局" in departments(one) for one in emergency)

    def test_the_new_department_may_answer_and_may_pass_it_further(self) -> None:
        danger = Danger.found(ZHEJIANG)
        self.passed(danger, bureau(Role.INDUSTRY, region=ZHEJIANG), region=ZHEJIANG)
        builders = bureau(Role.INDUSTRY, region=ZHEJIANG, name="住房和城乡建设局")
        told = self.passed(danger, builders, "交通运输局", ZHEJIANG)
        assert told.about.passed_on.startswith("住房和城乡建设局转来")
        danger.act(AnswerDuty(duty=REPORT, answer="已停工"), bureau(Role.INDUSTRY, region=ZHEJIANG, name="交通运输局"))
        assert danger.record.lines(Event.HAZARD_ANSWERED)

    def test_what_the_passing_department_said_before_or_says_later_does_not_quiet_the_new_one(self) -> None:
        danger = Danger.found(ZHEJIANG)
        first = bureau(Role.INDUSTRY, region=ZHEJIANG)
        danger.act(AcknowledgeDuty(duty=REPORT), first)
        self.passed(danger, first, region=ZHEJIANG)
        danger.act(TakeOverDuty(duty=REPORT), first)
        danger.until("2024-06-30")
        assert [moment for _, moment, role in danger.record.told(ANSWER) if role == "industry"] == [
            "due", "+7d", "+14d", "+21d",
        ]  # fmt: skip

    def test_an_overdue_duty_of_the_insurer_is_passed_on_as_overdue(self) -> None:
        life = Life.opened().until("2024-03-09")
        by = bureau(Role.EMERGENCY, region=SUZHOU)
        life.act(PassOn(duty="policy_upload", to_region="341302", to_department="应急管理局", reason="在埇桥区"), by)
        told = last(life)
        assert (told.kind, departments(told)) == (NoticeKind.DUTY_OVERDUE, ("应急管理局",))
        life.until("2024-04-30")
        assert "financial" in {role for _, _, role in life.record.told("policy_upload")}

    @pytest.mark.parametrize(
        ("command", "by", "expected"),
        [
            ({"to_department": "应急管理局"}, bureau(Role.INDUSTRY), "same_department"),
            ({"duty": "recheck"}, bureau(Role.INDUSTRY), "unknown_duty"),
            ({"duty": "hazard_notice"}, bureau(Role.INDUSTRY), "duty_closed"),
            ({}, SOMEBODY, "not_a_department"),
        ],
    )
    def test_what_cannot_be_passed_on_is_refused(self, command: dict[str, str], by: Actor, expected: str) -> None:
        danger = refused_in_jilin()
        plain = {"duty": REPORT, "to_region": JILIN, "to_department": "住建局", "reason": "属于在建工地"}
        refusal = danger.refused(PassOn.model_validate(plain | command), by)
        assert refusal is not None
        assert refusal.code == expected

    def test_the_same_department_is_not_named_twice(self) -> None:
        danger = refused_in_jilin()
        by = bureau(Role.INDUSTRY, name="工信局")
        self.passed(danger, by)
        again = PassOn(duty=REPORT, to_region=JILIN, to_department="住房和城乡建设局", reason="再转")
        refusal = danger.refused(again, by)
        assert refusal is not None
        assert refusal.code == "already_done"

    def test_a_duty_that_was_met_is_not_passed_on(self) -> None:
        life = Life.opened().until("2024-03-09")
        life.act(UploadPolicy(file=FILE))
        command = PassOn(duty="policy_upload", to_region=SUZHOU, to_department="住建局", reason="转")
        refusal = life.refused(command, bureau(Role.EMERGENCY, region=SUZHOU))
        assert refusal is not None
        assert refusal.code == "duty_closed"
