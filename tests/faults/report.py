"""The table of faults in docs/reliability.md: a pytest plugin (`-p tests.faults.report`) that writes what was seen."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.report import machine

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
NUMBER = re.compile(r"\d+")
COLUMNS = 5


@dataclass
class Row:
    """One test: its faults, its sentence, how it ended and what it measured."""

    faults: tuple[str, ...]
    sentence: str
    outcome: str = "passed"
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
    if row is None:
        return
    row.seconds += report.duration
    if report.outcome != "passed":
        row.outcome = report.outcome
    if report.when == "call":
        row.measured = [str(said) for name, said in report.user_properties if name == "measured"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table; write it where it stands in the page. A run of some leaves the rows of the others there."""
    rows = list(_rows.values())
    if config.option.keyword or config.args != config.getini("testpaths"):
        run = {row.sentence for row in rows}
        rows += [row for row in written() if row.sentence not in run]
    lines = table(sorted(rows, key=lambda row: (_order(row.faults), row.sentence)))
    for line in lines:
        terminalreporter.write_line(line)
    head = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}."
    write_part("faults", [head, "", *lines])


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
    cells = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")][1:]
    return [_read(one) for one in cells if len(one) == COLUMNS]


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


def _order(faults: tuple[str, ...]) -> int:
    found = NUMBER.search(faults[0]) if faults else None
    return int(found[0]) if found else 0
