"""Tables on a terminal: cells are folded, never cut, what is copied stays whole; what they list is not here."""

import sys
from collections.abc import Collection, Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 160  # cells, where the output goes into a file or a pipe


def terminal() -> Console:
    """As wide as the window, or as WIDE where there is none; nothing in a cell is read as markup."""
    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, markup=False)


def listed(*headings: str, title: str = "", whole: Collection[str] = ()) -> Table:
    """An empty table; a column named in `whole` is not folded either: an address or a number is copied from it."""
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in whole)
    return table


def filled(table: Table, lines: Iterable[Iterable[object]]) -> Table:
    """The same table with these lines; nothing known is an empty cell."""
    for line in lines:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in line))
    return table
