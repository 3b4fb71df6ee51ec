"""A term day by day as a calendar: what each day did in the count; hours are drawn in api/drawings/hours.py."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from api.drawings import words
from api.drawings.legends import Entry, legend
from api.drawings.svg import Point, Sheet, drawing
from api.drawings.words import Speech, Translate, same
from domain.calendar import SATURDAY
from domain.wording import SUSPENDED, WEEKDAYS
from models.contracts.clock import Day, Explanation
from models.contracts.vocabulary import DayMark, DayNote

WEEK = 7
LONG = 10
"""Weeks: a longer term folds its runs of like weeks, so that it stays on one page."""
FOLD = 3
"""So many like weeks or more become one row."""
MONTH_ROOM, HEAD, HIGH = 34, 24, 46
GUTTER = 20
"""User units: the column of month names, the row of weekdays, a cell, the gap between two blocks of weeks."""
NOT_COUNTED = frozenset({DayMark.START, DayMark.REST_SKIPPED, DayMark.SUSPENDED, DayMark.ROLLED})
LETTERS = {
    DayMark.START: words.START_LETTER,
    DayMark.SUSPENDED: words.PAUSE_LETTER,
    DayMark.EXTENDED: words.EXTENDED_LETTER,
    DayMark.ROLLED: words.ROLLED_LETTER,
}


class Face(NamedTuple):
    """What a day looks like: the class of its cell, its hatching, the letter in its corner; days alike share a face."""

    mark: DayMark
    letter: str = ""
    nominal: bool = False


@dataclass(frozen=True, slots=True)
class Fold:
    """A run of like weeks shown as one row."""

    weeks: tuple[tuple[Day, ...], ...]

    @property
    def days(self) -> tuple[Day, ...]:
        return tuple(day for week in self.weeks for day in week)


Row = tuple[Day, ...] | Fold


@dataclass(frozen=True, slots=True)
class Strip:
    """What is drawn: the rows, and what is needed to read a day of them."""

    explained: Explanation
    rows: tuple[Row, ...]
    today: date | None
    say: Speech


def day_strip(
    explained: Explanation, prefix: str = "days", *, today: date | None = None, t: Translate = same
) -> Markup:
    """Every day from the anchor to the due day as a cell under its weekday, with a legend of the marks that occur.

    `explained` is domain.explaining.explain's answer for a term in days; a term in hours is drawn by hour_line.
    """
    say = Speech(t)
    strip = Strip(explained, rows_of(explained.days), today, say)
    return drawing(prefix, say(words.STRIP), said(explained, say), lambda sheet: _paint(sheet, strip))


def said(explained: Explanation, say: Speech) -> str:
    """The sentence a sighted person could read off the strip."""
    days = explained.days
    if not days:
        return say(SUSPENDED)
    counted = sum(day.number is not None for day in days)
    parts = [say(words.STRIP_SAID, first=say.full_day(days[0].on), last=say.full_day(days[-1].on), counted=counted)]
    for mark in DayMark:
        number = sum(day.mark is mark for day in days)
        if number and mark not in (DayMark.COUNTED, DayMark.DUE, DayMark.START):
            parts.append(say(words.STRIP_PART, label=say(mark.label), n=number))
    if explained.nominal and explained.effective:
        parts.append(say(words.STRIP_NOMINAL, day=say.full_day(explained.nominal)))
        parts.append(say(words.STRIP_DUE, day=say.full_day(explained.effective)))
    else:
        parts.append(say(SUSPENDED))
    return say(words.COMMA).join(parts) + say(words.STOP)


def rows_of(days: Sequence[Day]) -> tuple[Row, ...]:
    """The days in calendar weeks; of a long term, runs of weeks in which nothing happens are folded."""
    weeks = [tuple(week) for _, week in groupby(days, key=lambda day: day.on - timedelta(days=day.on.weekday()))]
    if len(weeks) <= LONG:
        return tuple(weeks)
    return tuple(row for kind, run in groupby(weeks, key=_kind) for row in _folded(kind, tuple(run)))


def _folded(kind: str, run: tuple[tuple[Day, ...], ...]) -> tuple[Row, ...]:
    return (Fold(run),) if kind and len(run) >= FOLD else run


def _kind(week: tuple[Day, ...]) -> str:
    """What all days of a whole week did, empty where they differ in more than rest days."""
    marks = {day.mark for day in week}
    if len(week) < WEEK:
        return ""
    for rest in (DayMark.REST_COUNTED, DayMark.REST_SKIPPED):
        if DayMark.COUNTED in marks and marks <= {DayMark.COUNTED, rest}:
            return DayMark.COUNTED
    return next(iter(marks)) if len(marks) == 1 else ""


def face(day: Day, explained: Explanation) -> Face:
    """How a day is marked, without colour: a letter, a hatching and a border."""
    nominal = day.on == explained.nominal and day.on != explained.effective
    letter = LETTERS.get(day.mark, "")
    if nominal:
        letter = words.NOMINAL_LETTER
    elif day.mark in (DayMark.REST_COUNTED, DayMark.REST_SKIPPED):
        letter = words.REST_LETTER if day.note in ("", DayNote.WEEKEND.label) else words.HOLIDAY_LETTER
    elif day.note.startswith(DayNote.MAKE_UP.label) and day.on.weekday() >= SATURDAY and not letter:
        letter = words.MAKE_UP_LETTER
    return Face(day.mark, letter, nominal)


def _paint(sheet: Sheet, strip: Strip) -> None:
    top = _grid(sheet, strip)
    if strip.explained.effective is None:
        for line in sheet.wrapped(strip.say(SUSPENDED), sheet.room, "bold", most=3):
            top += 20
            sheet.words((0, top), line, "bold")
        top += 10
    legend(sheet, top + 8, _entries(strip))


def _grid(sheet: Sheet, strip: Strip) -> float:
    """The weeks from top to bottom, on a wide sheet in two blocks side by side; gives where they end."""
    blocks = 1 if sheet.narrow or len(strip.rows) < 3 else 2
    across = (sheet.room - GUTTER * (blocks - 1)) / blocks
    each = -(-len(strip.rows) // blocks)
    for block in range(blocks):
        left = block * (across + GUTTER)
        wide = min((across - MONTH_ROOM) / WEEK, 54)
        _weekdays(sheet, left + MONTH_ROOM, wide, strip.say)
        month = 0
        for number, row in enumerate(strip.rows[block * each : (block + 1) * each]):
            spot = (left, HEAD + number * HIGH)
            month = _row(sheet, spot, wide, strip, row, month)
    return HEAD + each * HIGH


def _weekdays(sheet: Sheet, left: float, wide: float, say: Speech) -> None:
    for number, letter in enumerate(WEEKDAYS):
        name = say.t(letter)
        sheet.words((left + (number + 0.5) * wide, HEAD - 8), name, "small quiet", "middle")


def _row(sheet: Sheet, spot: Point, wide: float, strip: Strip, row: Row, month: int) -> int:
    """One week, or a fold; gives the month it ends in, so that a month is named once."""
    days = row.days if isinstance(row, Fold) else row
    first = next((day for day in days if day.on.month != month), None)
    if first:
        sheet.words((spot[0], spot[1] + 28), strip.say.month(first.on), "small")
    if isinstance(row, Fold):
        _fold(sheet, (spot[0] + MONTH_ROOM, spot[1]), wide * WEEK, strip.say, row)
    else:
        for day in row:
            at = (spot[0] + MONTH_ROOM + day.on.weekday() * wide, spot[1])
            _cell(sheet, at, (wide - 3, HIGH - 4), day, strip)
    return days[-1].on.month


def _fold(sheet: Sheet, at: Point, across: float, say: Speech, row: Fold) -> None:
    sheet.cell(at, (across - 3, HIGH - 4), "cell fold", 4)
    days, mark = row.days, row.days[0].mark
    numbers = [day.number for day in days if day.number is not None]
    label = say((DayMark.COUNTED if numbers else mark).label)
    text = (
        say(words.FOLDED, n=len(row.weeks), first=numbers[0], last=numbers[-1], label=label)
        if numbers
        else say(words.FOLDED_UNCOUNTED, n=len(row.weeks), label=label)
    )
    sheet.words((at[0] + 10, at[1] + 26), sheet.clipped(text, across - 20, "small"), "small")


def _cell(sheet: Sheet, at: Point, size: Point, day: Day, strip: Strip) -> None:
    look = face(day, strip.explained)
    _ground(sheet, at, size, look)
    white = " paper" if look.mark is DayMark.DUE else ""
    x, y = at
    sheet.words((x + 5, y + 17), str(day.on.day), f"bold{white}")
    if look.letter:
        sheet.words((x + size[0] - 4, y + 16), strip.say(look.letter), f"small{white}", "end")
    below = _below(day, strip.say)
    sheet.words((x + 5, y + size[1] - 6), below, f"small{white or ' quiet'}")
    if day.on == strip.today:
        sheet.cell((x - 1, y - 1), (size[0] + 2, size[1] + 2), "now", 5)


def _below(day: Day, say: Speech) -> str:
    """The second line of a cell: the last day by name, a counted day by its number, the others by what they are not."""
    if day.mark is DayMark.DUE:
        return say(words.DUE_LETTER)
    return str(day.number) if day.number is not None else say(words.SKIPPED_LETTER)


def _ground(sheet: Sheet, at: Point, size: Point, look: Face) -> None:
    """The cell behind the words; what is hatched keeps a clear plate for them."""
    sheet.cell(at, size, f"cell {look.mark.value}{' nominal' if look.nominal else ''}", 4)
    kind = {DayMark.SUSPENDED: "pause", DayMark.REST_SKIPPED: "rest", DayMark.ROLLED: "late"}.get(look.mark)
    if kind:
        sheet.hatch((at[0] + size[0] - 12, at[1] + size[1] - 20), (11, 19), kind)


def _entries(strip: Strip) -> list[Entry]:
    """The faces that occur, each once, with the documents behind them."""
    say = strip.say
    shown = [day for row in strip.rows if not isinstance(row, Fold) for day in row]
    faces = list(dict.fromkeys(face(day, strip.explained) for day in shown))
    found = [_entry(look, _notes(shown, look, strip.explained), say) for look in faces]
    if any(day.number is not None for day in shown):
        found.insert(
            0, Entry(lambda sheet, at: sheet.words((at[0] + 4, at[1] + 15), "1", "small"), say(words.NUMBERED))
        )
    if any(day.on == strip.today for day in shown):
        found.append(Entry(lambda sheet, at: sheet.cell((at[0] + 2, at[1] + 2), (16, 16), "now", 4), say(words.TODAY)))
    return found


def _notes(shown: Iterable[Day], look: Face, explained: Explanation) -> tuple[str, ...]:
    """The documents and reasons behind a face, each once."""
    plain = {"", DayNote.WEEKEND.label}
    return tuple(dict.fromkeys(day.note for day in shown if face(day, explained) == look and day.note not in plain))


def _entry(look: Face, notes: tuple[str, ...], say: Speech) -> Entry:
    names = {
        words.HOLIDAY_LETTER: words.HOLIDAY,
        words.MAKE_UP_LETTER: words.MAKE_UP,
        words.NOMINAL_LETTER: words.NOMINAL,
    }
    named = names.get(look.letter)
    label = say(look.mark.label)
    if named and named not in "".join(notes):
        label = f"{say(named)}{say(words.COMMA)}{label}"
    reasons = say(words.LISTED).join(notes)
    return Entry(
        lambda sheet, at: _sample(sheet, at, look, say),
        say(words.NOTED, label=label, reasons=reasons) if reasons else label,
    )


def _sample(sheet: Sheet, at: Point, look: Face, say: Speech) -> None:
    _ground(sheet, (at[0], at[1]), (20, 20), look)
    white = " paper" if look.mark is DayMark.DUE else ""
    if look.letter:
        sheet.words((at[0] + 10, at[1] + 15), say(look.letter), f"small{white}", "middle")
