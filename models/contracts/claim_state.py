"""How a claim stands: the state it lives in and the view it answers with; its commands are in claim.py."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from models.contracts.base import Contract
from models.contracts.calendar import WorkCalendar
from models.contracts.claim import Accident, ClaimBirth
from models.contracts.claim_terms import ClaimTerms, Limits
from models.contracts.clock import Clock
from models.contracts.payment import LossLine, Payment
from models.contracts.policy_state import DutyBrief
from models.contracts.rulebook import PackRef, Rulebook
from models.contracts.vocabulary import AccidentGrade, ClaimPath, ClaimStage, Event, LimitKind, PaymentKind, Sector


class Choice(Contract):
    """Whether a path may be taken, and why: the facts, one Chinese sentence each, and the clause."""

    path: ClaimPath
    applies: bool
    because: tuple[str, ...] = ()
    clause: str = ""
    missing: tuple[str, ...] = ()
    """Figures that neither contract nor insurer's rules give."""


class PathTaken(Contract):
    """One entry of the path's history."""

    path: ClaimPath
    at: datetime
    because: str
    clause: str = ""
    by_person: bool = False


class Agreement(Contract):
    amount: Decimal
    on: date
    digest: str


class ClaimState(Contract):
    """All a claim remembers; replaced, never mutated."""

    birth: ClaimBirth
    accident: Accident
    """As last updated."""
    reported_on: date
    opened_at: datetime
    opened_with: str = ""
    seq: int = 0
    stage: ClaimStage = ClaimStage.REPORTED
    grade: AccidentGrade = AccidentGrade.ORDINARY
    grade_because: str = ""
    paths: tuple[PathTaken, ...] = ()
    limits: Limits = Limits()
    requests: int = 0
    asked: tuple[str, ...] = ()
    documents_complete: bool = False
    facts_true: bool | None = None
    liability_clear: bool | None = None
    losses: tuple[LossLine, ...] = ()
    covered: bool | None = None
    agreed: Agreement | None = None
    payments: tuple[Payment, ...] = ()
    facts: dict[Event, date] = {}
    clock: Clock = Clock()
    last_notice: str = ""
    closed_at: datetime | None = None
    ended_at: datetime | None = None
    reopened: int = 0
    rulebook: Rulebook
    calendar: WorkCalendar
    remembered: tuple[str, ...] = ()

    @property
    def path(self) -> ClaimPath:
        """The path the claim is on; an advance once begun runs on beside later ones."""
        return self.paths[-1].path if self.paths else ClaimPath.ORDINARY

    @property
    def accident_number(self) -> str:
        return self.accident.number or self.birth.number


class ClaimRun(ClaimBirth):
    """What one run of a claim's workflow is started with: its birth, and from the second chapter on its state."""

    state: ClaimState | None = None


class ClaimMoney(Contract):
    """Sums of a claim in yuan; `payable` is the adjusted loss within the limits, `None` while limits are unknown."""

    assessed: Decimal
    payable: Decimal | None
    determined: Decimal | None
    """The certain part of `payable`."""
    paid: Decimal
    """Confirmed settlements."""
    prepaid: Decimal
    """Confirmed large prepayments and determinable parts."""
    advanced: Decimal
    """Confirmed emergency advances, on their own line."""
    set_off: Decimal
    recovered: Decimal
    pending: Decimal
    """Proposed, approved, instructed, failed or unknown."""
    open: Decimal | None
    """What is still to be paid: `payable` less all that is not voided or recovered."""
    because: tuple[str, ...] = ()
    """How limits cut the loss."""


class Allowance(Contract):
    """What a path allows to be paid now: up to `ceiling` yuan, of which kinds, and why."""

    kinds: tuple[PaymentKind, ...] = ()
    ceiling: Decimal = Decimal("0.00")
    because: tuple[str, ...] = ()
    clause: str = ""


class ClaimView(Contract):
    """The answer to every command of a claim."""

    id: UUID
    policy_id: UUID
    number: str
    policy_number: str
    stage: ClaimStage
    seq: int
    path: ClaimPath
    paths: tuple[PathTaken, ...] = ()
    choices: tuple[Choice, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    grade: AccidentGrade
    grade_because: str = ""
    accident: Accident
    accident_number: str
    reported_on: date
    documents_complete: bool = False
    asked: tuple[str, ...] = ()
    facts_true: bool | None = None
    liability_clear: bool | None = None
    covered: bool | None = None
    agreed: Agreement | None = None
    losses: tuple[LossLine, ...] = ()
    payments: tuple[Payment, ...] = ()
    money: ClaimMoney
    limits: Limits = Limits()
    limits_unknown: tuple[LimitKind, ...] = ()
    terms: ClaimTerms = ClaimTerms()
    insured_name: str
    region: str
    sector: Sector
    duties: tuple[DutyBrief, ...] = ()
    provisional: bool = False
    packs: tuple[PackRef, ...] = ()
    before: dict[str, Any] = {}
    """Open hazards and services before the accident; filled in by the reader from the policy's rows."""
