"""Measures a workbook before anything is read from it: a few kilobytes may ask for more memory than there is."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from xml.parsers import expat

from api.archives import has_few_entries

MOST_COLUMNS = 200
MOST_SHEETS = 50
MOST_UNPACKED = 256 * 1024 * 1024  # bytes of all parts
MOST_RATIO = 200
SMALL = 8 * 1024 * 1024
"""Bytes that may be unpacked whatever the ratio: plain rows that are alike pack very well."""
MOST_TEXT = 64 * 1024 * 1024
"""Characters of all cells together: one shared text may be named by every cell."""
AT_ONCE = 64 * 1024
PLACE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)
SHARED, BOOK = "xl/sharedstrings.xml", "xl/workbook.xml"
OLD = b"\xd0\xcf\x11\xe0"
NO_WORKBOOK = "不是有效的 Excel 工作簿"
OLD_WORKBOOK = "请将工作簿另存为 .xlsx 格式后再导入"
TOO_BIG = "工作簿解开后过大，请拆分后导入"
TOO_MANY_SHEETS = "工作簿超过 {most} 张工作表，请只保留要导入的一张"
TOO_WIDE = "工作表超过 {most} 列，请删去多余的列"
TOO_LONG = "超过 {most} 行，请拆分后导入；没有这么多数据的，请删去表格下方多余的行"


BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    EOFError,
)
"""What readers of archives and of XML raise over bytes that are neither."""


class Unmeasured(Exception):
    """A workbook that is not read: it is none, or too large; the text is what a person is told."""


def require_measured(content: bytes, most_rows: int) -> None:
    """Every part of the workbook is looked at, under whatever name, because any of them may be named as a sheet.

    Raises Unmeasured.
    """
    if content.startswith(OLD):
        raise Unmeasured(OLD_WORKBOOK)
    if not has_few_entries(content):
        raise Unmeasured(TOO_BIG)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            _require_parts(archive, len(content), most_rows)
    except BROKEN:
        raise Unmeasured(NO_WORKBOOK) from None


def _require_parts(archive: zipfile.ZipFile, packed: int, most_rows: int) -> None:
    parts = {one.filename.lower(): one for one in archive.infolist()}
    if len(parts) != len(archive.infolist()) or BOOK not in parts:
        raise Unmeasured(NO_WORKBOOK)
    unpacked = sum(one.file_size for one in parts.values())
    if unpacked > min(MOST_UNPACKED, max(MOST_RATIO * packed, SMALL)):
        raise Unmeasured(TOO_BIG)
    measure = _Measure(most_rows)
    for name in sorted(parts, key=lambda name: name != SHARED):  # texts first, so that cells can be weighed
        pieces = _pieces(archive, parts[name])
        if name.endswith((".xml", ".rels")):
            measure.read(pieces)
        else:
            _require_no_sheet(name, pieces)


def _pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as file:
        while piece := file.read(AT_ONCE):
            yield piece


def _require_no_sheet(name: str, pieces: Iterator[bytes]) -> None:
    """No sheet hides under the name of a picture, and no other kind of workbook inside this one."""
    before = b""
    for piece in pieces:
        if b"sheetData" in before + piece:
            raise Unmeasured(NO_WORKBOOK)
        before = piece[-10:]
    if name.endswith("workbook.bin"):
        raise Unmeasured(OLD_WORKBOOK)


class _Measure:
    """What the parts of one workbook hold so far; too much of anything ends it at once."""

    def __init__(self, most_rows: int) -> None:
        self.most_rows = most_rows
        self.lengths: list[int] = []
        """Of the shared texts, in their order."""
        self.text = self.sheets = self.elements = self.row = self.column = 0
        self.reading: list[str] | None = None
        self.shares = False

    def read(self, pieces: Iterator[bytes]) -> None:
        """One part. Raises Unmeasured, ExpatError."""
        parser = expat.ParserCreate("utf-8")
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.CharacterDataHandler = self._say
        parser.buffer_text = True
        self.row = self.column = 0
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)

    def _begin(self, tag: str, given: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > (self.most_rows + 1) * MOST_COLUMNS * 3:  # also where one cell is told again and again
            raise Unmeasured(TOO_BIG)
        match tag.rpartition(":")[2]:
            case "sheetData":
                self.row = self.column = 0
                self.sheets += 1
                if self.sheets > MOST_SHEETS:
                    raise Unmeasured(TOO_MANY_SHEETS.format(most=MOST_SHEETS))
            case "row":
                self.row, self.column = int(given["r"]) if "r" in given else self.row + 1, 0
            case "c":
                self._cell(given)
            case "si":
                self.lengths.append(0)
                self.reading = []
            case "v":
                self.reading = []
            case _:
                pass

    def _cell(self, given: dict[str, str]) -> None:
        self.column, self.shares = self.column + 1, given.get("t") == "s"
        if "r" in given:
            place = PLACE.fullmatch(given["r"].upper())
            if place is None:
                raise Unmeasured(NO_WORKBOOK)
            self.column, self.row = _number(place[1]), int(place[2])
        if self.column > MOST_COLUMNS:
            raise Unmeasured(TOO_WIDE.format(most=MOST_COLUMNS))
        if self.row > self.most_rows + 1:
            raise Unmeasured(TOO_LONG.format(most=self.most_rows))

    def _say(self, said: str) -> None:
        if self.reading is not None:
            self.reading.append(said)

    def _end(self, tag: str) -> None:
        kind = tag.rpartition(":")[2]
        if kind not in ("si", "v") or self.reading is None:
            return
        written, self.reading = "".join(self.reading), None
        if kind == "si":
            self.lengths[-1] = len(written)
            return
        number = int(written) if self.shares and written.strip().isdecimal() else -1
        self.text += self.lengths[number] if 0 <= number < len(self.lengths) else len(written)
        if self.text > MOST_TEXT:
            raise Unmeasured(TOO_BIG)


def _refuse_doctype(*_: Any) -> None:
    raise Unmeasured(NO_WORKBOOK)


def _number(letters: str) -> int:
    """A → 1, Z → 26, AA → 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
