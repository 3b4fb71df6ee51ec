"""Why money does not move: kinds, ceilings, lines, limits, payees, four eyes, numbers; sums are in money.py."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from domain.claim import money
from domain.claim.clauses import PRODUCT, VICTIMS_FIRST
from domain.claim_paths import registry
from domain.wording import money as yuan
from models.contracts import claim as commands
from models.contracts.base import Actor
from models.contracts.claim_state import Allowance, ClaimState
from models.contracts.payment import ZERO, Payee, Payment, PaymentLine
from models.contracts.step import Refusal
from models.contracts.vocabulary import (
    AdvanceEnd,
    EmergencyPurpose,
    LimitPot,
    LossHead,
    PayeeKind,
    PaymentKind,
    PaymentStatus,
)

OWN_BILLS = frozenset({LossHead.RESCUE, LossHead.MEDICAL, LossHead.APPRAISAL, LossHead.LITIGATION})
"""What a rescue team, a hospital, an expert or a court may be paid for."""
BEFORE_ORDER = frozenset({PaymentStatus.PROPOSED, PaymentStatus.FAILED})
"""A payment may be voided before its order goes out, or after it failed; never while its fate is open."""


def payment_of(state: ClaimState, number: str) -> Payment | None:
    return next((payment for payment in state.payments if payment.number == number), None)


def known(state: ClaimState, number: str) -> Payment:
    """A payment that refusals have found to be there."""
    payment = payment_of(state, number)
    assert payment is not None
    return payment


def unknown_payment() -> Refusal:
    return Refusal(code="unknown_payment", says="本案没有这笔付款", status=404)


def limits_unknown(state: ClaimState) -> Refusal:
    names = "、".join(kind.label for kind in state.limits.unknown)
    return Refusal(code="limits_unknown", says=f"{names}不明，须先由人工确认，再办理付款", clause="保险合同")


def payee_of(state: ClaimState, command: commands.ProposePayment) -> Payee | None:
    """The payee named, or by default the victim, where liability is clear and the lines are one person's."""
    if command.payee is not None:
        return command.payee
    persons = {_person(state, line) for line in command.lines}
    if len(persons) != 1 or not (state.liability_clear or state.covered):
        return None
    person = persons.pop()
    return Payee(kind=PayeeKind.VICTIM, ref=person) if person else None


def _person(state: ClaimState, line: PaymentLine) -> UUID | None:
    loss = next((one for one in state.losses if one.id == line.line), None)
    return loss.person if loss else line.person


def whole_lines(state: ClaimState, lines: tuple[PaymentLine, ...]) -> tuple[PaymentLine, ...]:
    """The lines with the persons of their losses, so that every share is counted under its person."""
    persons = {loss.id: loss.person for loss in state.losses}
    return tuple(
        line.model_copy(update={"person": persons[line.line]}) if line.person is None and line.line in persons else line
        for line in lines
    )


def refuse_proposal(state: ClaimState, command: commands.ProposePayment, actor: Actor, now: datetime) -> Refusal | None:
    """The number is new, somebody is paid, and the payment itself may be made."""
    if payment_of(state, command.number):
        return Refusal(code="payment_number_used", says=f"付款编号 {command.number} 已使用，不得重复")
    if state.limits.unknown:
        return limits_unknown(state)
    payee = payee_of(state, command)
    if payee is None:
        return Refusal(code="payee_required", says="责任未明确或者涉及多人，须指明收款人", status=422)
    return _refuse_payment(state, command.kind, whole_lines(state, command.lines), payee, command.purpose)


def refuse_approval(state: ClaimState, command: commands.ApprovePayment, actor: Actor, now: datetime) -> Refusal | None:
    """As at the proposal, on the claim as it is now, and by another person above the threshold."""
    payment = payment_of(state, command.number)
    if payment is None:
        return unknown_payment()
    if payment.status is not PaymentStatus.PROPOSED:
        return Refusal(code="wrong_status", says=f"该笔付款{payment.status.label}，不能审批")
    if state.limits.unknown:
        return limits_unknown(state)
    return _four_eyes(state, payment, command) or _refuse_payment(
        without(state, payment.number), payment.kind, payment.lines, payment.payee, payment.purpose
    )


def without(state: ClaimState, number: str) -> ClaimState:
    """The claim as if a payment had not been proposed."""
    return state.model_copy(update={"payments": tuple(p for p in state.payments if p.number != number)})


def needs_second_person(state: ClaimState, payment: Payment) -> bool:
    """Above the agreed threshold; where none is agreed, always (by product)."""
    threshold = state.birth.terms.four_eyes_above
    return threshold is None or payment.amount > threshold.value


def _four_eyes(state: ClaimState, payment: Payment, command: commands.ApprovePayment) -> Refusal | None:
    if not needs_second_person(state, payment) or payment.proposed.by_user.lower() != command.by_user.lower():
        return None
    threshold = state.birth.terms.four_eyes_above
    above = f"超过 {yuan(threshold.value)} 的付款" if threshold else "付款"
    return Refusal(
        code="four_eyes", says=f"{above}须由提出人以外的人审批", clause=threshold.source if threshold else PRODUCT
    )


def _refuse_payment(
    state: ClaimState,
    kind: PaymentKind,
    lines: tuple[PaymentLine, ...],
    payee: Payee,
    purpose: EmergencyPurpose | None,
) -> Refusal | None:
    allowed = registry.allowance(state, kind)
    if allowed is None:
        return _not_allowed(state, kind)
    return (
        _lines(state, kind, lines)
        or _ceilings(state, kind, lines, allowed)
        or _payee(lines, payee)
        or _purpose(state, purpose)
    )


def _not_allowed(state: ClaimState, kind: PaymentKind) -> Refusal:
    because = "；".join(dict.fromkeys(why for one in registry.allowances(state) for why in one.because))
    return Refusal(code="payment_not_allowed", says=f"目前不能办理“{kind.label}”：{because or '条件不具备'}")


def _lines(state: ClaimState, kind: PaymentKind, lines: tuple[PaymentLine, ...]) -> Refusal | None:
    """Each line is a known loss, of its head and person, certain where paid beforehand, and not paid beyond its sum."""
    if len({line.head.pot for line in lines}) != 1:
        return Refusal(code="mixed_pots", says="一笔付款只能对应同一类限额（赔偿、施救、鉴定诉讼）", status=422)
    named = [line.line for line in lines if line.line]
    if any(count > 1 for count in Counter(named).values()):
        return Refusal(code="line_twice", says="同一损失项在一笔付款中只能出现一次", status=422)
    losses = {loss.id: loss for loss in state.losses}
    for line in lines:
        if line.line is None:
            continue
        loss = losses.get(line.line)
        if loss is None or loss.head is not line.head or loss.person != line.person:
            return Refusal(code="line_unknown", says=f"损失项 {line.line} 与定损不符", status=422)
        if kind in money.PREPAID and not loss.determined:
            return Refusal(code="line_undetermined", says=f"损失项 {line.line} 尚未确定，不能预付")
        if money.on_line(state, loss.id) + line.amount > loss.amount:
            return Refusal(code="over_line", says=f"损失项 {line.line} 的付款将超过核定的 {yuan(loss.amount)}")
    return None


def _ceilings(
    state: ClaimState, kind: PaymentKind, lines: tuple[PaymentLine, ...], allowed: Allowance
) -> Refusal | None:
    """The limit per person, the room of the pot, and the ceiling of the path."""
    amount = sum((line.amount for line in lines), ZERO)
    over = _person_over(state, (*money.live_shares(state), *lines))
    if over:
        return over
    left = money.room(state, kind, lines[0].head.pot)
    if left is not None and amount > left:
        return Refusal(code="over_limit", says=f"{lines[0].head.pot.label}最多还可支付 {yuan(left)}", clause="保险合同")
    if amount > allowed.ceiling:
        says = f"“{kind.label}”最多还可支付 {yuan(allowed.ceiling)}"
        return Refusal(code="over_ceiling", says=says, clause=allowed.clause)
    return None


def _person_over(state: ClaimState, lines: tuple[PaymentLine, ...]) -> Refusal | None:
    limit = state.limits.per_person
    if limit is None or all(amount <= limit for amount in money.on_persons(lines).values()):
        return None
    return Refusal(code="over_limit", says=f"对同一人的赔付将超过每人责任限额 {yuan(limit)}", clause="保险合同")


def _payee(lines: tuple[PaymentLine, ...], payee: Payee) -> Refusal | None:
    if payee.kind is PayeeKind.INSURED:
        owes = lines[0].head.pot is LimitPot.INDEMNITY and payee.proof is None
        says = "被保险人尚未证明已向受害人赔偿，不得向其支付赔款"
        return Refusal(code="victims_first", says=says, clause=VICTIMS_FIRST) if owes else None
    if payee.kind is PayeeKind.SUPPLIER:
        fits = all(line.head in OWN_BILLS for line in lines)
        says = "救援、医疗、鉴定等机构只能收取其自身费用"
    else:
        fits = lines[0].head.pot is LimitPot.INDEMNITY and all(line.person in (None, payee.ref) for line in lines)
        says = "收款的受害人与损失项所载的受害人不符"
    return None if fits else Refusal(code="payee_unfit", says=says, clause=VICTIMS_FIRST, status=422)


def _purpose(state: ClaimState, purpose: EmergencyPurpose | None) -> Refusal | None:
    purposes = state.birth.terms.emergency_purposes
    if purpose is None or (purposes and purpose in purposes.value):
        return None
    return Refusal(code="purpose_not_allowed", says=f"“{purpose.label}”不在约定的垫付用途之内", clause="保险合同")


def refuse_void(state: ClaimState, command: commands.VoidPayment, actor: Actor, now: datetime) -> Refusal | None:
    payment = payment_of(state, command.number)
    if payment is None:
        return unknown_payment()
    if payment.status not in BEFORE_ORDER:
        return Refusal(code="wrong_status", says=f"该笔付款{payment.status.label}，不能作废")
    return None


def refuse_outcome(state: ClaimState, command: commands.RecordOutcome, actor: Actor, now: datetime) -> Refusal | None:
    payment = payment_of(state, command.number)
    if payment is None:
        return unknown_payment()
    if payment.status is PaymentStatus.PROPOSED:
        return Refusal(code="not_instructed", says="该笔付款尚未发出指令")
    used = {other.reference for other in state.payments if other.number != command.number and other.reference}
    if command.reference in used:
        return Refusal(code="reference_used", says=f"银行流水号 {command.reference} 已用于本案另一笔付款")
    return None


def refuse_set_off(state: ClaimState, command: commands.SetOffAdvance, actor: Actor, now: datetime) -> Refusal | None:
    payment = payment_of(state, command.number)
    if payment is None:
        return unknown_payment()
    if command.how is AdvanceEnd.RECOVERED:
        return _refuse_recovery(payment, command)
    left = money.standing_advance(payment)
    if command.amount > left:
        return Refusal(code="over_advance", says=f"可冲抵的垫付只有 {yuan(left)}")
    if not state.covered or state.limits.unknown:
        return Refusal(code="not_determined", says="核定属于保险责任、限额明确后才能冲抵")
    pot = money.pot_of(payment)
    settled = sum((p.set_off for p in state.payments if money.pot_of(p) is pot), ZERO)
    left = money.payable(state).pots[pot] - settled - money.taken(state, pot, advances=False)
    if command.amount > left:
        return Refusal(code="over_loss", says=f"{pot.label}项下最多可冲抵 {yuan(max(left, ZERO))}，其余须追回")
    return None


def _refuse_recovery(payment: Payment, command: commands.SetOffAdvance) -> Refusal | None:
    amount = command.amount
    if payment.disputed:
        whole = amount == payment.amount
        return None if whole else Refusal(code="over_payment", says=f"重复支付须追回全额 {yuan(payment.amount)}")
    if payment.status is not PaymentStatus.CONFIRMED:
        return Refusal(code="wrong_status", says=f"该笔付款{payment.status.label}，没有可追回的款项")
    left = payment.amount - payment.recovered - payment.set_off
    if command.line is not None:
        of_line = money.left_of(payment, command.line)
        if of_line is None:
            return Refusal(code="line_unknown", says=f"该笔付款没有损失项 {command.line}", status=422)
        left = min(left, of_line)
    return None if amount <= left else Refusal(code="over_payment", says=f"可追回的只有 {yuan(left)}")


def refuse_below_paid(state: ClaimState) -> Refusal | None:
    """A new loss or new limits may not fall below what was paid or is on its way."""
    losses = {loss.id: loss for loss in state.losses}
    for share in money.live_shares(state):
        loss = losses.get(share.line or "")
        if share.line and (loss is None or loss.head is not share.head or loss.person != share.person):
            return Refusal(code="below_paid", says=f"损失项 {share.line} 已有付款，不能删除或者改换")
        if loss and money.on_line(state, loss.id) > loss.amount:
            return Refusal(code="below_paid", says=f"损失项 {loss.id} 低于已付或者在途的金额")
    if state.limits.unknown:
        return limits_unknown(state) if state.payments else None
    owed, caps = money.payable(state).pots, money.pot_ceilings(state.limits)
    for pot in LimitPot:
        cap = caps[pot]
        over = cap is not None and money.taken(state, pot) > cap
        if over or money.taken(state, pot, advances=False) > owed[pot]:
            return Refusal(code="below_paid", says=f"{pot.label}低于已付或者在途的金额")
    return _person_over(state, money.live_shares(state))


def refuse_uneven(state: ClaimState) -> Refusal | None:
    """At closing paid + prepaid + advanced − recovered is the adjusted loss, and no advance stands open."""
    if any(payment.disputed for payment in state.payments):
        return Refusal(code="payment_disputed", says="有付款结果矛盾尚未查清")
    if any(money.standing_advance(payment) for payment in state.payments):
        return Refusal(code="advance_open", says="尚有紧急垫付未冲抵或者追回")
    if not money.is_paid(state):
        paid = sum(money.paid_by_pot(state).values(), ZERO)
        says = f"已付净额 {yuan(paid)} 与应付 {yuan(money.payable(state).total)} 不符，或者尚有未了结的付款"
        return Refusal(code="books_uneven", says=says)
    return None
