"""A policy: the commands it takes; its terms are in policy_terms.py, its state in policy_state.py."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from models.contracts.base import (
    Attachment,
    Command,
    Count,
    CreditCode,
    FactDate,
    Flag,
    Identifier,
    Money,
    Name,
    Number,
    Strict,
    Text,
    WebAddress,
)
from models.contracts.case import DutyKey
from models.contracts.policy_terms import Terms
from models.contracts.vocabulary import (
    Event,
    HazardGrade,
    ServiceItem,
    SpendPurpose,
    SurrenderReason,
    SuspendReason,
)


class PastFact(Strict):
    """Something that had already happened when the policy was entered (a running portfolio)."""

    event: Event
    on: FactDate


class OpenPolicy(Command):
    """Open a policy: the insurer stands in the credentials, the insured is an opaque id and a company name."""

    terms: Terms
    insured_id: UUID
    insured_name: Name
    facts: tuple[PastFact, ...] = Field(default=(), max_length=40)


class UploadPolicy(Command):
    """The electronic policy reaches the platform: the file itself, by digest, or its digest and address."""

    file: Attachment
    address: WebAddress | None = None
    on: FactDate | None = None


class NameProvider(Command):
    """Which institution or expert serves this policy."""

    provider_name: Name
    qualification: Name | None = None
    provider_code: CreditCode | None = None
    """Lets the people of this provider in, where the insurer has registered it; a name alone lets nobody in."""
    on: FactDate | None = None


class FilePlan(Command):
    """The service plan, with its items and how often."""

    items: tuple[ServiceItem, ...] = Field(min_length=1, max_length=10)
    services_per_year: Annotated[int, Field(strict=True, ge=1, le=52)] = 1
    goals: Text
    file: Attachment | None = None
    on: FactDate | None = None


class ConfirmPlan(Command):
    """The insured agrees with the plan."""

    note: Text | None = None
    on: FactDate | None = None


class FoundHazard(Strict):
    """A hazard met during a service; its number is unique within the policy."""

    number: Number
    description: Text
    grade: HazardGrade
    place: Name | None = None
    due_on: FactDate | None = None
    criterion: Name | None = None
    """Document and item that make a hazard major."""
    told_on: FactDate | None = None
    """Where the insured was told in writing on the spot, with `receipt` as proof."""
    receipt: Attachment | None = None
    photographs: tuple[Attachment, ...] = Field(default=(), max_length=12)
    """What was seen, for the insured's own page."""

    @model_validator(mode="after")
    def _founded(self) -> "FoundHazard":
        if self.grade is HazardGrade.MAJOR and not self.criterion:
            raise ValueError("重大事故隐患须注明判定标准")
        if self.told_on and not self.receipt:
            raise ValueError("当场告知须附送达凭证")
        return self


class RecordVisit(Command):
    """One service at the insured's premises, with what was done and what was found."""

    number: Number
    on: FactDate
    items: tuple[ServiceItem, ...] = Field(min_length=1, max_length=10)
    place: Name
    staff_count: Annotated[int, Field(strict=True, ge=1, le=1000)]
    record: Attachment | None = None
    summary: Text
    hazards: tuple[FoundHazard, ...] = Field(default=(), max_length=50)

    @model_validator(mode="after")
    def _distinct(self) -> "RecordVisit":
        if len({hazard.number for hazard in self.hazards}) != len(self.hazards):
            raise ValueError("同一次服务中隐患编号重复")
        return self


Stars = Annotated[int, Field(strict=True, ge=1, le=5)]


class RateService(Command):
    """The insured rates one service, once, in three dimensions (应急监二〔2023〕84号 附件 四)."""

    visit: Number
    attitude: Stars
    professionalism: Stars
    timeliness: Stars
    comment: Text | None = None


class CompleteService(Command):
    """The service of the signing term is complete, with the insured's confirmation of the record."""

    confirmed_by_insured: Flag
    report: Attachment | None = None
    on: FactDate | None = None


class RecordSpend(Command):
    """Money actually spent on prevention for this policy."""

    number: Number
    amount: Annotated[Money, Field(gt=0)]
    purpose: SpendPurpose
    on: FactDate
    payee: Name | None = None
    evidence: Attachment | None = None
    provision: Flag = False
    """A sum set aside, not spent; only where the place allows it."""


class SuspendClock(Command):
    """Stop counting, from a day on, for all duties or the named ones."""

    reason: SuspendReason
    note: Text
    from_on: FactDate
    until_on: FactDate | None = None
    duties: tuple[Identifier, ...] = Field(default=(), max_length=20)
    evidence: Attachment | None = None


class ResumeClock(Command):
    """Count again; `last_day_on` is the last suspended day."""

    last_day_on: FactDate
    note: Text


class ExcuseDuty(Command):
    """Give the reason why an excusable duty was not done (无理由 is what the notice penalises)."""

    duty: DutyKey
    reason: Text
    evidence: Attachment | None = None


class EndorsePolicy(Command):
    """A change of the contract; fields left out stay as they are. What was pinned at signing stays pinned."""

    number: Number
    effective_on: FactDate
    reason: Text
    expires_on: FactDate | None = None
    premium_total: Money | None = None
    premium_collected: Money | None = None
    headcount: Count | None = None
    insured_headcount: Count | None = None
    limit_per_person: Money | None = None


class SurrenderPolicy(Command):
    """End the policy early; only for reasons the place allows."""

    reason: SurrenderReason
    on: FactDate
    note: Text
    evidence: Attachment


class RenewPolicy(Command):
    """The insured has renewed, here or elsewhere."""

    next_number: Number
    next_insurer: Name | None = None
    on: FactDate | None = None


class FileOutOfArea(Command):
    """The insured's filing with its sector department for insuring outside the city."""

    filing: Number
    on: FactDate | None = None
