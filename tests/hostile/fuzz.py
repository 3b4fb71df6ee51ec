"""`make fuzz`: every byte parser under atheris; the description, the pages and whole lives at length; and its table.

`python -m tests.hostile.fuzz SECONDS` runs all and writes docs/reliability.md; with the name of a parser, that one
alone and in this process.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from bench.report import machine
from tests.faults.report import write_part

CORPUS = Path(__file__).with_name("corpus")
LONGEST = 4096  # bytes of one input; a workbook may be longer
LONGER = {"workbook": 64 * 1024, "table": 16 * 1024}
AT_LENGTH = Path(__file__).with_name("at_length.py")
NAMES = ("amount", "cursor", "token", "payload", "workbook", "table", "archive", "cookie", "id_token", "body", "form")
RUNS = re.compile(r"Done (\d+) (?:runs )?in \d+ second|stat::number_of_executed_units:\s*(\d+)")


@dataclass(frozen=True)
class Part:
    """What one part of a run tried, and how many of its cases were answered wrongly; a part that broke off is one."""

    name: str
    seconds: float
    cases: int
    findings: int


def one(name: str, seconds: int) -> None:
    """Fuzz one parser here; libFuzzer ends the process. What breaks it is written down as `crash-…` in the folder."""
    import atheris  # late: there is none but on Linux

    ours = ["api", "models", "runtime", "activities"]
    with atheris.instrument_imports(include=ours):  # pyright: ignore[reportAttributeAccessIssue] - found at run time
        from tests.hostile.parsers import PARSERS
    found = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    most = LONGER.get(name, LONGEST)
    flags = [f"-max_total_time={seconds}", f"-max_len={most}", f"-artifact_prefix={found}/", "-timeout=30"]
    flags += ["-rss_limit_mb=2048", "-print_final_stats=1"]
    atheris.Setup([name, *flags, str(found), str(CORPUS / name)], PARSERS[name])
    atheris.Fuzz()


def parser(name: str, seconds: int) -> Part:
    """One parser in a process of its own."""
    begun = monotonic()
    command = [sys.executable, "-m", "tests.hostile.fuzz", str(seconds), name]
    ended = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True, errors="replace")
    if ended.returncode:
        print(ended.stderr[-5_000:], flush=True)  # noqa: T201 - a command
    return Part(f"{name}: bytes, atheris", monotonic() - begun, _runs(ended.stderr), int(ended.returncode != 0))


def at_length(seconds: int) -> Iterator[Part]:
    """Every part of at_length.py, as it told of itself; and once more the whole, where that did not end well."""
    with tempfile.TemporaryDirectory() as folder:
        told, begun = Path(folder) / "told.jsonl", monotonic()
        options = [f"--fuzz-seconds={seconds}", f"--fuzz-told={told}"]
        ended = subprocess.run([sys.executable, "-m", "pytest", str(AT_LENGTH), "-q", "-n", "0", *options], check=False)
        parts = [Part(**json.loads(line)) for line in told.read_text().splitlines()] if told.exists() else []
        yield from parts
        if ended.returncode and not any(part.findings for part in parts):
            yield Part(AT_LENGTH.name, monotonic() - begun, 0, 1)


def everything(seconds: int) -> int:
    """Each for so many seconds, two at a time; the number of what was found."""
    begun, parts = datetime.now(UTC), list[Part]()
    with ThreadPoolExecutor(1) as beside:
        lives = beside.submit(lambda: list(at_length(seconds)))
        for name in NAMES:
            parts.append(parser(name, seconds))
            print(_row(parts[-1]), flush=True)  # noqa: T201 - a command
        parts = [*lives.result(), *parts]
    head = f"{begun:%Y-%m-%d %H:%M} UTC, `make fuzz SECONDS={seconds}`; {machine()}."
    write_part("fuzz", [head, "", *table(parts)])
    print("\n".join(table(parts)))  # noqa: T201 - a command
    return sum(part.findings for part in parts)


def table(parts: list[Part]) -> list[str]:
    """As Markdown."""
    return ["| part | s | cases | findings |", "|---|---:|---:|---:|", *(_row(part) for part in parts)]


def _row(part: Part) -> str:
    return f"| {part.name} | {part.seconds:.0f} | {part.cases:,} | {part.findings} |"


def _runs(said: str) -> int:
    """As libFuzzer counts them."""
    found = RUNS.findall(said)
    return max((int(first or second) for first, second in found), default=0)


if __name__ == "__main__":
    for_so_long = int(sys.argv[1])
    if len(sys.argv) > 2:
        one(sys.argv[2], for_so_long)
    sys.exit(min(everything(for_so_long), 100))
