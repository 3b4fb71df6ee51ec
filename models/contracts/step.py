"""The one record of a change: what happened, who is told, and how the case looks afterwards."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from models.contracts.base import Actor, Contract
from models.contracts.clock import Clock
from models.contracts.notice import Notice
from models.contracts.rulebook import PackRef, Pinned
from models.contracts.vocabulary import CaseKind, CauseKind, Event, Sector, Size


class Happening(Contract):
    """One line of the timeline. `at` is when it is true of the world; the step tells when it was recorded."""

    event: Event
    at: datetime
    duty_key: str = ""
    said: str = ""
    """One Chinese sentence for people."""
    data: dict[str, Any] = {}


class Trace(Contract):
    """Which command caused a step, under which key, by whom."""

    command_id: str
    name: str
    fingerprint: str
    actor: Actor


class Cause(Contract):
    """Why a step was taken, exactly enough to take it again: a command, an alarm's instant, news of another case."""

    kind: CauseKind
    key: str
    """The mark of a command, the instant of an alarm, the words of a piece of news: tells one cause from another."""
    body: dict[str, Any] = {}


class Recorded(Contract):
    """A step as the ledger remembers it."""

    seq: int
    at: datetime
    cause: Cause


class Standing(Contract):
    """How the case stands in the ledger after its last step, and what it was pinned to when it was opened."""

    seq: int
    stage: str
    next_duty: str | None = None
    next_due_at: datetime | None = None
    next_alarm_at: datetime | None = None
    ended_at: datetime | None = None
    packs: tuple[PackRef, ...] = ()
    calendar_through: int = 0
    began: Pinned


class Entered(Contract):
    """How the ledger took a step. `missed` is what stands there instead: steps the case has lost, from this one on.

    A long life comes in parts: there may be later steps than these.
    """

    missed: tuple[Recorded, ...] = ()
    stands: Standing | None = None
    """Only beside missed steps."""


class CaseRow(Contract):
    """How lists and pages see the case after the step (the read model)."""

    case_id: UUID
    kind: CaseKind
    insurer_id: UUID
    workflow_id: str
    parent_id: UUID | None = None
    number: str
    region: str
    sector: Sector
    size: Size
    stage: str
    insured_id: UUID
    insured_name: str
    signed_on: date
    effective_on: date
    expires_on: date
    next_duty: str | None = None
    next_due_at: datetime | None = None
    next_alarm_at: datetime | None = None
    provisional: bool = False
    rate_review: bool = False
    open_hazards: int = 0
    ended_at: datetime | None = None
    packs: tuple[PackRef, ...] = ()
    calendar_through: int = 0
    clock: Clock = Clock()
    lives_on: dict[str, str] = {}
    """Duties that were met by telling a department, and the open one that letters about them mean now."""
    view: dict[str, Any] = {}


class Step(Contract):
    """A change of a case: committed in one transaction, in order, once; `seq` counts from 1 without gaps."""

    seq: int
    at: datetime
    cause: Cause | None = None
    trace: Trace | None = None
    happened: tuple[Happening, ...] = ()
    notices: tuple[Notice, ...] = ()
    row: CaseRow
    answer: dict[str, Any] = {}


class Refusal(Contract):
    """Why a command is not carried out: a stable code, a Chinese sentence, and the clause where there is one."""

    code: str
    says: str
    clause: str = ""
    status: int = 409
