"""The table of faults says what was seen: a test that was not run has not passed, one run fills all of it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults import report
from tests.faults.report import NOT_RUN, Begun, Row, head, in_order, is_whole, noted, table, write_part

SENTENCE = "only a test that was called has passed"


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


@pytest.mark.parametrize(
    ("given", "outcome", "whole"),
    [
        ({}, "passed", True),
        ({}, "failed", True),
        ({}, NOT_RUN, False),
        ({"keyword": "F1"}, "passed", False),
        ({"markexpr": "fault and not slow_fault"}, "passed", False),
        ({"deselect": ["one"]}, "passed", False),
    ],
)
def test_the_page_is_written_by_one_run_of_all_faults_and_by_no_other(
    given: dict[str, Any], outcome: str, whole: bool
) -> None:
    option = SimpleNamespace(**{"keyword": "", "markexpr": "fault", "deselect": None, **given})
    config: Any = SimpleNamespace(option=option, args_source=pytest.Config.ArgsSource.TESTPATHS)
    assert is_whole(config, [Row(("F1",), SENTENCE, outcome)]) is whole
    assert not is_whole(config, [])
    config.args_source = pytest.Config.ArgsSource.ARGS
    assert not is_whole(config, [Row(("F1",), SENTENCE, outcome)])


def test_the_table_says_when_it_was_made_how_long_it_took_and_on_what_and_leaves_nothing_of_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- faults -->\n| F9 | an older row |\n<!-- end -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(report, "PAGE", page)
    rows = [Row(("F10",), "b", "failed", 0.0, ["a 1", "b|2"]), Row(("F2", "F3"), "a", "passed", 3.0)]
    began = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
    write_part("faults", [head(Begun(began, 2.5), began + timedelta(minutes=19)), "", *table(in_order(rows))])
    lines = page.read_text(encoding="utf-8").splitlines()
    assert lines[2].startswith("2026-11-22 15:00–15:19 UTC, one run of 19 min; ")
    assert "cores" in lines[2]
    assert "2.5 at the beginning" in lines[2]
    assert lines[6:] == [
        "| F2, F3 | a | passed |  | 3 |",
        "| F10 | b | failed | a 1; b/2 | 0 |",
        "<!-- end -->",
        "after",
    ]
