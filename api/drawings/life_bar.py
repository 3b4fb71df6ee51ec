"""The life of a policy as one bar in time with cards below; the list for a phone is in api/drawings/life_list.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from api.drawings import words
from api.drawings.legends import legend
from api.drawings.life import Life, Mark, Milestone, Standing, fared, mark_said, milestones, owed, said
from api.drawings.life_list import listed
from api.drawings.life_marks import claim, entries, hazard, sign
from api.drawings.svg import Point, Sheet, drawing
from api.drawings.words import Speech, Translate, same

LEFT, RIGHT = 60, 16
HAZARDS, MONTHS, BAR, HIGH, CLAIMS = 54, 86, 94, 26, 142
LEAD, LINE, PER_ROW = 46, 18, 7
"""User units: how far leading lines fan out, a line of a card, cards to a row."""
BUCKET = 22
"""User units: signs nearer than this become one sign with a number."""


def life_bar(life: Life, prefix: str = "life", *, t: Translate = same) -> Markup:
    """Milestones with due and done dates, today's needle, overdue time hatched, hazards above and claims below.

    A phone gets the same as a list in order of time.
    """
    say = Speech(t)

    def paint(sheet: Sheet) -> None:
        foot = listed(sheet, life, say) if sheet.narrow else Bar(sheet, life, say).drawn()
        legend(sheet, foot + 8, entries(life, say, spans=not sheet.narrow))

    return drawing(prefix, say(words.LIFE), said(life, say), paint)


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar on its sheet."""

    sheet: Sheet
    life: Life
    say: Speech

    def at(self, on: date) -> float:
        """Where a day stands across the sheet."""
        return LEFT + (self.sheet.room - LEFT - RIGHT) * self.life.share(on)

    def drawn(self) -> float:
        """All of it from above to below; gives where it ends."""
        sheet, life = self.sheet, self.life
        first, last = self.at(life.signed_on), self.at(life.expires_on)
        sheet.cell((first, BAR), (last - first, HIGH), "cell dashed" if life.ended_on else "cell", 5)
        sheet.cell((first, BAR), (self.at(life.until) - first, HIGH), "run", 5)
        for of in life.milestones:
            self.late_span(of)
        self.months()
        foot = self.cards()
        self.needle()
        self.lane(HAZARDS, life.hazards, words.HAZARDS)
        self.lane(CLAIMS, life.claims, words.CLAIMS)
        return foot

    def late_span(self, of: Milestone) -> None:
        """From the due day to the day it was done, or today."""
        if of.due_on and self.life.standing(of) in (Standing.LATE, Standing.OVERDUE):
            start, end = self.at(of.due_on), self.at(of.done_on or self.life.until)
            size = (max(end - start, 4), HIGH - 8)
            self.sheet.cell((start, BAR + 4), size, "plate edge")
            self.sheet.hatch((start, BAR + 4), size, "late")

    def months(self) -> None:
        """The first of each month as a tick above the bar, named as often as there is room."""
        on, free, now = _next_month(self.life.signed_on), LEFT - 10.0, self.at(self.life.today)
        while on <= self.life.expires_on:
            x, name = self.at(on), self.say.month_of_axis(on)
            half = self.sheet.measure(name, "small") / 2
            self.sheet.line((x, BAR - 5), (x, BAR), "rule")
            if x - half > free and x + half < self.sheet.room and abs(x - now) > half + 3:
                self.sheet.words((x, MONTHS), name, "note", "middle")
                free = x + half + 10
            on = _next_month(on)

    def needle(self) -> None:
        """Today, from above the hazards to below the bar."""
        sheet, x = self.sheet, self.at(self.life.today)
        text = f"{self.say(words.TODAY)} {self.say.full_day(self.life.today)}"
        half = sheet.measure(text, "small bold") / 2
        sheet.line((x, 20), (x, BAR + HIGH + 4), "mark")
        sheet.shape(((x - 6, 18), (x + 6, 18), (x, 27)), "ink")
        sheet.words((min(max(x, half), sheet.room - half), 13), text, "small bold", "middle")

    def lane(self, y: float, marks: Sequence[Mark], kind: str) -> None:
        """Hazards or claims at their days; those too close to tell apart are one sign with their number."""
        if marks:
            self.sheet.words((0, y + 5), self.say(kind), "small")
        heaps: dict[int, list[Mark]] = {}
        for mark in marks:
            heaps.setdefault(int(self.at(mark.on) // BUCKET), []).append(mark)
        for heap in heaps.values():
            self.heap((self.at(heap[0].on), y), heap, kind)

    def heap(self, at: Point, marks: list[Mark], kind: str) -> None:
        """The gravest of some marks at one place, with how many they are; a link where it stands alone."""
        worst = min(marks, key=lambda mark: (mark.closed_on is not None, not mark.major))
        paint = hazard if kind == words.HAZARDS else claim
        href = worst.href if len(marks) == 1 else ""
        self.sheet.link(href, mark_said(worst, kind, self.say), lambda: paint(self.sheet, at, worst))
        if len(marks) > 1:
            self.sheet.words((at[0] + 12, at[1] + 7), f"×{len(marks)}", "small bold")

    def cards(self) -> float:
        """The milestones side by side, each led to its day on the bar; gives where they end."""
        shown = milestones(self.life, self.say)
        foot = (CLAIMS + 12 if self.life.claims else BAR + HIGH) + LEAD
        across = self.sheet.room / min(len(shown), PER_ROW)
        for start in range(0, len(shown), PER_ROW):
            top, lowest = foot, foot
            for number, of in enumerate(shown[start : start + PER_ROW]):
                spot = (number * across + 12, top)
                if start == 0:
                    self.lead(of, spot)
                lowest = max(lowest, self.card(spot, across - 16, of))
            foot = lowest + 16
        return foot - 10

    def lead(self, of: Milestone, spot: Point) -> None:
        """A thin line from the day on the bar to the card; none for what never came about."""
        on = of.done_on or of.due_on
        if on and self.life.standing(of) is not Standing.STOPPED:
            x = self.at(on)
            fan = spot[1] - LEAD
            self.sheet.disc((x, BAR + HIGH), 3.5, "ink")
            self.sheet.path(f"M{x:.1f} {BAR + HIGH}V{fan:.1f}L{spot[0]:.1f} {spot[1] - 10:.1f}", "lead")

    def card(self, spot: Point, room: float, of: Milestone) -> float:
        """A milestone with its sign, when it was due and how it fared; gives where it ends."""
        x, y = spot
        stands = self.life.standing(of)
        rows = [(line, "note") for line in owed(of, self.life, self.say)]
        red = " red" if stands in (Standing.OVERDUE, Standing.LATE) else ""
        rows += [(line, f"small{red}") for line in fared(of, self.life, self.say)]
        rows = [(part, cls) for line, cls in rows for part in self.sheet.balanced(line, room, "small")]

        def paint() -> None:
            self.sheet.words((x + 14, y + 5), self.sheet.clipped(of.label, room - 24, "bold"), "bold")
            sign(self.sheet, spot, stands)
            for number, (line, cls) in enumerate(rows):
                self.sheet.words((x - 9, y + 28 + number * LINE), line, cls)

        self.sheet.link(of.href, of.label, paint)
        return y + 28 + len(rows) * LINE


def _next_month(on: date) -> date:
    return date(on.year + on.month // 12, on.month % 12 + 1, 1)
