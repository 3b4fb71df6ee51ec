"""The signs of a policy's life: each standing, hazard and claim has its own shape; colour says nothing alone."""

from api.drawings import words
from api.drawings.legends import Entry
from api.drawings.life import Life, Mark, Standing
from api.drawings.svg import Point, Sheet
from api.drawings.words import Speech

R = 9
LEGENDS = {
    Standing.DONE: words.LEGEND_DONE,
    Standing.LATE: words.LEGEND_LATE,
    Standing.OVERDUE: words.LEGEND_OVERDUE,
    Standing.COMING: words.LEGEND_COMING,
    Standing.SKIPPED: words.LEGEND_SKIPPED,
}


def sign(sheet: Sheet, at: Point, stands: Standing) -> None:
    """Done: a filled disc with a tick; late: the same in a ring; overdue: a square with !; to come: a ring."""
    x, y = at
    if stands is Standing.OVERDUE:
        sheet.cell((x - R, y - R), (2 * R, 2 * R), "late full", 2)
        sheet.line((x, y - 5), (x, y + 2), "tick")
        sheet.disc((x, y + 5.5), 1.2, "paper")
        return
    if stands is Standing.LATE:
        sheet.disc(at, R, "late ring")
        sheet.disc(at, R - 3, "late full")
    elif stands is Standing.DONE:
        sheet.disc(at, R, "full")
        sheet.path(f"M{x - 4.5:g} {y + 0.5:g}l3 3.2l5.5 -6.5", "tick")
    else:
        sheet.disc(at, R - 1, "ring dashed" if stands is Standing.SKIPPED else "ring")
        if stands is Standing.SKIPPED:
            sheet.line((x - 5, y + 5), (x + 5, y - 5), "slash")


def hazard(sheet: Sheet, at: Point, mark: Mark) -> None:
    """A triangle, hollow once closed; a major one carries a !"""
    x, y = at
    closed = mark.closed_on is not None
    places = ((x, y - 9), (x + 9, y + 7), (x - 9, y + 7))
    sheet.shape(places, "amber hollow" if closed else "late full" if mark.major else "amber full")
    if mark.major:
        sheet.line((x, y - 4), (x, y + 1.5), "slash" if closed else "tick")
        sheet.disc((x, y + 4.4), 1.2, "ink" if closed else "paper")


def claim(sheet: Sheet, at: Point, mark: Mark) -> None:
    """A diamond, hollow once closed."""
    x, y = at
    places = ((x, y - 9), (x + 9, y), (x, y + 9), (x - 9, y))
    sheet.shape(places, "hollow" if mark.closed_on else "full")


def entries(life: Life, say: Speech) -> list[Entry]:
    """A legend entry for each sign that occurs."""
    seen = {milestone.standing(life.today) for milestone in life.milestones}
    found = [
        Entry(lambda sheet, at, stands=stands: sign(sheet, (at[0] + 10, at[1] + 10), stands), say(text))
        for stands, text in LEGENDS.items()
        if stands in seen
    ]
    if seen & {Standing.LATE, Standing.OVERDUE}:
        found.append(Entry(lambda sheet, at: _span(sheet, at), say(words.LEGEND_LATE_SPAN)))
    for mark in _different(life.hazards):
        text = words.LEGEND_HAZARD_CLOSED if mark.closed_on else words.LEGEND_HAZARD
        label = say(words.OF_MAJOR, label=say(text)) if mark.major else say(text)
        found.append(Entry(lambda sheet, at, mark=mark: hazard(sheet, (at[0] + 10, at[1] + 10), mark), label))
    for mark in _different(life.claims):
        text = words.LEGEND_CLAIM_CLOSED if mark.closed_on else words.LEGEND_CLAIM
        found.append(Entry(lambda sheet, at, mark=mark: claim(sheet, (at[0] + 10, at[1] + 10), mark), say(text)))
    return found


def _different(marks: tuple[Mark, ...]) -> list[Mark]:
    """One mark of each look."""
    return list({(mark.major, mark.closed_on is None): mark for mark in marks}.values())


def _span(sheet: Sheet, at: Point) -> None:
    sheet.cell((at[0] + 1, at[1] + 4), (18, 12), "plate edge")
    sheet.hatch((at[0] + 1, at[1] + 4), (18, 12), "late")
