"""How a policy stands: what it is born with, the state it lives in, the view it answers with; not its commands."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from models.contracts.base import (
    Contract,
)
from models.contracts.calendar import WorkCalendar
from models.contracts.clock import Clock
from models.contracts.policy_terms import Terms
from models.contracts.rulebook import (
    PackRef,
    Rulebook,
)
from models.contracts.vocabulary import (
    Event,
    HazardGrade,
    HazardStage,
    PolicyStage,
    Role,
    Sector,
    ServiceDimension,
    Size,
)


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
    provider_id: UUID | None = None
    """Who of that name may come in and do the visits (`ids.provider_id`); none where no credit code was given."""
    year: int = 0
    """Which policy year has started; 0 before the contract takes effect."""
    visits_this_year: int = 0
    visits_last_year: int = 0
    """A service of the year before may be entered after the year has turned."""
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
    provider_id: UUID | None = None
    """The same, as the insurer's register of providers knows it; none where no credit code was given."""
    spent: Decimal = Decimal("0.00")
    provided: Decimal = Decimal("0.00")
    spend_floor: Decimal | None = None
    rate_review: bool = False
    provisional: bool = False
    packs: tuple[PackRef, ...] = ()
    terms: dict[str, Any] = {}
    """Further terms of the contract, for readers."""
