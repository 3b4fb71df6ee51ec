"""What holds of every drawing: it is safe, read aloud, small, inside its sheet, and speaks one language."""

import re
from collections import Counter
from collections.abc import Callable
from string import Formatter
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from api.drawings import words
from api.drawings.bars import StageCount, stage_bar
from api.drawings.svg import Sheet
from api.drawings.words import Speech
from domain.wording import SUSPENDED, WEEKDAYS
from models.contracts.vocabulary import DayMark
from tests.drawings.reading import everything, sheets
from tests.drawings.showcase import STYLE, drawings, english

DRAWINGS = drawings()
ENGLISH = drawings(lambda said: english().get(said, said))
CSS = STYLE.read_text(encoding="utf-8")
REFERS = re.compile(r"url\(#([^)]+)\)")
LARGEST = 60_000  # bytes: a page may hold one of them and stay under its hundred kilobytes
Spoken = dict[str, Callable[[], Markup]]
every = pytest.mark.parametrize("name", DRAWINGS)


def elements(name: str) -> list[ElementTree.Element]:
    return everything(DRAWINGS[name]())


@every
def test_it_is_well_formed_and_carries_no_style_and_no_script(name: str) -> None:
    for element in elements(name):
        assert element.tag not in ("style", "script", "foreignObject", "image", "use")
        assert [key for key in element.attrib if key == "style" or key.startswith("on")] == []


@every
def test_each_sheet_says_in_a_sentence_what_is_seen(name: str) -> None:
    for sheet in sheets(DRAWINGS[name]()):
        assert sheet.said("title")
        assert sheet.said("desc").endswith("。")
        assert sheet.root.attrib["role"] == ("group" if sheet.links else "img")
        for key in ("aria-labelledby", "aria-describedby"):
            assert sheet.root.find(f"*[@id='{sheet.root.attrib[key]}']") is not None


@every
def test_what_is_referred_to_is_there(name: str) -> None:
    ids = {element.attrib["id"] for element in elements(name) if "id" in element.attrib}
    assert set(REFERS.findall(DRAWINGS[name]())) <= ids


def test_all_drawings_of_one_page_share_no_id() -> None:
    ids = Counter(element.attrib["id"] for name in DRAWINGS for element in elements(name) if "id" in element.attrib)
    assert [one for one, times in ids.items() if times > 1] == []


@every
def test_every_class_is_known_to_the_stylesheet(name: str) -> None:
    used = {word for element in elements(name) for word in element.attrib.get("class", "").split()}
    assert {word for word in used if not re.search(rf"\.{word}\b", CSS)} == set()


@every
@pytest.mark.parametrize("spoken", [DRAWINGS, ENGLISH], ids=["zh", "en"])
def test_all_words_stand_on_the_sheet(name: str, spoken: Spoken) -> None:
    for sheet in sheets(spoken[name]()):
        across, high = sheet.box
        for text, left, right, y in sheet.spans():
            assert left >= -2, text
            assert right <= across + 2, text
            assert 10 <= y <= high, text


@every
@pytest.mark.parametrize("spoken", [DRAWINGS, ENGLISH], ids=["zh", "en"])
def test_no_two_texts_lie_on_each_other(name: str, spoken: Spoken) -> None:
    for sheet in sheets(spoken[name]()):
        placed = list(sheet.spans())
        for number, (text, left, right, y) in enumerate(placed):
            for other, start, end, line in placed[number + 1 :]:
                assert abs(y - line) > 8 or right <= start + 3 or end <= left + 3, f"{text} / {other}"


@every
def test_it_is_small(name: str) -> None:
    assert len(DRAWINGS[name]().encode()) < LARGEST


def test_letters_are_never_smaller_than_twelve_units() -> None:
    assert min(map(int, re.findall(r"font-size: (\d+)px", CSS))) >= 12


@every
def test_every_word_of_ours_can_be_in_another_language(name: str) -> None:
    """Whatever is still Chinese under a translation was given by the caller."""
    given = {text for sheet in sheets(DRAWINGS[name]()) for text in sheet.texts}
    other = drawings(lambda text: re.sub("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+", "w", text))[name]()
    spoken = "".join(
        text for sheet in sheets(other) for text in [*sheet.texts, sheet.said("title"), sheet.said("desc")]
    )
    ours = "今天|合计|逾期|应于|还剩|计入|没有|下限|列支|最多|方块图|隐患|理赔|到期日|[一二三四五六日]月"
    assert given
    assert re.findall(ours, spoken) == []


def known_words() -> list[str]:
    """Every word of the drawings and every mark of a day, one by one; a form is asked for as it is written."""
    own = (value for name, value in vars(words).items() if name.isupper() and isinstance(value, str))
    forms = {words.MONTH, words.WEEKDAY, WEEKDAYS}
    filled = [f"{month}月" for month in range(1, 13)] + [f"周{letter}" for letter in WEEKDAYS]
    return [*(word for word in own if word not in forms), *filled, *(mark.label for mark in DayMark), SUSPENDED]


@pytest.mark.parametrize("word", known_words())
def test_every_word_has_its_english_with_the_same_gaps(word: str) -> None:
    gaps = {name for _, name, _, _ in Formatter().parse(word) if name}
    theirs = {name for _, name, _, _ in Formatter().parse(english()[word]) if name}
    assert gaps - {"month"} <= theirs <= gaps | ({"name"} if "month" in gaps else set())


def test_hostile_names_stay_words() -> None:
    hostile = '<script>alert("1")</script>" onload="x&'
    drawn = stage_bar((StageCount(hostile, 3, '/x?"><script>'),), "hostile")
    assert "<script" not in drawn
    assert [element for element in everything(drawn) if "onload" in element.attrib] == []
    assert hostile in sheets(drawn)[1].said("desc")


@pytest.mark.parametrize("href", ["javascript:alert(1)", "//elsewhere", "/\\elsewhere", "https://elsewhere/", " /x"])
def test_a_link_leads_to_our_own_pages(href: str) -> None:
    with pytest.raises(ValueError, match=re.escape(href)):
        Sheet("x", narrow=True).link(href, "x", lambda: None)


def test_a_text_is_cut_only_where_it_does_not_fit() -> None:
    sheet = Sheet("x", narrow=True)
    assert sheet.wrapped("hazardous chemicals", 80) == ("hazardous", "chemicals")
    assert sheet.wrapped("water works construction", 130, most=1) == ("water works co…",)
    assert sheet.wrapped("危险化学品", 44) == ("危险化", "学品")
    assert sheet.balanced("危险化学品生产", 60) == ("危险化学", "品生产")
    assert sheet.balanced("应于2027年9月14日", 90) == ("应于2027年", "9月14日")
    assert sheet.wrapped("  ", 44) == ()


@pytest.mark.parametrize("prefix", ["1x", 'a"b', "a b"])
def test_a_prefix_begins_an_id(prefix: str) -> None:
    with pytest.raises(ValueError, match=re.escape(prefix)):
        stage_bar((), prefix)


@pytest.mark.parametrize(
    ("word", "one", "two"),
    [
        (words.LEFT, "1 day left", "2 days left"),
        (words.LATE_BY, "1 day overdue", "2 days overdue"),
        (words.HAZARDS_SAID, "1 hazard, 0 open", "2 hazards, 0 open"),
    ],
)
def test_one_is_counted_as_one_in_english(word: str, one: str, two: str) -> None:
    say = Speech(lambda said: english()[said])
    assert [say(word, n=1, open=0), say(word, n=2, open=0)] == [one, two]
