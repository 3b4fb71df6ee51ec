"""The life of a policy for a phone: a list in order of time with today in it; the bar is in life_bar.py."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from api.drawings import words
from api.drawings.life import Life, Mark, Milestone, Standing, fared, mark_said, milestones, owed, summed
from api.drawings.life_marks import claim, hazard, sign
from api.drawings.svg import Sheet, tag
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
    items = _milestones(sheet, life, say)
    for marks, kind in ((life.hazards, words.HAZARDS), (life.claims, words.CLAIMS)):
        items += [_mark(sheet, mark, kind, say) for mark in _first(marks)]
    items.append(Item(life.today, 2, lambda y: _today(sheet, y, f"{say(words.TODAY)} {say.full_day(life.today)}")))
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


def _milestones(sheet: Sheet, life: Life, say: Speech) -> list[Item]:
    """What has no day of its own stands behind its forerunner, and behind today while it is to come."""
    found, last = list[Item](), life.signed_on
    for of in milestones(life, say):
        waits = life.standing(of) is Standing.COMING and of.due_on is None
        last = of.done_on or of.due_on or (max(last, life.today) if waits else last)
        found.append(Item(last, 3 if waits else 1, _milestone(sheet, of, life, say)))
    return found


def _milestone(sheet: Sheet, of: Milestone, life: Life, say: Speech) -> Callable[[float], float]:
    due, how = say(words.COMMA).join(owed(of, life, say)), say(words.COMMA).join(fared(of, life, say))
    stands = life.standing(of)
    red = " red" if stands in (Standing.OVERDUE, Standing.LATE) else ""
    room = sheet.room - WORDS_AT - sheet.measure(how, "small") - 8

    def row(y: float) -> None:
        sheet.words((WORDS_AT, y + 17), sheet.clipped(of.label, max(room, 60), "bold"), "bold")
        sheet.words((sheet.room, y + 17), how, f"small{red}", "end")
        sign(sheet, (RAIL, y + 12), stands)
        if due:
            sheet.words((WORDS_AT, y + 17 + LINE), due, "note")

    def paint(y: float) -> float:
        sheet.link(of.href, of.label, lambda: row(y))
        return y + STEP + (LINE if due else 0) + 8

    return paint


def _mark(sheet: Sheet, mark: Mark, kind: str, say: Speech) -> Item:
    text = mark_said(mark, kind, say)
    lines = sheet.wrapped(text, sheet.room - WORDS_AT, "small")
    draw = hazard if kind == words.HAZARDS else claim

    def row(y: float) -> None:
        for number, line in enumerate(lines):
            sheet.words((WORDS_AT, y + 16 + number * 16), line, "small")
        draw(sheet, (RAIL, y + 12), mark)

    def paint(y: float) -> float:
        sheet.link(mark.href, text, lambda: row(y))
        return y + STEP + (len(lines) - 1) * 16

    return Item(mark.on, 0, paint)


def _today(sheet: Sheet, y: float, text: str) -> float:
    sheet.line((0, y + 12), (sheet.room, y + 12), "mark dashed")
    across = sheet.measure(text, "small bold") + 16
    sheet.cell((sheet.room - across, y + 1), (across, 22), "cell", 11)
    sheet.words((sheet.room - across + 8, y + 16), text, "small bold")
    return y + 32
