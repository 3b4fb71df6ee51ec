"""A workbook opens whatever people wrote into it, and computes nothing of it."""

from io import BytesIO

import pytest
from openpyxl import load_workbook

from domain.workbook import Sheet, written

SHEET = Sheet("说明", "明细", [("收件", "应急管理局")], ("内容",))


def opened(text: str) -> str:
    book = load_workbook(BytesIO(written(SHEET, [[text], ["另一件"]])))
    rows = list(book["明细"].iter_rows(values_only=True))
    assert rows[2] == ("另一件",)
    return str(rows[1][0])


@pytest.mark.parametrize("letter", ["\x00", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_a_letter_no_workbook_may_hold_is_left_out_and_the_rest_is_read(letter: str) -> None:
    assert opened(f"围墙{letter}开裂") == "围墙开裂"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("https://example.org")'])
def test_what_looks_like_a_formula_stays_text(text: str) -> None:
    assert opened(text) == text
