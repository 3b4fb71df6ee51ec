"""A department that was told of a major hazard can say that it has heard, and answer, though telling met the report."""

import pytest

from models.contracts.base import Actor
from models.contracts.case import AcknowledgeDuty, AnswerDuty, TakeOverDuty
from models.contracts.vocabulary import ActorKind, Event
from tests.domain.lives import ZHEJIANG, Danger

BUREAU = Actor(kind=ActorKind.DEPARTMENT, id="bureau", name="应急管理局")
REPORT = "major_hazard_report"


def duty(danger: Danger, key: str):
    return next(one for one in danger.state.clock.duties if one.key == key)


@pytest.mark.obligation("ZJ-27")
def test_who_acknowledges_a_report_is_reminded_no_more_of_the_answer_it_owes() -> None:
    danger = Danger.found(ZHEJIANG)
    assert not duty(danger, REPORT).is_open
    danger.act(AcknowledgeDuty(duty=REPORT), BUREAU)
    assert duty(danger, "department_answer").is_acknowledged
    assert duty(danger, "department_answer").is_open


def test_who_takes_a_report_over_hears_no_more_of_its_ladder() -> None:
    danger = Danger.found(ZHEJIANG)
    danger.act(TakeOverDuty(duty=REPORT), BUREAU)
    before = len(danger.record.told("department_answer"))
    danger.until("2024-06-30")
    assert len(danger.record.told("department_answer")) == before


def test_an_answer_to_a_report_meets_what_the_department_owes() -> None:
    danger = Danger.found(ZHEJIANG)
    danger.act(AnswerDuty(duty=REPORT, answer="已责令停用"), BUREAU)
    assert not duty(danger, "department_answer").is_open
    assert [line.duty_key for line in danger.record.lines(Event.HAZARD_ANSWERED)] == ["department_answer"]


def test_a_duty_that_was_met_by_the_insured_is_not_turned_into_another() -> None:
    danger = Danger.found(ZHEJIANG)
    refusal = danger.refused(AcknowledgeDuty(duty="rectification#9"), BUREAU)
    assert refusal is not None
    assert refusal.code == "unknown_duty"


def test_an_answer_about_another_matter_does_not_meet_what_a_department_owes() -> None:
    danger = Danger.found(ZHEJIANG)
    danger.act(AnswerDuty(duty="hazard_notice", answer="已督促告知"), BUREAU)
    assert duty(danger, "department_answer").is_open
    assert danger.record.lines(Event.HAZARD_ANSWERED) == []
