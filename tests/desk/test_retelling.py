"""Everything the domain says is known in English: words, packs, sentences; what people wrote is left as it is."""

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from string import Formatter
from time import thread_time

import pytest

from api.desk.retelling import (
    CHINESE,
    ENTRIES,
    FORMS,
    GAPS,
    WORDS,
    entry_names,
    labels,
    retold,
    sentences,
    word_names,
    written,
)
from api.desk.tongues import in_english
from api.desk.words import Language, namer
from api.pages import TEMPLATES
from domain import wording
from domain.calendar import SHANGHAI
from models.contracts.clock import Projection
from models.contracts.vocabulary import Role
from rules.library import Library
from runtime.documents import vocabularies
from runtime.settings import PROJECT_ROOT

LIBRARY = Library()
SPEAKS = ("domain", "api/claims", "api/portfolio", "api/words.py", "rules/reading.py", "rules/difference.py")
"""Where sentences for people are put together."""
SPEAKS_TO_OTHERS = {
    "domain/addresses.py": "the Temporal UI, for operators",
    "domain/alarms.py": "the Temporal UI, for operators",
    "domain/details.py": "the Temporal UI, for operators",
    "domain/claim/wording.py": "the Temporal UI, for operators",
    "domain/places.py": "names of places",
    "domain/claim/clauses.py": "citations",
    "api/claims/doors.py": "the description of the API, which speaks both languages",
    "api/portfolio/columns.py": "names of columns of a workbook",
    "api/portfolio/reporting.py": "names of columns of a workbook",
}
UNSAID = re.compile(
    r" / [A-Za-z]|\\s|^保险法|^AQ 9010|^国务院令|^\0 ?第|理赔管理办法|^张某某$|^安责|^一二三四五六日$"
    r"|Bearer|JSON|Idempotency-Key 头|以同一 Idempotency|的请求须使用新的|嵌套层数|只能出现一次|请求体须为"
    r"|请先登记受害人：|anze keys"
    r"|^事项清单|^每件写明依据|^义务人$|^最后期限$|^还剩或逾期$|^暂定日期$"
)
"""Laws cited as they are, examples and patterns; what programs are told; mails and the workbooks in them."""
COMPOSED = re.compile("属.*事故|到期[前后]|未?超过标准|未?达到较大事故|[次当]日起算")
"""Pieces that are put together of several."""
FORM_FILES = [path for path in sorted(FORMS.glob("*.yaml")) if path not in (WORDS, ENTRIES)]
WRITTEN = re.compile(r'^(".+?"|[^#\s].*?): ', re.MULTILINE)
"""What stands before the English; YAML itself takes the last of two without a word."""
HOLE = re.compile(r"\{[^{}]*\}")
SECONDS_OF_WORK = 2
"""Of this thread's own CPU, whatever else the machine does; a form that tries every division takes far more."""
CUT = re.compile(r"[\0，。；、：（）“”…\s()]+")


def test_every_word_of_the_vocabulary_has_its_english_and_none_is_left_of_a_word_that_is_gone() -> None:
    assert {name: set(words) for name, words in word_names().items()} == {
        words.__name__: {word.value for word in words} for words in vocabularies()
    }


def test_whatever_the_shipped_packs_name_has_its_english_and_none_is_left_of_what_is_gone() -> None:
    named: dict[str, set[str]] = {}
    for one in LIBRARY.packs():
        pack = one.pack
        for ident, label in (
            *((duty.id, duty.label) for duty in pack.duties),
            *((ident, rate.label) for ident, rate in pack.rates.items()),
            *((gate.id, gate.label) for gate in pack.gates),
        ):
            named.setdefault(ident, set()).add(label)
    assert {ident: set(known) for ident, known in entry_names().items()} == named


def test_a_sentence_and_its_english_have_the_same_gaps() -> None:
    wrong: list[str] = []
    for said, told in written().items():
        kinds = {name: kind for _, name, kind, _ in Formatter().parse(said) if name}
        theirs = {name for _, name, _, _ in Formatter().parse(told) if name}
        own = CHINESE.search(re.sub("是|否|上传电子保单", "", told))
        wrong += [said] if theirs != set(kinds) or own or not set(kinds.values()) <= set(GAPS) else []
    assert wrong == []


def test_a_sentence_is_told_in_one_place() -> None:
    """What a page or a word says as a whole is never looked for among the forms; a second line there would be dead."""
    listed = [said for path in FORM_FILES for said in WRITTEN.findall(path.read_text(encoding="utf-8"))]
    assert sorted({one for one in listed if listed.count(one) > 1}) == []
    assert sorted(written().keys() & (sentences().keys() | labels().keys())) == []


def in_source(path: Path) -> Iterator[str]:
    """Chinese sentences a module puts together, their gaps as NUL; no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nested = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in nested | docs:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield HOLE.sub("\0", node.value)


def sources() -> list[Path]:
    found = (PROJECT_ROOT / one for one in SPEAKS)
    every = (path for one in found for path in (sorted(one.rglob("*.py")) if one.is_dir() else [one]))
    return [path for path in every if path.relative_to(PROJECT_ROOT).as_posix() not in SPEAKS_TO_OTHERS]


def test_every_sentence_the_domain_puts_together_is_known_in_english() -> None:
    known = "\n".join(HOLE.sub("\0", said) for said in (*written(), *sentences(), *labels()))
    unknown = {
        f"{path.relative_to(PROJECT_ROOT)}: {part}"
        for path in sources()
        for said in in_source(path)
        if CHINESE.search(said) and not UNSAID.search(said)
        for part in CUT.split(said)
        if CHINESE.search(part) and part not in known
    }
    assert sorted(unknown) == [], "give it its English in templates/english/retold"


def test_no_english_is_left_of_a_sentence_nobody_says() -> None:
    """Every piece of every form stands somewhere in the code, in a template or among the words."""
    folders = ("domain", "api", "rules", "models", "activities")
    code = "\n".join(said for one in folders for path in (PROJECT_ROOT / one).rglob("*.py") for said in in_source(path))
    code += "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.j2"))
    gone = {
        said
        for said in written()
        for part in CUT.split(HOLE.sub("\0", said))
        if CHINESE.search(part) and part not in code and not COMPOSED.fullmatch(part)
    }
    assert sorted(gone) == []


def spoken() -> Iterator[str]:
    """What domain/wording.py says of every duty of every pack, on a plain day, rolled, suspended, extended, given."""
    signed, now = date(2026, 9, 11), datetime(2026, 9, 20, 10, 30, tzinfo=SHANGHAI)
    for one in LIBRARY.packs():
        for duty in one.pack.duties:
            span = timedelta(days=max(duty.within.amount, 1) if duty.within.unit.value == "natural_day" else 30)
            for rolled, held, granted in ((0, 0, 0), (2, 0, 0), (0, 3, 0), (1, 3, 15), (120, 0, 0)):
                nominal = signed + span + timedelta(days=held + granted)
                due = Projection(nominal=nominal, effective=nominal + timedelta(days=rolled))
                yield wording.counting(duty, signed, due, held, granted)
            yield wording.counting(duty, signed, Projection(nominal=None, effective=None))
    for hours in (-2000, -30, -5, 1, 30, 2000):
        yield wording.left(now + timedelta(hours=hours), now)
    yield from (wording.left(None, now), wording.instant(now), wording.day(signed), wording.short_day(signed))
    yield from (wording.money(Decimal("12000")), wording.last_moment(signed, None), wording.provisional_note(signed))
    yield from (wording.provisional_note(None), wording.forwarded(Role.EMERGENCY, Role.HUMAN_QUEUE))


def test_what_is_said_of_any_duty_and_of_any_date_is_told_in_english() -> None:
    told = {said: retold(said) for said in dict.fromkeys(spoken())}
    assert {said: one for said, one in told.items() if one is None or CHINESE.search(one)} == {}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "自2026年9月11日签署次日起算7日，末日9月18日为休息日，顺延至9月21日",
            "7 days counted from the day after 11 Sep 2026 (signed), the last day 18 Sep is a rest day, "
            "rolled on to 21 Sep",
        ),
        ("还剩 1 天", "1 day left"),
        ("2026年9月18日（周五）24:00", "Fri 18 Sep 2026 24:00"),
        ("服务机构：安徽安全技术服务有限公司", "Service institution: 安徽安全技术服务有限公司"),
        ("宿州：上传电子保单 7 日", None),
        ("反应釜检修时发生灼烫，一名从业人员受伤送医。", None),
    ],
)
def test_a_sentence_is_told_with_what_stands_in_it_and_words_of_people_are_left_alone(said: str, told: str | None):
    assert retold(said) == told


@pytest.mark.parametrize(
    ("page", "read"),
    [
        ("<p>宿州市应急管理局</p>", '<p><span lang="zh-CN">宿州市应急管理局</span></p>'),
        ("<p>还剩 3 天</p>", "<p>3 days left</p>"),
        ("<option value='1'>住建局</option>", "<option value='1' lang=\"zh-CN\">住建局</option>"),
        ('<input value="还剩 3 天">', '<input value="还剩 3 天" lang="zh-CN">'),
        ("<textarea>还剩 3 天</textarea>", '<textarea lang="zh-CN">还剩 3 天</textarea>'),
        ('<q lang="zh-CN">还剩 3 天</q>', '<q lang="zh-CN">还剩 3 天</q>'),
        ('<img alt="甲公司&lt;b&gt;">', '<img alt="甲公司&lt;b&gt;" lang="zh-CN">'),
        ("<b>甲公司&lt;i&gt;</b>", '<b><span lang="zh-CN">甲公司</span>&lt;i&gt;</b>'),
        ("<p>甲（宿州（样例））</p>", '<p><span lang="zh-CN">甲（宿州（样例））</span></p>'),
        ("<p>(甲)</p>", '<p>(<span lang="zh-CN">甲</span>)</p>'),
        ("<p>told （样例）公司</p>", '<p>told <span lang="zh-CN">（样例）公司</span></p>'),
        ("<p>(by 清单（一）.xlsx)</p>", '<p>(by <span lang="zh-CN">清单（一）.xlsx</span>)</p>'),
        ("<dd>a、b</dd>", "<dd>a, b</dd>"),
        ("<dd>2015年4月24日（by law）</dd>", "<dd>24 Apr 2015 (by law)</dd>"),
        ('<i aria-label="已逾期 2 天"></i>', '<i aria-label="Overdue by 2 days"></i>'),
    ],
)
def test_a_page_tells_what_it_knows_and_marks_what_stays_chinese(page: str, read: str) -> None:
    assert in_english(page) == read


def test_a_sentence_may_be_as_long_as_people_write_it() -> None:
    said = "，".join(["“甲”由乙改为丙：丁"] * 60)
    began = thread_time()
    assert retold(said) is None
    assert thread_time() - began < SECONDS_OF_WORK, "a form looks at every way to divide a long sentence"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("1 处隐患未销号", "1 open hazard"), ("3 处隐患未销号", "3 open hazards"), ("1 处登录", "1 session"),
        ("共 1,000+ 条", "1,000+ in all"), ("102,000.00 元", "CNY 102,000.00"), ("1 次", "1 time"),
    ],
)  # fmt: skip
def test_what_a_page_counts_is_counted_as_english_counts(said: str, told: str) -> None:
    assert retold(said) == told


@pytest.mark.parametrize("language", Language)
def test_nought_is_said_and_nothing_is_not(language: Language) -> None:
    """The trail tells how many sessions an act ended, also where it was none."""
    assert [namer(language)(said) for said in (0, 3, None, "", False)] == ["0", "3", "", "", ""]
