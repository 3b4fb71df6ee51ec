"""Every promise names the tests that would fail if it were broken, and every fault of the matrix is tried."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
PROMISES = PAGE.partition("<!-- faults -->")[0]
"""The table of faults below may name a promise too."""
PROMISE = re.compile(r"^\| (P\d+) \|[^|]*\|(.*)\|$", re.MULTILINE)
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
MARK = re.compile(r"mark\.fault\(([^)]*)\)")


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
    marked = (
        number
        for path in (ROOT / "tests").rglob("test_*.py")
        for arguments in MARK.findall(path.read_text(encoding="utf-8"))
        for number in re.findall(r"F\d+", arguments)
    )
    assert {f"F{number}" for number in range(1, 43)} <= set(marked)
