"""The table of faults says what was seen: a test that was not run has not passed, a row is read as written."""

from typing import Any

import pytest

from tests.faults import report
from tests.faults.report import NOT_RUN, Row, merged, noted, table, write_part, written

SENTENCE = "a row whose test is there is kept and one whose test is gone is not"


def of(when: Any, outcome: Any, *said: tuple[str, object]) -> pytest.TestReport:
    return pytest.TestReport("x", ("x", 0, "x"), {}, outcome, None, when, duration=1.0, user_properties=said)


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ((), NOT_RUN),
        ((("setup", "passed"),), NOT_RUN),
        ((("setup", "failed"), ("teardown", "passed")), "failed"),
        ((("setup", "skipped"),), "skipped"),
        ((("setup", "passed"), ("call", "passed"), ("teardown", "passed")), "passed"),
        ((("setup", "passed"), ("call", "failed"), ("teardown", "passed")), "failed"),
        ((("setup", "passed"), ("call", "passed"), ("teardown", "failed")), "failed"),
    ],
)
def test_only_a_test_that_was_called_has_passed(told: tuple[tuple[str, str], ...], outcome: str) -> None:
    row = Row(("F1",), SENTENCE)
    for when, how in told:
        noted(row, of(when, how, ("measured", "seconds 1")))
    assert (row.outcome, row.seconds) == (outcome, len(told))


def test_a_row_whose_test_is_there_is_kept_and_one_whose_test_is_gone_is_not() -> None:
    kept, gone = Row(("F2",), SENTENCE, "failed"), Row(("F3",), "nothing of that kind", "passed")
    assert merged([], [kept, gone]) == [kept]
    assert merged([Row(("F2",), SENTENCE)], [kept]) == [kept]
    run = Row(("F2",), SENTENCE, "passed")
    assert merged([run], [kept]) == [run]
    assert merged([Row(("F2",), SENTENCE)], []) == [Row(("F2",), SENTENCE)]


def test_every_row_is_read_back_as_it_was_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- faults -->\n<!-- end -->\n", encoding="utf-8")
    monkeypatch.setattr(report, "PAGE", page)
    rows = [Row(("",), "a sentence", "passed", 3.0), Row(("F1", "F2"), "another (3)", "failed", 0.0, ["a 1", "b 2"])]
    write_part("faults", ["the head", "", *table(rows)])
    assert written() == rows
