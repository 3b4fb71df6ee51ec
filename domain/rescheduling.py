"""Last days that move while a term runs (a newly published calendar, a new end of cover): on record, and told."""

from dataclasses import replace
from datetime import datetime

from domain import clock as clocks
from domain import notices
from domain.wording import day
from models.contracts.calendar import WorkCalendar
from models.contracts.notice import Notice
from models.contracts.step import Happening
from models.contracts.vocabulary import Event, NoticeKind, Role


def under_calendar(
    case: notices.CaseFacts, calendar: WorkCalendar, moment: str, now: datetime
) -> tuple[tuple[Happening, ...], tuple[Notice, ...]]:
    """What adopting a calendar puts on record, and who is told; `moment` tells it from other adoptions."""
    moved = moved_dates(case, calendar)
    happened = (Happening(event=Event.CALENDAR_ADOPTED, at=now, said=f"采用 {calendar.through} 年工作日历"),)
    happened += tuple(
        Happening(event=Event.CALENDAR_ADOPTED, at=now, duty_key=key, said=said) for key, said in moved.items()
    )
    after = replace(case, calendar=calendar)
    return happened, tuple(date_moved(after, key, said, moment, now) for key, said in moved.items())


def moved_dates(case: notices.CaseFacts, calendar: WorkCalendar) -> dict[str, str]:
    """Open duties whose last day differs under another calendar: key → a sentence with before and after."""
    moved: dict[str, str] = {}
    for running in case.clock.duties:
        if not running.is_open:
            continue
        duty = clocks.rule(case.rulebook, running).duty
        before = clocks.project(duty, running, case.clock, case.calendar).effective
        after = clocks.project(duty, running, case.clock, calendar).effective
        if before != after and before and after:
            moved[running.key] = f"“{duty.label}”由 {day(before)} 改为 {day(after)}"
    return moved


def date_moved(case: notices.CaseFacts, key: str, said: str, moment: str, now: datetime) -> Notice:
    """Who owes a duty is told of its new last day."""
    about, cites = notices.about_duty(case, key, said)
    message = notices.Message(NoticeKind.DATE_MOVED, moment, now, about, cites)
    return notices.notice(case, message, about.owed_by or Role.INSURER)
