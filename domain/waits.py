"""Terms held by rule between two events (`suspended_between`); suspensions that people enter are domain/clock.py's."""

from collections.abc import Mapping
from datetime import datetime

from domain.calendar import DAY, local_date
from models.contracts.base import Actor
from models.contracts.clock import Clock, Suspension
from models.contracts.duty import Duty
from models.contracts.vocabulary import ActorKind, Event, SuspendReason

BY_RULE = Actor(kind=ActorKind.SYSTEM, id="rulebook")


def by_rule(entry: Suspension) -> bool:
    """Whether an entry of the ledger was made by a rule and not by a person."""
    return entry.by == BY_RULE


def heard(rules: Mapping[str, Duty], clock: Clock, event: Event, at: datetime) -> Clock:
    """The ledger after an event: the first one of a pair holds the duty, the second one frees it.

    Whole days in Shanghai: the day on which the request arrives still counts, the day on which the documents arrive
    does not (保险法解释二 15; 民法典 201 ¶1 for the first day of the deducted time). Only the first request holds a
    duty: the law knows one notice (保险法 22 ¶2). What is asked and answered on one day holds nothing.
    """
    for duty in rules.values():
        if duty.suspended_between is None:
            continue
        begins, ends = duty.suspended_between
        if event is begins and _may_hold(clock, duty):
            clock = _entries(clock, (*clock.suspensions, _entry(duty, at)))
        elif event is ends:
            clock = _entries(clock, tuple(_freed(entry, duty, at) for entry in clock.suspensions))
    return clock


def _may_hold(clock: Clock, duty: Duty) -> bool:
    runs = any(one.duty == duty.id and one.is_open for one in clock.duties)
    return runs and not any(by_rule(entry) and duty.id in entry.duties for entry in clock.suspensions)


def _entry(duty: Duty, at: datetime) -> Suspension:
    reason = SuspendReason.DOCUMENTS_AWAITED
    return Suspension(from_on=local_date(at) + DAY, duties=(duty.id,), reason=reason, note=reason.label, by=BY_RULE)


def _freed(entry: Suspension, duty: Duty, at: datetime) -> Suspension:
    if not by_rule(entry) or duty.id not in entry.duties or entry.until_on is not None:
        return entry
    return entry.model_copy(update={"until_on": local_date(at)})


def _entries(clock: Clock, entries: tuple[Suspension, ...]) -> Clock:
    return clock.model_copy(update={"suspensions": entries})
