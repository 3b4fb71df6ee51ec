"""A term day by day as a calendar: what each day did in the count; hours are drawn in api/drawings/hours.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from api.drawings import words
from api.drawings.legends import SAMPLE, Entry, legend
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
GUTTER, WIDEST = 20, 54
"""User units: the column of month names, the row of weekdays, a cell, the gap between two blocks, the widest cell."""
REST = (DayMark.REST_COUNTED, DayMark.REST_SKIPPED)
HATCHED = {DayMark.SUSPENDED: "pause", DayMark.REST_SKIPPED: "rest", DayMark.ROLLED: "late"}
LETTERS = {
    DayMark.START: words.START_LETTER,
    DayMark.SUSPENDED: words.PAUSE_LETTER,
    DayMark.EXTENDED: words.EXTENDED_LETTER,
    DayMark.ROLLED: words.ROLLED_LETTER,
}
MADE_UP = f"{DayNote.MAKE_UP.label}："
"""How the note of a make-up working day begins; the document follows."""
BY_LETTER = {words.HOLIDAY_LETTER: words.HOLIDAY, words.MAKE_UP_LETTER: words.MAKE_UP}


class Face(NamedTuple):
    """What a day looks like: its mark, the letter in its corner, whether it is the unrolled last day."""

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

    @property
    def sample(self) -> Day:
        """A day that is like most of them."""
        return next((day for day in self.days if day.mark not in REST), self.days[0])


Row = tuple[Day, ...] | Fold


@dataclass(frozen=True, slots=True)
class Strip:
    """What is drawn: the rows, and what is needed to read a day of them."""

    explained: Explanation
    rows: tuple[Row, ...]
    today: date | None
    say: Speech

    @property
    def shown(self) -> tuple[Day, ...]:
        """The days of which there is something to see: all cells, and one day for each fold."""
        return tuple(day for row in self.rows for day in ((row.sample,) if isinstance(row, Fold) else row))


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
    if marks <= {DayMark.COUNTED, DayMark.REST_COUNTED} or marks <= {DayMark.COUNTED, DayMark.REST_SKIPPED}:
        return DayMark.COUNTED
    return next(iter(marks)) if len(marks) == 1 else ""


def face(day: Day, explained: Explanation) -> Face:
    """How a day is marked, without colour: a letter, a hatching and a border."""
    if day.on == explained.nominal and day.on != explained.effective:
        return Face(day.mark, words.NOMINAL_LETTER, nominal=True)
    if day.mark in REST:
        plain = day.note in ("", DayNote.WEEKEND.label)
        return Face(day.mark, words.REST_LETTER if plain else words.HOLIDAY_LETTER)
    if day.mark is DayMark.COUNTED and day.on.weekday() >= SATURDAY:
        return Face(day.mark, words.MAKE_UP_LETTER)
    return Face(day.mark, LETTERS.get(day.mark, ""))


def _paint(sheet: Sheet, strip: Strip) -> None:
    top = _grid(sheet, strip)
    if strip.explained.effective is None:
        top = _lines(sheet, top + 4, strip.say(SUSPENDED), "bold")
    top = legend(sheet, top + 8, _entries(strip))
    documents = [strip.say.t(note) for note in _documents(strip)]
    if documents:
        _lines(sheet, top, strip.say(words.SOURCES, documents=strip.say(words.LISTED).join(documents)), "note")


def _lines(sheet: Sheet, top: float, text: str, cls: str) -> float:
    for line in sheet.wrapped(text, sheet.room, cls, most=4):
        top += 19
        sheet.words((0, top), line, cls)
    sheet.reaches(top + 6)
    return top + 6


def _grid(sheet: Sheet, strip: Strip) -> float:
    """The weeks from top to bottom, on a wide sheet in two blocks side by side; gives where they end."""
    blocks = 1 if sheet.narrow or len(strip.rows) < 3 else 2
    across = (sheet.room - GUTTER * (blocks - 1)) / blocks
    wide = min((across - MONTH_ROOM) // WEEK, WIDEST)
    each = -(-len(strip.rows) // blocks)
    for block in range(blocks):
        left = block * (across + GUTTER)
        for number, letter in enumerate(WEEKDAYS):
            spot = (left + MONTH_ROOM + (number + 0.5) * wide, HEAD - 8)
            sheet.words(spot, strip.say.letter(letter), "note", "middle")
        month = 0
        for number, row in enumerate(strip.rows[block * each : (block + 1) * each]):
            month = _row(sheet, (left, HEAD + number * HIGH), wide, strip, row, month)
    return HEAD + each * HIGH


def _row(sheet: Sheet, spot: Point, wide: float, strip: Strip, row: Row, month: int) -> int:
    """One week under its weekdays, or a fold, which names its days; gives the month whose name stands last."""
    x, y = spot[0] + MONTH_ROOM, spot[1]
    if isinstance(row, Fold):
        _fold(sheet, (x, y), wide * WEEK, strip.say, row)
        return 0
    new = dict.fromkeys(strip.say.month(day.on) for day in row if day.on.month != month)
    for number, name in enumerate(new):
        sheet.words((spot[0], y + (27 if len(new) == 1 else 18) + 18 * number), name, "small")
    for day in row:
        _cell(sheet, (x + day.on.weekday() * wide, y), (wide - 3, HIGH - 4), day, strip)
    return row[-1].on.month


def _fold(sheet: Sheet, at: Point, across: float, say: Speech, row: Fold) -> None:
    days = row.days
    numbers = [day.number for day in days if day.number is not None]
    mark = DayMark.COUNTED if numbers else days[0].mark
    size = (across - 3, HIGH - 4)
    _ground(sheet, at, size, Face(mark))
    sheet.cell(at, size, "fold", 4)
    form = words.FOLDED if numbers else words.FOLDED_UNCOUNTED
    first, last = (numbers[0], numbers[-1]) if numbers else (0, 0)
    told = say(form, n=len(row.weeks), first=first, last=last, label=say(mark.label))
    lines = [say.span(days[0].on, days[-1].on), told]
    if sheet.measure(" · ".join(lines), "small") < across - 32:
        lines = [" · ".join(lines)]
    for number, line in enumerate(lines):
        sheet.words((at[0] + 10, at[1] + (26 if len(lines) == 1 else 18) + 17 * number), line, "small")


def _cell(sheet: Sheet, at: Point, size: Point, day: Day, strip: Strip) -> None:
    look = face(day, strip.explained)
    _ground(sheet, at, size, look)
    white = " paper" if look.mark is DayMark.DUE else ""
    x, y = at
    sheet.words((x + 4, y + 17), str(day.on.day), f"bold{white}")
    if look.letter:
        sheet.words((x + size[0] - 3, y + 16), strip.say(look.letter), f"small{white}", "end")
    sheet.words((x + 4, y + size[1] - 6), _below(day, strip.say), f"small{white}" if white else "note")
    if day.on == strip.today:
        sheet.cell((x - 1, y - 1), (size[0] + 2, size[1] + 2), "now", 5)


def _below(day: Day, say: Speech) -> str:
    """The second line of a cell: the last day by name, a counted day by its number, the others by what they are not."""
    if day.mark is DayMark.DUE:
        return say(words.DUE_LETTER)
    return str(day.number) if day.number is not None else say(words.SKIPPED_LETTER)


def _ground(sheet: Sheet, at: Point, size: Point, look: Face) -> None:
    """The cell behind the words, hatched along its right side below the letter."""
    sheet.cell(at, size, f"cell {look.mark.value}{' nominal' if look.nominal else ''}")
    kind = HATCHED.get(look.mark)
    if kind and not look.nominal:
        across = 14 if size[0] > 45 else 8
        high = min(size[1] - 2, 21)
        sheet.hatch((at[0] + size[0] - across - 1, at[1] + size[1] - high - 1), (across, high), kind)


def _entries(strip: Strip) -> list[Entry]:
    """The faces that occur, each once, in the order they occur."""
    say = strip.say
    days = strip.shown
    found = [_entry(look, _reasons(strip, look), say) for look in dict.fromkeys(face(d, strip.explained) for d in days)]
    if any(day.number is not None for day in days):
        found.insert(0, Entry(_numbered, say(words.NUMBERED)))
    if any(day.on == strip.today for day in days):
        found.append(Entry(_now, say(words.TODAY)))
    return found


def _numbered(sheet: Sheet, at: Point) -> None:
    sheet.words((at[0] + SAMPLE / 2, at[1] + 15), "1", "small", "middle")


def _now(sheet: Sheet, at: Point) -> None:
    sheet.cell((at[0] + 2, at[1] + 1), (SAMPLE - 4, 18), "now", 4)


def _entry(look: Face, reasons: str, say: Speech) -> Entry:
    label = say(look.mark.label)
    if look.nominal:
        label = say(words.NOMINAL)
    elif look.letter in BY_LETTER:
        label = say(words.COMMA).join(dict.fromkeys((say(BY_LETTER[look.letter]), label)))

    def sample(sheet: Sheet, at: Point) -> None:
        _ground(sheet, at, (SAMPLE, 20), look)
        if look.letter:
            sheet.words((at[0] + 3, at[1] + 15), say(look.letter), "small")

    return Entry(sample, say(words.NOTED, label=label, reasons=reasons) if reasons else label)


def _reasons(strip: Strip, look: Face) -> str:
    """Why a term was suspended, or why the last day is what it is; documents are named once, below."""
    if look.mark not in (DayMark.SUSPENDED, DayMark.DUE):
        return ""
    notes = dict.fromkeys(day.note for day in strip.shown if face(day, strip.explained) == look)
    named = {"", DayNote.WEEKEND.label, *_documents(strip)}
    told = [strip.say.t(note) for note in notes if note not in named and not note.startswith(MADE_UP)]
    return strip.say(words.LISTED).join(told)


def _documents(strip: Strip) -> tuple[str, ...]:
    """The State Council's notices behind holidays, make-up days and rolling, each once."""
    notes = (
        day.note.removeprefix(MADE_UP)
        for day in strip.shown
        if day.mark in (*REST, DayMark.ROLLED) or day.note.startswith(MADE_UP)
    )
    return tuple(note for note in dict.fromkeys(notes) if note not in ("", DayNote.WEEKEND.label))
