"""How long a term is: its last day from anchor, length, suspensions, extensions, rolling; states are domain/clock.py's.

Arithmetic on days and on the few entries of the suspension ledger, never a walk: a worker asks on every step.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.calendar import (
    DAY,
    SHANGHAI,
    is_published,
    local_date,
    midnight,
    next_working,
    nth_working,
    working_between,
)
from models.contracts.calendar import WorkCalendar
from models.contracts.clock import Clock, Projection, RunningDuty, Suspension
from models.contracts.duty import Duty
from models.contracts.vocabulary import FirstDay, OnHoliday, TermUnit

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Term:
    """A measured term. `basis`, `nominal` and `effective` are `None` while it is suspended without end."""

    anchor: date
    after: date
    """The day before the first one that can count."""
    working: bool
    """Only working days count, up to `basis`."""
    pauses: tuple[Suspension, ...]
    basis: date | None = None
    """The last day before extensions."""
    nominal: date | None = None
    effective: date | None = None
    due_at: datetime | None = None
    capped: bool = False
    """Cut at the last day of the policy."""
    provisional: bool = False


def project(duty: Duty, running: RunningDuty, clock: Clock, calendar: WorkCalendar) -> Projection:
    """When the term ends: nominal and effective day (Shanghai), and the instant it has run out (民法典 200–203)."""
    term = measure(duty, running, clock, calendar)
    return Projection(nominal=term.nominal, effective=term.effective, due_at=term.due_at, provisional=term.provisional)


def measure(duty: Duty, running: RunningDuty, clock: Clock, calendar: WorkCalendar) -> Term:
    """The term with all that an explanation needs.

    A term of no length (it names its anchor day or instant) is never suspended: there is nothing in it to count.
    """
    if duty.within.unit is TermUnit.HOUR and running.given_due is None:
        return _measure_hours(duty, running, clock)
    return _measure_days(duty, running, clock, calendar)


def pauses_of(clock: Clock, duty: Duty) -> tuple[Suspension, ...]:
    """The ledger entries that hold this duty, by their first day; entries resumed at once hold nothing."""
    if not clock.suspensions or (duty.within.amount == 0 and duty.given_by is None):
        return ()
    held = [
        entry
        for entry in clock.suspensions
        if (not entry.duties or duty.id in entry.duties) and (entry.until_on is None or entry.until_on >= entry.from_on)
    ]
    return tuple(sorted(held, key=lambda entry: entry.from_on))


def pause_on(pauses: tuple[Suspension, ...], day: date) -> Suspension | None:
    """The first ledger entry that holds on the day."""
    return next((p for p in pauses if p.from_on <= day and (p.until_on is None or day <= p.until_on)), None)


def _measure_days(duty: Duty, running: RunningDuty, clock: Clock, calendar: WorkCalendar) -> Term:
    anchor = local_date(running.anchor_at)
    after, amount = _length(duty, running, anchor)
    working = duty.within.unit is TermUnit.WORKING_DAY and running.given_due is None
    pauses = pauses_of(clock, duty)
    basis = _advance(calendar if working else None, after, amount, pauses)
    nominal = basis and _advance(None, basis, sum(running.extensions), pauses)
    if basis is None or nominal is None:
        return Term(anchor, after, working, pauses)
    last = clock.ends_on if duty.until_expiry else None
    capped = last is not None and nominal >= last
    nominal = last if last and capped else nominal
    effective = nominal if capped else _roll(duty, calendar, nominal, pauses)
    if effective is None:
        return Term(anchor, after, working, pauses)
    if last:
        effective = min(effective, last)
    rolls = duty.within.on_holiday is OnHoliday.ROLL_FORWARD and not capped
    provisional = (rolls and not _all_published(calendar, nominal, effective)) or (
        working and amount > 0 and not _all_published(calendar, after + DAY, nominal)
    )
    due_at = midnight(effective + DAY)
    return Term(anchor, after, working, pauses, basis, nominal, effective, due_at, capped, provisional)


def _measure_hours(duty: Duty, running: RunningDuty, clock: Clock) -> Term:
    """Hours run from the instant and are never rolled (民法典 201 ¶2); hours of suspended days do not run."""
    anchor, pauses = local_date(running.anchor_at), pauses_of(clock, duty)
    due = _run(running.anchor_at, duty.within.amount * HOUR + sum(running.extensions) * DAY, pauses)
    if due is None:
        return Term(anchor, anchor, False, pauses)
    due, day = due.astimezone(SHANGHAI), local_date(due)
    last = clock.ends_on if duty.until_expiry else None
    capped = last is not None and due > midnight(last + DAY)
    if last and capped:
        due, day = midnight(last + DAY), last
    return Term(anchor, anchor, False, pauses, day, day, day, due, capped)


def _length(duty: Duty, running: RunningDuty, anchor: date) -> tuple[date, int]:
    """The day after which counting starts, and how many days count (民法典 201 ¶1, 202) or reach the given date."""
    within = duty.within
    included = within.first_day is FirstDay.INCLUDED and within.amount > 0
    after = anchor - DAY if included else anchor
    if running.given_due is not None:
        return after, (running.given_due - after).days
    if within.unit is TermUnit.YEAR:
        return after, (_years_on(anchor, within.amount, included) - after).days
    return after, within.amount


def _years_on(anchor: date, years: int, included: bool) -> date:
    """The corresponding day, or the day before it where the first day counts; month end where none (民法典 202)."""
    year = anchor.year + years
    month_end = monthrange(year, anchor.month)[1]
    if anchor.day > month_end:
        return date(year, anchor.month, month_end)
    return anchor.replace(year=year) - (DAY if included else timedelta())


def _advance(calendar: WorkCalendar | None, after: date, amount: int, pauses: tuple[Suspension, ...]) -> date | None:
    """The day with which `amount` days have counted since `after`; working days where a calendar is given."""
    if amount <= 0:
        return after + amount * DAY
    for pause in pauses:
        if _reach(calendar, after, amount) < pause.from_on:
            break
        if pause.until_on is None:
            return None
        if pause.until_on > after:
            amount -= _between(calendar, after, pause.from_on - DAY)
            after = pause.until_on
    return _reach(calendar, after, amount)


def _reach(calendar: WorkCalendar | None, after: date, amount: int) -> date:
    return nth_working(calendar, after, amount) if calendar else after + amount * DAY


def _between(calendar: WorkCalendar | None, after: date, through: date) -> int:
    return working_between(calendar, after, through) if calendar else max((through - after).days, 0)


def _run(at: datetime, length: timedelta, pauses: tuple[Suspension, ...]) -> datetime | None:
    for pause in pauses:
        begins = midnight(pause.from_on)
        if at + length <= begins:
            break
        if pause.until_on is None:
            return None
        ends = midnight(pause.until_on + DAY)
        if ends > at:
            length -= max(begins - at, timedelta())
            at = ends
    return at + length


def _roll(duty: Duty, calendar: WorkCalendar, nominal: date, pauses: tuple[Suspension, ...]) -> date | None:
    """The last day after rolling over rest days (民法典 203 ¶1); a suspended day cannot be the last either."""
    if duty.within.on_holiday is OnHoliday.KEEP:
        return nominal
    day = next_working(calendar, nominal)
    while day != nominal and (pause := pause_on(pauses, day)):
        if pause.until_on is None:
            return None
        day = next_working(calendar, pause.until_on + DAY)
    return day


def _all_published(calendar: WorkCalendar, first: date, last: date) -> bool:
    return all(is_published(calendar, date(year, 1, 1)) for year in range(first.year, last.year + 1))
