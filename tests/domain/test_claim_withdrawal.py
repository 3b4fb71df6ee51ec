"""A claim given up, a grade that has risen, a dispute that has ended: what is recorded, told and refused."""

from datetime import date
from decimal import Decimal

import pytest

from domain.claim import life, views
from models.contracts import claim as commands
from models.contracts.vocabulary import (
    ClaimPath,
    ClaimStage,
    Event,
    NoticeKind,
    OrderResult,
    PaymentKind,
    Role,
    StopReason,
)
from tests.domain.claim_lives import ANNA, BO, COVERED, DENIED, SURVEYED, Claim, claim_birth, death, line, paying
from tests.domain.lives import FILE

WITHDRAWN = commands.WithdrawClaim(reason="被保险人书面撤回索赔")
LOSS = death("L1", "600000.00", ANNA)
PAYMENT = paying("P1", PaymentKind.SETTLEMENT, LOSS)


def agreed() -> Claim:
    return Claim.reported().act(SURVEYED, commands.AssessLoss(lines=(LOSS,)), COVERED).agreed()


def returned(amount: str) -> commands.SetOffAdvance:
    back = {"number": "P1", "how": "recovered", "amount": amount, "reference": f"back-{amount}"}
    return commands.SetOffAdvance.model_validate(back)


class TestAClaimGivenUp:
    def test_stops_every_term_with_its_reason_and_is_confirmed_to_the_insured(self) -> None:
        claim = Claim.reported().until("2024-06-10T10:00").act(WITHDRAWN)
        assert claim.state.stage is ClaimStage.WITHDRAWN
        assert claim.open_duties() == set()
        assert {one.stop_reason for one in claim.state.clock.duties} == {StopReason.WITHDRAWN}
        told = [(one.to, one.about.note) for one in claim.record.notices if one.kind is NoticeKind.CLAIM_WITHDRAWN]
        assert told == [(Role.INSURED, "被保险人书面撤回索赔")]
        row = views.row(claim.state, views.view(claim.state), {})
        assert (row.stage, row.ended_at) == ("withdrawn", claim.now)

    def test_tells_nobody_anything_afterwards_until_it_is_archived(self) -> None:
        claim = Claim.reported().until("2024-06-10T10:00").act(WITHDRAWN)
        notices = len(claim.record.notices)
        claim.until("2026-06-10T10:00")
        assert len(claim.record.notices) == notices
        assert not life.over(claim.state)
        claim.until("2026-06-11T10:00")
        assert life.over(claim.state)

    def test_may_be_taken_up_again_with_its_terms(self) -> None:
        claim = Claim.reported().act(WITHDRAWN)
        assert claim.code(SURVEYED) == "wrong_stage"
        claim.act(commands.ReopenClaim(reason="索赔人改变主意"))
        assert claim.state.stage is ClaimStage.REPORTED
        assert claim.state.closed_at is None
        claim.act(SURVEYED, commands.AssessLoss(lines=(LOSS,)), COVERED).agreed().paid(PAYMENT)
        assert claim.state.stage is ClaimStage.COMPLETED

    def test_is_refused_while_a_payment_is_under_way(self) -> None:
        claim = agreed().act(PAYMENT)
        assert claim.code(WITHDRAWN) == "payments_open"
        claim.act(commands.VoidPayment(number="P1", reason="撤案")).act(WITHDRAWN)
        assert claim.state.stage is ClaimStage.WITHDRAWN

    def test_is_refused_until_all_that_was_paid_has_come_back(self) -> None:
        second = line("L2", "medical", "100.00", BO)
        claim = Claim.reported().act(SURVEYED, commands.AssessLoss(lines=(LOSS, second)), COVERED).agreed()
        claim.paid(PAYMENT)
        assert claim.state.stage is ClaimStage.AGREED
        claim.act(returned("599999.99"))
        assert claim.code(WITHDRAWN) == "money_out"
        claim.act(returned("0.01")).act(WITHDRAWN)
        assert views.view(claim.state).money.recovered == Decimal("600000.00")

    def test_is_refused_once_it_was_denied_paid_or_closed(self) -> None:
        assert Claim.reported().act(SURVEYED, DENIED).code(WITHDRAWN) == "wrong_stage"
        assert agreed().paid(PAYMENT).code(WITHDRAWN) == "wrong_stage"
        assert Claim.reported().act(WITHDRAWN).code(WITHDRAWN) == "wrong_stage"

    def test_hears_of_a_transfer_that_came_after_all_and_leaves_it_to_a_person(self) -> None:
        claim = agreed().act(PAYMENT, commands.ApprovePayment(number="P1", by_user="u-2"))
        claim.answered("P1", OrderResult.REFUSED).act(commands.VoidPayment(number="P1", reason="撤案"), WITHDRAWN)
        claim.answered("P1", OrderResult.CONFIRMED, "bank-late")
        assert claim.payment("P1").disputed == "bank-late"
        assert claim.record.lines(Event.PAYMENT_DISPUTED)


class TestARisenGrade:
    def risen(self, claim: Claim, deaths: int) -> list[str]:
        harm = commands.Casualties(deaths=deaths)
        claim.act(commands.UpdateCasualties(casualties=harm, note="伤者不治"))
        told = [one for one in claim.record.notices if one.kind is NoticeKind.ACCIDENT_REGRADED]
        assert {(one.to, one.cites and one.cites.clause) for one in told} <= {(Role.INSURER, "第十三条")}
        return [one.about.note for one in told]

    def test_tells_the_insurer_that_the_large_prepayment_is_open_now(self) -> None:
        claim = Claim.reported(region="350200").act(SURVEYED)
        (note,) = self.risen(claim, 3)
        assert "由一般事故变更为较大事故" in note
        assert "已符合大额预付的条件" in note
        assert claim.state.path is ClaimPath.LARGE_PREPAY

    @pytest.mark.parametrize("figures", [True, False])
    def test_tells_the_insurer_what_the_large_prepayment_still_lacks(self, figures: bool) -> None:
        terms = claim_birth().terms.model_copy(update={} if figures else {"large_prepay_days": None})
        claim = Claim.reported(terms=terms)
        if not figures:
            claim.act(SURVEYED)
        (note,) = self.risen(claim, 3)
        assert "尚不齐备" in note
        assert ("责任尚未明确" in note) is figures
        assert ("未约定大额预付的付款天数" in note) is not figures

    def test_says_nothing_where_it_fell_or_stayed(self) -> None:
        claim = Claim.reported(accident={"deaths": 3})
        assert self.risen(claim, 4) == []
        assert self.risen(claim, 1) == []
        assert claim.record.lines(Event.ACCIDENT_REGRADED)


@pytest.mark.obligation("SZ-A10")
@pytest.mark.parametrize("responsible", [True, False])
def test_a_judgment_is_on_record_with_who_is_responsible_even_after_closing(responsible: bool) -> None:
    refused = commands.RefuseClaim(reasons="责任免除", clause="第五条", notice=FILE)
    claim = Claim.reported().act(SURVEYED, DENIED, refused, commands.UploadResult(receipt="1"))
    claim.act(commands.CloseClaim()).until("2024-12-02T10:00")
    judged = commands.RecordLitigation(
        number="（2024）皖1302民初1号", responsible=responsible, note="一审", document=FILE, on=date(2024, 12, 1)
    )
    claim.act(judged)
    (line,) = claim.record.lines(Event.LITIGATION_ENDED)
    assert line.data["responsible"] is responsible
    assert "（2024）皖1302民初1号" in line.said
    assert claim.state.stage is ClaimStage.CLOSED
