"""Files that are small on disk and huge in memory are refused in words before they are unpacked."""

import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from api.portfolio.reading import BadFile, portfolio_of

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ROWS = 5_000


def workbook(*cells: tuple[str, str]) -> bytes:
    book = Workbook()
    for place, value in cells:
        book.worksheets[0][place] = value
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def changed(content: bytes, name: str, part: str, *, under: str = "") -> bytes:
    """The workbook with this part, under its own or another name."""
    file = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
        new.writestr(under or name, part)
    return file.getvalue()


def sheet(lines: str, before: str = "") -> bytes:
    part = f'{before}<worksheet xmlns="{MAIN}"><sheetData>{lines}</sheetData></worksheet>'
    return changed(workbook(("A1", "x")), "xl/worksheets/sheet1.xml", part)


def shared(texts: str, cells: int) -> bytes:
    lines = ("<row>" + '<c t="s"><v>0</v></c>' * 100 + "</row>") * (cells // 100)
    return changed(sheet(lines), "xl/sharedStrings.xml", f'<sst xmlns="{MAIN}"><si><t>{texts}</t></si></sst>')


def refusal(name: str, content: bytes) -> tuple[str, int]:
    """Why it is refused, and the most memory that took (bytes)."""
    tracemalloc.start()
    try:
        with pytest.raises(BadFile) as bad:
            portfolio_of(Path(name), content, ROWS)
        return str(bad.value), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (workbook(("A1", "x"), ("XFD1048576", "x")), "列"),
        (workbook(("A1", "x"), ("B1048576", "x")), "行"),
        (sheet('<row r="1048576"><c><v>1</v></c></row>'), "行"),
        (sheet("<row>" + "<c><v>1</v></c>" * 300 + "</row>"), "列"),
        (sheet("<row><c><v>1</v></c></row>" * (ROWS + 2)), "行"),
        (sheet('<row r="1">' + '<c r="A1"/>' * (ROWS * 601) + "</row>"), "过大"),
        (sheet('<row><c r="A99999999999"><v>1</v></c></row>'), "不是有效的"),
        (sheet("<row/>", before='<!DOCTYPE worksheet [<!ENTITY a "aaaa">]>'), "不是有效的"),
        (sheet(" " * (64 * 1024 * 1024)), "过大"),
        (shared("长" * 30_000, 10_000), "过大"),
        (changed(workbook(), "xl/worksheets/sheet1.xml", "<worksheet><sheetData/>", under="xl/a.png"), "不是有效的"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "另存为 .xlsx"),
    ],
    ids=("corner", "far_row", "row_number", "unnumbered", "many_rows", "again", "place", "doctype", "packed", "shared",
         "hidden", "old"),
)  # fmt: skip
def test_a_workbook_larger_than_it_looks_is_refused_in_words(content: bytes, why: str) -> None:
    said, memory = refusal("保单.xlsx", content)
    assert why in said
    assert memory < 40 * 1024 * 1024


def test_a_table_is_read_no_further_than_its_last_allowed_line() -> None:
    said, memory = refusal("保单.csv", b"a,b\n" + b"\n" * (2 * 1024 * 1024))
    assert f"超过 {ROWS} 行" in said
    assert memory < 20 * 1024 * 1024


def test_a_table_of_endless_columns_is_refused() -> None:
    assert "列" in refusal("保单.csv", b"," * 1000)[0]
