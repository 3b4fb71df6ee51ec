"""The empty workbook of a portfolio: lists to choose from, formats, comments at headings, a sheet that explains."""

from collections.abc import Iterator, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from api.pages import TEMPLATES
from api.portfolio.columns import COLUMNS, Column, capitals, code, day, instant, region, text, yes
from api.portfolio.jobs import MOST_ROWS
from api.portfolio.reporting import AUTHOR, BLAMED
from api.shapes import InsuredParty
from models.contracts.base import Strict
from models.contracts.policy_terms import Terms
from models.contracts.vocabulary import PolicyKind, Sector, ServiceItem, Size, Word

TOLD: Path = TEMPLATES / "insurer" / "portfolio.yaml"
OURS = frozenset({"fixed", "story"})
"""Columns of the samples, of no use to anybody else."""
SHOWN = tuple(column for column in COLUMNS if column.path not in OURS)
CHOICES: Mapping[str, type[Word]] = {"terms.sector": Sector, "terms.size": Size, "terms.kind": PolicyKind}
PARTS: Mapping[str, type[Strict]] = {"terms": Terms, "insured": InsuredParty}
SEVERAL: Mapping[str, type[Word]] = {"terms.service_items": ServiceItem}
FORMATS = {text: "@", code: "@", capitals: "@", region: "@", day: "yyyy-mm-dd", instant: "yyyy-mm-dd hh:mm"}
"""Codes as text, so that no sign of them is lost; days as days."""


def empty() -> bytes:
    """Columns, and no rows; those that must be filled in are marked. What explains stands on the second sheet."""
    book = Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(_told()["sheets"]["rows"])
    for place, column in enumerate(SHOWN, start=1):
        _head(sheet, place, column)
    sheet.freeze_panes = "A2"
    _explain(book)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _head(sheet: Worksheet, place: int, column: Column) -> None:
    letter = get_column_letter(place)
    cell = sheet.cell(1, place, column.title)
    cell.font = Font(bold=True)
    cell.comment = Comment(_help(column), AUTHOR, width=300)
    if _is_needed(column):
        cell.fill = BLAMED
    dimension = sheet.column_dimensions[letter]
    dimension.width = max(len(column.title) * 2 + 4, 12)
    dimension.number_format = FORMATS.get(column.read, "General")
    offered = tuple(_offered(column))
    if offered:
        formula, wrong = f'"{",".join(offered)}"', _told()["says"]["choose"]
        listed = DataValidation("list", formula1=formula, allow_blank=True, showErrorMessage=True, error=wrong)
        listed.add(f"{letter}2:{letter}{MOST_ROWS + 1}")
        sheet.add_data_validation(listed)


def _offered(column: Column) -> Iterator[str]:
    if column.read is yes:
        yield from _told()["says"]["yes_no"].split()
    elif column.path in CHOICES:
        yield from (word.label for word in CHOICES[column.path])


def _is_needed(column: Column) -> bool:
    """As the contract has it: a cell left empty there refuses its row."""
    part, _, name = column.path.partition(".")
    return part in PARTS and PARTS[part].model_fields[name].is_required()


def _help(column: Column) -> str:
    told = _told()["columns"].get(column.path, {})
    needed = _told()["says"]["needed" if _is_needed(column) else "may"]
    words = SEVERAL.get(column.path)
    several = "、".join(word.label for word in words) if words else ""
    return "\n".join(filter(None, (needed, told.get("help", ""), several)))


def _explain(book: Workbook) -> None:
    sheet = book.create_sheet(_told()["sheets"]["help"])
    sheet.append(_told()["says"]["heads"].split())
    for column in SHOWN:
        example = str(_told()["columns"].get(column.path, {}).get("example", ""))
        sheet.append([column.title, _help(column), "、".join(_offered(column)), example])
    sheet.append([])
    for line in _told()["says"]["rules"].strip().split("\n"):
        sheet.append([line])
    for letter, width in zip("ABCD", (20, 60, 40, 30), strict=True):
        sheet.column_dimensions[letter].width = width
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in sheet.iter_rows(min_row=2, max_row=len(SHOWN) + 1):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")


@cache
def _told() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(TOLD.read_text(encoding="utf-8"))
