"""The money of a claim as a ledger: a line for each payment, the sums, and what must hold of them; purely computed."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from api.claims.shapes import Check, ClaimLedger, MoneyLine
from api.claims.words import CHECKS
from domain.claim import money
from models.contracts.claim_state import ClaimView
from models.contracts.payment import ZERO, Payment
from models.contracts.vocabulary import ClaimStage, LimitPot, PaymentStatus

SIGNED = frozenset({PaymentStatus.APPROVED, PaymentStatus.INSTRUCTED, PaymentStatus.CONFIRMED, PaymentStatus.UNKNOWN})
SETTLED = frozenset({ClaimStage.COMPLETED, ClaimStage.CLOSED})


def ledger(view: ClaimView, as_of: datetime) -> ClaimLedger:
    """The whole ledger, computed for one instant; amounts in yuan."""
    lines = tuple(_line(payment) for payment in view.payments)
    checks = tuple(
        Check(says=says, holds=holds, clause=clause)
        for (says, clause), holds in zip(CHECKS.values(), _verdicts(view), strict=True)
    )
    return ClaimLedger(as_of=as_of, lines=lines, totals=view.money, checks=checks)


def _line(payment: Payment) -> MoneyLine:
    return MoneyLine(
        number=payment.number,
        kind=payment.kind,
        kind_label=payment.kind.label,
        status=payment.status,
        status_label=payment.status.label,
        amount=payment.amount,
        set_off=payment.set_off,
        recovered=payment.recovered,
        counts=payment.net,
        payee=payment.payee.kind,
        payee_ref=payment.payee.ref,
        heads=tuple(dict.fromkeys(line.head.label for line in payment.lines)),
        proposed_by=payment.proposed.by_user,
        proposed_at=payment.proposed.at,
        approved_by=payment.approved.by_user if payment.approved else "",
        approved_at=payment.approved.at if payment.approved else None,
        reference=payment.reference,
        because=payment.because,
        clause=payment.clause,
    )


def _verdicts(view: ClaimView) -> tuple[bool, ...]:
    """In the order of CHECKS."""
    numbers = [payment.number for payment in view.payments]
    return (
        len(numbers) == len(set(numbers)),
        _within_loss(view),
        _within_pots(view),
        _within_persons(view),
        all(payment.reference for payment in view.payments if payment.status is PaymentStatus.CONFIRMED),
        all(_signed(view, payment) for payment in view.payments if payment.status in SIGNED),
        _settled(view),
    )


def _sum(payments: Iterable[Payment]) -> Decimal:
    return sum((payment.net for payment in payments), ZERO)


def _within_loss(view: ClaimView) -> bool:
    """Advances may run before the loss is assessed; everything once it is agreed lies within it."""
    owed = view.money.payable
    return owed is None or view.agreed is None or _sum(view.payments) <= owed


def _within_pots(view: ClaimView) -> bool:
    ceilings = {LimitPot.RESCUE: view.limits.rescue_ceiling, LimitPot.COSTS: view.limits.costs}
    indemnity = [limit for limit in (view.limits.per_accident, view.limits.aggregate) if limit is not None]
    ceilings[LimitPot.INDEMNITY] = min(indemnity, default=None)
    taken = {pot: _sum(one for one in view.payments if one.lines[0].head.pot is pot) for pot in LimitPot}
    return all(ceiling is None or taken[pot] <= ceiling for pot, ceiling in ceilings.items())


def _within_persons(view: ClaimView) -> bool:
    most = view.limits.per_person
    if most is None:
        return True
    lines = (line for payment in view.payments for line in money.shares(payment))
    return all(amount <= most for amount in money.on_persons(lines).values())


def _signed(view: ClaimView, payment: Payment) -> bool:
    """Above the threshold, and wherever none is agreed, two persons have signed."""
    threshold = view.terms.four_eyes_above
    if threshold is not None and payment.amount <= threshold.value:
        return payment.approved is not None
    return payment.approved is not None and payment.approved.by_user.lower() != payment.proposed.by_user.lower()


def _settled(view: ClaimView) -> bool:
    """A claim that is completed has paid exactly what it owes; before that the question does not arise."""
    sums = view.money
    if view.stage not in SETTLED or view.covered is False or sums.payable is None:
        return True
    return sums.paid + sums.prepaid + sums.advanced - sums.recovered == sums.payable
