"""Running duties of one case: what was opened, met, stopped, suspended and extended, and what a due date is made of."""

from datetime import date, datetime
from typing import Any

from pydantic import model_validator

from models.contracts.base import Actor, Contract
from models.contracts.notice import Firing
from models.contracts.rulebook import BoundDuty
from models.contracts.vocabulary import DayMark, Event, Role, StopReason, SuspendReason


class Hush(Contract):
    """A department has heard: acknowledged ends the repeats, taken over ends the whole ladder."""

    by: Actor
    at: datetime
    taken_over: bool = False
    roles: tuple[Role, ...] = ()
    """For whom it was said; empty means for everybody who is told."""


class PassedOn(Contract):
    """Another department has the matter now: what would be told to these roles is told to it."""

    roles: tuple[Role, ...]
    region: str
    department: str
    reason: str
    by: Actor
    at: datetime


class RunningDuty(Contract):
    """One term that was opened; `key` is the duty's id, with `#2`, `#3` … for later occurrences."""

    key: str
    duty: str
    anchor: Event
    anchor_at: datetime
    given_due: date | None = None
    rung: int = 0
    """How many rungs of the expanded ladder are fired or passed over; they are never fired again."""
    rang_overdue: bool = False
    """Whether the overdue event of this duty has happened."""
    met_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_reason: StopReason | None = None
    extensions: tuple[int, ...] = ()
    """Days granted, each time."""
    hushes: tuple[Hush, ...] = ()
    passed_on: tuple[PassedOn, ...] = ()
    under: BoundDuty | None = None
    """The rule it stays under, where its case has taken another version of the documents since."""
    edition: str = ""
    """Tells the rungs of a ladder that began anew from those of before."""

    @model_validator(mode="before")
    @classmethod
    def _of_one_hush(cls, data: Any) -> Any:
        """States and rows of before hushes had roles keep one under `hush`."""
        if isinstance(data, dict) and (hush := data.get("hush")):
            return {**data, "hushes": (hush,)}
        return data

    @property
    def is_acknowledged(self) -> bool:
        return bool(self.hushes)

    @property
    def is_taken_over(self) -> bool:
        return any(hush.taken_over for hush in self.hushes)

    def passed_from(self, role: Role) -> PassedOn | None:
        """Who has the matter instead of the department that is this role in its place."""
        return next((one for one in reversed(self.passed_on) if role in one.roles), None)

    @property
    def is_open(self) -> bool:
        return self.met_at is None and self.stopped_at is None


class Suspension(Contract):
    """An entry of the suspension ledger: days from `from_on` up to and including `until_on` do not count."""

    from_on: date
    until_on: date | None = None
    duties: tuple[str, ...] = ()
    """Duty ids; empty means all."""
    reason: SuspendReason
    note: str
    by: Actor


class Clock(Contract):
    """All terms of a case and the ledger of suspensions; `ends_on` caps duties that end with the policy."""

    duties: tuple[RunningDuty, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    ends_on: date | None = None


class Projection(Contract):
    """When a term ends. All three are `None` while it is suspended without end."""

    nominal: date | None = None
    """The unrolled last day."""
    effective: date | None = None
    """The last day after rolling over rest days."""
    due_at: datetime | None = None
    """The instant the term has run out (00:00 after the effective day; for hours, the instant itself)."""
    provisional: bool = False
    """Depends on a year whose calendar is not published."""


class Day(Contract):
    """One day of an explanation; `number` is its place in the count where it counts."""

    on: date
    mark: DayMark
    number: int | None = None
    note: str = ""


class Explanation(Projection):
    """A projection with every day from the anchor to the due day: counted, skipped, suspended, extended, rolled."""

    days: tuple[Day, ...] = ()


class Rang(Contract):
    """What one alarm gives: the new clock, the rungs that fire now in order, and overdue events with their instants."""

    clock: Clock
    firings: tuple[Firing, ...] = ()
    overdue: tuple[tuple[Event, datetime], ...] = ()
