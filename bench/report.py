"""What was found: as tables on the terminal, as JSON for later; the page of the documentation is bench/written.py."""

import dataclasses
import json
import os
import platform
import subprocess
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.history import Account
from bench.life import Times
from bench.measure import Meter, Spread, spread
from bench.midnight import Midnight
from bench.pages import PagesFound
from bench.sizes import Portion

RESULTS = Path(__file__).resolve().parent / "results" / "latest.json"
AIM = 0.7
"""Lives per second against the bare floor (issue 5)."""
PROCESSES = ("web", "worker", "temporal", "postgres", "driver")
FLOOR, QUIETLY, WITH_MAIL, CLAIMS = "floor", "lives", "lives with their mail", "claims, reported to paid"
"""What was led in a leg."""


@dataclass(frozen=True)
class Leg:
    """One stretch of load: what was led, how fast, and milliseconds of CPU per life by process."""

    name: str
    lives: int
    seconds: float
    cpu: dict[str, float]

    @classmethod
    def of(cls, name: str, lives: int, meter: Meter) -> "Leg":
        seconds, cpu = meter.read()
        return cls(name, lives, seconds, {process: used / lives for process, used in cpu.items()})

    @property
    def per_second(self) -> float:
        return self.lives / self.seconds


@dataclass
class Lived:
    """The lives of all rounds: latencies of their updates, and where their histories lie."""

    low: Spread | None = None
    by_command: dict[str, list[float]] = field(default_factory=dict)
    cases: list[tuple[str, str]] = field(default_factory=list)

    repeated: int = 0

    def add(self, times: Times) -> None:
        self.repeated += times.repeated
        for name, taken in times.by_command.items():
            self.by_command.setdefault(name, []).extend(taken)
        self.cases += times.cases

    def spreads(self) -> dict[str, Spread]:
        """By command, and of all together."""
        together = [took for taken in self.by_command.values() for took in taken]
        return {name: spread(taken) for name, taken in self.by_command.items()} | {"all": spread(together)}


@dataclass(frozen=True)
class Claimed:
    """Claims on the fast path: how many a second, latencies by command, and what one leaves in Temporal."""

    leg: Leg
    by_command: dict[str, Spread]
    account: Account


@dataclass(frozen=True)
class Found:
    """Everything one run of the bench found."""

    at: datetime
    plan: str
    commands: int
    legs: list[Leg]
    lived: Lived
    account: Account
    below: Account
    """The same of the bare floor."""

    claimed: Claimed
    replayed: tuple[int, float]
    midnight: Midnight

    def rate(self, name: str) -> float:
        """How many a second, over all legs of this name."""
        legs = [leg for leg in self.legs if leg.name == name]
        return sum(leg.lives for leg in legs) / sum(leg.seconds for leg in legs)

    @property
    def ratio(self) -> float:
        return self.rate(QUIETLY) / self.rate(FLOOR)


Cells = list[list[str]]


def tables(found: Found) -> dict[str, tuple[list[str], Cells]]:
    """Title → header and rows; the terminal and the page show the same."""
    return {
        f"lives per second; ratio to the floor {found.ratio:.2f} (aim {AIM})": _legs(found),
        "one command through HTTP, ms": _latencies(found),
        "one life in Temporal (policy and hazard)": _account(found),
        "claims": _claims(found.claimed),
        "the midnight": night_table(found.midnight),
    }


def _legs(found: Found) -> tuple[list[str], Cells]:
    header = ["", "lives", "per second", *(f"CPU ms {name}" for name in PROCESSES)]
    rows = [
        [leg.name, str(leg.lives), f"{leg.per_second:.1f}", *(f"{leg.cpu.get(name, 0):.1f}" for name in PROCESSES)]
        for leg in found.legs
    ]
    return header, rows


def _latencies(found: Found) -> tuple[list[str], Cells]:
    spreads = found.lived.spreads()
    if found.lived.low:
        spreads = {"one caller": found.lived.low} | spreads
    rows = [[name, str(s.count), f"{s.p50}", f"{s.p95}", f"{s.p99}", f"{s.most}"] for name, s in spreads.items()]
    return ["", "count", "p50", "p95", "p99", "most"], rows


def _account(found: Found) -> tuple[list[str], Cells]:
    kept, below, (events, speed) = found.account, found.below, found.replayed
    rows = [
        ["runs", f"{kept.runs}", f"{below.runs}"],
        ["events", f"{kept.events}", f"{below.events}"],
        ["bytes", f"{kept.bytes:,}", f"{below.bytes:,}"],
        ["billable actions", f"{kept.billable}", f"{below.billable}"],
        *([f"· {name}", f"{count}", f"{below.actions.get(name, 0)}"] for name, count in kept.actions.items()),
        ["replayed events per second, sandboxed", f"{speed:,.0f} (of {events:,})", ""],
    ]
    return ["", "life", "floor"], rows


def _claims(claimed: Claimed) -> tuple[list[str], Cells]:
    leg, kept = claimed.leg, claimed.account
    rows = [
        ["claims, reported to paid, per second", f"{leg.per_second:.1f} ({leg.lives} in all)"],
        ["CPU ms a claim", ", ".join(f"{name} {leg.cpu.get(name, 0):.0f}" for name in PROCESSES)],
        ["events of one claim", f"{kept.events} in {kept.runs} run(s), {kept.bytes:,} bytes"],
        ["billable actions of one claim", f"{kept.billable}"],
        *([f"{name}: p50, p95 ms", f"{one.p50}, {one.p95}"] for name, one in claimed.by_command.items()),
    ]
    return ["", ""], rows


def night_table(night: Midnight) -> tuple[list[str], Cells]:
    letters, unsent = night.letters, sum(night.letters.left.values())
    rows = [
        ["policies due at one instant", f"{night.policies:,} (opened at {night.opened_per_second:.1f} a second)"],
        ["until the last rung is committed", f"{night.seconds:.1f} s ({night.policies / night.seconds:.0f} a second)"],
        ["lateness of a rung: p50, p95, most", f"{_late(night.lateness)} s"],
        [
            "lost or doubled",
            "none, one mail for each recipient" if night.exact else _faults(night),
        ],
        ["notices, recipients, mails", f"{night.notices:,}, {letters.recipients}, {letters.mails}"],
        ["until the last mail is out, after the office opens", f"{letters.seconds:.1f} s, {unsent} unsent"],
        ["workers that met it, with empty caches", f"{night.workers}"],
        [
            f"worker's memory, kB a policy: in its cache of {night.memory.cache:,}, beyond it",
            f"{night.memory.cached:.0f}, {'none' if night.memory.beyond is None else f'{night.memory.beyond:.1f}'}",
        ],
        ["Temporal's memory with all of them told", f"{night.memory.server:,.0f} MiB"],
        ["CPU ms a rung", _shares({name: used / night.policies for name, used in night.cpu.items()})],
        ["CPU ms an opening", _shares(night.opening_cpu)],
    ]
    return ["", ""], rows


def _faults(night: Midnight) -> str:
    """What is not as it has to be: of rungs, of notices by their keys, of letters by theirs."""
    told, letters = night.distinct, night.letters
    return (
        f"rungs {night.committed} of {night.policies}, notices {night.notices} ({told} different) of"
        f" {2 * night.policies}, letters {letters.written} for {letters.recipients} recipients: {letters.lost} lost,"
        f" {letters.doubled} doubled, {letters.astray} astray, {sum(letters.left.values())} notices left"
    )


def _shares(cpu: dict[str, float]) -> str:
    return ", ".join(f"{name} {used:.1f}" for name, used in cpu.items() if name != "driver")


def _late(late: Spread) -> str:
    return ", ".join(f"{milliseconds / 1000:.1f}" for milliseconds in (late.p50, late.p95, late.most))


def machine() -> str:
    """Where something was measured, how busy it was there, and what was measured."""
    cores, load = os.cpu_count(), os.getloadavg()[0]
    here = commit_of(Path(__file__).parent)
    return f"{cores} cores, Python {platform.python_version()}, load {load:.1f} at the end, commit {here}"


def commit_of(folder: Path) -> str:
    """The commit that is checked out there, with a + where files differ from it; unknown where there is no git."""
    command = ("git", "-C", str(folder), "describe", "--always", "--exclude=*", "--dirty=+")
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def show(found: Found) -> None:
    """Print the tables."""
    console = Console()
    for title, (header, rows) in tables(found).items():
        console.print(_table(title, header, rows))
    console.print(f"{found.at:%Y-%m-%d %H:%M} UTC · {found.plan} · {machine()}")


def show_night(night: Midnight) -> None:
    """Print the table of a midnight alone."""
    Console().print(_table("the midnight", *night_table(night)))
    Console().print(f"{machine()}")


def show_sizes(portions: list[Portion]) -> None:
    """Print what each portion of lives left behind."""
    header = ["lives before", "lives", "tables", "log", "engine", *(f"CPU ms {name}" for name in PROCESSES)]
    rows = [
        [f"{one.before}", f"{one.lives}", *(f"{size / 1000:.1f}" for size in (one.rows, one.log, one.engine))]
        + [f"{one.cpu.get(name, 0):.1f}" for name in PROCESSES]
        for one in portions
    ]
    Console(width=140).print(_table("kB a life", header, rows))
    last = ", ".join(f"{name} {size / 1000:.1f}" for name, size in portions[-1].tables)
    Console(width=140).print(f"{last} · {machine()}")


def show_compared(header: list[str], rows: Cells) -> None:
    """Print before and after."""
    Console(width=140).print(_table("before and after", header, rows))
    Console().print(machine())


def _table(title: str, header: list[str], rows: Cells) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    return table


def save(found: Found, to: Path | None = None) -> None:
    """Write the figures as JSON: there, or to bench/results/latest.json."""
    place = to or RESULTS
    place.parent.mkdir(exist_ok=True)
    plain = dataclasses.asdict(found)
    plain["lived"] = {
        "low": plain["lived"]["low"],
        "cases": len(found.lived.cases),
        "repeated": found.lived.repeated,
    } | {"by_command": {name: dataclasses.asdict(one) for name, one in found.lived.spreads().items()}}
    plain |= {"ratio": found.ratio, "machine": machine(), "exact": found.midnight.exact}
    place.write_text(json.dumps(plain, ensure_ascii=False, indent=2, default=str) + "\n")


def page_table(found: PagesFound) -> tuple[str, list[str], Cells]:
    """Title, header and rows; what takes longer or weighs more than it should is marked."""
    title = f"pages beside {found.policies:,} policies ({found.cases:,} cases, {found.letters:,} letters), ms"
    rows = [
        [one.room, one.path, f"{one.took.p50}", f"{one.took.p95}"]
        + [f"{one.cpu.get(name, 0):.1f}" for name in ("driver", "postgres")]
        + [f"{one.size:,}", "" if one.within else "over"]
        for one in found.pages
    ]
    return title, ["who", "page", "p50", "p95", "CPU web", "CPU database", "bytes", ""], rows


def show_pages(found: PagesFound) -> None:
    """Print the table of pages."""
    title, header, rows = page_table(found)
    table = Table(*header, title=title, title_justify="left", header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console(width=140).print(table)
    Console().print(f"{found.at:%Y-%m-%d %H:%M} UTC · {machine()}")
