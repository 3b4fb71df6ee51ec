"""A table as a workbook: facts on the first sheet, lines on the second; no formula is ever written, no file touched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from domain.calendar import SHANGHAI

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST, NARROWEST = 40, 10  # characters
DAY, INSTANT, MONEY = "yyyy-mm-dd", "yyyy-mm-dd hh:mm", "#,##0.00"
BOLD = Font(bold=True)
ILLEGAL = {code: None for code in (*range(32), 0xFFFE, 0xFFFF) if code not in (9, 10, 13)}
"""Characters no workbook may hold."""
Value = str | int | Decimal | date | datetime | bool | None


@dataclass(frozen=True)
class Sheet:
    """What a workbook is made of: headings with the lines under them, and what the first sheet says of it."""

    cover: str
    """The first sheet's name."""
    name: str
    about: Sequence[tuple[str, Value]]
    """Facts of the table: who, when, with which filters, how many."""
    headings: Sequence[str]


def written(sheet: Sheet, lines: Iterable[Sequence[Value]]) -> bytes:
    """The file's bytes; the header row stays in sight, days are days and amounts are numbers.

    Ten thousand lines take seconds of CPU: call it beside what must answer.
    """
    book = Workbook(write_only=True)
    cover, table = book.create_sheet(sheet.cover), book.create_sheet(sheet.name[:31])
    cover.column_dimensions["A"].width, cover.column_dimensions["B"].width = 18, 60
    for label, value in sheet.about:
        cover.append([_cell(cover, label, bold=True), _cell(cover, value)])
    table.freeze_panes = "A2"
    for number, heading in enumerate(sheet.headings, start=1):
        wide = min(max(len(heading) * 2 + 4, NARROWEST), WIDEST)
        table.column_dimensions[get_column_letter(number)].width = wide
    table.append([_cell(table, heading, bold=True) for heading in sheet.headings])
    for line in lines:
        table.append([_cell(table, value) for value in line])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(sheet: Any, value: Value, *, bold: bool = False) -> Any:
    cell = WriteOnlyCell(sheet)
    if isinstance(value, datetime):
        cell.value, cell.number_format = value.astimezone(SHANGHAI).replace(tzinfo=None), INSTANT
    elif isinstance(value, date):
        cell.value, cell.number_format = value, DAY
    elif isinstance(value, Decimal):
        cell.value, cell.number_format = value, MONEY
    elif isinstance(value, int) and not isinstance(value, bool):
        cell.value = value
    else:
        cell.value = "" if value is None else str(value).translate(ILLEGAL)
        cell.data_type = "s"  # text stays text, also where it begins with = + - @
    if bold:
        cell.font = BOLD
    return cell
