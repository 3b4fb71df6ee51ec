"""A claim: the commands it takes and what it is born with; its state is in claim_state.py, its money in payment.py."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from models.contracts.base import (
    Attachment,
    Command,
    Contract,
    Count,
    FactDate,
    FactInstant,
    Flag,
    Money,
    Name,
    Number,
    Strict,
    Text,
)
from models.contracts.claim_terms import ClaimTerms, Limits
from models.contracts.payment import LossLine, Payee, PaymentLine, PositiveMoney
from models.contracts.rulebook import PackRef
from models.contracts.vocabulary import (
    AccidentKind,
    AdvanceEnd,
    ClaimPath,
    EmergencyPurpose,
    OrderResult,
    PaymentKind,
    Sector,
    Size,
)

StaffNumber = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A person within the insurer by staff number, never by name."""


class Casualties(Strict):
    """What an accident is graded by (国务院令第493号 第三条); serious injury includes acute industrial poisoning."""

    deaths: Count = 0
    serious_injuries: Count = 0
    direct_loss: Money = Decimal("0.00")


class Accident(Casualties):
    """What happened; no names. Claims with the same `number` under one policy belong to one accident."""

    at: FactInstant
    place: Name
    happened: Text
    kind: AccidentKind = AccidentKind.GENERAL
    number: Number | None = None


class ReportClaim(Command):
    """The opening: an accident under a policy is reported to the insurer."""

    number: Number
    accident: Accident
    documents_complete: Flag = False
    on: FactDate | None = None
    """The day the report reached the insurer; today if left out."""


class UpdateCasualties(Command):
    """Casualties or loss have changed; inside 30 days (7 for road traffic and fire) the grade follows."""

    casualties: Casualties
    note: Text
    on: FactDate | None = None


class RequestDocuments(Command):
    """The one request for missing documents (保险法 22 ¶2); a second one needs a reason. `on` is its arrival."""

    documents: tuple[Name, ...] = Field(min_length=1, max_length=30)
    override_reason: Text | None = None
    on: FactDate | None = None


class ReceiveDocuments(Command):
    """Documents have arrived; `complete` ends the suspension and starts the sixty days."""

    complete: Flag
    documents: tuple[Name, ...] = Field(default=(), max_length=30)
    files: tuple[Attachment, ...] = Field(default=(), max_length=20)
    on: FactDate | None = None


class RecordSurvey(Command):
    """What the survey found; `None` is not known yet."""

    facts_true: Flag | None = None
    liability_clear: Flag | None = None
    note: Text
    files: tuple[Attachment, ...] = Field(default=(), max_length=20)
    on: FactDate | None = None


class AssessLoss(Command):
    """The whole list of losses; it replaces the former one."""

    lines: tuple[LossLine, ...] = Field(min_length=1, max_length=500)
    note: Text | None = None
    on: FactDate | None = None

    @model_validator(mode="after")
    def _distinct(self) -> "AssessLoss":
        if len({line.id for line in self.lines}) != len(self.lines):
            raise ValueError("损失项编号重复")
        return self


class ChoosePath(Command):
    """A person chooses the path; running clocks go on."""

    path: ClaimPath
    reason: Text


class DetermineClaim(Command):
    """Whether the accident is covered (保险法 23 ¶1)."""

    covered: Flag
    note: Text
    on: FactDate | None = None


class AgreeSettlement(Command):
    """Agreement on the sum; ten days to pay begin (保险法 23 ¶1). The sum is the adjusted loss within the limits."""

    amount: PositiveMoney
    on: FactDate | None = None
    agreement: Attachment


class RefuseClaim(Command):
    """The refusal notice with reasons is served (保险法 24)."""

    reasons: Text
    clause: Name
    """Clause of the insurance contract."""
    notice: Attachment
    on: FactDate | None = None


class ProposePayment(Command):
    """Propose a payment; its number is unique with the insurer for ever.

    Without a payee the victim of the lines is paid, where liability is clear and all lines are one person's.
    """

    number: Number
    kind: PaymentKind
    lines: tuple[PaymentLine, ...] = Field(min_length=1, max_length=100)
    payee: Payee | None = None
    purpose: EmergencyPurpose | None = None
    by_user: StaffNumber

    @model_validator(mode="after")
    def _whole(self) -> "ProposePayment":
        if (self.kind is PaymentKind.ADVANCE) != (self.purpose is not None):
            raise ValueError("紧急垫付须注明用途，其他付款不注明")
        if self.kind is not PaymentKind.ADVANCE and any(line.line is None for line in self.lines):
            raise ValueError("付款须对应损失项")
        return self


class ApprovePayment(Command):
    """Approve a proposed payment; above the threshold by another person than the proposer."""

    number: Number
    by_user: StaffNumber


class VoidPayment(Command):
    """Give up a payment that was not instructed, or that failed; its number is not used again."""

    number: Number
    reason: Text


class RecordOutcome(Command):
    """What the bank or the core system says of an instructed payment."""

    number: Number
    result: OrderResult
    reference: Number | None = None
    code: Number | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _referenced(self) -> "RecordOutcome":
        if self.result is OrderResult.CONFIRMED and self.reference is None:
            raise ValueError("到账须附银行流水号")
        return self


class SetOffAdvance(Command):
    """An advance is set off against the loss, or money of any payment came back with a bank reference."""

    number: Number
    how: AdvanceEnd
    amount: PositiveMoney
    line: Number | None = None
    """The loss line whose money came back; without it the sum is shared out by what is left of each line."""
    reference: Number | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _referenced(self) -> "SetOffAdvance":
        if (self.how is AdvanceEnd.RECOVERED) != (self.reference is not None):
            raise ValueError("追回款项须附银行流水号，冲抵不附")
        if self.how is AdvanceEnd.SET_OFF and self.line is not None:
            raise ValueError("冲抵不指明损失项")
        return self


class SetLimits(Command):
    """A person settles the limits of liability, with the reason (endorsement, decision)."""

    limits: Limits
    reason: Text


class UploadResult(Command):
    """The result of the claim is uploaded to the platform of the place."""

    file: Attachment | None = None
    receipt: Number | None = None
    on: FactDate | None = None


class CloseClaim(Command):
    note: Text | None = None


class ReopenClaim(Command):
    """Take up a claim again after it was determined, agreed, refused or closed; what was paid stays paid."""

    reason: Text


class WithdrawClaim(Command):
    """The claimant gives the claim up (撤案); no money has moved, or all of it came back."""

    reason: Text
    on: FactDate | None = None


class RecordLitigation(Command):
    """How a dispute about this claim ended; one for which the insurer is responsible counts in its evaluation."""

    number: Name
    """As the court or the arbitration commission numbers it."""
    responsible: Flag
    note: Text
    document: Attachment
    on: FactDate | None = None


class ClaimBirth(Contract):
    """What a claim workflow is started with: its policy in brief, limits and terms as in force at the report."""

    case_id: UUID
    policy_id: UUID
    insurer_id: UUID
    insurer_code: str
    insurer_name: str
    workflow_id: str
    policy_number: str
    region: str
    sector: Sector
    size: Size
    insured_id: UUID
    insured_name: str
    signed_on: date
    effective_on: date
    expires_on: date
    surrendered_on: date | None = None
    packs: tuple[PackRef, ...]
    number: str
    limits: Limits = Limits()
    terms: ClaimTerms = ClaimTerms()
