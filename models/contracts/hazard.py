"""A hazard: the commands it takes, the state it lives in, the view it answers with."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from models.contracts.base import Attachment, Command, Contract, FactDate, Flag, Text
from models.contracts.calendar import WorkCalendar
from models.contracts.clock import Clock
from models.contracts.policy import FoundHazard
from models.contracts.policy_state import DutyBrief
from models.contracts.rulebook import PackRef, Rulebook
from models.contracts.vocabulary import Event, HazardGrade, HazardStage, Sector, Size


class HazardBirth(Contract):
    """What a hazard workflow is started with: its policy in brief, and what was found."""

    case_id: UUID
    policy_id: UUID
    insurer_id: UUID
    insurer_code: str
    insurer_name: str
    workflow_id: str
    policy_workflow_id: str
    policy_number: str
    region: str
    sector: Sector
    size: Size
    insured_id: UUID
    insured_name: str
    signed_on: date
    effective_on: date
    expires_on: date
    packs: tuple[PackRef, ...]
    found_on: date
    visit: str
    hazard: FoundHazard


class ConfirmTold(Command):
    """Proof that the insured was told in writing."""

    on: FactDate | None = None
    receipt: Attachment | None = None
    note: Text | None = None


class ClaimRectification(Command):
    """The insured says that the hazard is removed, with evidence."""

    note: Text
    evidence: tuple[Attachment, ...] = Field(min_length=1, max_length=20)
    on: FactDate | None = None


class RefuseRectification(Command):
    """The insured will not rectify; recorded by the insurer, with what it was told."""

    note: Text
    evidence: Attachment | None = None
    on: FactDate | None = None


class RecheckHazard(Command):
    """The insurer's recheck; a failed one gives a new term."""

    passed: Annotated[bool, Field(strict=True)]
    note: Text
    evidence: tuple[Attachment, ...] = Field(default=(), max_length=20)
    on: FactDate | None = None
    due_on: FactDate | None = None

    @model_validator(mode="after")
    def _new_term_only_when_failed(self) -> "RecheckHazard":
        if self.passed and self.due_on:
            raise ValueError("复核通过时不设新的整改期限")
        return self


class ObjectToHazard(Command):
    """The insured holds that this is no hazard, or not as it was described; no term stops for it."""

    reason: Text
    evidence: tuple[Attachment, ...] = Field(default=(), max_length=20)


class AnswerObjection(Command):
    """The insurer's answer; an objection that is upheld closes the hazard as none."""

    upheld: Flag
    note: Text
    evidence: tuple[Attachment, ...] = Field(default=(), max_length=20)


class AskMoreTime(Command):
    """The insured asks for a longer term of rectification, by days or until a day; the term runs on meanwhile."""

    days: Annotated[int, Field(strict=True, ge=1, le=60)] | None = None
    until_on: FactDate | None = None
    reason: Text

    @model_validator(mode="after")
    def _days_or_day(self) -> "AskMoreTime":
        if (self.days is None) == (self.until_on is None):
            raise ValueError("申请延长的天数与延至的日期须填且只填一项")
        return self


class DeclineMoreTime(Command):
    """The insurer does not agree to a longer term; agreeing is an extension."""

    note: Text


class StopHazard(Command):
    """The policy has ended; the insurer's part in this hazard ends with the reason."""

    reason: Text


class Objection(Contract):
    """What the insured objects, until it is answered."""

    at: datetime
    reason: str


class AskedTime(Contract):
    """More time that was asked for a term, until it is granted or declined, or the term has ended."""

    duty: str
    days: int
    at: datetime
    reason: str


class HazardNews(Contract):
    """What a hazard tells its policy: how it stands, and whether the insured refused."""

    number: str
    grade: HazardGrade
    stage: HazardStage
    refused: bool = False


class HazardState(Contract):
    """All a hazard remembers; replaced, never mutated."""

    birth: HazardBirth
    opened_at: datetime
    seq: int = 0
    stage: HazardStage = HazardStage.FOUND
    facts: dict[Event, date] = {}
    rounds: int = 1
    refused: bool = False
    objection: Objection | None = None
    more_time: AskedTime | None = None
    clock: Clock = Clock()
    last_notice: str = ""
    ended_at: datetime | None = None
    rulebook: Rulebook
    calendar: WorkCalendar
    remembered: tuple[str, ...] = ()


class HazardRun(HazardBirth):
    """What one run of a hazard's workflow is started with: its birth, and from the second chapter on its state."""

    state: HazardState | None = None


class HazardView(Contract):
    """The answer to every command of a hazard."""

    id: UUID
    policy_id: UUID
    number: str
    policy_number: str
    grade: HazardGrade
    stage: HazardStage
    seq: int
    description: str
    place: str | None = None
    criterion: str | None = None
    found_on: date
    rounds: int
    refused: bool
    objection: Objection | None = None
    """Waits for the insurer's answer."""
    more_time: AskedTime | None = None
    """Waits for the insurer's answer."""
    insured_name: str
    region: str
    sector: Sector
    duties: tuple[DutyBrief, ...] = ()
    provisional: bool = False
    packs: tuple[PackRef, ...] = ()
