"""What the API of claims alone says and hears: filters, ledgers, explanations, victims, an insurer's figures."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.shapes import CaseLine, ListQuery, Standing
from models.contracts.base import Contract, FactDate, Flag, Name, Number, Strict, Text
from models.contracts.claim_state import ClaimMoney, ClaimView
from models.contracts.claim_terms import ClaimTerms
from models.contracts.vocabulary import (
    AccidentGrade,
    ClaimPath,
    ClaimStage,
    HazardGrade,
    HazardStage,
    OrderResult,
    PayeeKind,
    PaymentKind,
    PaymentStatus,
)


class ClaimQuery(ListQuery):
    """理赔列表的筛选 / filters of the list of claims."""

    number: Number | None = Field(None, description="赔案号 / number of the claim")
    policy: UUID | None = Field(None, description="保单编号 / id of the policy")
    stage: ClaimStage | None = None
    path: ClaimPath | None = None
    grade: AccidentGrade | None = None
    insured: Name | None = Field(None, description="统一社会信用代码，或名称开头 / credit code, or how the name begins")


class ClaimLine(CaseLine):
    """A claim as lists show it."""

    path: ClaimPath
    path_label: str
    grade: AccidentGrade
    grade_label: str
    assessed: Decimal
    paid: Decimal
    """Everything that has reached somebody: settlements, prepayments and advances."""


class ClaimReading(ClaimView, Standing):
    """赔案现状 / a claim as it stands."""


class Confirmation(Strict):
    """What the bank or the core system says of one payment; the payment is named in the address."""

    result: OrderResult
    reference: Number | None = None
    code: Number | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _referenced(self) -> "Confirmation":
        if self.result is OrderResult.CONFIRMED and self.reference is None:
            raise ValueError("到账须附银行流水号")
        return self


class MoneyLine(Contract):
    """One payment in the ledger; amounts in yuan."""

    number: str
    kind: PaymentKind
    kind_label: str
    status: PaymentStatus
    status_label: str
    amount: Decimal
    set_off: Decimal
    recovered: Decimal
    counts: Decimal
    """What it takes of the limits and of the loss: nothing once voided."""
    payee: PayeeKind
    payee_ref: UUID | None
    heads: tuple[str, ...]
    proposed_by: str
    proposed_at: datetime
    approved_by: str = ""
    approved_at: datetime | None = None
    reference: str = ""
    because: str = ""
    clause: str = ""


class Check(Contract):
    """One thing that must hold of the money, and whether it does."""

    says: str
    holds: bool
    clause: str = ""


class ClaimLedger(Contract):
    """资金台账 / the money of a claim: each payment, the sums, and what must hold."""

    as_of: datetime
    lines: tuple[MoneyLine, ...]
    totals: ClaimMoney
    checks: tuple[Check, ...]


class Because(Contract):
    """One answer with its reasons, each a Chinese sentence, and where it stands."""

    question: str
    answer: str
    because: tuple[str, ...] = ()
    clause: str = ""


class ClaimExplanation(Contract):
    """案情说明 / why this path, why this amount, why these dates, who approved, and which clause."""

    as_of: datetime
    number: str
    path: Because
    former_paths: tuple[Because, ...] = ()
    other_paths: tuple[Because, ...] = ()
    grade: Because
    amount: Because
    figures: tuple[Because, ...]
    dates: tuple[Because, ...]
    payments: tuple[Because, ...]


class HazardBefore(Contract):
    """A hazard that had been found when the accident happened."""

    id: UUID
    number: str
    grade: HazardGrade
    stage: HazardStage
    stage_label: str
    description: str
    found_at: datetime
    ended_at: datetime | None
    open_at_accident: bool


class ServiceBefore(Contract):
    """A service that had been given when the accident happened."""

    at: datetime
    said: str


class Prevention(Contract):
    """事故前的预防情况 / what prevention had seen and done before the accident."""

    accident_at: datetime
    hazards: tuple[HazardBefore, ...]
    services: tuple[ServiceBefore, ...]
    open_at_accident: int
    says: str


class VictimEntry(Strict):
    """受害人 / a person hurt or bereaved; sealed field by field as soon as it is here."""

    employee: Flag
    name: Name
    identity_number: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{6,24}$")] | None = None
    bank_account: Annotated[str, StringConstraints(pattern=r"^[0-9]{8,30}$")] | None = None
    phone: Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{7,20}$")] | None = None


class VictimRef(Contract):
    """How a victim is called everywhere else."""

    ref: UUID


class VictimReading(Contract):
    """A victim, masked unless the key may see more; what is not known is empty."""

    ref: UUID
    employee: bool
    masked: bool
    name: str
    identity_number: str = ""
    bank_account: str = ""
    phone: str = ""
    created_at: datetime
    erased_at: datetime | None = None
    erased_because: str = ""
    """Why the fields are gone; empty as long as they are here."""


class VictimQuery(BaseModel):
    """How victims are to be shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unmasked: bool = Field(False, description="查看原文，须有授权并留痕 / needs a scope, and is recorded")
    why: Name | None = Field(None, description="查看原文的事由 / why; required with unmasked")


class ClaimRulesEntry(Strict):
    """本机构理赔规则 / an insurer's own figures from a day on; a contract's own figures go before them."""

    in_force_on: FactDate
    figures: ClaimTerms


class ClaimRulesReading(Contract):
    """Figures as recorded: whoever reads them sees which count today."""

    in_force_on: date
    figures: ClaimTerms
    recorded_by: str
    recorded_at: datetime
    in_force: bool
