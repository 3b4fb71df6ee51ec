"""What counts show: every number as a number, most first, what is overdue apart, and the floor of spending."""

import re
from datetime import date
from decimal import Decimal

import pytest

from api.drawings.bars import StageCount, progress, spark, stage_bar
from api.drawings.calendars import DueDay, Pile, calendar_strip
from api.drawings.tables import Count, Heading, Table, heat_strip, ranks
from api.drawings.tiles import City, place_map
from tests.drawings.reading import sheets
from tests.drawings.showcase import STYLE, coming, table

CSS = STYLE.read_text(encoding="utf-8")
A, B, X, Y, Z = (Heading(name, name, f"/{name}") for name in "abxyz")
SMALL = Table("x", (A, B), (X, Y, Z), {("a", "x"): Count(3), ("b", "x"): Count(41, 7, "/late"), ("b", "y"): Count(5)})


def test_each_day_to_come_has_its_number_and_its_link() -> None:
    for sheet in sheets(calendar_strip(coming(), "c", overdue=Pile(17))):
        assert [text for text in sheet.texts if text == "106"] == ["106"]
        assert any("17 件" in text for text in sheet.texts)
        assert sheet.links["/due?on=2024-10-07"] == "10月7日（周一），106 件"
        assert "另有 17 件已逾期" in sheet.said("desc")


def test_a_phone_gets_a_week_to_a_row() -> None:
    heights = {y for text, _, _, y in sheets(calendar_strip(coming(), "c"))[1].spans() if text in ("27", "9")}
    assert len(heights) == 2


def test_days_without_anything_due_say_so_and_no_days_are_refused() -> None:
    quiet = sheets(calendar_strip([DueDay(date(2024, 3, 1), 0)], "q", overdue=Pile(0)))[0]
    assert "没有到期事项" in quiet.said("desc")
    assert not any("逾期" in text for text in quiet.texts)
    with pytest.raises(ValueError, match="day"):
        calendar_strip([], "q")


def test_a_table_shows_every_number_and_both_totals_most_first() -> None:
    wide, phone = sheets(heat_strip(SMALL, "t"))
    assert {"41", "3", "5", "46", "44", "49", "逾 7"} <= set(wide.texts)
    assert wide.texts.index("b") < wide.texts.index("a")
    assert {"41 逾 7", "3", "5", "46 件"} <= set(phone.texts)
    assert wide.links["/late"] == phone.links["/late"] == "b · x：41 件，其中逾期 7 件"


def test_a_column_without_anything_is_left_out_and_that_is_said() -> None:
    wide = sheets(heat_strip(SMALL, "t"))[0]
    assert "z" not in wide.texts
    assert "没有记录的列未画出。" in wide.texts
    assert "没有记录的列未画出。" not in sheets(heat_strip(Table("x", (A,), (X,), SMALL.cells), "t"))[0].texts


def test_long_english_words_stand_upright_over_their_columns() -> None:
    names = tuple(Heading(name, name) for name in ("hazardous chemicals", "metal smelting", *map(str, range(13))))
    wide = sheets(heat_strip(Table("x", (A,), names, {("a", name.key): Count(1) for name in names}), "e"))[0]
    turned = [text.text for text in wide.root.iter("text") if "transform" in text.attrib]
    assert "hazardous chemicals" in turned
    assert len(turned) == 15


def test_a_table_with_nothing_in_it_can_be_drawn() -> None:
    assert "没有记录" in sheets(heat_strip(Table("x", (A,), (X,), {}), "n"))[1].texts
    assert sheets(heat_strip(Table("x", (), (), {}), "n"))[0].said("desc") == "共 0 件，其中逾期 0 件。"


def test_shades_follow_the_rank_and_never_the_size() -> None:
    assert ranks([0, 1, 2, 3, 1000]) == {0: 0, 1: 1, 2: 2, 3: 3, 1000: 4}
    assert max(ranks(list(range(100))).values()) == 4


def test_panels_of_many_places_name_them_all() -> None:
    for sheet in sheets(heat_strip(table(6), "p")):
        assert {"埇桥区", "砀山县", "萧县", "灵璧县", "泗县"} <= set(sheet.texts)


def test_tiles_say_that_they_are_no_map() -> None:
    city = City(Heading("341300", "宿州市"), ((A, Count(1)), (B, Count(2, 1))))
    for sheet in sheets(place_map((city,), "m")):
        assert any("不代表地理位置" in text for text in sheet.texts)
        assert {"a", "b", "1", "2", "逾 1", "3 件"} <= set(sheet.texts)


def test_a_stage_with_nothing_is_still_named() -> None:
    for sheet in sheets(stage_bar((StageCount("已签署", 0), StageCount("已上传", 9, "/u")), "s")):
        assert {"已签署", "0 件", "已上传", "9 件"} <= set(sheet.texts)
        assert sheet.links["/u"] == "已上传 9 件 100 %"
    assert sheets(stage_bar((StageCount("已签署", 0),), "s"))[0].said("desc") == "共 0 件，已签署 0 件。"


def test_a_tiny_line_says_all_its_values() -> None:
    (line,) = sheets(spark((3, 0, 9), "到期", "l"))
    assert (line.said("title"), line.said("desc"), line.texts) == ("到期走势", "依次为 3、0、9。", ["9"])
    assert sheets(spark((), "到期", "l"))[0].texts == ["没有记录"]


@pytest.mark.parametrize(
    ("spent", "verdict"), [("11999.99", "还差 0.01 元"), ("12000.00", "已达下限"), ("0", "还差 12,000.00 元")]
)
def test_spending_reaches_its_floor_to_the_cent(spent: str, verdict: str) -> None:
    for sheet in sheets(progress(Decimal(spent), Decimal("100000.00"), Decimal("0.12"), "p")):
        assert verdict in sheet.texts
        assert "下限 12,000.00 元（12 %）" in sheet.texts


def test_a_policy_without_premium_has_no_share() -> None:
    assert "已列支 0.00 元（0 %）" in sheets(progress(Decimal(0), Decimal(0), Decimal("0.12"), "p"))[0].texts


def colour(name: str) -> str:
    """The first colour a class is filled with, a custom property by its fallback."""
    found = re.search(rf"\.drawing [\w.]*\.{name}\b[^{{]*{{[^}}]*fill: (?:var\([^,]+, )?(#\w+)", CSS)
    assert found, name
    return found[1]


def light(hexed: str) -> float:
    digits = hexed[1:] if len(hexed) == 7 else "".join(digit * 2 for digit in hexed[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("front", "ground"),
    [("quiet", name) for name in ("lane", "rest", "counted", "rest_counted", "rest_skipped", "suspended", "s0")]
    + [("ink", name) for name in ("s1", "s2", "light", "pale")]
    + [("paper", name) for name in ("s3", "s4", "deep", "mid", "due", "full")]
    + [("red", "lane")],
)
def test_words_can_be_read_on_their_ground(front: str, ground: str) -> None:
    one, other = sorted((light(colour(front)), light(colour(ground))), reverse=True)
    assert (one + 0.05) / (other + 0.05) >= 4.5
