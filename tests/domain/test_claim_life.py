"""A claim keeps the terms of the insurance law and of its place, from the report to the last day it can be reopened."""

from datetime import date, timedelta

import pytest

from domain.claim import life, views
from domain.claim.wording import claim_details
from domain.duties import coming
from models.contracts import claim as commands
from models.contracts.claim import ReportClaim
from models.contracts.claim_state import ClaimState
from models.contracts.vocabulary import ClaimStage, Event, NoticeKind, PaymentKind, Role
from tests.domain.claim_lives import (
    ANNA,
    COVERED,
    DENIED,
    HAPPENED,
    SURVEYED,
    Claim,
    accident,
    claim_birth,
    death,
    paying,
)
from tests.domain.lives import FILE, at

LOSS = death("L1", "600000.00", ANNA)
REQUEST = commands.RequestDocuments(documents=("事故调查报告", "死亡证明"))
REFUSAL = commands.RefuseClaim(reasons="属于责任免除", clause="第五条第二项", notice=FILE)
UPLOAD = commands.UploadResult(receipt="SZ-2024-1")


def refusal_code(happened: str, **more: object) -> str:
    birth = claim_birth(**more)  # pyright: ignore[reportArgumentType]
    command = ReportClaim(number="C-1", accident=accident(at=happened))
    refusal = life.refuse_opening(birth, command, at("2025-06-01T10:00"))
    return refusal.code if refusal else ""


@pytest.mark.parametrize(
    ("happened", "code"),
    [
        ("2024-03-04T23:59:00+08:00", "not_in_force"),
        ("2024-03-05T00:00:00+08:00", ""),
        ("2025-03-04T23:59:00+08:00", ""),
        ("2025-03-05T00:00:00+08:00", "not_in_force"),
        ("2025-07-01T00:00:00+08:00", "date_in_future"),
    ],
)
def test_only_an_accident_in_the_time_of_cover_opens_a_claim(happened: str, code: str) -> None:
    assert refusal_code(happened) == code


def test_after_a_surrender_there_is_no_cover() -> None:
    surrendered = date(2024, 6, 2)
    assert refusal_code("2024-06-02T20:00:00+08:00", surrendered_on=surrendered) == ""
    assert refusal_code("2024-06-03T08:00:00+08:00", surrendered_on=surrendered) == "not_in_force"


def test_the_insured_is_reminded_at_once_of_its_own_report_and_no_department_is_told() -> None:
    claim = Claim.reported()
    opened = [notice for notice in claim.record.notices if notice.kind is NoticeKind.CLAIM_OPENED]
    assert {notice.to for notice in opened} == {Role.INSURED, Role.INSURER}
    assert all(notice.cites and notice.cites.number == "国务院令第493号" for notice in opened)
    assert not [notice for notice in claim.record.notices if notice.departments]


@pytest.mark.obligation("SZ-18", "XM-18a", "ZJ-29")
def test_thirty_days_to_determine_roll_over_a_rest_day_and_escalate_to_the_financial_regulator() -> None:
    claim = Claim.reported()
    assert claim.due("claim_determination") == "2024-07-03"
    assert claim.due("minimum_prepayment") == "2024-08-02"
    claim.until("2024-07-12")
    told = claim.record.told("claim_determination")
    assert ("2024-07-04", "due", "insurer") in told
    assert ("2024-07-11", "+7d", "financial") in told


def test_the_thirty_days_stop_from_the_request_to_the_arrival_of_the_documents() -> None:
    claim = Claim.reported(complete=False).until("2024-06-05T10:00").act(REQUEST)
    assert claim.state.stage is ClaimStage.DOCUMENTS_AWAITED
    assert claim.due("claim_determination") == ""
    claim.until("2024-06-11T10:00").act(commands.ReceiveDocuments(complete=False, documents=("死亡证明",)))
    assert claim.due("claim_determination") == ""
    claim.until("2024-06-15T10:00").act(commands.ReceiveDocuments(complete=True))
    assert claim.due("claim_determination") == "2024-07-15"  # ten days deducted: 13 July is a Saturday
    assert claim.due("minimum_prepayment") == "2024-08-14"
    assert claim.state.stage is ClaimStage.REPORTED


def test_documents_are_asked_for_once_and_a_second_time_only_with_a_reason() -> None:
    claim = Claim.reported(complete=False).act(REQUEST)
    assert claim.code(REQUEST) == "documents_asked_already"
    claim.act(REQUEST.model_copy(update={"override_reason": "首次清单遗漏户籍证明"}))
    assert claim.state.requests == 2
    told = [notice for notice in claim.record.notices if notice.kind is NoticeKind.DOCUMENTS_REQUESTED]
    assert len({notice.key for notice in told}) == 2
    assert "事故调查报告" in told[0].about.note


def test_ten_days_to_pay_run_from_the_agreement_and_the_last_payment_completes_the_claim() -> None:
    claim = Claim.reported().until("2024-06-10T10:00").act(SURVEYED, commands.AssessLoss(lines=(LOSS,)), COVERED)
    claim.agreed()
    assert claim.due("claim_payment") == "2024-06-20"
    claim.until("2024-06-12T10:00").paid(paying("P1", PaymentKind.SETTLEMENT, LOSS))
    assert claim.state.stage is ClaimStage.COMPLETED
    assert "claim_payment" not in claim.open_duties()


@pytest.mark.obligation("SZ-A8")
def test_suzhou_wants_the_result_within_seven_days_of_completion_and_closing_waits_for_it() -> None:
    claim = Claim.reported().until("2024-06-10T10:00").act(SURVEYED, commands.AssessLoss(lines=(LOSS,)), COVERED)
    assert claim.code(UPLOAD) == "gate_closed"
    claim.agreed().paid(paying("P1", PaymentKind.SETTLEMENT, LOSS))
    assert claim.due("claim_result_upload") == "2024-06-17"
    assert claim.code(commands.CloseClaim()) == "step_skipped"
    claim.act(UPLOAD, commands.CloseClaim())
    assert claim.state.stage is ClaimStage.CLOSED
    assert not claim.open_duties()


def test_a_refusal_is_served_within_three_days_and_completes_the_claim() -> None:
    claim = Claim.reported().until("2024-06-10T10:00").act(SURVEYED)
    assert claim.code(REFUSAL) == "gate_closed"
    claim.act(DENIED)
    assert claim.state.stage is ClaimStage.DENIED
    assert claim.due("refusal_notice") == "2024-06-13"
    assert "claim_determination" not in claim.open_duties()
    claim.act(REFUSAL)
    assert claim.state.stage is ClaimStage.REFUSED
    assert claim.record.lines(Event.CLAIM_COMPLETED)
    refused = [notice for notice in claim.record.notices if notice.kind is NoticeKind.CLAIM_REFUSED]
    assert [(notice.to, notice.cites and notice.cites.clause) for notice in refused] == [(Role.INSURED, "第二十四条")]
    claim.act(UPLOAD, commands.CloseClaim())


def test_nothing_is_determined_as_covered_before_the_survey_found_the_facts_true() -> None:
    assert Claim.reported().code(COVERED) == "not_surveyed"


def test_a_claim_reported_late_into_the_system_sends_no_old_reminders() -> None:
    claim = Claim.reported(now="2024-07-20T10:00", on=date(2024, 6, 3))
    assert claim.due("claim_determination") == "2024-07-03"
    told = claim.record.told("claim_determination")
    assert {moment for _, moment, _ in told} == {"standing"}


def test_dates_lie_between_report_and_today() -> None:
    claim = Claim.reported()
    assert claim.code(SURVEYED.model_copy(update={"on": date(2024, 6, 2)})) == "date_out_of_range"
    assert claim.code(SURVEYED.model_copy(update={"on": date(2024, 6, 4)})) == "date_out_of_range"


def test_a_reopened_claim_keeps_its_payments_and_decides_again() -> None:
    claim = Claim.reported().act(SURVEYED, commands.AssessLoss(lines=(LOSS,)), COVERED)
    claim.agreed().paid(paying("P1", PaymentKind.SETTLEMENT, LOSS)).act(UPLOAD, commands.CloseClaim())
    claim.act(commands.ReopenClaim(reason="伤残等级改判"))
    assert claim.state.stage is ClaimStage.REPORTED
    assert claim.state.agreed is None
    lower = death("L1", "500000.00", ANNA)
    assert claim.code(commands.AssessLoss(lines=(lower,))) == "below_paid"
    higher = death("L1", "700000.00", ANNA)
    claim.act(commands.AssessLoss(lines=(higher,)), COVERED).agreed()
    claim.paid(paying("P2", PaymentKind.SETTLEMENT, death("L1", "100000.00", ANNA)))
    assert claim.state.stage is ClaimStage.COMPLETED
    assert views.view(claim.state).money.paid == 700000


def test_an_agreement_that_other_claims_left_no_room_for_is_reopened_and_cut_by_a_person() -> None:
    """Two claims of one accident share its limit; the treasury refuses the second, a person cuts it."""
    claim = Claim.reported().act(SURVEYED, commands.AssessLoss(lines=(LOSS,)), COVERED).agreed()
    left = claim.state.limits.model_copy(update={"per_accident": LOSS.amount - 100000})
    assert claim.code(commands.SetLimits(limits=left, reason="同一事故另案已付")) == "wrong_stage"
    claim.act(commands.ReopenClaim(reason="每次事故限额所余不足"), commands.SetLimits(limits=left, reason="另案已付"))
    claim.act(COVERED).agreed().paid(paying("P1", PaymentKind.SETTLEMENT, death("L1", "500000.00", ANNA)))
    assert claim.state.stage is ClaimStage.COMPLETED


def test_where_the_limits_leave_nothing_to_pay_the_claim_is_completed_without_a_payment() -> None:
    claim = Claim.reported().act(SURVEYED, commands.AssessLoss(lines=(LOSS,)), COVERED)
    spent = claim.state.limits.model_copy(update={"aggregate": LOSS.amount - LOSS.amount})
    claim.act(commands.SetLimits(limits=spent, reason="累计限额已用尽"))
    assert claim.state.stage is ClaimStage.COMPLETED
    assert not claim.record.lines(Event.CLAIM_PAID)
    claim.act(UPLOAD, commands.CloseClaim())


def test_a_closed_claim_waits_two_years_and_is_then_archived() -> None:
    claim = Claim.reported().act(SURVEYED, DENIED, REFUSAL, UPLOAD, commands.CloseClaim())
    assert not life.over(claim.state)
    claim.until(claim.now + timedelta(days=732))
    assert life.over(claim.state)
    assert life.next_alarm(claim.state) is None
    assert claim.code(commands.ReopenClaim(reason="晚了")) == "case_closed"


def test_state_and_view_survive_the_wire_unchanged() -> None:
    claim = Claim.reported().act(SURVEYED, commands.AssessLoss(lines=(LOSS,)), COVERED)
    claim.act(paying("P0", PaymentKind.MINIMUM, death("L1", "5000.00", ANNA)))
    assert ClaimState.model_validate_json(claim.state.model_dump_json()) == claim.state
    shown = views.view(claim.state)
    row = views.row(claim.state, shown, shown.model_dump(mode="json"))
    assert row.view["money"]["payable"] == "600000.00"
    assert row.stage == "determined"


def test_the_details_tell_path_money_and_next_term() -> None:
    claim = Claim.reported(now=HAPPENED + timedelta(hours=1)).act(SURVEYED, commands.AssessLoss(lines=(LOSS,)))
    told = claim_details(claim.state, coming(claim.state))
    for words in ("理赔 C-1", "普通理赔", "600,000.00 元", "核定保险责任", "保险法"):
        assert words in told
