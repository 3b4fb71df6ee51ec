"""What a notice says, as data: the file a lawyer writes (Pack) and the pinned set one case obeys (Rulebook)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from models.contracts.base import Contract, Region, Strict
from models.contracts.vocabulary import (
    By,
    CaseKind,
    ClaimPath,
    Combine,
    Event,
    FirstDay,
    HazardGrade,
    NoticeKind,
    Occurs,
    OnHoliday,
    PathFact,
    PathFigure,
    PolicyField,
    RateBase,
    Role,
    Sector,
    Size,
    SpendPurpose,
    SurrenderReason,
    TermUnit,
)

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}$")]
Moment = Annotated[str, StringConstraints(pattern=r"^(open|due|[+-][1-9][0-9]{0,2}[dh])$")]
"""When a rung fires: `open` (at the anchor), `due`, or days/hours before (-) or after (+) the due instant."""
Length = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,2}d$")]
Share = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$")]
Clause = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Wording = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Events = Annotated[tuple[Event, ...], BeforeValidator(_listed), Field(min_length=1)]


class Instrument(Strict):
    """The document a pack was read from; dates are those printed in it, `None` where the copy shows none."""

    number: Wording
    title: Wording
    place: Wording | None = None
    """The place in one Chinese word (宿州), for reasons and lists; without it the number speaks."""
    issued_by: tuple[Wording, ...] = Field(min_length=1)
    issued_on: date | None
    in_force_on: date
    in_force_by: By = By.LAW
    ends_on: date | None = None
    repeals: tuple[Wording, ...] = ()
    cites: tuple[Wording, ...] = ()
    checked_on: date
    note: Wording | None = None


class When(Strict):
    """To whom a rule applies; an empty condition applies to everybody."""

    sectors: tuple[Sector, ...] = ()
    sizes: tuple[Size, ...] = ()
    grade: HazardGrade | None = None
    out_of_area: bool | None = None


class Within(Strict):
    """The length of a term and how it is counted (民法典 200–204)."""

    amount: int = Field(ge=0, le=3660)
    unit: TermUnit
    first_day: FirstDay = FirstDay.EXCLUDED
    on_holiday: OnHoliday = OnHoliday.ROLL_FORWARD


class Repeat(Strict):
    every: Length
    times: int = Field(ge=1, le=52)


class Rung(Strict):
    """One step of a ladder: when, whom to tell, with which notice; repeats end when the duty is acknowledged."""

    at: Moment
    tell: tuple[Role, ...] = Field(min_length=1)
    notice: NoticeKind
    repeat: Repeat | None = None


class Extension(Strict):
    """How far a running term may be extended before it expires."""

    at_most: Length
    times: int = Field(ge=1, le=12)
    clause: Clause | None = None
    by: By


def _spoken(value: object) -> object:
    """`by: law` speaks for the whole duty; a map names who says each part."""
    return {"within": value} if isinstance(value, str) else value


class Spoken(Strict):
    """Who says each part of a duty: law, contract, or our own choice."""

    within: By
    first_day: By = By.PRODUCT
    on_holiday: By = By.PRODUCT
    ladder: By = By.PRODUCT
    met_by: By = By.PRODUCT


class Duty(Strict):
    """Something owed within a term after an anchor event, what meets it, and who is told when."""

    id: Identifier
    label: Wording
    owed_by: Role
    anchor: Events
    met_by: Events
    when: When = When()
    occurs: Occurs = Occurs.ONCE
    within: Within
    given_by: Literal["due"] | None = None
    """`due`: where the anchor event carries its own due date, that date replaces the term."""
    agreed: PathFigure | None = None
    """The figure of the contract that is the length where it is shorter; with the amount 0 nothing else is."""
    until_expiry: bool = False
    """The term never runs beyond the last day of the policy."""
    suspended_between: tuple[Event, Event] | None = None
    """The term is held from the day after the first event through the day of the second one; only once."""
    overdue_event: Event | None = None
    """Happens when the due instant passes unmet; other duties may be anchored on it."""
    excusable: bool = False
    """A stated reason ends the duty (the notice says 无理由)."""
    extension: Extension | None = None
    clause: Clause
    document: Wording | None = None
    """Where the clause stands in another document than the pack's own instrument: that document's number."""
    by: Annotated[Spoken, BeforeValidator(_spoken)]
    ladder: tuple[Rung, ...] = ()
    overrides: Identifier | None = None
    enabled: bool = True
    source: Wording | None = None
    proves: tuple[str, ...] = ()
    """Ids of `obligations` this duty answers, for coverage."""

    @property
    def case(self) -> CaseKind:
        return self.anchor[0].case

    @model_validator(mode="after")
    def _one_life(self) -> "Duty":
        if len({event.case for event in self.anchor}) != 1:
            raise ValueError("起算事件须属于同一类案件")
        if self.suspended_between and {event.case for event in self.suspended_between} != {self.case}:
            raise ValueError("中止与恢复的事件须与起算事件属于同一类案件")
        return self


class Rate(Strict):
    """A share or an amount the place demands, and how levels stack."""

    value: Share
    base: RateBase
    combine: Combine
    label: Wording
    clause: Clause
    document: Wording | None = None
    """Where the clause stands in another document than the pack's own instrument: that document's number."""
    by: By
    enabled: bool = True
    source: Wording | None = None
    proves: tuple[str, ...] = ()

    @property
    def amount(self) -> Decimal:
        return Decimal(self.value)


class Gate(Strict):
    """A step that may not happen before another one is on record."""

    id: Identifier
    label: Wording
    before: Event
    needs: Event
    when: When = When()
    clause: Clause
    document: Wording | None = None
    """Where the clause stands in another document than the pack's own instrument: that document's number."""
    by: By
    overrides: Identifier | None = None
    proves: tuple[str, ...] = ()


class PathRule(Strict):
    """What a claim must show before it takes a path, the contract figures it needs, and what bounds its payments."""

    path: ClaimPath
    facts: tuple[PathFact, ...] = ()
    figures: tuple[PathFigure, ...] = ()
    pays: tuple[PathFact, ...] = ()
    clause: Clause
    document: Wording | None = None
    """Where the clause stands in another document than the pack's own instrument: that document's number."""
    by: By
    proves: tuple[str, ...] = ()


class RequiredField(Strict):
    """A field of the contract without which a policy is not opened."""

    field: PolicyField
    when: When = When()
    clause: Clause
    by: By
    proves: tuple[str, ...] = ()


class Surrender(Strict):
    """For which reasons a policy may end early."""

    lawful_reasons: tuple[SurrenderReason, ...] = Field(min_length=1)
    clause: Clause
    by: By
    proves: tuple[str, ...] = ()


class Fees(Strict):
    """How the prevention fee is booked and what it may be spent on."""

    provision_allowed: bool
    purposes: tuple[SpendPurpose, ...] = ()
    clause: Clause
    by: By
    proves: tuple[str, ...] = ()


class Scope(Strict):
    """The sectors a notice obliges to insure."""

    sectors: tuple[Sector, ...] = Field(min_length=1)
    speaks_of_no_other: bool = False
    """The whole document is about these sectors: a policy of another sector does not obey it at all."""
    clause: Clause
    by: By
    proves: tuple[str, ...] = ()


HUMAN_QUEUE: Literal["human_queue"] = "human_queue"


class Route(Strict):
    """Which department a role is, for which sectors; `human_queue` says that the notice names nobody."""

    role: Role
    sectors: tuple[Sector, ...] = ()
    department: Wording
    clause: Clause
    by: By
    proves: tuple[str, ...] = ()


class OpenQuestion(Strict):
    """Words of a notice that can be read in more than one way, and how they are read here."""

    clause: Clause
    word: Wording
    reading: Wording
    by: By


class Pack(Strict):
    """One dated file under `rules/packs/<code>_<name>/`; the file name is the day it comes into force."""

    instrument: Instrument
    scope: Scope | None = None
    duties: tuple[Duty, ...] = ()
    rates: dict[Identifier, Rate] = {}
    gates: tuple[Gate, ...] = ()
    paths: tuple[PathRule, ...] = ()
    required_fields: tuple[RequiredField, ...] = ()
    surrender: Surrender | None = None
    fees: Fees | None = None
    routes: tuple[Route, ...] = ()
    recorded: dict[str, Wording] = {}
    """Obligations that this service only records: id → where the record is kept."""
    open_questions: tuple[OpenQuestion, ...] = ()


class PackRef(Contract):
    """A released pack, exactly."""

    region: Region
    in_force_on: date
    digest: str


class Citation(Contract):
    """Where a rule stands: document number and clause, and who says it."""

    region: Region
    number: str
    clause: str
    by: By


class BoundDuty(Contract):
    """A duty as one case obeys it: with its citation and the reason why this level's version holds."""

    duty: Duty
    cites: Citation
    because: str = ""


class BoundRate(Contract):
    rate: Rate
    cites: Citation
    because: str = ""


class BoundGate(Contract):
    gate: Gate
    cites: Citation


class BoundPath(Contract):
    """What every level demands of a claim path; the most specific level that speaks of it is cited."""

    rule: PathRule
    cites: Citation


class BoundField(Contract):
    required: RequiredField
    cites: Citation


class BoundRoute(Contract):
    """A route with the level that states it; the most specific level stands first in a rulebook."""

    route: Route
    region: Region


class BoundSurrender(Contract):
    surrender: Surrender
    cites: Citation


class BoundFees(Contract):
    fees: Fees
    cites: Citation


class Rulebook(Contract):
    """Everything one case obeys: the packs in force at signing, stacked for its place, sector and size, and pinned."""

    packs: tuple[PackRef, ...]
    region: Region
    sector: Sector
    size: Size
    duties: tuple[BoundDuty, ...] = ()
    rates: dict[str, BoundRate] = {}
    gates: tuple[BoundGate, ...] = ()
    paths: tuple[BoundPath, ...] = ()
    required_fields: tuple[BoundField, ...] = ()
    surrender: tuple[BoundSurrender, ...] = ()
    fees: tuple[BoundFees, ...] = ()
    routes: tuple[BoundRoute, ...] = ()

    def path(self, path: ClaimPath) -> BoundPath | None:
        """What the packs say of one claim path, `None` where they are silent."""
        return next((bound for bound in self.paths if bound.rule.path is path), None)


class Pinned(Contract):
    """What a case obeyed when it was opened: exactly these packs, even none, and no calendar year after this one."""

    packs: tuple[PackRef, ...] = ()
    through: int


class RulesFor(Contract):
    """The question that pins a rulebook: place, sector, size, the day of signing, and what else decides conditions."""

    region: Region
    sector: Sector
    size: Size
    on: date
    case: CaseKind
    grade: HazardGrade | None = None
    out_of_area: bool = False
    packs: tuple[PackRef, ...] = ()
    """Where given, exactly these packs (a companion case obeys what its policy obeys)."""
    pinned: Pinned | None = None
    """Where given, the case is on record already, and obeys what it obeyed then."""


class CalendarYear(Strict):
    """Days off and make-up working days of one year, as the State Council's notice gives them."""

    year: int = Field(ge=2000, le=2199)
    notice: Wording
    off: frozenset[date]
    """Days off that would otherwise be working days, and all days of a holiday."""
    work: frozenset[date]
    """Saturdays and Sundays that are worked (调休)."""


class WorkCalendar(Contract):
    """The published years a computation may rely on; any other year is provisional."""

    years: tuple[CalendarYear, ...] = ()

    @property
    def through(self) -> int:
        """The last published year, 0 if none."""
        return max((year.year for year in self.years), default=0)


class Resolved(Contract):
    """What a case is handed when it opens: its rulebook and the calendar known that day."""

    rulebook: Rulebook
    calendar: WorkCalendar
