"""The legend of a drawing: a sample of each mark that occurs beside its meaning, wrapped to the room there is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.drawings.svg import Point, Sheet

SAMPLE, ROW, GAP = 28, 24, 18
"""User units: how wide a sample is, how high a row, how far apart two entries stand."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One mark: `paint` draws it in a field SAMPLE wide and 20 high whose upper left corner it is given."""

    paint: Callable[[Sheet, Point], None]
    words: str


def legend(sheet: Sheet, top: float, entries: Sequence[Entry], left: float = 0) -> float:
    """The entries from left to right, as many to a row as fit; gives where they end."""
    x, y = left, top
    for entry in entries:
        lines = sheet.wrapped(entry.words, sheet.room - left - SAMPLE - 8, "small", most=3)
        across = SAMPLE + 6 + max(sheet.measure(line, "small") for line in lines)
        if x > left and x + across > sheet.room:
            x, y = left, y + ROW
        entry.paint(sheet, (x, y))
        for number, line in enumerate(lines):
            sheet.words((x + SAMPLE + 6, y + 15 + number * 18), line, "note")
        y += 18 * (len(lines) - 1)
        x += across + GAP
    y += ROW if entries else 0
    sheet.reaches(y)
    return y
