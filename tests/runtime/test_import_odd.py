"""Workbooks as people really send them: what can be read is read, what was lost on the way is said to be lost."""

from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from api.portfolio.checking import contract_faults
from api.portfolio.columns import Unreadable, application, capitals, code, count, day, instant, layout, money, text
from api.portfolio.parcels import NOT_OF_THE_APPLICATION, Outcome, Result
from api.portfolio.reading import BadFile, portfolio_of
from api.portfolio.reporting import annotated
from api.portfolio.template import SHOWN, empty
from models.contracts.vocabulary import Sector

CELLS = {
    "保单号": "PA-1", "地区代码": 341300, "行业": "危险化学品", "规模": "中型", "签署时间": datetime(2026, 3, 1, 9),  # noqa: DTZ001
    "生效日期": date(2026, 3, 2), "届满日期": "2027/3/1", "保费总额": 86000.5, "从业人数": 128, "投保人数": 128,
    "投保单位": "某化工有限公司", "统一社会信用代码": "91341300MA2NXR5T8H", "邮箱": "anquan@hg.example",
}  # fmt: skip


def book(*rows: dict[str, Any], merged: str = "") -> bytes:
    whole = Workbook()
    sheet = whole.worksheets[0]
    sheet.append(list(CELLS))
    for changed in rows:
        sheet.append(list((CELLS | changed).values()))
    if merged:
        sheet.merge_cells(merged)
    file = BytesIO()
    whole.save(file)
    return file.getvalue()


def faults(content: bytes, line: int = 2) -> list[str]:
    """What is wrong with one row, as the person who sent it is told."""
    row = next(row for row in portfolio_of(Path("保单.xlsx"), content).rows if row.line == line)
    values = {path: value for path, value in row.values.items() if path not in NOT_OF_THE_APPLICATION}
    return [str(fault) for fault in row.faults or contract_faults(application(values))[1]]


def test_full_width_signs_blanks_and_small_letters_are_read_as_they_were_meant() -> None:
    assert code("　ＰＡ－２０２６－１\u200b ") == "PA-2026-1"
    assert capitals("91341300ma2nxr5t8h ") == "91341300MA2NXR5T8H"
    assert (count("１２８"), money("￥８６，０００．００")) == (128, "86000.00")
    assert (day("２０２６／３／１"), instant("２０２６－０３－０１　２３：５９").hour) == (date(2026, 3, 1), 23)


@pytest.mark.parametrize("number", [12345678901234567, 1e15])
def test_a_number_that_lost_its_last_digits_in_the_spreadsheet_is_not_taken_for_what_was_typed(number: float) -> None:
    with pytest.raises(Unreadable, match="15 位"):
        text(number)
    assert text(123456789012345.0) == "123456789012345"


def test_a_day_that_stands_there_as_a_plain_number_says_what_to_do() -> None:
    assert faults(book({"生效日期": 46346})) == ["生效日期：单元格是数字，请设为日期格式，或者写作 2026-01-31"]


def test_units_and_marks_behind_a_heading_are_no_part_of_it() -> None:
    found = layout(["保单号*", "保费总额（元）", "签署时间 (北京时间)"])
    assert [column.path for column in found.values()] == ["terms.number", "terms.premium_total", "terms.signed_at"]


@pytest.mark.parametrize("heading", ["保费总额（万元）", "每人限额(单位：万元)", "从业人数（百人）", "保费总额(k CNY)"])
def test_an_amount_in_another_unit_is_not_taken_for_yuan(heading: str) -> None:
    headings = [title for title in CELLS if not heading.startswith(title)]
    with pytest.raises(BadFile, match="请换算后再导入"):
        portfolio_of(Path("保单.csv"), ",".join([*headings, heading]).encode())


def test_a_report_can_be_written_whatever_stands_in_the_file_and_computes_nothing() -> None:
    titles, cells = [*CELLS, "=1+1", "备\x01注"], [*map(str, CELLS.values()), "=2+2", "甲\x01乙"]
    read = portfolio_of(Path("保单.csv"), "\n".join(map(",".join, (titles, cells))).encode())
    report = annotated(read, {row.line: Result(row.line, row.number, Outcome.VALID) for row in read.rows})
    sheet = load_workbook(BytesIO(report)).worksheets[0]
    own = [line[len(CELLS) :][:2] for line in sheet.iter_rows()]
    assert [[cell.value for cell in line] for line in own] == [["=1+1", "备注"], ["=2+2", "甲乙"]]
    assert {cell.data_type for line in own for cell in line} == {"s"}


def test_of_merged_cells_only_the_first_has_a_value_and_the_other_row_says_what_it_lacks() -> None:
    content = book({}, {"保单号": "PA-2"}, merged="K2:K3")
    assert (faults(content), faults(content, 3)) == ([], ["投保单位：必填"])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("保单.xlsx", "保单号,地区代码\nPA-1,341300\n".encode(), "改名为 .csv"),
        ("保单.csv", book({}), "改回 .xlsx"),
        ("保单.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "另存为 .xlsx"),
    ],
)
def test_a_file_under_another_kinds_name_is_told_apart(name: str, content: bytes, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        portfolio_of(Path(name), content)


def test_the_empty_workbook_offers_lists_explains_every_column_and_is_itself_a_portfolio_without_rows() -> None:
    whole = load_workbook(BytesIO(empty()))
    rows, told = whole.worksheets
    assert portfolio_of(Path("模板.xlsx"), empty()).rows == ()
    offered = {str(one.sqref).partition("2:")[0]: one.formula1 for one in rows.data_validations.dataValidation}
    sector = next(cell for cell in rows[1] if cell.value == "行业")
    assert offered[sector.column_letter] == f'"{",".join(word.label for word in Sector)}"'
    assert all(len(formula) <= 257 for formula in offered.values())  # Excel takes 255 signs between the quotes
    needed = {str(cell.value) for cell in rows[1] if cell.comment and cell.comment.text.startswith("必填")}
    assert needed == set(CELLS)
    explained = {row[0].value: row for row in told.iter_rows(min_row=2)}
    assert all(explained[column.title][1].value and explained[column.title][3].value for column in SHOWN)
    assert rows.column_dimensions["A"].number_format == "@"
