"""A duty as a notice states it: anchor, term, ladder, and who says each part; how its clock runs is in clock.py."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from models.contracts.base import Clause, Identifier, Strict, Wording
from models.contracts.vocabulary import (
    By,
    CaseKind,
    Event,
    FirstDay,
    HazardGrade,
    NoticeKind,
    Occurs,
    OnHoliday,
    PathFigure,
    PolicyKind,
    Role,
    Sector,
    Size,
    TermUnit,
)

Moment = Annotated[str, StringConstraints(pattern=r"^(open|due|[+-][1-9][0-9]{0,2}[dh])$")]
"""When a rung fires: `open` (at the anchor), `due`, or days/hours before (-) or after (+) the due instant."""
Length = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,2}d$")]


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Events = Annotated[tuple[Event, ...], BeforeValidator(_listed), Field(min_length=1)]


class When(Strict):
    """To whom a rule applies; an empty condition applies to everybody."""

    sectors: tuple[Sector, ...] = ()
    sizes: tuple[Size, ...] = ()
    kinds: tuple[PolicyKind, ...] = ()
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
