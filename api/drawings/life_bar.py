"""The life of a policy as one bar in time with cards below; the list for a phone is in api/drawings/life_list.py."""

from collections.abc import Callable, Sequence
from datetime import date

from markupsafe import Markup

from api.drawings import words
from api.drawings.legends import legend
from api.drawings.life import Life, Mark, Milestone, Standing, mark_said, milestones, said, story
from api.drawings.life_list import listed
from api.drawings.life_marks import claim, entries, hazard, sign
from api.drawings.svg import Point, Sheet, drawing
from api.drawings.words import Speech, Translate, same

LEFT, RIGHT = 60, 16
HAZARDS, BAR, HIGH, CLAIMS = 52, 72, 26, 122
CARDS, CARD_ROW, PER_ROW = 152, 78, 7
BUCKET = 22
"""User units: signs nearer than this become one sign with a number."""


def life_bar(life: Life, prefix: str = "life", *, t: Translate = same) -> Markup:
    """Milestones with due and done dates, today's needle, overdue time hatched, hazards above and claims below."""
    say = Speech(t)

    def paint(sheet: Sheet) -> None:
        foot = listed(sheet, life, say) if sheet.narrow else _bar(sheet, life, say)
        legend(sheet, foot + 8, entries(life, say))

    return drawing(prefix, say(words.LIFE), said(life, say), paint)


def _place(sheet: Sheet, life: Life, on: date) -> float:
    return LEFT + (sheet.room - LEFT - RIGHT) * life.share(on)


def _bar(sheet: Sheet, life: Life, say: Speech) -> float:
    def at(on: date) -> float:
        return _place(sheet, life, on)

    first, last = at(life.signed_on), at(life.expires_on)
    now = at(min(life.today, life.ended_on or life.today))
    sheet.cell((first, BAR), (last - first, HIGH), "cell dashed" if life.ended_on else "cell", 5)
    sheet.cell((first, BAR), (now - first, HIGH), "run", 5)
    for milestone in life.milestones:
        _late_span(sheet, milestone, life, at)
    _months(sheet, life, at, say)
    _lane(sheet, HAZARDS, (life.hazards, hazard, words.HAZARDS), at, say)
    _lane(sheet, CLAIMS, (life.claims, claim, words.CLAIMS), at, say)
    foot = _cards(sheet, life, at, say)
    _needle(sheet, at(life.today), f"{say(words.TODAY)} {say.day(life.today)}")
    return foot


def _late_span(sheet: Sheet, milestone: Milestone, life: Life, at: Callable[[date], float]) -> None:
    """From the due day to the day it was done, or today."""
    if milestone.due_on and milestone.standing(life.today) in (Standing.LATE, Standing.OVERDUE):
        start, end = at(milestone.due_on), at(milestone.done_on or life.today)
        sheet.cell((start, BAR + 4), (max(end - start, 4), HIGH - 8), "plate edge")
        sheet.hatch((start, BAR + 4), (max(end - start, 4), HIGH - 8), "late")


def _months(sheet: Sheet, life: Life, at: Callable[[date], float], say: Speech) -> None:
    """The first of each month as a tick, named as often as there is room."""
    on, free = _next_month(life.signed_on), LEFT - 10.0
    while on <= life.expires_on:
        sheet.line((at(on), BAR + HIGH), (at(on), BAR + HIGH + 4), "rule")
        name = say.month(on)
        half = sheet.measure(name, "small") / 2
        if at(on) - half > free:
            sheet.words((at(on), BAR + HIGH + 18), name, "small quiet", "middle")
            free = at(on) + half + 10
        on = _next_month(on)


def _next_month(on: date) -> date:
    return date(on.year + on.month // 12, on.month % 12 + 1, 1)


def _lane(
    sheet: Sheet,
    y: float,
    lane: tuple[Sequence[Mark], Callable[[Sheet, Point, Mark], None], str],
    at: Callable[[date], float],
    say: Speech,
) -> None:
    """Hazards or claims at their days; those too close to tell apart are one sign with their number."""
    marks, paint, name = lane
    if not marks:
        return
    sheet.words((0, y + 5), say(name), "small")
    heaps: dict[int, list[Mark]] = {}
    for mark in marks:
        heaps.setdefault(int(at(mark.on) // BUCKET), []).append(mark)
    for heap in heaps.values():
        worst = min(heap, key=lambda mark: (mark.closed_on is not None, not mark.major))
        spot = (at(worst.on), y)
        href = worst.href if len(heap) == 1 else ""
        sheet.link(href, mark_said(worst, say), lambda spot=spot, worst=worst: paint(sheet, spot, worst))
        if len(heap) > 1:
            sheet.words((spot[0], y - 12), str(len(heap)), "small bold", "middle")


def _needle(sheet: Sheet, x: float, text: str) -> None:
    half = sheet.measure(text, "small bold") / 2
    sheet.line((x, 20), (x, BAR + HIGH + 4), "mark")
    sheet.shape(((x - 5, 18), (x + 5, 18), (x, 26)), "ink")
    sheet.words((min(max(x, half), sheet.room - half), 13), text, "small bold", "middle")


def _cards(sheet: Sheet, life: Life, at: Callable[[date], float], say: Speech) -> float:
    """The milestones side by side, each led to its day on the bar; gives where they end."""
    shown = milestones(life, say)
    top = CARDS if life.claims else CARDS - 16
    across = sheet.room / min(max(len(shown), 1), PER_ROW)
    for number, milestone in enumerate(shown):
        row, column = divmod(number, PER_ROW)
        x, y = column * across + 12, top + row * CARD_ROW
        on = milestone.on()
        if on and row == 0:
            foot = BAR + HIGH
            sheet.path(f"M{at(on):.1f} {foot}V{foot + 24}L{x:.1f} {y - 16:.1f}V{y - 9:.1f}", "lead")
        _card(sheet, (x, y), across - 24, milestone, life, say)
    return top + CARD_ROW * -(-len(shown) // PER_ROW)


def _card(sheet: Sheet, at: Point, room: float, milestone: Milestone, life: Life, say: Speech) -> None:
    x, y = at
    stands = milestone.standing(life.today)
    owed, how = story(milestone, life.today, say)
    red = " red" if stands in (Standing.OVERDUE, Standing.LATE) else ""

    def paint() -> None:
        sign(sheet, at, stands)
        sheet.words((x + 14, y + 5), sheet.clipped(milestone.label, room - 10, "bold"), "bold")
        for number, line in enumerate(
            [line for part in (owed, how) for line in sheet.wrapped(part, room + 8, "small")]
        ):
            weight = f"small{red}" if line not in owed else "small quiet"
            sheet.words((x - 9, y + 26 + number * 18), line, weight)

    sheet.link(milestone.href, milestone.label, paint)
