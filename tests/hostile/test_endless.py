"""A few kilobytes made to be looked at for minutes: told apart, refused or left as they are before that is done."""

import io
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import thread_time
from typing import TypeVar

import pytest
from PIL import Image

from api.desk.retelling import retold
from api.desk.tongues import in_english
from api.files import sniff
from api.limits import SPELT_OUT, strict_json
from api.photographs import MOST_SCANS, Unreadable, made_anew
from api.portfolio.reading import Portfolio, portfolio_of
from api.problems import Problem
from api.tools import Budgets
from tests.authorization.world import PAGES, World

SECONDS_OF_WORK = 3
"""Of this thread's own CPU; each of these took many times as long, and all others waited."""
MEBIBYTE = 1024 * 1024
HEADINGS = "保单号,地区代码,行业,规模,签署时间,投保单位,既往事实"
T = TypeVar("T")


def soon(work: Callable[[], T]) -> T:
    began = thread_time()
    done = work()
    assert thread_time() - began < SECONDS_OF_WORK
    return done


def table(**cells: str) -> Portfolio:
    """One row, with these cells among what is needed."""
    row = {"保单号": "P-1", "地区代码": "341300", "行业": "危险化学品", "规模": "中型"} | cells
    line = ",".join(row.get(heading, "") for heading in HEADINGS.split(","))
    return portfolio_of(Path("a.csv"), f"{HEADINGS}\n{line}\n".encode(), 10)


@pytest.mark.parametrize("end", [b"", b"\\"], ids=("cut off", "cut off within an escape"))
def test_a_string_that_is_never_closed_is_read_once(end: bytes) -> None:
    """Of anybody's: a body is read before it is asked who sent it."""
    budgets = Budgets()
    many = b"[" * (budgets.nesting + 1) + b'"' + b'\\"' * 120_000 + end

    def read() -> str:
        with pytest.raises(Problem) as refused:
            strict_json(many, budgets.nesting)
        return refused.value.code

    assert soon(read) == "too_deep"


@pytest.mark.parametrize(
    "cells",
    [{"既往事实": "上传电子保单" + " " * 120_000 + "x"}, {"保单号": "P" + "\u0301\u0327" * 60_000}],
    ids=("blanks", "marks"),
)
def test_a_cell_nobody_fills_in_is_refused_unread(cells: dict[str, str]) -> None:
    [row] = soon(lambda: table(**cells)).rows
    assert "过长" in str(row.faults[0])


@pytest.mark.parametrize(
    "written",
    [
        "中" + "：" * 60 + "的" * 60 + "由“" * 60 + "”改为“" * 55 + "中",
        "a：" * 290 + "中",
        "中" + "。" * 590,
        "（" * 290 + "中" + "）" * 290,
        "自2026年3月1日起 " * 40,
    ],
    ids=("many ways", "within another", "many ends", "brackets", "again and again"),
)
def test_a_sentence_that_fits_every_form_stays_as_it_was_written(written: str) -> None:
    assert soon(lambda: retold(written)) is None


def test_blanks_within_a_sentence_are_looked_at_once() -> None:
    written = "".join(f"<p>甲{' ' * 1990}乙{number}</p>" for number in range(60))
    assert soon(lambda: in_english(written)).count("乙") == 60


def progressive(passes: int) -> bytes:
    """A large grey picture whose last pass comes so often; a few hundred bytes each."""
    written = io.BytesIO()
    Image.new("L", (1200, 1200), 128).save(written, "JPEG", progressive=True)
    content = written.getvalue()
    at = content.rindex(b"\xff\xda")
    return content[:at] + content[at:-2] * passes + b"\xff\xd9"


async def test_a_photograph_of_endless_passes_is_refused_before_the_first() -> None:
    with pytest.raises(Unreadable):
        await made_anew(progressive(2 * MOST_SCANS), "image/jpeg")
    film = b"\xff\xda" * 1000
    assert (await made_anew(progressive(1) + film, "image/jpeg")).media_type == "image/jpeg"


def test_an_archive_of_endless_entries_is_no_document_and_takes_no_room() -> None:
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, 0, *(0,) * 7, 1, *(0,) * 6) + b"a"
    listed = entry * 100_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *(100_000 & 0xFFFF,) * 2, len(listed), 30, 0)
    content = b"PK\x03\x04" + bytes(26) + listed + end
    tracemalloc.start()
    try:
        assert sniff(content) is None
        assert tracemalloc.get_traced_memory()[1] < 8 * MEBIBYTE
    finally:
        tracemalloc.stop()


async def test_a_form_of_nothing_but_marks_is_cut_off_while_it_is_small(world: World) -> None:
    """Whoever holds a letter may hand in photographs, and a form without any is as small as every other."""
    own, sent = world.holdings["own"].ids, PAGES | {"Content-Type": "application/x-www-form-urlencoded"}
    for path in (f"/l/{own['link']}", f"/l/{'L' * 43}", "/language"):
        answer = await world.http.post(path, content=b"&" * (Budgets().body * SPELT_OUT + 1), headers=sent)
        assert answer.status_code == 413, path
