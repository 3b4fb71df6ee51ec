"""What the claims of one policy may owe and pay, computed once more in plain Python for the machine of claims."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from models.contracts.claim_terms import Limits
from models.contracts.payment import LossLine, Release, Reservation
from models.contracts.vocabulary import LimitPot, PaymentKind
from tests.domain.claim_lives import yuan

PER_PERSON, PER_ACCIDENT, AGGREGATE, RESCUE = (yuan(f"{n}.00") for n in (800, 1500, 1800, 400))
LIMITS = Limits(per_person=PER_PERSON, per_accident=PER_ACCIDENT, aggregate=AGGREGATE, rescue=RESCUE)
ZERO = yuan("0.00")


@dataclass
class Held:
    """One payment as the model knows it."""

    kind: PaymentKind
    amount: Decimal
    pot: LimitPot
    persons: dict[UUID, Decimal]
    proposed_by: str
    status: str = "proposed"
    back: Decimal = ZERO
    ordered: int = 0

    @property
    def live(self) -> Decimal:
        return ZERO if self.status == "voided" else self.amount - self.back


@dataclass
class PolicyLimits:
    """The treasury in plain Python: what the claims of one policy have taken, kept by payment number."""

    taken: dict[str, tuple[LimitPot, Decimal, dict[UUID, Decimal]]] = field(default_factory=dict)
    given_back: set[str] = field(default_factory=set)

    def reserve(self, asked: Reservation) -> bool:
        if asked.payment_number in self.taken:
            return True
        share = asked.pots[0]
        over_pot = (
            self.of(share.pot) + share.amount
            > {
                LimitPot.INDEMNITY: min(PER_ACCIDENT, AGGREGATE),
                LimitPot.RESCUE: RESCUE,
                LimitPot.COSTS: Decimal("Infinity"),
            }[share.pot]
        )
        over_person = any(self.person(one.person) + one.amount > PER_PERSON for one in asked.persons)
        if not over_pot and not over_person:
            persons = {one.person: one.amount for one in asked.persons}
            self.taken[asked.payment_number] = (share.pot, share.amount, persons)
        return not over_pot and not over_person

    def release(self, released: Release) -> None:
        if released.key in self.given_back or released.payment_number not in self.taken:
            return
        self.given_back.add(released.key)
        pot, amount, persons = self.taken[released.payment_number]
        left = {one.person: persons[one.person] - one.amount for one in released.persons}
        self.taken[released.payment_number] = (pot, amount - released.pots[0].amount, persons | left)

    def of(self, pot: LimitPot) -> Decimal:
        return sum((amount for held, amount, _ in self.taken.values() if held is pot), ZERO)

    def person(self, person: UUID) -> Decimal:
        return sum((persons.get(person, ZERO) for _, _, persons in self.taken.values()), ZERO)


def adjusted(lines: Iterable[LossLine]) -> dict[LimitPot, Decimal]:
    """The loss within the limits, computed once more by hand."""
    sums = dict.fromkeys(LimitPot, ZERO)
    persons: dict[UUID, Decimal] = {}
    for one in lines:
        if one.head.pot is LimitPot.INDEMNITY and one.person:
            persons[one.person] = persons.get(one.person, ZERO) + one.amount
        else:
            sums[one.head.pot] += one.amount
    sums[LimitPot.INDEMNITY] += sum((min(amount, PER_PERSON) for amount in persons.values()), ZERO)
    sums[LimitPot.INDEMNITY] = min(sums[LimitPot.INDEMNITY], PER_ACCIDENT, AGGREGATE)
    sums[LimitPot.RESCUE] = min(sums[LimitPot.RESCUE], RESCUE)
    return sums
