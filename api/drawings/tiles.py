"""方块图: a tile per place under its city with its counts. No map: where a tile stands says nothing of the land."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.drawings import words
from api.drawings.legends import legend
from api.drawings.svg import Point, Sheet, drawing
from api.drawings.tables import Count, Heading, named, ranks, shade_entries, shaded
from api.drawings.words import Speech, Translate, same

PER_ROW = {False: 7, True: 3}
HEAD, HIGH, GAP = 28, 70, 10


@dataclass(frozen=True, slots=True)
class City:
    """A city and its places, each with its count; the city's own page may be linked by its heading."""

    heading: Heading
    tiles: tuple[tuple[Heading, Count], ...]

    @property
    def total(self) -> int:
        return sum(count.count for _, count in self.tiles)


def place_map(cities: Sequence[City], prefix: str = "places", *, t: Translate = same) -> Markup:
    """A tile per place grouped by city, most first, shaded by rank, hatched where something is overdue."""
    say = Speech(t)
    shown = tuple(sorted(cities, key=lambda city: city.total, reverse=True))
    counts = [count for city in shown for _, count in city.tiles]
    shades = ranks([count.count for count in counts])
    late = sum(count.overdue for count in counts)
    total = sum(count.count for count in counts)
    desc = say(words.TILES_SAID, places=len(counts), n=total, late=late) + say(words.STOP)

    def paint(sheet: Sheet) -> None:
        y = 0.0
        for city in shown:
            y = _city(sheet, y, city, shades, say)
        legend(sheet, _remark(sheet, y, say) + 4, shade_entries(say, late > 0))

    return drawing(prefix, say(words.TILES), desc, paint)


def _city(sheet: Sheet, y: float, city: City, shades: dict[int, int], say: Speech) -> float:
    per_row = PER_ROW[sheet.narrow]
    wide = (sheet.room + 4) / per_row
    total = say(words.ITEMS, n=city.total)
    name = sheet.clipped(city.heading.label, sheet.room - 100, "bold")
    sheet.link(city.heading.href, city.heading.label, lambda: sheet.words((0, y + 18), name, "bold"))
    sheet.words((sheet.room, y + 18), total, "bold", "end")
    placed = sorted(city.tiles, key=lambda tile: tile[1].count, reverse=True)
    for number, (heading, count) in enumerate(placed):
        row, column = divmod(number, per_row)
        at = (column * wide, y + HEAD + row * HIGH)
        _tile(sheet, at, (wide - 4, HIGH - 4), (heading, count, shades[count.count]), say)
    return y + HEAD + -(-len(placed) // per_row) * HIGH + GAP


def _tile(sheet: Sheet, at: Point, size: Point, tile: tuple[Heading, Count, int], say: Speech) -> None:
    heading, count, shade = tile
    room = size[0] - (20 if count.overdue else 10)

    def paint() -> None:
        white = shaded(sheet, at, size, count, shade)
        lines, cls = (heading.label,), white.strip()
        if sheet.measure(heading.label) > room:
            lines, cls = sheet.balanced(heading.label, room, "small", most=2), f"small{white}"
        for number, line in enumerate(lines):
            sheet.words((at[0] + 6, at[1] + (16 if len(lines) > 1 else 22) + 16 * number), line, cls)
        figure = str(count.count)
        sheet.words((at[0] + 6, at[1] + 55), figure, f"large bold{white}")
        if count.overdue:
            late = say(words.LATE_LETTER, n=count.overdue)
            sheet.words((at[0] + 14 + sheet.measure(figure, "large"), at[1] + 55), late, f"small{white}")

    sheet.link(count.href or heading.href, named(heading.label, say(words.TOTAL), count, say), paint)


def _remark(sheet: Sheet, y: float, say: Speech) -> float:
    for line in sheet.wrapped(say(words.TILES_REMARK), sheet.room, "small"):
        y += 18
        sheet.words((0, y), line, "note")
    return y + 6
