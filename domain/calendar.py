"""Working days and office hours in Shanghai time, from the published years; terms are counted in domain/counting.py."""

from datetime import date, datetime, time, timedelta, timezone

from models.contracts.calendar import CalendarYear, WorkCalendar

SHANGHAI = timezone(timedelta(hours=8))
"""China keeps one time without summer time, so a fixed offset is exact."""
DAY = timedelta(days=1)
SATURDAY = 5
OPENS, CLOSES = time(9), time(17)
"""Office hours of the mailroom; our choice, no notice states any."""
FIXED_HOLIDAYS = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
"""Public holidays with a fixed date in the Gregorian calendar (全国年节及纪念日放假办法, 2024 text)."""


def local_date(instant: datetime) -> date:
    """The day in Shanghai on which an instant falls (民法典 200)."""
    return instant.astimezone(SHANGHAI).date()


def midnight(day: date) -> datetime:
    """00:00 Shanghai at the start of the day."""
    return datetime.combine(day, time(), SHANGHAI)


def noon(day: date) -> datetime:
    """12:00 Shanghai, the instant assumed for a fact of which only the day is known."""
    return datetime.combine(day, time(12), SHANGHAI)


def is_published(calendar: WorkCalendar, day: date) -> bool:
    """Whether the State Council's table for the day's year is known."""
    return year_of(calendar, day.year) is not None


def year_of(calendar: WorkCalendar, number: int) -> CalendarYear | None:
    """The table of one year, `None` where it is not published."""
    return next((year for year in calendar.years if year.year == number), None)


def is_working(calendar: WorkCalendar, day: date) -> bool:
    """Whether the day is worked; make-up weekends are. An unpublished year knows weekends and fixed holidays only."""
    year = year_of(calendar, day.year)
    if year is None:
        return day.weekday() < SATURDAY and (day.month, day.day) not in FIXED_HOLIDAYS
    if day in year.work:
        return True
    return day.weekday() < SATURDAY and day not in year.off


def next_working(calendar: WorkCalendar, day: date) -> date:
    """The first working day on or after the day (民法典 203 ¶1)."""
    while not is_working(calendar, day):
        day += DAY
    return day


def opens_at(calendar: WorkCalendar, instant: datetime) -> datetime:
    """The instant itself inside office hours of a working day, else the next opening."""
    here = instant.astimezone(SHANGHAI)
    day = here.date()
    if is_working(calendar, day):
        if here.time() < OPENS:
            return datetime.combine(day, OPENS, SHANGHAI)
        if here.time() < CLOSES:
            return instant
    return datetime.combine(next_working(calendar, day + DAY), OPENS, SHANGHAI)


def working_between(calendar: WorkCalendar, after: date, through: date) -> int:
    """How many days of (after, through] are worked; arithmetic by week, corrected year by year, no walk over days."""
    if through <= after:
        return 0
    first = after + DAY
    return _weekdays(after, through) + sum(
        _correction(calendar, number, first, through) for number in range(first.year, through.year + 1)
    )


def nth_working(calendar: WorkCalendar, after: date, count: int) -> date:
    """The working day with which `count` working days have passed since `after`; `after` itself for 0."""
    reached = after
    while (missing := count - working_between(calendar, after, reached)) > 0:
        # A day holds at most one working day, so this never overshoots and at least `missing` days are still to go.
        reached = next_working(calendar, reached + missing * DAY) if missing == 1 else reached + missing * DAY
    return reached


def _weekdays(after: date, through: date) -> int:
    """Mondays to Fridays of (after, through]."""
    weeks, rest = divmod((through - after).days, 7)
    return weeks * SATURDAY + sum(1 for step in range(1, rest + 1) if (after.weekday() + step) % 7 < SATURDAY)


def _correction(calendar: WorkCalendar, number: int, first: date, last: date) -> int:
    """What the year's holidays take from and its make-up weekends add to the weekdays of [first, last]."""
    year = year_of(calendar, number)
    off = year.off if year else [date(number, month, day) for month, day in FIXED_HOLIDAYS]
    added = sum(1 for day in (year.work if year else ()) if first <= day <= last and day.weekday() >= SATURDAY)
    worked = year.work if year else frozenset[date]()
    return added - sum(1 for day in off if first <= day <= last and day.weekday() < SATURDAY and day not in worked)
