"""What treasury and cashier are asked for a payment: room, its return, the order to pay; payments.py changes them."""

from domain.claim import money, paying
from models.contracts.base import CaseKey
from models.contracts.claim_state import ClaimState
from models.contracts.ids import payment_order_key
from models.contracts.payment import (
    ZERO,
    Payment,
    PaymentLine,
    PaymentOrder,
    PersonShare,
    PotShare,
    Release,
    Reservation,
    Standard,
)
from models.contracts.vocabulary import LossHead, PaymentStatus

STANDARDS = frozenset({LossHead.EMPLOYEE_DEATH, LossHead.EMPLOYEE_DISABILITY})


def order(state: ClaimState, payment: Payment) -> PaymentOrder:
    """The instruction to pay; the same question always gives the same order."""
    assert payment.approved is not None
    birth = state.birth
    return PaymentOrder(
        key=payment_order_key(birth.insurer_code, birth.number, payment.number),
        case=CaseKey(case_id=birth.case_id, insurer_id=birth.insurer_id, workflow_id=birth.workflow_id),
        policy_id=birth.policy_id,
        insurer_code=birth.insurer_code,
        policy_number=birth.policy_number,
        claim_number=birth.number,
        payment_number=payment.number,
        kind=payment.kind,
        amount=payment.amount,
        payee_kind=payment.payee.kind,
        payee_ref=payment.payee.ref,
        insured_id=birth.insured_id,
        lines=payment.lines,
        clause=payment.clause,
        proposed_by=payment.proposed.by_user,
        approved_by=payment.approved.by_user,
        approved_at=payment.approved.at,
    )


def pending_orders(state: ClaimState) -> tuple[PaymentOrder, ...]:
    """Orders whose first answer is not known: to be sent again under the same key when a run starts."""
    return tuple(order(state, p) for p in state.payments if p.status is PaymentStatus.APPROVED)


def reservation(state: ClaimState, number: str) -> Reservation:
    """The room a proposed payment needs in the policy's limits."""
    payment, birth = paying.known(state, number), state.birth
    return Reservation(
        insurer_id=birth.insurer_id,
        policy_id=birth.policy_id,
        claim_id=birth.case_id,
        claim_number=birth.number,
        accident_number=state.accident_number,
        payment_number=number,
        amount=payment.amount,
        pots=(PotShare(pot=money.pot_of(payment), amount=payment.amount),),
        persons=_persons(payment.lines),
        standards=_standards(state),
        limits=state.limits,
    )


def _persons(lines: tuple[PaymentLine, ...]) -> tuple[PersonShare, ...]:
    return tuple(PersonShare(person=person, amount=amount) for person, amount in money.on_persons(lines).items())


def _standards(state: ClaimState) -> tuple[Standard, ...]:
    found = {(line.head, line.grade): line.amount for line in state.losses if line.head in STANDARDS}
    return tuple(Standard(head=head, grade=grade, amount=amount) for (head, grade), amount in found.items())


def holds_room(state: ClaimState, number: str) -> bool:
    """Whether a reservation under this number must be kept: not where approval was refused after all."""
    payment = paying.payment_of(state, number)
    return payment is not None and payment.status not in (PaymentStatus.PROPOSED, PaymentStatus.VOIDED)


def release(state: ClaimState, payment: Payment, lines: tuple[PaymentLine, ...], reason: str) -> Release:
    """Room given back, to the pot and to each person whose share of the indemnity it was."""
    key = payment_order_key(state.birth.insurer_code, state.birth.number, payment.number)
    return Release(
        key=f"{key}:{reason}",
        insurer_id=state.birth.insurer_id,
        policy_id=state.birth.policy_id,
        claim_id=state.birth.case_id,
        payment_number=payment.number,
        pots=(PotShare(pot=money.pot_of(payment), amount=sum((line.amount for line in lines), ZERO)),),
        persons=_persons(lines),
    )
