"""Facts of a rehearsal: put in order, made complete, applied to a clock; domain/rehearsal.py runs them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from domain import clock as clocks
from domain.calendar import DAY, local_date, midnight, noon
from domain.policy.years import year_start
from models.contracts.base import Actor, Office
from models.contracts.clock import Clock, Suspension
from models.contracts.vocabulary import ActorKind, CaseKind, Event, Role, StopReason, SuspendReason

YEARLY = (Event.POLICY_YEAR_STARTED, Event.CONTRACT_YEAR_STARTED)
BEGINNINGS = frozenset({Event.POLICY_SIGNED, Event.HAZARD_FOUND, Event.CLAIM_REPORTED})
"""Events with which a case begins."""
CONTRACT_DATES = frozenset({Event.POLICY_EFFECTIVE, Event.POLICY_EXPIRES})
"""Dates of the contract: duties may be anchored on them before they come."""
REHEARSED_BY = Actor(kind=ActorKind.SYSTEM, id="rehearsal")


@dataclass(frozen=True)
class Fact:
    """Something that happens, when, and what it carries."""

    event: Event
    at: datetime
    major: bool = False
    """A major hazard (`hazard_found`)."""
    due: date | None = None
    """The due date it sets, where the duty lets an event set one."""
    number: str | None = None
    """Which hazard; the last found where nothing is said."""
    duty: str | None = None
    """Key of the duty extended, excused, acknowledged or taken over; id of the one suspended, all if not said."""
    role: Role | None = None
    """The department that acknowledges or takes over; all who were told where nothing is said."""
    days: int = 0
    """Days granted (`duty_extended`)."""
    until: date | None = None
    """The last suspended day (`clock_suspended`), open where nothing is said."""
    documents_complete: bool = False
    """Request and documents came together (`claim_reported`)."""
    covered: bool = True
    """The accident is covered (`claim_determined`)."""
    ahead: bool = False
    """Known when the policy is entered, though it may lie in the future; `retold` says so."""


def retold(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """All facts in order, with the policy years and the end of cover that follow from the contract's dates.

    At one instant the order given holds, except that a case begins before anything else happens to it. On the day of
    signing nothing happened to the policy before it was signed: a fact of that day alone is taken at noon.
    """
    given = [replace(fact, ahead=fact.event in CONTRACT_DATES) for fact in facts]
    given = _signed_first(given)
    expires = _day(given, Event.POLICY_EXPIRES)
    if expires:
        given = [fact for fact in given if fact.event is not Event.POLICY_EXPIRED]
        given.append(Fact(Event.POLICY_EXPIRED, midnight(expires + DAY)))
    given += _years(given, _day(given, Event.POLICY_EFFECTIVE), expires)
    return tuple(sorted(given, key=lambda fact: (fact.at, fact.event not in BEGINNINGS)))


def implied(fact: Fact) -> tuple[Event, ...]:
    """What a fact of a claim brings with it, as the claim itself would put it on record."""
    match fact.event:
        case Event.CLAIM_REPORTED if fact.documents_complete:
            return (Event.CLAIM_DOCUMENTS_COMPLETE,)
        case Event.DOCUMENTS_RECEIVED:
            return (Event.CLAIM_DOCUMENTS_COMPLETE,)
        case Event.CLAIM_DETERMINED if not fact.covered:
            return (Event.COVERAGE_DENIED,)
        case Event.CLAIM_PAID | Event.CLAIM_REFUSED:
            return (Event.CLAIM_COMPLETED,)
        case _:
            return ()


def conducted(clock: Clock, fact: Fact) -> Clock:
    """What suspending, resuming, extending, excusing and hearing do to a clock; other facts leave it alone."""
    key = fact.duty or ""
    match fact.event:
        case Event.CLOCK_SUSPENDED:
            return clocks.suspend(clock, _suspension(fact))
        case Event.CLOCK_RESUMED:
            return clocks.resume(clock, local_date(fact.at) - DAY)
        case Event.DUTY_EXTENDED:
            return clocks.extend(clock, key, fact.days)
        case Event.DUTY_EXCUSED:
            return clocks.stop(clock, fact.at, StopReason.EXCUSED, (key,))
        case Event.DUTY_ACKNOWLEDGED | Event.DUTY_TAKEN_OVER:
            return clocks.hush(clock, key, _department(fact), fact.at, fact.event is Event.DUTY_TAKEN_OVER)
        case _:
            return clock


def _department(fact: Fact) -> Actor:
    office = Office(region="", department="", roles=(fact.role,)) if fact.role else None
    return REHEARSED_BY.model_copy(update={"office": office})


def _suspension(fact: Fact) -> Suspension:
    return Suspension(
        from_on=local_date(fact.at),
        until_on=fact.until,
        duties=(fact.duty,) if fact.duty else (),
        reason=SuspendReason.DEPARTMENT_ORDER,
        note="",
        by=REHEARSED_BY,
    )


def _signed_first(facts: list[Fact]) -> list[Fact]:
    signed = min((fact.at for fact in facts if fact.event is Event.POLICY_SIGNED), default=None)
    if signed is None:
        return facts
    return [replace(fact, at=signed) if _is_before(fact, signed) else fact for fact in facts]


def _is_before(fact: Fact, signed: datetime) -> bool:
    """Earlier on the very day; the dates of the contract are its own."""
    same_day = fact.at < signed and local_date(fact.at) == local_date(signed)
    return same_day and fact.event.case is CaseKind.POLICY and fact.event not in CONTRACT_DATES


def _day(facts: list[Fact], event: Event) -> date | None:
    return next((local_date(fact.at) for fact in facts if fact.event is event), None)


def _years(facts: list[Fact], effective: date | None, expires: date | None) -> list[Fact]:
    """The first day of each policy year; contract years only where one was told. Years that were told stay as told."""
    if effective is None:
        return []
    started = [effective]
    while expires and (following := year_start(effective, len(started) + 1)) <= expires:
        started.append(following)
    told = {(fact.event, local_date(fact.at)) for fact in facts}
    events = [event for event in YEARLY if event is YEARLY[0] or any(event is one for one, _ in told)]
    return [
        Fact(event, noon(day), ahead=day == effective)
        for event in events
        for day in started
        if (event, day) not in told
    ]
