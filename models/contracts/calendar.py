"""Which days are off and which are worked, as published; how days are counted is in domain/calendar.py."""

from datetime import date

from pydantic import Field

from models.contracts.base import (
    Contract,
    Strict,
    Wording,
)


class CalendarYear(Strict):
    """Days off and make-up working days of one year, as the State Council's notice gives them."""

    year: int = Field(ge=2000, le=2199)
    notice: Wording
    off: frozenset[date]
    """Days off that would otherwise be working days, and all days of a holiday."""
    work: frozenset[date]
    """Saturdays and Sundays that are worked (调休)."""


class WorkCalendar(Contract):
    """The published years a computation may rely on; any other year is provisional."""

    years: tuple[CalendarYear, ...] = ()

    @property
    def through(self) -> int:
        """The last published year, 0 if none."""
        return max((year.year for year in self.years), default=0)
