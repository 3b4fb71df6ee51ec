"""方块图: a tile per place under its city with its counts. No map: where a tile stands says nothing of the land."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.drawings import words
from api.drawings.legends import Entry, legend
from api.drawings.svg import Point, Sheet, drawing
from api.drawings.tables import SHADES, Count, Heading, named, ranks, shaded
from api.drawings.words import Speech, Translate, same

PER_ROW = {False: 7, True: 3}
HEAD, HIGH, GAP = 28, 62, 10


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
        legend(sheet, _remark(sheet, y, say) + 4, _entries(say, late > 0))

    return drawing(prefix, say(words.TILES), desc, paint)


def _city(sheet: Sheet, y: float, city: City, shades: dict[int, int], say: Speech) -> float:
    per_row = PER_ROW[sheet.narrow]
    wide = sheet.room / per_row
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
        sheet.words((at[0] + 6, at[1] + 22), sheet.clipped(heading.label, room), white.strip())
        figure = str(count.count)
        sheet.words((at[0] + 6, at[1] + 47), figure, f"large bold{white}")
        if count.overdue:
            late = say(words.LATE_LETTER, n=count.overdue)
            sheet.words((at[0] + 14 + sheet.measure(figure, "large"), at[1] + 47), late, f"small{white}")

    sheet.link(count.href or heading.href, named(heading.label, say(words.TOTAL), count, say), paint)


def _remark(sheet: Sheet, y: float, say: Speech) -> float:
    for line in sheet.wrapped(say(words.TILES_REMARK), sheet.room, "small"):
        y += 18
        sheet.words((0, y), line, "small quiet")
    return y + 6


def _entries(say: Speech, late: bool) -> list[Entry]:
    def shades(sheet: Sheet, at: Point) -> None:
        for number in range(SHADES):
            sheet.cell((at[0] + number * 5, at[1] + 3), (5, 14), f"shade s{number + 1}")

    def hatched(sheet: Sheet, at: Point) -> None:
        sheet.hatch((at[0] + 2, at[1] + 3), (16, 14), "late")

    entries = [Entry(shades, say(words.SHADES))]
    return [*entries, Entry(hatched, say(words.LEGEND_TABLE_LATE))] if late else entries
