"""A term told day by day, from its anchor to its last day; how long it is was decided in domain/counting.py."""

from datetime import date, timedelta

from domain.calendar import SATURDAY, is_working, year_of
from domain.counting import Term, measure, pause_on
from models.contracts.calendar import WorkCalendar
from models.contracts.clock import Clock, Day, Explanation, RunningDuty, Suspension
from models.contracts.duty import Duty
from models.contracts.vocabulary import DayMark, DayNote, TermUnit


def explain(duty: Duty, running: RunningDuty, clock: Clock, calendar: WorkCalendar) -> Explanation:
    """The projection with every day counted, skipped, suspended, extended or rolled, each with its source.

    The last day is the effective one; while suspended without end it is the day the suspension begins.
    """
    term = measure(duty, running, clock, calendar)
    by_hours = duty.within.unit is TermUnit.HOUR and running.given_due is None
    days: list[Day] = []
    number = 0
    for day in _span(term):
        counts = not by_hours and _counts(term, calendar, day)
        number += counts
        mark = _mark(term, calendar, day)
        note = _note(term, running, calendar, day, mark)
        days.append(Day(on=day, mark=mark, number=number if counts else None, note=note))
    return Explanation(
        nominal=term.nominal,
        effective=term.effective,
        due_at=term.due_at,
        provisional=term.provisional,
        days=tuple(days),
    )


def _span(term: Term) -> tuple[date, ...]:
    first = min(term.anchor, term.nominal or term.anchor)
    last = term.effective or max(term.anchor, _held_from(term.pauses))
    return tuple(first + timedelta(days=step) for step in range((last - first).days + 1))


def _held_from(pauses: tuple[Suspension, ...]) -> date:
    """The first day of the suspension without end."""
    return min(pause.from_on for pause in pauses if pause.until_on is None)


def _counts(term: Term, calendar: WorkCalendar, day: date) -> bool:
    if day <= term.after or (term.nominal and day > term.nominal) or pause_on(term.pauses, day):
        return False
    extended = term.basis is not None and day > term.basis
    return extended or not term.working or is_working(calendar, day)


def _mark(term: Term, calendar: WorkCalendar, day: date) -> DayMark:
    if day == term.effective:
        return DayMark.DUE
    if day == term.anchor == term.after:
        return DayMark.START
    if pause_on(term.pauses, day):
        return DayMark.SUSPENDED
    if term.nominal and day >= term.nominal:
        return DayMark.ROLLED
    if term.basis and day > term.basis:
        return DayMark.EXTENDED
    if is_working(calendar, day):
        return DayMark.COUNTED
    return DayMark.REST_SKIPPED if term.working else DayMark.REST_COUNTED


def _note(term: Term, running: RunningDuty, calendar: WorkCalendar, day: date, mark: DayMark) -> str:
    """The document or the reason behind the day's mark; nothing for an ordinary day."""
    pause = pause_on(term.pauses, day)
    if mark is DayMark.SUSPENDED and pause:
        return pause.note or pause.reason.label
    if mark is DayMark.ROLLED:
        year = year_of(calendar, day.year)
        return year.notice if year else DayNote.UNPUBLISHED.label
    if mark is DayMark.DUE and term.capped:
        return DayNote.EXPIRY.label
    if mark is DayMark.DUE and day == running.given_due:
        return DayNote.GIVEN.label
    return _calendar_note(calendar, day)


def _calendar_note(calendar: WorkCalendar, day: date) -> str:
    year, working, weekend = year_of(calendar, day.year), is_working(calendar, day), day.weekday() >= SATURDAY
    if working and weekend:
        return f"{DayNote.MAKE_UP.label}：{year.notice}" if year else ""
    if working:
        return ""
    if year and day in year.off:
        return year.notice
    return DayNote.WEEKEND.label if weekend else DayNote.UNPUBLISHED.label
