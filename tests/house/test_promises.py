"""Every promise names the tests that would fail if it were broken, and every fault is tried and ends as it is told."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.faults.report import sentence_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
README = (ROOT / "tests" / "faults" / "README.md").read_text(encoding="utf-8")
PROMISES = PAGE.partition("<!-- faults -->")[0]
"""The table of faults below may name a promise too."""
PROMISE = re.compile(r"^\| (P\d+) \|[^|]*\|(.*)\|$", re.MULTILINE)
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
TRIED = re.compile(r"^\| ([^|]+) \| ([^|]+) \| \w+ \|[^|]*\| *\d+ \|$", re.MULTILINE)
ALONE = re.compile(r"^\| `(\w+/[\w/]+\.py)` \|", re.MULTILINE)
ASKING = frozenset({"broken", "broken_at_rest"})
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MATRIX = {f"F{number}" for number in range(1, 43)}


@dataclass(frozen=True)
class FaultTest:
    """A test that carries `mark.fault`: where it stands, its faults, its sentence, and whether it asks invariants."""

    file: str
    faults: tuple[str, ...]
    sentence: str
    asks: bool


@cache
def asking() -> frozenset[str]:
    """What asks the invariants, and what of tests/faults does so for its tests, such as `taken_again`."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests" / "faults").glob("*.py")]
    functions = [node for tree in trees for node in tree.body if isinstance(node, FUNCTIONS)]
    return ASKING | {one.name for one in functions if one.name[:5] != "test_" and _named(one) & ASKING}


@cache
def fault_tests() -> tuple[FaultTest, ...]:
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    return tuple(one for path in paths for one in _in_file(path))


def _in_file(path: Path) -> Iterator[FaultTest]:
    text = path.read_text(encoding="utf-8")
    if "mark.fault(" not in text:
        return
    for node in ast.parse(text).body:
        inside = node.body if isinstance(node, ast.ClassDef) else ()
        for test in (node, *inside):
            faults = _marked(test) or _marked(node)
            if isinstance(test, FUNCTIONS) and test.name.startswith("test_") and faults:
                asks = bool(_named(test) & asking())
                yield FaultTest(str(path.relative_to(ROOT / "tests")), faults, sentence_of(test.name), asks)


def _marked(node: ast.AST) -> tuple[str, ...]:
    """The arguments of its `mark.fault`; none where it carries none."""
    found = getattr(node, "decorator_list", ())
    marks = [one for one in found if isinstance(one, ast.Call) and ast.unparse(one.func) == "pytest.mark.fault"]
    return tuple(ast.literal_eval(argument) for one in marks for argument in one.args)


def _named(node: ast.AST) -> set[str]:
    """Every name in it: of `broken(look)`, `await ground.broken()`, and what the nemesis found, `story.broken`."""
    parts = list(ast.walk(node))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return names | {part.attr for part in parts if isinstance(part, ast.Attribute)}


def test_every_promise_names_tests_that_exist() -> None:
    promised = {number: TEST.findall(tests) for number, tests in PROMISE.findall(PROMISES)}
    assert list(promised) == [f"P{number}" for number in range(1, 30)]
    assert [number for number, tests in promised.items() if not tests] == []
    named = {(file, test) for tests in promised.values() for file, test in tests}
    gone = {
        f"{file}::{test}"
        for file, test in named
        if not (path := ROOT / "tests" / file).exists() or f"def {test}(" not in path.read_text(encoding="utf-8")
    }
    assert gone == set()


def test_every_fault_of_the_matrix_is_tried() -> None:
    assert {fault for test in fault_tests() for fault in test.faults} >= MATRIX


def test_every_row_of_the_table_of_faults_is_a_test_that_exists_and_every_fault_has_one() -> None:
    """A row is a record of a run. A test that was written or renamed since is not in it before the next `make faults`,
    but what is told there must be what would be run."""
    told = [(faults, sentence.partition(" (")[0]) for faults, sentence in TRIED.findall(PAGE)]
    known = {(", ".join(test.faults), test.sentence) for test in fault_tests()}
    assert [row for row in told if row not in known] == []
    assert {fault for faults, _ in told for fault in faults.split(", ")} >= MATRIX


def test_a_fault_test_asks_the_invariants_or_its_file_says_what_it_tries_alone() -> None:
    """tests/faults/README.md lists the files, and why nothing of the kind can be asked there."""
    silent = {test.file for test in fault_tests() if not test.asks}
    assert silent == set(ALONE.findall(README))
