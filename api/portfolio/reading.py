"""Reads a portfolio file, CSV or workbook, into rows; a bad cell spoils its row, never the file."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from api.portfolio.columns import TITLES, Cell, Column, Unreadable, layout
from api.portfolio.measuring import MOST_COLUMNS, OLD, TOO_LONG, TOO_WIDE, Unmeasured, require_measured
from api.portfolio.words import MISNAMED_BOOK, MISNAMED_TABLE

ENCODINGS = ("utf-8-sig", "gb18030")
SEPARATORS = ",\t;"
TABLES = frozenset({".csv", ".tsv", ".txt"})
"""Endings of files that are text; every other one is opened as a workbook."""
LARGEST = 50 * 1024 * 1024
MOST_ROWS = 100_000
PACKED = b"PK\x03\x04"
REQUIRED = ("terms.number", "terms.region", "terms.sector", "terms.size", "terms.signed_at", "insured.name")


class BadFile(Exception):
    """A file that is no portfolio; the text is what a person is told."""


@dataclass(frozen=True)
class Fault:
    """Why a row is not taken: the column, where one is to blame, and the reason."""

    column: str
    reason: str

    def __str__(self) -> str:
        return f"{self.column}：{self.reason}" if self.column else self.reason


@dataclass(frozen=True)
class Row:
    """One line of the file: its number as people count, its values by path, and what is wrong with it."""

    line: int
    cells: tuple[Cell, ...]
    values: dict[str, Any]
    faults: tuple[Fault, ...] = ()

    @property
    def number(self) -> str:
        return str(self.values.get("terms.number", ""))


@dataclass(frozen=True)
class Portfolio:
    """A file that was read; `ignored` are headings nobody knows."""

    path: Path
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    ignored: tuple[str, ...]
    digest: str
    separator: str = ","

    @property
    def is_table(self) -> bool:
        return self.path.suffix.lower() in TABLES


def read_portfolio(path: Path) -> Portfolio:
    """Raises BadFile with a sentence for people."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadFile(f"无法打开 {path}：{error.strerror}") from None
    return portfolio_of(path, content)


def portfolio_of(path: Path, content: bytes, most_rows: int = MOST_ROWS) -> Portfolio:
    """A file that is in memory already; `path` is its name. Raises BadFile."""
    if len(content) > LARGEST:
        raise BadFile(f"文件超过 {LARGEST // 1024 // 1024} MB，请拆分后导入")
    is_table = path.suffix.lower() in TABLES
    if is_table and content.startswith((PACKED, OLD)):
        raise BadFile(MISNAMED_BOOK)
    separator, lines = _of_text(content, most_rows) if is_table else (",", _of_workbook(content, most_rows))
    if len(lines) > most_rows + 1:
        raise BadFile(TOO_LONG.format(most=most_rows))
    return _portfolio(path, lines, sha256(content).hexdigest(), separator)


def _of_text(content: bytes, most_rows: int) -> tuple[str, list[tuple[int, Sequence[Cell]]]]:
    """Reading ends one line after the last that is allowed: that there are more is all one needs to know."""
    written = _decoded(content)
    heading = written.split("\n", 1)[0]
    separator = max(SEPARATORS, key=heading.count)
    reader = csv.reader(io.StringIO(written, newline=""), delimiter=separator)
    try:
        lines: list[tuple[int, Sequence[Cell]]] = [(reader.line_num, cells) for cells in islice(reader, most_rows + 2)]
    except csv.Error:
        raise BadFile("不是有效的 CSV 文件") from None
    if any(len(cells) > MOST_COLUMNS for _, cells in lines):
        raise BadFile(TOO_WIDE.format(most=MOST_COLUMNS))
    return separator, lines


def _decoded(content: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadFile("文字编码无法识别，请另存为 UTF-8 或 GB18030")


def _of_workbook(content: bytes, most_rows: int) -> list[tuple[int, Sequence[Cell]]]:
    """The first sheet; formulas count with the value the spreadsheet program last computed."""
    if content and not content.startswith((PACKED, OLD)):
        raise BadFile(MISNAMED_TABLE)
    try:
        require_measured(content, most_rows)
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        cells = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except Unmeasured as why:
        raise BadFile(str(why)) from None
    except (CalamineError, IndexError, OSError, ValueError):
        raise BadFile("不是有效的 Excel 工作簿") from None
    return list(enumerate(cells, start=1))


def _portfolio(path: Path, lines: list[tuple[int, Sequence[Cell]]], digest: str, separator: str) -> Portfolio:
    if not lines:
        raise BadFile("文件是空的")
    (_, headings), *rest = lines
    try:
        columns = layout(headings)
    except Unreadable as twice:
        raise BadFile(str(twice)) from None
    missing = [path for path in REQUIRED if path not in {column.path for column in columns.values()}]
    if missing:
        raise BadFile("第一行须为列名，缺少：" + "、".join(TITLES[path] for path in missing))
    titles = tuple(str(heading or "").strip() for heading in headings)
    ignored = tuple(title for position, title in enumerate(titles) if title and position not in columns)
    rows = tuple(_rows(rest, columns))
    return Portfolio(path, titles, rows, ignored, digest, separator)


def _rows(lines: list[tuple[int, Sequence[Cell]]], columns: dict[int, Column]) -> Iterator[Row]:
    seen: dict[tuple[object, object], int] = {}
    for line, cells in lines:
        if all(_empty(cell) for cell in cells):
            continue
        values, faults = _values(cells, columns)
        known = (values.get("insurer"), values.get("terms.number"))
        if known[1] and known in seen:
            faults.append(Fault("保单号", f"与第 {seen[known]} 行重复"))
        seen.setdefault(known, line)
        yield Row(line, tuple(cells), values, tuple(faults))


def _values(cells: Sequence[Cell], columns: dict[int, Column]) -> tuple[dict[str, Any], list[Fault]]:
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for position, column in columns.items():
        cell = cells[position] if position < len(cells) else None
        if _empty(cell):
            continue
        try:
            values[column.path] = column.read(cell)
        except Unreadable as unreadable:
            faults.append(Fault(column.title, str(unreadable)))
    return values, faults


def _empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
