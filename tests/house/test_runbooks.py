"""Whatever the doctor can find leads to a section that exists, stands in its list, and was brought about in a test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
SOURCES = [*(ROOT / "runtime" / "checkup").glob("*.py"), ROOT / "runtime" / "commands" / "doctor.py"]
SPEAKS = {"Finding", "good", "judged", "Part"}
PLACE = re.compile(r"[a-z-]+\.md(#\S+)?")
PROVOKED = [*(ROOT / "tests" / "runtime").glob("test_doctor*.py"), ROOT / "tests" / "api" / "test_backlog.py"]
ONLY_PARTS = {"办理情况", "规则与日历", "规则包"}
"""Names of looks that are told only where nothing answers at all, as one name is for all of them in a test."""


def constants(tree: ast.AST) -> Iterator[str]:
    """Every text in it but the docstrings, which no operator reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def told() -> set[str]:
    """What findings are about: the first word of each, and the labels of the daily works."""
    found: set[str] = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SPEAKS and node.args:
                found |= set(constants(node.args[0]))
            if isinstance(node, ast.Dict):
                found |= {
                    one for key in node.keys if key is not None for one in constants(key) if one.startswith("每日")
                }
    return found


def sections(page: Path) -> set[str]:
    """The anchors of its headings, as they are made of them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def is_there(place: str) -> bool:
    file, _, section = place.partition("#")
    page = RUNBOOKS / file
    return page.exists() and (not section or section in sections(page))


def test_every_finding_leads_to_a_section_that_exists() -> None:
    texts = {one for source in SOURCES for one in constants(ast.parse(source.read_text(encoding="utf-8")))}
    places = {one for one in texts if PLACE.fullmatch(one)}
    assert len(places) > 15
    assert [one for one in sorted(places) if not is_there(one)] == []


def test_every_finding_stands_in_the_list_with_the_section_it_leads_to() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \|.*\(([^)]+\.md[^)]*)\) \|$", (RUNBOOKS / "doctor.md").read_text("utf-8"), re.MULTILINE
    )
    listed = {about for names, _ in rows for about in names.split("、")}
    assert len(told()) > 30
    assert told() - ONLY_PARTS - listed == set()
    assert listed - told() == set()
    assert [place for _, place in rows if not is_there(place)] == []


def test_every_finding_was_brought_about_in_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in PROVOKED)
    assert {about for about in told() - ONLY_PARTS if f'"{about}"' not in tests} <= {"排序规则"}
