"""When the years of a policy begin, and in which of them a day lies; what is owed in a year is a pack's business."""

from datetime import date

LEAP_DAY = (2, 29)


def year_start(effective_on: date, year: int) -> date:
    """The first day of a policy year, the first year being 1: a year begins where the one before it has ended.

    From 29 February a year ends with the month (民法典 202), so every later one begins on 1 March.
    """
    if year > 1 and (effective_on.month, effective_on.day) == LEAP_DAY:
        return date(effective_on.year + year - 1, 3, 1)
    return effective_on.replace(year=effective_on.year + year - 1)


def year_on(effective_on: date, day: date) -> int:
    """The policy year in which a day lies; what was done before the cover began belongs to the first."""
    year = max(day.year - effective_on.year + 1, 1)
    return year if year == 1 or year_start(effective_on, year) <= day else year - 1
