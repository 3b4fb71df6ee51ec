"""What the API alone says and hears: the application for a policy, pages of lists, readings of duties. No commands."""

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from stdnum.cn import uscc

from api.words import Reason
from models.contracts.base import Contract, CreditCode, EmailAddress, FactDate, Name, Number, Region, Strict
from models.contracts.clock import Explanation
from models.contracts.hazard import HazardView
from models.contracts.policy import PastFact
from models.contracts.policy_state import PolicyView
from models.contracts.policy_terms import Terms
from models.contracts.rulebook import Citation
from models.contracts.vocabulary import (
    ActorKind,
    By,
    CaseKind,
    Event,
    HazardGrade,
    HazardStage,
    NoticeKind,
    NoticeStatus,
    PolicyStage,
    Role,
    Sector,
    Size,
    StopReason,
    Urgency,
)

T = TypeVar("T")


def _checked(code: str) -> str:
    if not uscc.is_valid(code):
        raise ValueError(Reason.CREDIT_CODE.label)
    return code


CheckedCreditCode = Annotated[CreditCode, AfterValidator(_checked)]
"""A unified social credit code whose last sign fits the others (GB 32100)."""


class InsuredParty(Strict):
    """投保单位 / the enterprise that bought the policy, and where it can be written to."""

    name: Name
    credit_code: CheckedCreditCode
    email: EmailAddress


class PolicyApplication(Strict):
    """建档申请 / what a policy is opened with; `facts` only for a running portfolio entered late."""

    terms: Terms
    insured: InsuredParty
    facts: tuple[PastFact, ...] = Field(default=(), max_length=40)


class Me(Contract):
    """Whose key this is."""

    kind: ActorKind
    id: UUID
    name: str
    code: str = ""
    region: str = ""
    department: str = ""


class Page(BaseModel, Generic[T]):
    """One page of a list; `next` goes into `cursor` for the following one."""

    items: list[T]
    next: str | None = None


class ListQuery(BaseModel):
    """Filters every list of cases knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: Region | None = Field(None, description="行政区划代码，含下级 / with everything below it")
    sector: Sector | None = None
    due_before: FactDate | None = Field(None, description="最近期限在该日之前 / next due day lies before")
    overdue: bool | None = Field(None, description="最近期限已过 / the next due instant has passed")
    provisional: bool | None = Field(None, description="期限为暂定 / depends on an unpublished calendar")
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=400, pattern=r"^[A-Za-z0-9_-]+$")] | None = None


class PolicyQuery(ListQuery):
    """保单列表的筛选 / filters of the list of policies."""

    number: Number | None = Field(None, description="保单号 / number of the policy")
    size: Size | None = None
    stage: PolicyStage | None = None
    insured: Name | None = Field(None, description="统一社会信用代码，或名称开头 / credit code, or how the name begins")
    rate_review: bool | None = None


class HazardQuery(ListQuery):
    """隐患列表的筛选 / filters of the list of hazards."""

    number: Number | None = Field(None, description="隐患编号，各保单内唯一 / unique within its policy")
    stage: HazardStage | None = None
    grade: HazardGrade | None = None


class NoticeQuery(BaseModel):
    """通知列表的分页 / paging of notices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=400, pattern=r"^[A-Za-z0-9_-]+$")] | None = None


class CaseLine(Contract):
    """A case as lists show it; `overdue` was computed when the list was read."""

    id: UUID
    kind: CaseKind
    number: str
    parent_id: UUID | None
    stage: str
    stage_label: str
    region: str
    sector: Sector
    size: Size
    insured_name: str
    signed_on: date
    effective_on: date
    expires_on: date
    next_duty: str | None
    next_due_at: datetime | None
    overdue: bool
    provisional: bool
    rate_review: bool
    open_hazards: int
    ended_at: datetime | None


class Standing(Contract):
    """When a case was opened and changed, and what of it is overdue."""

    as_of: datetime
    """The instant everything in this answer was computed for."""
    overdue: tuple[str, ...] = ()
    """Keys of open duties whose due instant has passed."""
    opened_at: datetime
    changed_at: datetime
    ended_at: datetime | None = None
    in_hand: str = ""
    """Who of the insurer's own people has the case in hand, by name; empty where nobody has."""


class PolicyReading(PolicyView, Standing):
    """保单现状 / a policy as it stands."""


class HazardReading(HazardView, Standing):
    """隐患现状 / a hazard as it stands."""


class TimelineEntry(Contract):
    """One thing that happened: when it is true of the world, in which step, on whose word."""

    seq: int
    line: int
    event: Event
    label: str
    at: datetime
    duty_key: str
    said: str
    data: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    by: str = ""
    """Organisation or system that caused the step."""


class Told(Contract):
    """Who a rung speaks to: the role, and whom that is in this place."""

    role: Role
    label: str
    name: str
    """The addressee; for a department nobody has registered, its name in the notice."""
    registered: bool = True


class RungReading(Contract):
    """One rung of the ladder, with its instant: fired, passed over without being sent, or waiting."""

    moment: str
    at: datetime | None
    notice: NoticeKind
    notice_label: str
    tell: tuple[Told, ...]
    state: Literal["fired", "passed", "waiting", "off"]


class DutyReading(Contract):
    """A duty with its term day by day, the clause that states it, and its ladder."""

    key: str
    duty: str
    label: str
    owed_by: Role
    state: Literal["open", "met", "stopped"]
    anchor: Event
    anchor_at: datetime
    met_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_reason: StopReason | None = None
    explanation: Explanation
    counting: str
    """How the days were counted, in one Chinese sentence."""
    overdue: bool
    days_left: int | None = None
    cites: Citation
    by: dict[str, By]
    """Who says each part: law, contract, or our own choice."""
    because: str = ""
    extensions: tuple[int, ...] = ()
    extendable_days: int = 0
    acknowledged: bool = False
    taken_over: bool = False
    ladder: tuple[RungReading, ...] = ()


class Duties(Contract):
    """All duties of a case, computed for one instant."""

    as_of: datetime
    items: tuple[DutyReading, ...]


class NoticeReading(Contract):
    """One notice to one recipient, and how its delivery stands."""

    id: UUID
    case_id: UUID
    kind: NoticeKind
    label: str
    to_role: Role
    to: str
    urgency: Urgency
    at: datetime
    duty_key: str
    title: str
    cites: Citation | None
    status: NoticeStatus
    status_label: str
    queued_at: datetime
    told_at: datetime | None
    acknowledged_at: datetime | None


class InboxNotice(NoticeReading):
    """A notice as the department that received it reads it."""

    case_kind: CaseKind
    number: str
    region: str
    sector: Sector
    insured_name: str
    insurer_name: str
    note: str = ""


class Version(Contract):
    """Which build this is."""

    name: str
    version: str
    api: str
