"""A list as a workbook: what was asked for on the first sheet, the lines on the second; no formula is ever written."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import Response
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from api.desk.exportwords import EVERYTHING, FILTERS, NO, ONE_AT_A_TIME, YES
from api.desk.frame import Visit
from api.desk.lists import Asked
from api.desk.words import namer, translator
from api.problems import Problem
from api.words import ProblemCode
from domain.calendar import SHANGHAI
from domain.places import region_name
from models.contracts.vocabulary import Word

MOST_ROWS = 50_000
"""More than this is told to be narrowed down."""
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST, NARROWEST = 40, 10  # characters
DAY, INSTANT, MONEY = "yyyy-mm-dd", "yyyy-mm-dd hh:mm", "#,##0.00"
BOLD = Font(bold=True)
ILLEGAL = {code: None for code in range(32) if code not in (9, 10, 13)}
"""Characters no workbook may hold."""
L = TypeVar("L")
Value = str | int | Decimal | date | datetime | bool | None


@dataclass(frozen=True)
class Sheet:
    """What a workbook is made of: headings with the lines under them, and what the first sheet says of it."""

    cover: str
    """The first sheet's name."""
    name: str
    about: Sequence[tuple[str, Value]]
    """Facts of the export: who, when, with which filters, how many."""
    headings: Sequence[str]


@contextmanager
def alone(visit: Visit) -> Iterator[None]:
    """One export at a time for each caller of this process. Raises Problem 429."""
    state = visit.request.app.state
    if not hasattr(state, "exporting"):
        state.exporting = set()
    busy, who = state.exporting, visit.caller.user_id or visit.caller.owner
    if who in busy:
        again = {"Retry-After": str(visit.entry.tools.budgets.retry_after)}
        raise Problem(ProblemCode.TOO_MANY, translator(visit.language)(ONE_AT_A_TIME), headers=again)
    busy.add(who)
    try:
        yield
    finally:
        busy.discard(who)


def asked_in_words(visit: Visit, asked: Asked) -> str:
    """行业：危险化学品；已逾期：是"""
    t, said = translator(visit.language), namer(visit.language)
    kinds: dict[str, tuple[Word, ...]] = {"stage": asked.stages, "grade": asked.grades}
    found: list[str] = []
    given: dict[str, Any] = asked.filters.model_dump(exclude_defaults=True, exclude={"cursor", "limit"})
    for name, value in given.items():
        shown = next((said(one) for one in kinds.get(name, ()) if one.value == value), said(value))
        shown = t(YES if value else NO) if isinstance(value, bool) else shown
        found.append(f"{t(FILTERS[name])}：{region_name(str(value)) if name == 'region' else shown}")
    return "；".join(found) or t(EVERYTHING)


async def workbook(sheet: Sheet, rows: Sequence[L], line: Callable[[L], Sequence[Value]]) -> bytes:
    """The file's bytes, made beside the requests: best called after the transaction that read the rows."""
    return await asyncio.to_thread(lambda: _written(sheet, map(line, rows)))


def _written(sheet: Sheet, lines: Iterable[Sequence[Value]]) -> bytes:
    """The header row stays in sight, days are days and amounts are numbers."""
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


def download(content: bytes, name: str) -> Response:
    """The workbook as an answer that is saved, never shown."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


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
