"""The table of faults in docs/reliability.md: a pytest plugin (`-p tests.faults.report`) that writes what was seen.

Written in one go by one run of all, so that date, machine and load are those of every row; a run of some prints it.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bench.report import machine
from runtime.settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "reliability.md"
NUMBER = re.compile(r"\d+")
NOT_RUN = "not run"
FINISHED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
"""A run that was broken off, or could not collect, proves nothing and writes nothing."""
ALL = "fault"
"""What `make faults` asks for by `-m`."""


@dataclass
class Row:
    """One test: its faults, its sentence, how it ended and what it measured."""

    faults: tuple[str, ...]
    sentence: str
    outcome: str = NOT_RUN
    seconds: float = 0.0
    measured: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Begun:
    """When a run began, and how busy the machine was."""

    at: datetime
    load: float


_rows: dict[str, Row] = {}
_begun: list[Begun] = []


def pytest_sessionstart() -> None:
    _begun.append(Begun(datetime.now(UTC), os.getloadavg()[0]))


def pytest_collection_finish(session: pytest.Session) -> None:
    for item in session.items:
        marked = item.get_closest_marker("fault")
        if marked is not None:
            _rows[item.nodeid] = Row(marked.args, sentence_of(item.name))


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
    """Print the table; write it where it stands in the page, if all was run to its end."""
    if config.option.collectonly:
        return
    rows = in_order(_rows.values())
    for line in table(rows):
        terminalreporter.write_line(line)
    if exitstatus in FINISHED and is_whole(config, rows):
        write_part("faults", [head(_begun[-1], datetime.now(UTC)), "", *table(rows)])
    else:
        terminalreporter.write_line(f"→ {PAGE.name}: 只运行了一部分，没有写入 / not written, only a part was run")


def is_whole(config: pytest.Config, rows: Iterable[Row]) -> bool:
    """Whether nothing was left out: no files, no keyword, no other marks, and no row that was not run."""
    option, asked = config.option, config.args_source is pytest.Config.ArgsSource.TESTPATHS
    rows = list(rows)
    whole = asked and not option.keyword and option.markexpr == ALL and not option.deselect
    return whole and bool(rows) and all(row.outcome != NOT_RUN for row in rows)


def head(begun: Begun, ended: datetime) -> str:
    """One line: when, how long, on what, and how busy it was."""
    minutes = (ended - begun.at).total_seconds() / 60
    return (
        f"{begun.at:%Y-%m-%d %H:%M}–{ended:%H:%M} UTC, one run of {minutes:.0f} min; {machine()}"
        f" and {begun.load:.1f} at the beginning."
    )


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Faults of the matrix by number."""
    return sorted(rows, key=lambda row: (_order(row.faults), row.sentence))


def table(rows: Iterable[Row]) -> list[str]:
    """As Markdown."""
    lines = ["| fault | what is proved | result | measured | s |", "|---|---|---|---|---:|"]
    for row in rows:
        said = "; ".join(row.measured).replace("|", "/")
        lines.append(f"| {', '.join(row.faults)} | {row.sentence} | {row.outcome} | {said} | {row.seconds:.0f} |")
    return lines


def write_part(name: str, lines: Iterable[str]) -> None:
    """Fill `<!-- name --> … <!-- end -->` of docs/reliability.md."""
    part = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    text, filled = PAGE.read_text(encoding="utf-8"), "\n".join(lines) + "\n"
    PAGE.write_text(part.sub(lambda found: f"{found[1]}{filled}{found[2]}", text), encoding="utf-8")


def sentence_of(name: str) -> str:
    """What a test of this name proves, and in brackets of which case."""
    plain, _, case = name.partition("[")
    return plain.removeprefix("test_").replace("_", " ") + (f" ({case.rstrip(']')})" if case else "")


def _order(faults: tuple[str, ...]) -> tuple[str, int]:
    """Faults of the matrix by number, then what is proved beside them."""
    name = faults[0] if faults else ""
    found = NUMBER.search(name)
    return name[:1], int(found[0]) if found else 0
