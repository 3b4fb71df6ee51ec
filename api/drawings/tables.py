"""Counts by place and sector as a table of shaded cells, on a phone a panel per place; counts and labels are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.drawings import words
from api.drawings.legends import SAMPLE, Entry, legend
from api.drawings.svg import Point, Sheet, drawing
from api.drawings.words import Speech, Translate, same

SHADES = 4
LABEL, TOTAL, HIGH = 128, 64, 44
PANEL_ROW = 26
HEAD_LINE, UPRIGHT = 17, 200
WIDEST = 92
LARGE, FULLEST = 60, 4
"""Cells from which on a phone's panel shows the fullest columns of its row only: a page is to stay below 100 kB."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A row or column: `key` is its name in `cells`, `label` what people read, `href` its own page or empty."""

    key: str
    label: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """How many cases, how many of them overdue, and where their list is."""

    count: int
    overdue: int = 0
    href: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Places × sectors. `cells` is by (row key, column key); a pair that is absent has nothing."""

    title: str
    rows: tuple[Heading, ...]
    columns: tuple[Heading, ...]
    cells: Mapping[tuple[str, str], Count]

    def at(self, row: Heading, column: Heading) -> Count:
        return self.cells.get((row.key, column.key), Count(0))

    def across(self, row: Heading) -> int:
        """The total of a row."""
        return sum(self.at(row, column).count for column in self.columns)

    def down(self, column: Heading) -> int:
        """The total of a column."""
        return sum(self.at(row, column).count for row in self.rows)

    @property
    def total(self) -> int:
        return sum(self.across(row) for row in self.rows)

    @property
    def overdue(self) -> int:
        return sum(self.at(row, column).overdue for row in self.rows for column in self.columns)

    def ordered(self) -> "Table":
        """Most first in both directions, columns in which nothing stands left out; equals keep their order."""
        rows = tuple(sorted(self.rows, key=self.across, reverse=True))
        columns = tuple(sorted((c for c in self.columns if self.down(c)), key=self.down, reverse=True))
        return Table(self.title, rows, columns, self.cells)


@dataclass(frozen=True, slots=True)
class Plot:
    """A table ready to be drawn."""

    table: Table
    ranks: Mapping[int, int]
    say: Speech


def heat_strip(table: Table, prefix: str = "heat", *, t: Translate = same) -> Markup:
    """A table with the number in every cell, shaded by rank, hatched where something is overdue, totals at the ends.

    Rows and columns stand most first. A phone gets a panel per row instead, with the same numbers and links.
    """
    plot = plotted(table, t)

    def paint(sheet: Sheet) -> None:
        foot = _panels(sheet, plot) if sheet.narrow else _matrix(sheet, plot)
        entries = shade_entries(plot.say, plot.table.overdue > 0)
        foot = legend(sheet, foot + 10, entries[1:] if sheet.narrow else entries)
        if len(plot.table.columns) < len(table.columns):
            sheet.words((0, foot + 14), plot.say(words.LEFT_OUT), "note")
            sheet.reaches(foot + 20)

    return drawing(prefix, table.title, said(plot), paint)


def plotted(table: Table, t: Translate) -> Plot:
    """The table in its order, with the shade of each count."""
    ordered = table.ordered()
    counts = [ordered.at(row, column).count for row in ordered.rows for column in ordered.columns]
    return Plot(ordered, ranks(counts), Speech(t))


def ranks(counts: Sequence[int]) -> dict[int, int]:
    """A shade from 0 (nothing) to 4 for each count, by its place among the different counts that occur."""
    known = sorted({count for count in counts if count})
    return {0: 0} | {count: 1 + number * SHADES // len(known) for number, count in enumerate(known)}


def said(plot: Plot) -> str:
    """The sentence a sighted person could read off the table."""
    table, say = plot.table, plot.say
    text = say(words.TABLE_SAID, n=table.total, late=table.overdue)
    pairs = [(row, column) for row in table.rows for column in table.columns]
    if pairs and table.total:
        row, column = max(pairs, key=lambda pair: table.at(*pair).count)
        most = say(words.TABLE_MOST, row=row.label, column=column.label, n=table.at(row, column).count)
        text += say(words.COMMA) + most
    return text + say(words.STOP)


def named(row: str, column: str, count: Count, say: Speech) -> str:
    """What a cell is called by a screen reader."""
    form = words.CELL_LATE_SAID if count.overdue else words.CELL_SAID
    return say(form, row=row, column=column, n=count.count, late=count.overdue)


def shaded(sheet: Sheet, at: Point, size: Point, count: Count, shade: int) -> str:
    """The ground of a cell, hatched along its side where something is overdue; gives the class of words on it."""
    sheet.cell(at, size, f"shade s{shade}")
    if count.overdue:
        sheet.hatch((at[0] + size[0] - 9, at[1] + 1), (8, size[1] - 2), "late")
    return " paper" if shade >= 3 else ""


def _matrix(sheet: Sheet, plot: Plot) -> float:
    table = plot.table
    wide = min((sheet.room - LABEL - TOTAL) // max(len(table.columns), 1), WIDEST)
    top = _headings(sheet, table, wide)
    for number, column in enumerate(table.columns):
        x = LABEL + (number + 0.5) * wide
        foot = top + len(table.rows) * HIGH
        sheet.words((x, foot + 22), str(table.down(column)), "bold", "middle")
    for number, row in enumerate(table.rows):
        _matrix_row(sheet, plot, row, top + number * HIGH, wide)
    foot, end = top + len(table.rows) * HIGH, LABEL + len(table.columns) * wide + TOTAL / 2
    sheet.words((0, foot + 22), plot.say(words.TOTAL), "bold")
    sheet.words((end, foot + 22), str(table.total), "bold", "middle")
    sheet.words((end, top - 8), plot.say(words.TOTAL), "small bold", "middle")
    return foot + 34


def _headings(sheet: Sheet, table: Table, wide: float) -> float:
    """The names of the columns, upright where a word is wider than its column; gives where they end."""
    upright = any(sheet.breaks(column.label, wide - 2, "small") for column in table.columns)
    room = UPRIGHT if upright else wide - 4
    lines = [sheet.balanced(column.label, room, "small", 1 if upright else 4) for column in table.columns]
    tall = max([sheet.measure(one[0], "small") if upright else len(one) * HEAD_LINE for one in lines] or [HEAD_LINE])
    for number, (column, label) in enumerate(zip(table.columns, lines, strict=True)):
        x = LABEL + (number + 0.5) * wide
        spot = (x + 5, tall) if upright else (x, tall - HEAD_LINE * (len(label) - 1))
        _heading(sheet, spot, label, column, upright=upright)
    return tall + 8


def _heading(sheet: Sheet, at: Point, label: Sequence[str], heading: Heading, *, upright: bool) -> None:
    def paint() -> None:
        for number, line in enumerate(label):
            spot = (at[0], at[1] + number * HEAD_LINE)
            sheet.words(spot, line, "small", None if upright else "middle", upright=upright)

    sheet.link(heading.href, heading.label, paint)


def _matrix_row(sheet: Sheet, plot: Plot, row: Heading, y: float, wide: float) -> None:
    table = plot.table
    lines = sheet.wrapped(row.label, LABEL - 8)

    def label() -> None:
        for number, line in enumerate(lines):
            sheet.words((0, y + (27 if len(lines) == 1 else 18) + number * 18), line)

    sheet.link(row.href, row.label, label)
    sheet.cell((LABEL, y), (len(table.columns) * wide, HIGH - 3), "lane")
    for number, column in enumerate(table.columns):
        _matrix_cell(sheet, plot, (row, column), (LABEL + number * wide, y), wide)
    end = LABEL + len(table.columns) * wide + TOTAL / 2
    sheet.words((end, y + 27), str(table.across(row)), "bold", "middle")


def _matrix_cell(sheet: Sheet, plot: Plot, pair: tuple[Heading, Heading], at: Point, wide: float) -> None:
    count = plot.table.at(*pair)

    def paint() -> None:
        size = (wide - 3, HIGH - 3)
        white = shaded(sheet, at, size, count, plot.ranks[count.count]) if count.count else ""
        middle = at[0] + (size[0] - (9 if count.overdue else 0)) / 2
        weight = f"bold{white}" if count.count else "quiet"
        sheet.words((middle, at[1] + (18 if count.overdue else 26)), str(count.count), weight, "middle")
        if count.overdue:
            late = plot.say(words.LATE_LETTER, n=count.overdue)
            sheet.words((middle, at[1] + 36), late, f"small{white}", "middle")

    sheet.link(count.href, named(pair[0].label, pair[1].label, count, plot.say), paint)


def _panels(sheet: Sheet, plot: Plot) -> float:
    """A panel per row with a bar for each of its columns, one below the other; gives where the last one ends."""
    end = 0.0
    for row in plot.table.rows:
        end = _panel(sheet, plot, row, (0, end), sheet.room) + 14
    return end


def _panel(sheet: Sheet, plot: Plot, row: Heading, at: Point, across: float) -> float:
    (x, y), table = at, plot.table
    total = plot.say(words.ITEMS, n=table.across(row))
    name = sheet.clipped(row.label, across - sheet.measure(total, "bold") - 10, "bold")
    sheet.link(row.href, row.label, lambda: sheet.words((x, y + 17), name, "bold"))
    sheet.words((x + across, y + 17), total, "bold", "end")
    sheet.line((x, y + 24), (x + across, y + 24), "rule")
    y += 28
    ordered = sorted(table.columns, key=lambda column: table.at(row, column).count, reverse=True)
    counted = [column for column in ordered if table.at(row, column).count]
    most = FULLEST if sheet.narrow and len(table.rows) * len(table.columns) > LARGE else len(counted)
    for column in counted[:most]:
        _panel_bar(sheet, plot, (row, column), (x, y), across)
        y += PANEL_ROW
    rest = sum(table.at(row, column).count for column in counted[most:])
    if rest or not counted:
        sheet.words((x, y + 17), plot.say(words.REST_OF, n=rest) if rest else plot.say(words.NOTHING), "note")
        y += PANEL_ROW
    return y


def _panel_bar(sheet: Sheet, plot: Plot, pair: tuple[Heading, Heading], at: Point, across: float) -> None:
    count, say = plot.table.at(*pair), plot.say
    label = min(max(sheet.measure(column.label, "small") for column in plot.table.columns), across * 0.4) + 8
    figure = str(count.count) + (f" {say(words.LATE_LETTER, n=count.overdue)}" if count.overdue else "")
    room = across - label - sheet.size("small") * 5
    unit = room / max(plot.ranks)

    def paint() -> None:
        (x, y), start = at, at[0] + label
        sheet.cell((x, y), (across, PANEL_ROW - 2), "lane", 3)
        sheet.words((x + 2, y + 17), sheet.clipped(pair[1].label, label - 4, "small"), "small")
        sheet.cell((start, y + 5), (max(count.count * unit, 2), 14), "bar", 2)
        if count.overdue:
            sheet.cell((start, y + 5), (max(count.overdue * unit, 4), 14), "plate edge")
            sheet.hatch((start, y + 5), (max(count.overdue * unit, 4), 14), "late")
        sheet.words((start + max(count.count * unit, 4) + 6, y + 17), figure, "small bold")

    sheet.link(count.href, named(pair[0].label, pair[1].label, count, say), paint)


def shade_entries(say: Speech, late: bool) -> list[Entry]:
    """What the shades mean, and what the hatching where anything is overdue."""
    entries = [Entry(_shades, say(words.SHADES))]
    return [*entries, Entry(_hatched, say(words.LEGEND_TABLE_LATE))] if late else entries


def _shades(sheet: Sheet, at: Point) -> None:
    for number in range(SHADES):
        sheet.cell((at[0] + number * SAMPLE / SHADES, at[1] + 3), (SAMPLE / SHADES, 14), f"shade s{number + 1}")


def _hatched(sheet: Sheet, at: Point) -> None:
    sheet.cell((at[0] + 2, at[1] + 3), (SAMPLE - 4, 14), "plate edge")
    sheet.hatch((at[0] + 2, at[1] + 3), (SAMPLE - 4, 14), "late")
