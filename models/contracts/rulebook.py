"""What one case obeys: the packs in force at signing, stacked and pinned, each rule with its citation."""

from datetime import date

from models.contracts.base import (
    Contract,
    Region,
)
from models.contracts.calendar import WorkCalendar
from models.contracts.duty import Duty
from models.contracts.pack import (
    Fees,
    Gate,
    PathRule,
    Rate,
    RequiredField,
    Route,
    Surrender,
)
from models.contracts.vocabulary import (
    By,
    CaseKind,
    ClaimPath,
    HazardGrade,
    PolicyKind,
    Sector,
    Size,
)


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
    kind: PolicyKind = PolicyKind.ANNUAL
    packs: tuple[PackRef, ...] = ()
    """Where given, exactly these packs (a companion case obeys what its policy obeys)."""
    pinned: Pinned | None = None
    """Where given, the case is on record already, and obeys what it obeyed then."""


class Resolved(Contract):
    """What a case is handed when it opens: its rulebook and the calendar known that day."""

    rulebook: Rulebook
    calendar: WorkCalendar
