"""How a payment goes its way: proposed, approved, instructed, settled, voided, recovered; refusals are elsewhere."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.claim import money, orders, paying
from domain.claim.change import Change
from domain.claim_paths import registry
from domain.wording import money as yuan
from models.contracts import claim as commands
from models.contracts.base import Actor
from models.contracts.claim_state import ClaimState
from models.contracts.ids import payment_order_key
from models.contracts.payment import ZERO, Answered, OrderOutcome, Payment, Signature
from models.contracts.step import Happening
from models.contracts.vocabulary import (
    AdvanceEnd,
    Event,
    NoticeKind,
    OrderResult,
    PaymentKind,
    PaymentStatus,
    Role,
)

UNSETTLED = frozenset({PaymentStatus.APPROVED, PaymentStatus.INSTRUCTED, PaymentStatus.UNKNOWN})
PAID_EVENTS: dict[PaymentKind, Event] = {
    PaymentKind.PREPAYMENT: Event.LARGE_PREPAID,
    PaymentKind.ADVANCE: Event.EMERGENCY_ADVANCED,
}
STUCK = (Role.INSURER, Role.HUMAN_QUEUE)


def proposed(state: ClaimState, command: commands.ProposePayment, actor: Actor, now: datetime) -> Change:
    allowed, payee = registry.allowance(state, command.kind), paying.payee_of(state, command)
    assert allowed is not None
    assert payee is not None
    payment = Payment(
        number=command.number,
        kind=command.kind,
        status=PaymentStatus.PROPOSED,
        lines=paying.whole_lines(state, command.lines),
        payee=payee,
        purpose=command.purpose,
        proposed=Signature(actor_id=actor.id, by_user=command.by_user, at=now),
        because="；".join(allowed.because),
        clause=allowed.clause,
    )
    said = f"{_said(payment)}，收款方：{payee.kind.label}"
    happened = Happening(event=Event.PAYMENT_PROPOSED, at=now, said=said, data={"number": payment.number})
    return Change((happened,), {"payments": (*state.payments, payment)})


def _said(payment: Payment) -> str:
    return f"{payment.kind.label} {payment.number}，{yuan(payment.amount)}"


def approved(state: ClaimState, command: commands.ApprovePayment, actor: Actor, now: datetime) -> Change:
    """Approved on the reserved room; the order goes out once this is on record."""
    signed = Signature(actor_id=actor.id, by_user=command.by_user, at=now)
    proposal = paying.known(state, command.number)
    payment = proposal.model_copy(update={"status": PaymentStatus.APPROVED, "approved": signed})
    happened = Happening(event=Event.PAYMENT_APPROVED, at=now, said=_said(payment), data={"number": payment.number})
    return Change((happened,), replaced(state, payment), orders=(orders.order(state, payment),))


def replaced(state: ClaimState, payment: Payment) -> dict[str, Any]:
    return {"payments": tuple(payment if p.number == payment.number else p for p in state.payments)}


def voided(state: ClaimState, command: commands.VoidPayment, actor: Actor, now: datetime) -> Change:
    payment = paying.known(state, command.number)
    void = payment.model_copy(
        update={"status": PaymentStatus.VOIDED, "voided_because": command.reason, "settled_at": now}
    )
    happened = Happening(
        event=Event.PAYMENT_VOIDED, at=now, said=f"{_said(payment)}：{command.reason}", data={"number": payment.number}
    )
    held = payment.status is not PaymentStatus.PROPOSED
    releases = (orders.release(state, payment, money.shares(payment), "void"),) if held else ()
    return Change((happened,), replaced(state, void), releases=releases)


def recorded(state: ClaimState, command: commands.RecordOutcome, actor: Actor, now: datetime) -> Change:
    outcome = OrderOutcome(
        key=payment_order_key(state.birth.insurer_code, state.birth.number, command.number),
        payment_number=command.number,
        result=command.result,
        reference=command.reference or "",
        code=command.code or "",
        note=command.note or "",
    )
    change = heard(state, outcome, now) or Change(())
    payment = paying.known(state, command.number)
    if payment.approved is None:  # given up before any order went out: there is none to keep an answer beside
        return change
    return replace(change, answers=(Answered(order=orders.order(state, payment), outcome=outcome),))


def heard(state: ClaimState, outcome: OrderOutcome, now: datetime) -> Change | None:
    """What an answer of the core system, the bank or a person makes of a payment; `None` where it is no news."""
    payment = paying.payment_of(state, outcome.payment_number)
    if payment is None or payment.status is PaymentStatus.PROPOSED:
        return None
    if outcome.result is OrderResult.CONFIRMED:
        return _confirmed(state, payment, outcome, now)
    if payment.status is PaymentStatus.CONFIRMED and outcome.result is OrderResult.REFUSED:
        return _unknown(state, payment, outcome, now)  # the bank sent it back: a person must look
    if payment.status not in UNSETTLED:
        return None
    if outcome.result is OrderResult.ACCEPTED:
        return _instructed(state, payment, now)
    if outcome.result is OrderResult.REFUSED:
        return _failed(state, payment, outcome, now)
    return None if payment.status is PaymentStatus.UNKNOWN else _unknown(state, payment, outcome, now)


def _instructed(state: ClaimState, payment: Payment, now: datetime) -> Change | None:
    if payment.status is PaymentStatus.INSTRUCTED:
        return None
    paid = payment.model_copy(update={"status": PaymentStatus.INSTRUCTED, "instructed_at": now})
    return _told(state, paid, Event.PAYMENT_INSTRUCTED, now, "")


def _told(state: ClaimState, payment: Payment, event: Event, now: datetime, note: str) -> Change:
    said = f"{_said(payment)}{f'：{note}' if note else ''}"
    return Change(
        (Happening(event=event, at=now, said=said, data={"number": payment.number}),), replaced(state, payment)
    )


def _failed(state: ClaimState, payment: Payment, outcome: OrderOutcome, now: datetime) -> Change:
    failure = " ".join(part for part in (outcome.code, outcome.note) if part)
    failed = payment.model_copy(update={"status": PaymentStatus.FAILED, "failure": failure, "settled_at": now})
    return _stuck(_told(state, failed, Event.PAYMENT_FAILED, now, failure), payment.number, "failed")


def _unknown(state: ClaimState, payment: Payment, outcome: OrderOutcome, now: datetime) -> Change:
    failure = " ".join(part for part in (outcome.code, outcome.note) if part)
    unknown = payment.model_copy(update={"status": PaymentStatus.UNKNOWN, "failure": failure, "settled_at": None})
    return _stuck(_told(state, unknown, Event.PAYMENT_UNKNOWN, now, failure), payment.number, f"unknown{state.seq}")


def _stuck(change: Change, number: str, moment: str) -> Change:
    tell = tuple((NoticeKind.PAYMENT_STUCK, role, f"{number}:{moment}") for role in STUCK)
    return Change(change.happened, change.update, tell=tell)


def _confirmed(state: ClaimState, payment: Payment, outcome: OrderOutcome, now: datetime) -> Change | None:
    if payment.status is PaymentStatus.CONFIRMED and payment.reference == outcome.reference:
        return None
    used = {p.reference for p in state.payments if p.number != payment.number and p.reference}
    if payment.status in (PaymentStatus.CONFIRMED, PaymentStatus.VOIDED):
        return _disputed(state, payment, outcome, now)
    if outcome.reference in used:  # one transfer cannot settle two payments
        return None if payment.status is PaymentStatus.UNKNOWN else _unknown(state, payment, outcome, now)
    paid = payment.model_copy(
        update={"status": PaymentStatus.CONFIRMED, "reference": outcome.reference, "settled_at": now, "failure": ""}
    )
    after = state.model_copy(update=replaced(state, paid))
    number = {"number": paid.number}
    said = f"{_said(paid)}，流水号 {outcome.reference}"
    events = [Happening(event=Event.PAYMENT_CONFIRMED, at=now, said=said, data=number)]
    if event := PAID_EVENTS.get(paid.kind):
        events.append(Happening(event=event, at=now, said=_said(paid)))
    if paid.kind in money.PREPAID and _determined_is_paid(after):
        events.append(Happening(event=Event.MINIMUM_PREPAID, at=now, said="可确定的数额已先予支付"))
    again = str(state.seq) if payment.reference else ""  # the bank had sent it back: what arrives now is told as well
    tell = ((NoticeKind.PAYMENT_MADE, Role.INSURED, f"{paid.number}:confirmed{again}"),)
    return Change(tuple(events), replaced(state, paid), tell=tell)


def _determined_is_paid(state: ClaimState) -> bool:
    certain = money.determined(state).total
    return certain > ZERO and sum(money.paid_by_pot(state).values(), ZERO) >= certain


def _disputed(state: ClaimState, payment: Payment, outcome: OrderOutcome, now: datetime) -> Change | None:
    """Money may have gone out twice, or after the payment was given up; the books stay, a person must settle it."""
    if payment.disputed == outcome.reference:
        return None
    marked = payment.model_copy(update={"disputed": outcome.reference})
    note = f"该笔付款{payment.status.label}，又收到流水号 {outcome.reference}，须人工核对"
    change = _told(state, marked, Event.PAYMENT_DISPUTED, now, note)
    return _stuck(change, payment.number, f"disputed{state.seq}")  # one reference may come again after another


def set_off(state: ClaimState, command: commands.SetOffAdvance, actor: Actor, now: datetime) -> Change:
    payment = paying.known(state, command.number)
    note = f"；{command.note}" if command.note else ""
    if command.how is AdvanceEnd.SET_OFF:
        after = payment.model_copy(update={"set_off": payment.set_off + command.amount})
        return _told(state, after, Event.ADVANCE_SET_OFF, now, f"冲抵 {yuan(command.amount)}{note}")
    said = f"追回 {yuan(command.amount)}，流水号 {command.reference}{note}"
    if payment.disputed:  # the second transfer came back; the books never counted it
        return _told(state, payment.model_copy(update={"disputed": ""}), Event.PAYMENT_RECOVERED, now, said)
    after, back = money.with_recovery(payment, command.amount, command.line)
    change = _told(state, after, Event.PAYMENT_RECOVERED, now, said)
    given_back = orders.release(state, payment, back, f"recovered:{after.recovered}")
    return replace(change, releases=(given_back,))
