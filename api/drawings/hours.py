"""A term in hours as a line from its instant to its last one; terms in days are drawn in api/drawings/days.py."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from api.drawings import words
from api.drawings.legends import SAMPLE, Entry, legend
from api.drawings.svg import Point, Sheet, drawing
from api.drawings.words import Speech, Translate, same
from domain.calendar import DAY, local_date, midnight
from domain.wording import SUSPENDED
from models.contracts.clock import Explanation
from models.contracts.vocabulary import DayMark

HOUR = timedelta(hours=1)
LEFT, BAR, HIGH = 8, 26, 20


@dataclass(frozen=True, slots=True)
class Line:
    """What is drawn: from when, to when, and the days in between."""

    since: datetime
    explained: Explanation
    now: datetime | None
    say: Speech


def hour_line(
    explained: Explanation, since: datetime, prefix: str = "hours", *, now: datetime | None = None, t: Translate = same
) -> Markup:
    """A term in hours: both instants, each midnight between them, suspended days hatched, and how far it has run.

    `since` is the instant of the anchor; `explained` the answer of domain.explaining.explain for the term.
    """
    say = Speech(t)
    line = Line(since, explained, now, say)
    return drawing(prefix, say(words.HOURS), said(line), lambda sheet: _paint(sheet, line))


def said(line: Line) -> str:
    """The sentence a sighted person could read off the line."""
    start, due = line.say.instant(line.since), line.explained.due_at
    if due is None:
        return (
            line.say(words.HOURS_HELD, start=start) + line.say(words.COMMA) + line.say(SUSPENDED) + line.say(words.STOP)
        )
    hours = (due - line.since) // HOUR - 24 * len(_held(line))
    return line.say(words.HOURS_SAID, start=start, end=line.say.instant(due), n=hours) + line.say(words.STOP)


def _held(line: Line) -> list[datetime]:
    return [midnight(day.on) for day in line.explained.days if day.mark is DayMark.SUSPENDED]


def _paint(sheet: Sheet, line: Line) -> None:
    end = line.explained.due_at or midnight(line.explained.days[-1].on + DAY)
    length = max(end - line.since, HOUR)
    across = sheet.room - 2 * LEFT

    def place(at: datetime) -> float:
        return LEFT + across * min(max((at - line.since) / length, 0), 1)

    sheet.cell((LEFT, BAR), (across, HIGH), "cell counted", 4)
    if line.now:
        sheet.cell((LEFT, BAR), (place(line.now) - LEFT, HIGH), "run", 4)
    for begins in _held(line):
        sheet.hatch((place(begins), BAR), (place(begins + DAY) - place(begins), HIGH), "pause")
    _midnights(sheet, line, place, end)
    sheet.words((LEFT, BAR - 10), line.say.instant(line.since), "small")
    ends = line.say.instant(line.explained.due_at) if line.explained.due_at else line.say(words.PAUSE_LETTER)
    sheet.words((sheet.room - LEFT, BAR - 10), ends, "small bold", "end")
    _sentence(sheet, said(line))
    legend(sheet, sheet.floor, _entries(line))


def _midnights(sheet: Sheet, line: Line, place: Callable[[datetime], float], end: datetime) -> None:
    day, free = local_date(line.since) + DAY, 0.0
    while midnight(day) < end:
        x = place(midnight(day))
        sheet.line((x, BAR), (x, BAR + HIGH + 5))
        name = line.say.day(day)
        half = sheet.measure(name, "small") / 2
        if x - half > free and x + half < sheet.room:
            sheet.words((x, BAR + HIGH + 20), name, "note", "middle")
            free = x + half + 8
        day += DAY


def _sentence(sheet: Sheet, text: str) -> None:
    y = BAR + HIGH + 46.0
    for row in sheet.wrapped(text, sheet.room - LEFT, most=3):
        sheet.words((LEFT, y), row)
        y += 20
    sheet.reaches(y)


def _entries(line: Line) -> list[Entry]:
    run = [Entry(_run, line.say(words.HOURS_RUN))] if line.now else []
    return [*run, Entry(_pause, line.say(DayMark.SUSPENDED.label))] if _held(line) else run


def _run(sheet: Sheet, at: Point) -> None:
    sheet.cell((at[0] + 2, at[1] + 4), (SAMPLE - 4, 12), "run", 3)


def _pause(sheet: Sheet, at: Point) -> None:
    sheet.cell((at[0] + 2, at[1] + 4), (SAMPLE - 4, 12), "plate")
    sheet.hatch((at[0] + 2, at[1] + 4), (SAMPLE - 4, 12), "pause")
