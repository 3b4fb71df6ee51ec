"""Writes the result of an import beside its file: the same rows with outcome, id and reason; decides nothing."""

import csv
import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from api.portfolio.columns import Cell, layout
from api.portfolio.parcels import Result
from api.portfolio.reading import Portfolio, Row
from domain.workbook import ILLEGAL

ADDED = ("结果", "案件编号", "原因")
COMPUTES = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet program would take for a formula when it opens a CSV file."""
WIDEST = 40  # characters
AUTHOR = "anze"
BROAD, LINE, SIGN = 260, 20, 14
"""Of a comment: its width, the height of a line, the width of a Chinese sign; pixels."""
BLAMED = PatternFill("solid", fgColor="FFF5DC")


def write_report(portfolio: Portfolio, results: Mapping[int, Result]) -> Path:
    """FILE.result.csv or FILE.result.xlsx. Raises OSError where it cannot be written."""
    ending = ".csv" if portfolio.is_table else ".xlsx"
    path = portfolio.path.with_name(f"{portfolio.path.stem}.result{ending}")
    draft = path.with_name(f".{path.name}.draft")
    lines = [_line(portfolio, row, results[row.line]) for row in portfolio.rows]
    (_write_table if portfolio.is_table else _write_workbook)(draft, portfolio, lines)
    os.replace(draft, path)
    return path


def _line(portfolio: Portfolio, row: Row, result: Result) -> list[Cell]:
    width = len(portfolio.headings)
    cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
    reasons = "；".join(str(fault) for fault in result.faults)
    return [*cells, result.outcome.label, result.case_id, reasons]


def _write_table(path: Path, portfolio: Portfolio, lines: Iterable[list[Cell]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=portfolio.separator)
        writer.writerow([*portfolio.headings, *ADDED])
        writer.writerows([[_harmless(cell) for cell in line] for line in lines])


def _harmless(cell: Cell) -> str:
    """Text from elsewhere is never computed by who opens the report."""
    written = "" if cell is None else str(cell)
    return f"'{written}" if written.startswith(COMPUTES) and not _is_number(written) else written


def _is_number(written: str) -> bool:
    return written.lstrip("+-").replace(".", "", 1).isdigit()


def _write_workbook(path: Path, portfolio: Portfolio, lines: Iterable[list[Cell]]) -> None:
    _workbook(portfolio, lines).save(path)


def annotated(portfolio: Portfolio, results: Mapping[int, Result]) -> bytes:
    """The rows as a workbook with outcome, id and reason, and a comment at each cell that is to blame."""
    lines = [_line(portfolio, row, results[row.line]) for row in portfolio.rows if row.line in results]
    book = _workbook(portfolio, lines)
    sheet = book.worksheets[0]
    columns = {column.title: place + 1 for place, column in layout(portfolio.headings).items()}
    told = [results[row.line] for row in portfolio.rows if row.line in results]
    for number, result in enumerate(told, start=2):
        for fault in result.faults:
            cell = sheet.cell(number, columns.get(fault.column, len(portfolio.headings) + 1))
            cell.comment = Comment(fault.reason, AUTHOR, height=_height(fault.reason), width=BROAD)
            cell.fill = BLAMED
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _height(said: str) -> int:
    """As many lines as the sentence takes, so that a list of choices is read without pulling at the box."""
    return LINE * (2 + len(said) * SIGN // BROAD)


def _workbook(portfolio: Portfolio, lines: Iterable[list[Cell]]) -> Workbook:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    _put(sheet, 1, [*portfolio.headings, *ADDED])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for number, line in enumerate(lines, start=2):
        _put(sheet, number, line)
    sheet.freeze_panes = "A2"
    for column, heading in enumerate([*portfolio.headings, *ADDED], start=1):
        sheet.column_dimensions[get_column_letter(column)].width = min(max(len(heading) * 2 + 2, 12), WIDEST)
    return book


def _put(sheet: Worksheet, number: int, line: Iterable[Cell]) -> None:
    """One line of cells; text from elsewhere is never a formula, and loses what no workbook may hold."""
    for column, value in enumerate(line, start=1):
        if isinstance(value, int | float | date | datetime):
            sheet.cell(number, column, value)
        else:
            sheet.cell(number, column, str(value or "").translate(ILLEGAL)).data_type = "s"
