"""The signs of a policy's life: each standing, hazard and claim has its own shape; colour says nothing alone."""

from collections.abc import Callable

from api.drawings import words
from api.drawings.legends import SAMPLE, Entry
from api.drawings.life import Life, Mark, Standing, milestones
from api.drawings.svg import Point, Sheet
from api.drawings.words import Speech

R = 9
LEGENDS = {
    Standing.DONE: words.LEGEND_DONE,
    Standing.LATE: words.LEGEND_LATE,
    Standing.OVERDUE: words.LEGEND_OVERDUE,
    Standing.COMING: words.LEGEND_COMING,
    Standing.SKIPPED: words.SKIPPED,
    Standing.STOPPED: words.STOPPED,
}


def sign(sheet: Sheet, at: Point, stands: Standing) -> None:
    """Done: a disc with a tick; late: one in a ring; overdue: a square with !; to come: a ring, struck if dropped."""
    x, y = at
    match stands:
        case Standing.OVERDUE:
            sheet.cell((x - R, y - R), (2 * R, 2 * R), "late full", 2)
            _shout(sheet, at, "tick", "paper")
        case Standing.LATE:
            sheet.disc(at, R, "late ring")
            sheet.disc(at, R - 3, "late full")
        case Standing.DONE:
            sheet.disc(at, R, "full")
            sheet.path(f"M{x - 4.5:g} {y + 0.5:g}l3 3.2l5.5 -6.5", "tick")
        case Standing.COMING:
            sheet.disc(at, R - 1, "ring")
        case Standing.SKIPPED:
            sheet.disc(at, R - 1, "ring dashed")
            sheet.line((x - 5, y + 5), (x + 5, y - 5), "slash")
        case Standing.STOPPED:
            sheet.disc(at, R - 1, "ring over")
            sheet.line((x - 4, y), (x + 4, y), "slash")


def _shout(sheet: Sheet, at: Point, stroke: str, dot: str) -> None:
    """An exclamation mark."""
    sheet.line((at[0], at[1] - 5), (at[0], at[1] + 1.5), stroke)
    sheet.disc((at[0], at[1] + 5.2), 1.3, dot)


def hazard(sheet: Sheet, at: Point, mark: Mark) -> None:
    """A triangle, hollow once closed; a major one carries a !"""
    x, y = at
    closed = mark.closed_on is not None
    places = ((x, y - 10), (x + 10, y + 8), (x - 10, y + 8))
    sheet.shape(places, "amber hollow" if closed else "late full" if mark.major else "amber full")
    if mark.major:
        _shout(sheet, (x, y + 1), "slash" if closed else "tick", "ink" if closed else "paper")


def claim(sheet: Sheet, at: Point, mark: Mark) -> None:
    """A diamond, hollow once closed."""
    x, y = at
    places = ((x, y - 9), (x + 9, y), (x, y + 9), (x - 9, y))
    sheet.shape(places, "hollow" if mark.closed_on else "full")


def entries(life: Life, say: Speech, *, spans: bool) -> list[Entry]:
    """A legend entry for each sign that occurs, and for overdue time where it is drawn."""
    seen = {life.standing(of) for of in milestones(life, say)}
    found = [Entry(_standing(stands), say(text)) for stands, text in LEGENDS.items() if stands in seen]
    if spans and seen & {Standing.LATE, Standing.OVERDUE}:
        found.append(Entry(_span, say(words.LEGEND_LATE_SPAN)))
    for mark in _different(life.hazards):
        text = say(words.LEGEND_HAZARD_CLOSED if mark.closed_on else words.LEGEND_HAZARD)
        found.append(Entry(_sample(hazard, mark), say(words.OF_MAJOR, label=text) if mark.major else text))
    for mark in _different(life.claims):
        text = say(words.LEGEND_CLAIM_CLOSED if mark.closed_on else words.LEGEND_CLAIM)
        found.append(Entry(_sample(claim, mark), text))
    return found


def _different(marks: tuple[Mark, ...]) -> list[Mark]:
    """One mark of each look."""
    looks = {(mark.closed_on is not None, not mark.major): mark for mark in marks}
    return [looks[look] for look in sorted(looks)]


def _middle(at: Point) -> Point:
    return (at[0] + SAMPLE / 2, at[1] + 10)


def _standing(stands: Standing) -> Callable[[Sheet, Point], None]:
    return lambda sheet, at: sign(sheet, _middle(at), stands)


def _sample(paint: Callable[[Sheet, Point, Mark], None], mark: Mark) -> Callable[[Sheet, Point], None]:
    return lambda sheet, at: paint(sheet, _middle(at), mark)


def _span(sheet: Sheet, at: Point) -> None:
    sheet.cell((at[0] + 2, at[1] + 4), (SAMPLE - 4, 12), "plate edge")
    sheet.hatch((at[0] + 2, at[1] + 4), (SAMPLE - 4, 12), "late")
