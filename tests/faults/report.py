"""The table of faults in docs/reliability.md: a pytest plugin (`-p tests.faults.report`) that writes what was seen."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.report import machine

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "reliability.md"
NUMBER = re.compile(r"\d+")
TEST = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)
COLUMNS = 5
NOT_RUN = "not run"
FINISHED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
"""A run that was broken off, or could not collect, proves nothing and writes nothing."""


@dataclass
class Row:
    """One test: its faults, its sentence, how it ended and what it measured."""

    faults: tuple[str, ...]
    sentence: str
    outcome: str = NOT_RUN
    seconds: float = 0.0
    measured: list[str] = field(default_factory=list)


_rows: dict[str, Row] = {}


def pytest_collection_finish(session: pytest.Session) -> None:
    for item in session.items:
        marked = item.get_closest_marker("fault")
        if marked is not None:
            _rows[item.nodeid] = Row(marked.args, _sentence(item.name))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    row = _rows.get(report.nodeid)
    if row is not None:
        noted(row, report)


def noted(row: Row, report: pytest.TestReport) -> None:
    """Only a test that was called has passed; a failure before or after it stays one."""
    row.seconds += report.duration
    if report.outcome != "passed" or (report.when == "call" and row.outcome == NOT_RUN):
        row.outcome = report.outcome
    if report.when == "call":
        row.measured = [str(said) for name, said in report.user_properties if name == "measured"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Print the table; write it where it stands in the page, if the run came to its end."""
    if config.option.collectonly:
        return
    lines = table(merged(_rows.values(), written()))
    for line in lines:
        terminalreporter.write_line(line)
    if exitstatus in FINISHED and any(row.outcome != NOT_RUN for row in _rows.values()):
        head = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}."
        write_part("faults", [head, "", *lines])


def merged(now: Iterable[Row], before: Iterable[Row]) -> list[Row]:
    """What was run, and of earlier runs what was not run now; a test that is gone takes its row with it."""
    now, names = list(now), _tests()
    run = {row.sentence for row in now if row.outcome != NOT_RUN}
    kept = [row for row in before if row.sentence not in run and _name(row.sentence) in names]
    known = run | {row.sentence for row in kept}
    rows = [row for row in now if row.outcome != NOT_RUN or row.sentence not in known]
    return sorted(rows + kept, key=lambda row: (_order(row.faults), row.sentence))


def table(rows: Iterable[Row]) -> list[str]:
    """As Markdown."""
    lines = ["| fault | what is proved | result | measured | s |", "|---|---|---|---|---:|"]
    for row in rows:
        said = "; ".join(row.measured).replace("|", "/")
        lines.append(f"| {', '.join(row.faults)} | {row.sentence} | {row.outcome} | {said} | {row.seconds:.0f} |")
    return lines


def written() -> list[Row]:
    """The rows that stand in the page."""
    part = PAGE.read_text(encoding="utf-8").partition("<!-- faults -->")[2].partition("<!-- end -->")[0]
    return [_read(one) for one in map(_cells, part.splitlines()[1:]) if len(one) == COLUMNS and one[-1].isdigit()]


def _cells(line: str) -> list[str]:
    """Empty ones too."""
    return [cell.strip() for cell in line.split("|")[1:-1]]


def _read(cells: list[str]) -> Row:
    faults, sentence, outcome, said, seconds = cells
    measured = [one for one in said.split("; ") if one]
    return Row(tuple(faults.split(", ")), sentence, outcome, float(seconds), measured)


def write_part(name: str, lines: Iterable[str]) -> None:
    """Fill `<!-- name --> … <!-- end -->` of docs/reliability.md."""
    part = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    text, filled = PAGE.read_text(encoding="utf-8"), "\n".join(lines) + "\n"
    PAGE.write_text(part.sub(lambda found: f"{found[1]}{filled}{found[2]}", text), encoding="utf-8")


def _sentence(name: str) -> str:
    plain, _, case = name.partition("[")
    return plain.removeprefix("test_").replace("_", " ") + (f" ({case.rstrip(']')})" if case else "")


def _name(sentence: str) -> str:
    """Of the function whose sentence it is."""
    return "test_" + sentence.partition(" (")[0].replace(" ", "_")


def _tests() -> set[str]:
    """The names of all tests there are."""
    return {name for file in TESTS.rglob("test_*.py") for name in TEST.findall(file.read_text(encoding="utf-8"))}


def _order(faults: tuple[str, ...]) -> tuple[str, int]:
    """Faults of the matrix by number, then what is proved beside them."""
    name = faults[0] if faults else ""
    found = NUMBER.search(name)
    return name[:1], int(found[0]) if found else 0
