"""The life of a policy for a phone: a list in order of time with today in it; the bar is in life_bar.py."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from api.drawings import words
from api.drawings.life import Life, Mark, Milestone, Standing, mark_said, milestones, story, summed
from api.drawings.life_marks import claim, hazard, sign
from api.drawings.svg import Point, Sheet, tag
from api.drawings.words import Speech

RAIL, WORDS_AT = 14, 36
STEP, LINE = 26, 19
"""User units: the line of time, where words begin, a row of one line, each further line."""
MOST_LISTED = 12
"""So many hazards and as many claims are listed, open ones first; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Item:
    """A row: its day, its rank among rows of one day, and what draws it from a height and gives where it ends."""

    on: date
    rank: int
    paint: Callable[[float], float]


def listed(sheet: Sheet, life: Life, say: Speech) -> float:
    """All in order of time, today between what was and what comes; gives where the list ends."""
    items = [_milestone(sheet, milestone, life, say) for milestone in milestones(life, say)]
    for marks, paint in ((life.hazards, hazard), (life.claims, claim)):
        items += [_mark(sheet, mark, paint, say) for mark in _first(marks)]
    items.append(Item(life.today, 2, lambda y: _today(sheet, y, f"{say(words.TODAY)} {say.day(life.today)}")))
    rail, y = len(sheet.parts), 4.0
    for item in sorted(items, key=lambda item: (item.on, item.rank)):
        y = item.paint(y)
    sheet.parts.insert(rail, tag("line", x1=RAIL, y1=12, x2=RAIL, y2=y - 12, cls="rail"))
    for form, marks in ((words.HAZARDS_SAID, life.hazards), (words.CLAIMS_SAID, life.claims)):
        if marks:
            sheet.words((WORDS_AT, y + 15), summed(form, marks, say), "small bold")
            y += LINE
    return y


def _first(marks: tuple[Mark, ...]) -> list[Mark]:
    return sorted(marks, key=lambda mark: (mark.closed_on is not None, not mark.major, mark.on))[:MOST_LISTED]


def _milestone(sheet: Sheet, milestone: Milestone, life: Life, say: Speech) -> Item:
    owed, how = story(milestone, life.today, say)
    stands = milestone.standing(life.today)
    red = " red" if stands in (Standing.OVERDUE, Standing.LATE) else ""

    def paint(y: float) -> float:
        def row() -> None:
            sign(sheet, (RAIL, y + 12), stands)
            room = sheet.room - WORDS_AT - sheet.measure(how, "small") - 8
            sheet.words((WORDS_AT, y + 17), sheet.clipped(milestone.label, room, "bold"), "bold")
            sheet.words((sheet.room, y + 17), how, f"small{red}", "end")
            if owed:
                sheet.words((WORDS_AT, y + 17 + LINE), owed, "small quiet")

        sheet.link(milestone.href, milestone.label, row)
        return y + STEP + (LINE if owed else 0) + 8

    return Item(milestone.on() or life.expires_on, 1, paint)


def _mark(sheet: Sheet, mark: Mark, draw: Callable[[Sheet, Point, Mark], None], say: Speech) -> Item:
    def paint(y: float) -> float:
        lines = sheet.wrapped(mark_said(mark, say), sheet.room - WORDS_AT, "small")

        def row() -> None:
            draw(sheet, (RAIL, y + 12), mark)
            for number, line in enumerate(lines):
                sheet.words((WORDS_AT, y + 16 + number * 16), line, "small")

        sheet.link(mark.href, mark_said(mark, say), row)
        return y + STEP + (len(lines) - 1) * 16

    return Item(mark.on, 0, paint)


def _today(sheet: Sheet, y: float, text: str) -> float:
    sheet.line((0, y + 12), (sheet.room, y + 12), "mark dashed")
    across = sheet.measure(text, "small bold") + 16
    sheet.cell((sheet.room - across, y + 1), (across, 22), "cell", 11)
    sheet.words((sheet.room - across + 8, y + 16), text, "small bold")
    return y + 32
