"""Money of a claim moves only within limits, to the right payee, with two persons, once; golden amounts included."""

from decimal import Decimal
from typing import Any
from uuid import uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.claim import life, money, views
from domain.claim.payments import STUCK
from models.contracts import claim as commands
from models.contracts.claim_terms import ClaimTerms, Limits
from models.contracts.ids import NAMESPACE
from models.contracts.payment import PaymentLine
from models.contracts.vocabulary import (
    Event,
    LimitPot,
    LossHead,
    NoticeKind,
    OrderResult,
    PaymentKind,
    PaymentStatus,
    Role,
)
from tests.domain.claim_lives import (
    ANNA,
    BO,
    CARL,
    COVERED,
    LIMITS,
    SUPPLIER,
    SURVEYED,
    Claim,
    death,
    line,
    paying,
    yuan,
)
from tests.domain.lives import FILE

LOSS = death("L1", "600000.00", ANNA)
SETTLED = paying("P1", PaymentKind.SETTLEMENT, LOSS)
SECOND = commands.ApprovePayment(number="P1", by_user="u-2")


def ready(*lines: Any, **more: Any) -> Claim:
    """Covered and agreed on the ordinary path."""
    claim = Claim.reported(**more).act(SURVEYED, commands.AssessLoss(lines=lines or (LOSS,)), COVERED)
    return claim.agreed()


def some(number: str, amount: str, **more: Any) -> commands.ProposePayment:
    return paying(number, PaymentKind.SETTLEMENT, death("L1", amount, ANNA), **more)


def test_limits_cut_first_by_person_then_by_accident_and_rescue_stands_beside_them() -> None:
    lines = (
        death("L1", "900000.00", ANNA),
        death("L2", "900000.00", BO),
        line("L3", "medical", "5000.00", CARL),
        line("L4", "third_party_property", "500000.00"),
        line("L5", "rescue", "300000.00"),
        line("L6", "litigation", "20000.00"),
    )
    cut = money.adjusted(lines, LIMITS)
    assert cut.pots == {
        LimitPot.INDEMNITY: yuan("2000000.00"),
        LimitPot.RESCUE: yuan("300000.00"),
        LimitPot.COSTS: yuan("20000.00"),
    }
    assert cut.total == yuan("2320000.00")
    assert len(cut.because) == 2
    assert "2 人" in cut.because[0]


def test_rescue_has_its_own_ceiling_and_costs_theirs_where_agreed() -> None:
    limits = LIMITS.model_copy(update={"rescue": yuan("100000.00"), "costs": yuan("5000.00")})
    lines = (line("L5", "rescue", "300000.00"), line("L6", "litigation", "20000.00"))
    assert money.adjusted(lines, limits).total == yuan("105000.00")


def test_twelve_victims_of_one_accident_share_its_limit() -> None:
    victims = [death(f"L{n}", "300000.00", uuid5(NAMESPACE, str(n))) for n in range(12)]
    claim = ready(*victims, accident={"deaths": 12}, limits=LIMITS.model_copy(update={"per_accident": yuan("3000000")}))
    for n, victim in enumerate(victims[:10]):
        claim.paid(paying(f"P{n}", PaymentKind.SETTLEMENT, victim))
    assert claim.record.lines(Event.CLAIM_COMPLETED)
    assert claim.code(paying("P10", PaymentKind.SETTLEMENT, victims[10])) == "over_limit"


@pytest.mark.obligation("XM-18b")
def test_employees_of_one_insured_get_one_standard() -> None:
    claim = Claim.reported(region="350200").act(SURVEYED)
    refusal = claim.refused(commands.AssessLoss(lines=(LOSS, death("L2", "500000.00", BO))))
    assert refusal is not None
    assert refusal.code == "one_standard"
    assert "二(四)" in refusal.clause
    disabled = [line(f"D{g}", "employee_disability", f"{g}0000.00", ANNA, grade=g) for g in (1, 2)]
    claim.act(commands.AssessLoss(lines=(LOSS, death("L2", "600000.00", BO), *disabled)))


@pytest.mark.obligation("XM-11")
def test_nothing_but_the_loss_itself_enters_the_sum() -> None:
    with pytest.raises(ValidationError):
        line("L1", "work_injury_benefit", "1.00", ANNA)


def test_unknown_limits_stop_money_until_a_person_settles_them() -> None:
    claim = Claim.reported(limits=Limits(per_person=yuan("800000.00")))
    claim.act(SURVEYED, commands.AssessLoss(lines=(LOSS,)), COVERED)
    assert views.view(claim.state).money.payable is None
    assert claim.code(commands.AgreeSettlement(amount=yuan("600000.00"), agreement=FILE)) == "limits_unknown"
    assert claim.code(paying("M1", PaymentKind.MINIMUM, LOSS)) == "limits_unknown"
    agreed = Limits.model_validate(
        {"per_person": "800000.00", "per_accident": "500000.00", "not_agreed": ["aggregate"]}
    )
    claim.act(commands.SetLimits(limits=agreed, reason="查阅批单"))
    assert money.payable(claim.state).total == yuan("500000.00")
    claim.agreed()


def test_the_agreement_is_exactly_the_adjusted_loss() -> None:
    claim = Claim.reported().act(SURVEYED, commands.AssessLoss(lines=(LOSS,)), COVERED)
    assert claim.code(commands.AgreeSettlement(amount=yuan("599999.99"), agreement=FILE)) == "settlement_differs"
    assert claim.code(SETTLED) == "payment_not_allowed"


def test_above_the_threshold_a_second_person_approves_and_capitals_do_not_make_one() -> None:
    claim = ready().act(SETTLED)
    same = commands.ApprovePayment(number="P1", by_user="U-1")
    refusal = claim.refused(same)
    assert refusal is not None
    assert refusal.code == "four_eyes"
    claim.act(SECOND)
    assert claim.payment("P1").approved is not None


def test_at_the_threshold_one_person_is_enough_and_without_one_never() -> None:
    claim = ready().act(some("P1", "10000.00"))
    assert claim.code(commands.ApprovePayment(number="P1", by_user="u-1")) == ""
    unset = ready(terms=ClaimTerms()).act(some("P1", "0.01"))
    assert unset.code(commands.ApprovePayment(number="P1", by_user="u-1")) == "four_eyes"


def test_the_insured_is_paid_only_with_proof_that_it_paid_the_victims() -> None:
    claim = ready()
    bare = some("P1", "600000.00", payee={"kind": "insured"})
    refusal = claim.refused(bare)
    assert refusal is not None
    assert (refusal.code, refusal.clause) == ("victims_first", "保险法 第六十五条")
    claim.act(some("P1", "600000.00", payee={"kind": "insured", "proof": FILE.model_dump()}))


def test_the_victim_is_paid_by_default_and_nobody_else_under_its_name() -> None:
    claim = ready(LOSS, death("L2", "600000.00", BO))
    assert claim.code(some("P1", "1.00", payee={"kind": "victim", "ref": BO})) == "payee_unfit"
    assert claim.code(some("P1", "1.00", payee={"kind": "supplier", "ref": SUPPLIER})) == "payee_unfit"
    both = paying("P1", PaymentKind.SETTLEMENT, LOSS, death("L2", "600000.00", BO))
    assert claim.code(both) == "payee_required"
    claim.act(SETTLED)
    assert claim.payment("P1").payee.ref == ANNA


def test_a_line_is_never_paid_beyond_its_loss_nor_under_another_name() -> None:
    claim = ready(LOSS, death("L2", "600000.00", BO)).paid(some("P1", "400000.00"))
    assert claim.code(some("P2", "200000.01")) == "over_line"
    assert claim.code(paying("P2", PaymentKind.SETTLEMENT, death("L9", "1.00", ANNA))) == "line_unknown"
    assert claim.code(paying("P2", PaymentKind.SETTLEMENT, death("L1", "1.00", BO))) == "line_unknown"
    assert claim.code(some("P1", "1.00")) == "payment_number_used"


def test_an_approved_payment_gives_one_order_with_a_key_that_never_changes() -> None:
    claim = ready().act(SETTLED)
    asked = life.reservation(claim.state, "P1")
    assert (asked.amount, asked.persons[0].person, asked.standards[0].amount) == (LOSS.amount, ANNA, LOSS.amount)
    assert not life.holds_room(claim.state, "P1")
    claim.act(SECOND)
    assert [order.key for order in claim.orders] == ["pingan:C-1:P1"]
    assert life.pending_orders(claim.state) == tuple(claim.orders)
    assert life.holds_room(claim.state, "P1")
    assert claim.code(SECOND) == "wrong_status"
    assert claim.code(commands.VoidPayment(number="P1", reason="迟了")) == "wrong_status"
    claim.answered("P1", OrderResult.ACCEPTED)
    assert life.pending_orders(claim.state) == ()


def test_an_unknown_outcome_waits_for_a_person_and_keeps_its_room() -> None:
    claim = ready().act(SETTLED, SECOND).answered("P1", OrderResult.UNKNOWN)
    stuck = [notice for notice in claim.record.notices if notice.kind is NoticeKind.PAYMENT_STUCK]
    assert {notice.to for notice in stuck} == {Role.INSURER, Role.HUMAN_QUEUE}
    assert claim.code(some("P2", "0.01")) == "over_line"
    assert claim.code(commands.VoidPayment(number="P1", reason="猜测未付")) == "wrong_status"
    found = commands.RecordOutcome(number="P1", result=OrderResult.CONFIRMED, reference="bank-9")
    claim.act(found)
    assert claim.payment("P1").status is PaymentStatus.CONFIRMED
    assert claim.record.lines(Event.CLAIM_PAID)


def test_money_the_bank_sent_back_and_that_arrived_after_all_is_told_once_more() -> None:
    claim = ready().paid(SETTLED).answered("P1", OrderResult.REFUSED)
    claim.answered("P1", OrderResult.CONFIRMED, "bank-9").answered("P1", OrderResult.CONFIRMED, "bank-9")
    told = [notice.key for notice in claim.record.notices if notice.kind is NoticeKind.PAYMENT_MADE]
    assert len(told) == len(set(told)) == 2


def test_a_failed_payment_is_voided_gives_its_room_back_and_is_replaced_under_a_new_number() -> None:
    claim = ready().act(SETTLED, SECOND).answered("P1", OrderResult.REFUSED)
    assert claim.code(some("P2", "600000.00")) == "over_line"
    claim.act(commands.VoidPayment(number="P1", reason="账号有误"))
    assert [release.key for release in claim.releases] == ["pingan:C-1:P1:void"]
    assert claim.code(SETTLED) == "payment_number_used"
    claim.paid(some("P2", "600000.00"))
    assert claim.record.lines(Event.CLAIM_COMPLETED)


def test_a_core_system_that_answers_twice_changes_nothing_the_second_time() -> None:
    claim = ready().paid(SETTLED)
    seq = claim.state.seq
    claim.answered("P1", OrderResult.CONFIRMED, "bank-P1").answered("P1", OrderResult.ACCEPTED)
    assert claim.state.seq == seq
    claim.act(commands.RecordOutcome(number="P1", result=OrderResult.CONFIRMED, reference="bank-P1"))
    assert views.view(claim.state).money.paid == LOSS.amount


def test_a_second_transfer_for_one_payment_is_a_matter_for_a_person_and_blocks_closing() -> None:
    claim = ready().paid(SETTLED).act(commands.UploadResult(receipt="SZ-1"))
    claim.answered("P1", OrderResult.CONFIRMED, "bank-other")
    assert claim.payment("P1").disputed == "bank-other"
    assert claim.code(commands.CloseClaim()) == "payment_disputed"
    back = {"number": "P1", "how": "recovered", "amount": "600000.00", "reference": "back-1"}
    claim.act(commands.SetOffAdvance.model_validate(back), commands.CloseClaim())
    assert views.view(claim.state).money.paid == LOSS.amount


def test_each_other_transfer_that_is_told_is_a_letter_of_its_own_also_one_that_comes_again() -> None:
    claim = ready().paid(SETTLED)
    for reference in ("bank-a", "bank-b", "bank-a"):
        claim.answered("P1", OrderResult.CONFIRMED, reference)
    stuck = [notice.key for notice in claim.record.notices if notice.kind is NoticeKind.PAYMENT_STUCK]
    assert len(stuck) == len(set(stuck)) == 3 * len(STUCK)


def test_money_the_bank_sent_back_opens_the_books_again() -> None:
    claim = ready().paid(SETTLED).act(commands.UploadResult(receipt="SZ-1"))
    back = {"number": "P1", "how": "recovered", "amount": "100000.00", "reference": "back-1"}
    claim.act(commands.SetOffAdvance.model_validate(back))
    assert claim.code(commands.CloseClaim()) == "books_uneven"
    claim.paid(some("P2", "100000.00")).act(commands.CloseClaim())


def returned(number: str, amount: str, of_line: str | None = None) -> commands.SetOffAdvance:
    back = {"number": number, "how": "recovered", "amount": amount, "line": of_line, "reference": f"back-{amount}"}
    return commands.SetOffAdvance.model_validate(back)


def of_two_persons() -> Claim:
    """One payment to the insured, which has compensated two persons: 600 000 and 300 000 yuan."""
    lines = death("L1", "600000.00", ANNA), line("L2", "employee_disability", "300000.00", BO, grade=4)
    proof = {"kind": "insured", "proof": FILE.model_dump()}
    return ready(*lines).paid(paying("P1", PaymentKind.SETTLEMENT, *lines, payee=proof))


def by_person(claim: Claim) -> dict[Any, Decimal]:
    return money.on_persons(money.live_shares(claim.state))


def test_money_of_several_persons_that_came_back_in_part_is_shared_out_to_the_cent() -> None:
    claim = of_two_persons().act(returned("P1", "100.00"))
    assert by_person(claim) == {ANNA: yuan("599933.34"), BO: yuan("299966.66")}
    (given_back,) = claim.releases
    assert {one.person: one.amount for one in given_back.persons} == {ANNA: yuan("66.66"), BO: yuan("33.34")}
    assert given_back.pots[0].amount == yuan("100.00")
    claim.act(returned("P1", "899900.00"))
    assert by_person(claim) == {}
    assert sum(one.pots[0].amount for one in claim.releases) == yuan("900000.00")


def test_money_that_came_back_for_a_named_loss_is_that_persons_alone() -> None:
    claim = of_two_persons().act(returned("P1", "50000.00", "L2"))
    assert by_person(claim) == {ANNA: yuan("600000.00"), BO: yuan("250000.00")}
    assert claim.code(returned("P1", "250000.01", "L2")) == "over_payment"
    assert claim.code(returned("P1", "1.00", "L9")) == "line_unknown"
    claim.act(returned("P1", "1.00"))
    assert sum(by_person(claim).values()) == yuan("849999.00")


@given(
    amounts=st.lists(st.integers(1, 10**15), min_size=1, max_size=6),
    wanted=st.lists(st.integers(1, 10**15), max_size=4),
    named=st.booleans(),
)
def test_what_comes_back_is_never_more_than_was_paid_on_any_line(
    amounts: list[int], wanted: list[int], named: bool
) -> None:
    lines = tuple(
        PaymentLine(head=LossHead.EMPLOYEE_DEATH, amount=Decimal(cents).scaleb(-2), person=ANNA, line=f"L{n}")
        for n, cents in enumerate(amounts)
    )
    payment = of_two_persons().payment("P1").model_copy(update={"lines": lines})
    total = Decimal("0.00")
    for cents in wanted:
        left = money.left_of(payment, "L0") if named else payment.net
        part = min(Decimal(cents).scaleb(-2), left or Decimal("0.00"))
        payment, back = money.with_recovery(payment, part, "L0" if named else None) if part else (payment, ())
        total += part
        assert sum((one.amount for one in back), Decimal("0.00")) == part
    rest = money.shares(payment)
    assert sum((one.amount for one in rest), Decimal("0.00")) == payment.net == payment.amount - total
    assert all(one.amount > 0 for one in rest)
    assert all(0 <= gone <= one.amount for gone, one in zip(payment.back, lines, strict=False))


def test_one_bank_reference_settles_one_payment_only() -> None:
    claim = ready().paid(some("P1", "100.00")).act(some("P2", "100.00"))
    claim.act(commands.ApprovePayment(number="P2", by_user="u-2")).answered("P2", OrderResult.ACCEPTED)
    again = commands.RecordOutcome(number="P2", result=OrderResult.CONFIRMED, reference="bank-P1")
    assert claim.code(again) == "reference_used"
    claim.answered("P2", OrderResult.CONFIRMED, "bank-P1")
    assert claim.payment("P2").status is PaymentStatus.UNKNOWN


def test_a_payment_names_one_pot_and_each_line_once() -> None:
    claim = ready(LOSS, line("L5", "rescue", "100.00"))
    mixed = paying("P1", PaymentKind.SETTLEMENT, LOSS, line("L5", "rescue", "1.00"), payee={"kind": "insured"})
    assert claim.code(mixed) == "mixed_pots"
    twice = paying("P1", PaymentKind.SETTLEMENT, death("L1", "1.00", ANNA), death("L1", "2.00", ANNA))
    assert claim.code(twice) == "line_twice"


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "1e4", "1.005", "-1.00", "0.00", 1.5, "１.00", "1_0", True])
def test_no_amount_but_two_places_of_plain_digits(bad: object) -> None:
    with pytest.raises(ValidationError):
        commands.AssessLoss.model_validate({"lines": [{"id": "L1", "head": LossHead.RESCUE, "amount": bad}]})


def test_every_sum_has_two_places() -> None:
    shown = views.view(ready().paid(SETTLED).state).money.model_dump()
    amounts = [value for value in shown.values() if isinstance(value, Decimal)]
    assert amounts
    assert all(amount.as_tuple().exponent == -2 for amount in amounts)
