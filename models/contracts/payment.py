"""Money of a claim: loss lines, payments, and what treasury and cashier are asked and answer; ref only, no persons."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from models.contracts.base import Attachment, CaseKey, Contract, Flag, Money, Name, Number, Strict
from models.contracts.claim_terms import Limits
from models.contracts.vocabulary import (
    EmergencyPurpose,
    LimitPot,
    LossHead,
    OrderResult,
    PayeeKind,
    PaymentKind,
    PaymentStatus,
)

ZERO = Decimal("0.00")
PositiveMoney = Annotated[Money, Field(gt=0)]
DisabilityGrade = Annotated[int, Field(strict=True, ge=1, le=10)]
"""劳动能力鉴定 grade, 1 the gravest."""


class LossLine(Strict):
    """One line of the assessed loss; `id` stays the same when the loss is assessed again."""

    id: Number
    head: LossHead
    amount: PositiveMoney
    person: UUID | None = None
    """The victim by opaque reference."""
    grade: DisabilityGrade | None = None
    determined: Flag = True
    """Whether the amount is certain; only that part may be paid before the end (保险法 25)."""
    note: Name | None = None

    @model_validator(mode="after")
    def _whole(self) -> "LossLine":
        if self.head.personal and self.person is None:
            raise ValueError("人身损失须注明受害人编号")
        if (self.head is LossHead.EMPLOYEE_DISABILITY) != (self.grade is not None):
            raise ValueError("伤残等级用于且仅用于从业人员伤残")
        return self


class PaymentLine(Strict):
    """What a payment is for; `line` names the loss line, left out only for advances before the loss is assessed."""

    head: LossHead
    amount: PositiveMoney
    person: UUID | None = None
    line: Number | None = None


class Payee(Strict):
    """Who is paid, by opaque reference; accounts stay in the victims' table or in the core system."""

    kind: PayeeKind
    ref: UUID | None = None
    proof: Attachment | None = None
    """For the insured: proof that it has compensated the victims (保险法 65 ¶3)."""

    @model_validator(mode="after")
    def _known(self) -> "Payee":
        if self.kind is not PayeeKind.INSURED and self.ref is None:
            raise ValueError("向受害人或者供应商付款须注明其编号")
        return self


class Signature(Contract):
    """Who did a money step: the caller and the person within the organisation by staff number."""

    actor_id: str
    by_user: str
    at: datetime


class Payment(Contract):
    """One payment of a claim, from proposal to bank reference; never deleted."""

    number: str
    kind: PaymentKind
    status: PaymentStatus
    lines: tuple[PaymentLine, ...]
    payee: Payee
    purpose: EmergencyPurpose | None = None
    proposed: Signature
    approved: Signature | None = None
    because: str = ""
    """Why it was allowed, one Chinese sentence."""
    clause: str = ""
    reference: str = ""
    failure: str = ""
    voided_because: str = ""
    instructed_at: datetime | None = None
    settled_at: datetime | None = None
    """When it was confirmed, failed or voided."""
    set_off: Decimal = ZERO
    recovered: Decimal = ZERO
    back: tuple[Decimal, ...] = ()
    """What of `recovered` belongs to which line, in their order; empty where nothing came back."""
    disputed: str = ""
    """A confirmation that came for a voided payment; a person must settle it."""

    @property
    def amount(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)

    @property
    def net(self) -> Decimal:
        """What it takes of the limits: its amount less what came back, nothing once voided."""
        return ZERO if self.status is PaymentStatus.VOIDED else self.amount - self.recovered


class PersonShare(Contract):
    person: UUID
    amount: Decimal


class PotShare(Contract):
    pot: LimitPot
    amount: Decimal


class Standard(Contract):
    """What one employee of the insured gets; the same for all employees in one accident."""

    head: LossHead
    grade: int | None = None
    amount: Decimal


class Reservation(Contract):
    """Room asked of the policy's limits for one payment; idempotent by (insurer_id, payment_number).

    Indemnity counts against per_accident (same policy and accident_number) and aggregate (policy), each person against
    per_person (policy), rescue against `limits.rescue_ceiling` (accident), costs against `limits.costs` (accident).
    A `None` limit is not agreed and does not bind. Another amount under a known number is refused.
    """

    insurer_id: UUID
    policy_id: UUID
    claim_id: UUID
    claim_number: str
    accident_number: str
    payment_number: str
    amount: Decimal
    pots: tuple[PotShare, ...]
    persons: tuple[PersonShare, ...] = ()
    """Shares of the indemnity by person."""
    standards: tuple[Standard, ...] = ()
    """What this claim gives employees; another claim of the same accident may not give another amount."""
    limits: Limits


class Reserved(Contract):
    """The treasury's answer: room is kept, or why not (code, Chinese sentence, clause)."""

    granted: bool
    code: str = ""
    says: str = ""
    clause: str = ""


class Release(Contract):
    """Room given back: all of a voided payment, or the recovered amount of one; idempotent by `key`."""

    key: str
    insurer_id: UUID
    policy_id: UUID
    claim_id: UUID
    payment_number: str
    pots: tuple[PotShare, ...]
    persons: tuple[PersonShare, ...] = ()


class PaymentOrder(Contract):
    """The instruction to pay, as it goes to the insurer's core system; `key` is the idempotency key for ever."""

    key: str
    case: CaseKey
    policy_id: UUID
    insurer_code: str
    policy_number: str
    claim_number: str
    payment_number: str
    kind: PaymentKind
    amount: Decimal
    payee_kind: PayeeKind
    payee_ref: UUID | None = None
    insured_id: UUID
    lines: tuple[PaymentLine, ...]
    clause: str = ""
    proposed_by: str = ""
    approved_by: str = ""
    approved_at: datetime


class OrderOutcome(Contract):
    """What became of an order: accepted and waiting, confirmed, refused, or unknown (a person's business)."""

    key: str
    payment_number: str
    result: OrderResult
    reference: str = ""
    """The bank's, where confirmed."""
    code: str = ""
    """The core system's, where refused or unknown."""
    note: str = ""


class Answered(Contract):
    """What a person or the core system said of an order after it was sent, to be kept beside it."""

    order: PaymentOrder
    outcome: OrderOutcome


class Reconciled(Contract):
    """How a reconciliation ended: orders looked at, settled on the way, and lines that wait for a person."""

    orders: int
    settled: int = 0
    found: int = 0
