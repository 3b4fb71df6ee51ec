"""A policy: the commands it takes, the state it lives in, the view it answers with."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from models.contracts.base import (
    Attachment,
    Command,
    Contract,
    Count,
    Digest,
    FactDate,
    FactInstant,
    Flag,
    Money,
    Name,
    Number,
    Region,
    Strict,
    Text,
)
from models.contracts.claim_terms import ClaimTerms
from models.contracts.clock import Clock
from models.contracts.rulebook import Identifier, PackRef, Rulebook, WorkCalendar
from models.contracts.vocabulary import (
    Event,
    HazardGrade,
    HazardStage,
    PolicyKind,
    PolicyStage,
    Role,
    Sector,
    ServiceDimension,
    ServiceItem,
    Size,
    SpendPurpose,
    SurrenderReason,
    SuspendReason,
)

CreditCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$")]
EmailAddress = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$"),
]
WebAddress = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s<>\"'\\]*)?$")
]


class PastFact(Strict):
    """Something that had already happened when the policy was entered (a running portfolio)."""

    event: Event
    on: FactDate


class Terms(Strict):
    """What the contract says, as far as duties depend on it."""

    number: Number
    region: Region
    sector: Sector
    size: Size
    size_source: Name | None = None
    kind: PolicyKind = PolicyKind.ANNUAL
    signed_at: FactInstant
    effective_on: FactDate
    expires_on: FactDate
    """The last day of cover."""
    premium_total: Money
    premium_collected: Money | None = None
    headcount: Count
    insured_headcount: Count
    limit_per_person: Money | None = None
    limit_per_accident: Money | None = None
    limit_aggregate: Money | None = None
    limit_rescue: Money | None = None
    claim_terms: ClaimTerms | None = None
    """Figures of the fast claim paths, where this contract has its own."""
    service_items: tuple[ServiceItem, ...] = Field(default=(), max_length=10)
    services_per_year: Annotated[int, Field(strict=True, ge=1, le=52)] | None = None
    filed_clause: Number | None = None
    out_of_area: Flag = False
    out_of_area_filing: Number | None = None
    previous_policy: Number | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Terms":
        if self.expires_on < self.effective_on:
            raise ValueError("保险期间届满日不得早于生效日")
        if self.expires_on.year - self.effective_on.year > 10:
            raise ValueError("保险期间不得超过十年")
        return self


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


class ExtendDuty(Command):
    """More time for a duty whose rule allows it, asked before it is due."""

    duty: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}(#[1-9][0-9]{0,3})?$")]
    days: Annotated[int, Field(strict=True, ge=1, le=365)]
    reason: Text
    evidence: Attachment | None = None


class ExcuseDuty(Command):
    """Give the reason why an excusable duty was not done (无理由 is what the notice penalises)."""

    duty: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}(#[1-9][0-9]{0,3})?$")]
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


class AcknowledgeDuty(Command):
    """A department has read a notice; repeats of its ladder end."""

    duty: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}(#[1-9][0-9]{0,3})?$")]
    note: Text | None = None


class TakeOverDuty(Command):
    """A department takes the matter into its hands; the ladder stops, the duty stays open."""

    duty: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}(#[1-9][0-9]{0,3})?$")]
    note: Text | None = None


class AnswerDuty(Command):
    """A department tells what it did."""

    duty: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}(#[1-9][0-9]{0,3})?$")]
    answer: Text
    file: Attachment | None = None


class PassOn(Command):
    """A department names another one as the right one; what comes of the matter is told to that one from now on."""

    duty: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}(#[1-9][0-9]{0,3})?$")]
    to_region: Region
    to_department: Name
    reason: Text


class AdoptCalendar(Command):
    """A newly published calendar; due dates that depended on it are computed again, on record."""

    calendar: WorkCalendar


class AdoptRules(Command):
    """Another version of the documents, as resolved for this very case; `instead_of` is what it was compared with."""

    rulebook: Rulebook
    instead_of: tuple[PackRef, ...]
    reason: Text


class HazardNews(Contract):
    """What a hazard tells its policy: how it stands, and whether the insured refused."""

    number: str
    grade: HazardGrade
    stage: HazardStage
    refused: bool = False


class HazardBrief(Contract):
    """A hazard as its policy remembers it."""

    hazard_id: UUID
    number: str
    grade: HazardGrade
    stage: HazardStage
    found_on: date


class Rating(Contract):
    """How the insured rated one service, by its number; one to five stars for each dimension."""

    visit: str
    on: date
    stars: dict[ServiceDimension, int]
    comment: str = ""


class Birth(Contract):
    """What a policy workflow is started with."""

    case_id: UUID
    insurer_id: UUID
    insurer_code: str
    insurer_name: str
    workflow_id: str


class PolicyState(Contract):
    """All a policy remembers; replaced, never mutated."""

    birth: Birth
    terms: Terms
    insured_id: UUID
    insured_name: str
    opened_at: datetime
    opened_with: str = ""
    """Fingerprint of the application, to tell a repeat from another policy under the same number."""
    seq: int = 0
    stage: PolicyStage = PolicyStage.SIGNED
    facts: dict[Event, date] = {}
    """The first day each event happened."""
    clock: Clock = Clock()
    visits: tuple[str, ...] = ()
    ratings: tuple[Rating, ...] = ()
    hazards: tuple[HazardBrief, ...] = ()
    spend_numbers: tuple[str, ...] = ()
    endorsements: tuple[str, ...] = ()
    spent: Decimal = Decimal("0.00")
    provided: Decimal = Decimal("0.00")
    provider_name: str | None = None
    year: int = 0
    """Which policy year has started; 0 before the contract takes effect."""
    visits_this_year: int = 0
    rate_review: bool = False
    last_notice: str = ""
    ended_at: datetime | None = None
    rulebook: Rulebook
    calendar: WorkCalendar
    remembered: tuple[str, ...] = ()
    """Keys of the latest commands, so that a repeat after continue-as-new is recognised."""


class PolicyRun(Birth):
    """What one run of a policy's workflow is started with: its birth, and from the second chapter on its state."""

    state: PolicyState | None = None


class DutyBrief(Contract):
    """An open duty in an answer."""

    key: str
    label: str
    owed_by: Role
    nominal: date | None
    effective: date | None
    due_at: datetime | None
    provisional: bool
    clause: str
    """Document number and clause."""
    by: str
    acknowledged: bool = False
    taken_over: bool = False
    passed_on_to: str = ""
    """The department that has the matter instead, where one passed it on."""


class PolicyView(Contract):
    """The answer to every command of a policy. Overdue and days left are computed by the reader."""

    id: UUID
    number: str
    stage: PolicyStage
    seq: int
    region: str
    sector: Sector
    size: Size
    insured_name: str
    signed_at: datetime
    effective_on: date
    expires_on: date
    duties: tuple[DutyBrief, ...] = ()
    hazards: tuple[HazardBrief, ...] = ()
    ratings: tuple[Rating, ...] = ()
    """The latest first."""
    provider_name: str | None = None
    """The institution or expert named last."""
    spent: Decimal = Decimal("0.00")
    provided: Decimal = Decimal("0.00")
    spend_floor: Decimal | None = None
    rate_review: bool = False
    provisional: bool = False
    packs: tuple[PackRef, ...] = ()
    terms: dict[str, Any] = {}
    """Further terms of the contract, for readers."""


class FileReceipt(Contract):
    """What the file store answers: how the file is called from now on."""

    digest: Digest
    size: int
    media_type: str
