"""A pack: what a notice says, as a lawyer writes it; its duties are in duty.py, what a case obeys in rulebook.py."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from models.contracts.base import (
    Clause,
    Identifier,
    Strict,
    Wording,
)
from models.contracts.duty import Duty, When
from models.contracts.vocabulary import (
    By,
    ClaimPath,
    Combine,
    Event,
    PathFact,
    PathFigure,
    PolicyField,
    RateBase,
    Role,
    Sector,
    SpendPurpose,
    SurrenderReason,
)

Share = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$")]


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
    when: When = When()
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
