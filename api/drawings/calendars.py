"""What falls due in the next days: a column per day, what is overdue in a pile before them; the counts are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from api.drawings import words
from api.drawings.legends import SAMPLE, Entry, legend
from api.drawings.svg import Point, Sheet, drawing
from api.drawings.words import Speech, Translate, same

PER_ROW = {False: 14, True: 7}
"""Columns to a row by narrowness: a finger needs 24 px, and a week is what people think in."""
TALL, HEAD, FOOT, GAP = 64, 22, 42, 14
"""User units: the highest column, its number, its day and weekday, the gap between rows."""
PILE = 88
LETTERS = {
    words.REST_LETTER: words.WEEKEND,
    words.HOLIDAY_LETTER: words.HOLIDAY,
    words.MAKE_UP_LETTER: words.MAKE_UP,
}


@dataclass(frozen=True, slots=True)
class DueDay:
    """One day to come. `letter` is the calendar's word for it (休, 假, 班), empty for an ordinary day."""

    on: date
    count: int
    rest: bool = False
    """Not worked: a weekend or holiday."""
    letter: str = ""
    href: str = ""
    """Where the day's list is, on our own pages; empty for none."""


@dataclass(frozen=True, slots=True)
class Pile:
    """What is overdue already."""

    count: int
    href: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    """What is drawn."""

    days: tuple[DueDay, ...]
    pile: Pile | None
    say: Speech

    @property
    def most(self) -> int:
        return max((day.count for day in self.days), default=0)


def calendar_strip(
    days: Sequence[DueDay], prefix: str = "coming", *, overdue: Pile | None = None, t: Translate = same
) -> Markup:
    """A column per day with its number above, day and weekday below, rest days shaded; the first day is today.

    A phone gets a row per week. Columns with an `href` are links. Raises ValueError for no days.
    """
    if not days:
        raise ValueError("a strip needs a day")
    say = Speech(t)
    coming = Coming(tuple(days), overdue, say)
    return drawing(prefix, say(words.CALENDAR, n=len(days)), said(coming), lambda sheet: _paint(sheet, coming))


def said(coming: Coming) -> str:
    """The sentence a sighted person could read off the strip."""
    say, days = coming.say, coming.days
    first, last, total = say.full_day(days[0].on), say.full_day(days[-1].on), sum(day.count for day in days)
    if total:
        busiest = max(days, key=lambda day: day.count)
        text = say(words.CALENDAR_SAID, first=first, last=last, n=total, busiest=say.day(busiest.on), most=coming.most)
    else:
        text = say(words.CALENDAR_EMPTY, first=first, last=last)
    if coming.pile and coming.pile.count:
        text += say(words.COMMA) + say(words.CALENDAR_LATE, n=coming.pile.count)
    return text + say(words.STOP)


def _paint(sheet: Sheet, coming: Coming) -> None:
    per_row, left, top = PER_ROW[sheet.narrow], 0.0, 0.0
    if coming.pile and coming.pile.count:
        if sheet.narrow:
            _pile_row(sheet, coming.pile, coming.say)
            top = 52
        else:
            _pile_column(sheet, coming.pile, coming.say)
            left = PILE + 20
    wide = (sheet.room - left) / per_row
    high = HEAD + TALL + FOOT
    for number, day in enumerate(coming.days):
        row, column = divmod(number, per_row)
        spot = (left + column * wide, top + row * (high + GAP))
        _column(sheet, spot, wide, day, coming)
        sheet.reaches(spot[1] + high + 2)
    legend(sheet, sheet.floor + 8, _entries(coming))


def _column(sheet: Sheet, spot: Point, wide: float, day: DueDay, coming: Coming) -> None:
    name = coming.say(words.COLUMN_SAID, day=coming.say.day(day.on), weekday=coming.say.weekday(day.on), n=day.count)
    sheet.link(day.href, name, lambda: _drawn_column(sheet, spot, wide, day, coming))


def _drawn_column(sheet: Sheet, spot: Point, wide: float, day: DueDay, coming: Coming) -> None:
    (x, y), middle, foot = spot, spot[0] + wide / 2, spot[1] + HEAD + TALL
    sheet.cell((x + 1, y), (wide - 2, HEAD + TALL + FOOT), f"lane{' rest' if day.rest else ''}", 4)
    tall = max(day.count / coming.most * TALL, 3) if day.count else 0
    if tall:
        sheet.cell((x + 6, foot - tall), (wide - 12, tall), "bar", 2)
    sheet.line((x + 3, foot), (x + wide - 3, foot), "rule")
    sheet.words((middle, foot - tall - 6), str(day.count), "bold" if day.count else "quiet", "middle")
    first = day is coming.days[0]
    named = first or day.on.day == 1
    dated = coming.say.day(day.on) if named else str(day.on.day)
    dated = dated if sheet.measure(dated, "small bold") < wide - 6 else f"{day.on.month}/{day.on.day}"
    sheet.words((middle, foot + 17), dated, "small bold" if named else "small", "middle")
    below = coming.say(words.TODAY) if first else coming.say.weekday(day.on)
    letter = coming.say(day.letter) if day.letter else ""
    close = below if below.isascii() else f"{below}{letter}"  # what is spelled needs its space: SatR is no word
    told = (f"{below} {letter}".strip(), close, letter or below)
    text = next((one for one in told if sheet.measure(one, "small") < wide - 3), told[-1])
    sheet.words((middle, foot + 35), text, "note", "middle")


def _pile_column(sheet: Sheet, pile: Pile, say: Speech) -> None:
    text = say(words.ITEMS, n=pile.count)

    def paint() -> None:
        sheet.cell((0, 0), (PILE, HEAD + TALL + FOOT), "lane", 4)
        sheet.hatch((6, HEAD), (PILE - 12, TALL), "late", 2)
        sheet.cell((6, HEAD), (PILE - 12, TALL), "late edge", 2)
        sheet.words((PILE / 2, 16), text, "bold red", "middle")
        sheet.words((PILE / 2, HEAD + TALL + 24), say(words.OVERDUE), "bold red", "middle")

    sheet.link(pile.href, f"{say(words.OVERDUE)} {text}", paint)


def _pile_row(sheet: Sheet, pile: Pile, say: Speech) -> None:
    text = f"{say(words.OVERDUE)} {say(words.ITEMS, n=pile.count)}"

    def paint() -> None:
        sheet.cell((1, 1), (sheet.room - 2, 40), "late edge", 4)
        sheet.hatch((2, 2), (36, 38), "late", 3)
        sheet.words((50, 26), text, "bold red")

    sheet.link(pile.href, text, paint)


def _entries(coming: Coming) -> list[Entry]:
    """The letters of the calendar that occur, with what they mean."""
    occur = {day.letter for day in coming.days}
    return [_letter(letter, coming.say(meaning), coming.say) for letter, meaning in LETTERS.items() if letter in occur]


def _letter(letter: str, meaning: str, say: Speech) -> Entry:
    def sample(sheet: Sheet, at: Point) -> None:
        sheet.cell((at[0] + 3, at[1]), (SAMPLE - 6, 20), "lane" if letter == words.MAKE_UP_LETTER else "lane rest", 3)
        sheet.words((at[0] + SAMPLE / 2, at[1] + 15), say(letter), "small", "middle")

    return Entry(sample, meaning)
