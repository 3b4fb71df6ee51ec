"""Sums and ceilings of a claim in yuan, purely computed from losses, limits and payments; nothing is decided here."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise
from uuid import UUID

from domain.wording import money
from models.contracts.claim_state import ClaimMoney, ClaimState
from models.contracts.claim_terms import Limits
from models.contracts.payment import ZERO, LossLine, Payment, PaymentLine
from models.contracts.vocabulary import LimitPot, PaymentKind, PaymentStatus

PENDING = frozenset(
    {
        PaymentStatus.PROPOSED,
        PaymentStatus.APPROVED,
        PaymentStatus.INSTRUCTED,
        PaymentStatus.FAILED,
        PaymentStatus.UNKNOWN,
    }
)
"""What is neither paid nor given up; a failed payment keeps its room until it is voided, lest it was paid after all."""
PREPAID = frozenset({PaymentKind.PREPAYMENT, PaymentKind.MINIMUM})


@dataclass(frozen=True)
class Adjusted:
    """The loss within the limits: by pot, with how the limits cut it."""

    pots: dict[LimitPot, Decimal]
    because: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal:
        return sum(self.pots.values(), ZERO)


def adjusted(lines: Iterable[LossLine], limits: Limits) -> Adjusted:
    """The loss cut by person, then by accident and aggregate; rescue and costs under their own ceilings."""
    lines = tuple(lines)
    pots = {pot: sum((line.amount for line in lines if line.head.pot is pot), ZERO) for pot in LimitPot}
    because: list[str] = []
    capped = _by_person(lines, limits, because)
    pots[LimitPot.INDEMNITY] = capped
    caps = pot_ceilings(limits)
    for pot, amount in pots.items():
        ceiling = caps[pot]
        if ceiling is not None and amount > ceiling:
            because.append(f"{pot.label} {money(amount)} 超过限额，按 {money(ceiling)} 计")
            pots[pot] = ceiling
    return Adjusted(pots, tuple(because))


def _by_person(lines: tuple[LossLine, ...], limits: Limits, because: list[str]) -> Decimal:
    """The indemnity after the limit per person; says how many persons it cuts."""
    persons = person_sums(
        (line.person, line.amount) for line in lines if line.head.pot is LimitPot.INDEMNITY and line.person
    )
    others = sum((ln.amount for ln in lines if ln.head.pot is LimitPot.INDEMNITY and ln.person is None), ZERO)
    if limits.per_person is None:
        return others + sum(persons.values(), ZERO)
    cut = sum(1 for amount in persons.values() if amount > limits.per_person)
    if cut:
        because.append(f"{cut} 人的损失超过每人责任限额，各按 {money(limits.per_person)} 计")
    return others + sum((min(amount, limits.per_person) for amount in persons.values()), ZERO)


def person_sums(shares: Iterable[tuple[UUID, Decimal]]) -> dict[UUID, Decimal]:
    sums: dict[UUID, Decimal] = {}
    for person, amount in shares:
        sums[person] = sums.get(person, ZERO) + amount
    return sums


def pot_ceilings(limits: Limits) -> dict[LimitPot, Decimal | None]:
    """The most one accident may cost in each pot; `None` where no limit is agreed."""
    indemnity = [limit for limit in (limits.per_accident, limits.aggregate) if limit is not None]
    return {
        LimitPot.INDEMNITY: min(indemnity, default=None),
        LimitPot.RESCUE: limits.rescue_ceiling,
        LimitPot.COSTS: limits.costs,
    }


def payable(state: ClaimState) -> Adjusted:
    """What the insurer owes by the loss as assessed now; nothing where the accident is not covered."""
    if state.covered is False:
        return Adjusted(dict.fromkeys(LimitPot, ZERO), ("核定不属于保险责任",))
    return adjusted(state.losses, state.limits)


def determined(state: ClaimState) -> Adjusted:
    """The certain part of what is owed (保险法 25)."""
    if state.covered is False:
        return payable(state)
    return adjusted((line for line in state.losses if line.determined), state.limits)


def pot_of(payment: Payment) -> LimitPot:
    """All lines of a payment are of one pot."""
    return payment.lines[0].head.pot


def taken(state: ClaimState, pot: LimitPot, *, advances: bool = True) -> Decimal:
    """What live payments take of a pot, less what came back."""
    return sum(
        (p.net for p in state.payments if pot_of(p) is pot and (advances or p.kind is not PaymentKind.ADVANCE)), ZERO
    )


def shares(payment: Payment) -> tuple[PaymentLine, ...]:
    """The lines that still take room, each less what came back of it."""
    if payment.status is PaymentStatus.VOIDED:
        return ()
    return _of_lines(payment, _left(payment))


def _of_lines(payment: Payment, amounts: tuple[Decimal, ...]) -> tuple[PaymentLine, ...]:
    """The lines with other amounts; a line of nothing is left out."""
    pairs = zip(payment.lines, amounts, strict=True)
    return tuple(line.model_copy(update={"amount": amount}) for line, amount in pairs if amount > ZERO)


def _left(payment: Payment) -> tuple[Decimal, ...]:
    """What is left of each line, in their order."""
    back = payment.back or (ZERO,) * len(payment.lines)
    return tuple(line.amount - gone for line, gone in zip(payment.lines, back, strict=True))


def left_of(payment: Payment, line_id: str) -> Decimal | None:
    """What is left of one line in yuan; `None` where the payment has no such line."""
    pairs = zip(payment.lines, _left(payment), strict=True)
    return next((left for line, left in pairs if line.line == line_id), None)


def with_recovery(
    payment: Payment, amount: Decimal, line_id: str | None = None
) -> tuple[Payment, tuple[PaymentLine, ...]]:
    """The payment after money of it came back, and what of it belongs to which line: the named one, else pro rata."""
    left = _left(payment)
    if line_id is None:
        parts = _in_proportion(amount, left)
    else:
        parts = tuple(amount if line.line == line_id else ZERO for line in payment.lines)
    back = tuple(line.amount - rest + part for line, rest, part in zip(payment.lines, left, parts, strict=True))
    after = payment.model_copy(update={"recovered": payment.recovered + amount, "back": back})
    return after, _of_lines(payment, parts)


def _in_proportion(amount: Decimal, left: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """A sum shared out to the cent: the parts add up to it, and none is more than what is left of its line."""
    cents, whole = _cents(amount), _cents(sum(left, ZERO))
    reached = [0, *accumulate(_cents(one) for one in left)]
    return tuple(Decimal(cents * b // whole - cents * a // whole).scaleb(-2) for a, b in pairwise(reached))


def _cents(amount: Decimal) -> int:
    return int(amount.scaleb(2))


def live_shares(state: ClaimState) -> tuple[PaymentLine, ...]:
    return tuple(share for payment in state.payments for share in shares(payment))


def on_line(state: ClaimState, line_id: str) -> Decimal:
    """What live payments take of one loss line."""
    return sum((share.amount for share in live_shares(state) if share.line == line_id), ZERO)


def on_persons(lines: Iterable[PaymentLine]) -> dict[UUID, Decimal]:
    """Indemnity by person."""
    return person_sums((ln.person, ln.amount) for ln in lines if ln.person and ln.head.pot is LimitPot.INDEMNITY)


def room(state: ClaimState, kind: PaymentKind, pot: LimitPot) -> Decimal | None:
    """What a payment of a kind may still take of a pot; `None` where nothing bounds an advance."""
    if kind is PaymentKind.ADVANCE:
        ceiling = pot_ceilings(state.limits)[pot]
        return None if ceiling is None else max(ceiling - taken(state, pot), ZERO)
    owed = payable(state) if kind is PaymentKind.SETTLEMENT else determined(state)
    return max(owed.pots[pot] - taken(state, pot), ZERO)


def room_of_all(state: ClaimState, kind: PaymentKind) -> Decimal:
    """The room of all pots together, for kinds that a loss bounds."""
    return sum((room(state, kind, pot) or ZERO for pot in LimitPot), ZERO)


def confirmed(state: ClaimState, *kinds: PaymentKind) -> Decimal:
    """What has reached its payee, before anything came back."""
    kinds = kinds or tuple(PaymentKind)
    return sum((p.amount for p in state.payments if p.status is PaymentStatus.CONFIRMED and p.kind in kinds), ZERO)


def advances(state: ClaimState) -> Decimal:
    """All live emergency advances, less what came back."""
    return sum((p.net for p in state.payments if p.kind is PaymentKind.ADVANCE), ZERO)


def standing_advance(payment: Payment) -> Decimal:
    """What of a confirmed advance is neither set off nor recovered."""
    if payment.kind is not PaymentKind.ADVANCE or payment.status is not PaymentStatus.CONFIRMED:
        return ZERO
    return payment.amount - payment.set_off - payment.recovered


def is_paid(state: ClaimState) -> bool:
    """Whether in every pot exactly what is owed has reached its payees."""
    owed = payable(state).pots
    return owed == paid_by_pot(state) and not any(p.status in PENDING for p in state.payments)


def paid_by_pot(state: ClaimState) -> dict[LimitPot, Decimal]:
    """Confirmed money less what came back: paid + prepaid + advanced − recovered."""
    sums = dict.fromkeys(LimitPot, ZERO)
    for payment in state.payments:
        if payment.status is PaymentStatus.CONFIRMED:
            sums[pot_of(payment)] += payment.net
    return sums


def totals(state: ClaimState) -> ClaimMoney:
    """The ledger of the claim in sums."""
    known = not state.limits.unknown
    owed, certain = payable(state), determined(state)
    live = sum((p.net for p in state.payments), ZERO)
    return ClaimMoney(
        assessed=sum((line.amount for line in state.losses), ZERO),
        payable=owed.total if known else None,
        determined=certain.total if known else None,
        paid=confirmed(state, PaymentKind.SETTLEMENT),
        prepaid=confirmed(state, *PREPAID),
        advanced=confirmed(state, PaymentKind.ADVANCE),
        set_off=sum((p.set_off for p in state.payments), ZERO),
        recovered=sum((p.recovered for p in state.payments), ZERO),
        pending=sum((p.amount for p in state.payments if p.status in PENDING), ZERO),
        open=owed.total - live if known else None,
        because=owed.because,
    )
