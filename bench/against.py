"""Before and after in one run: another revision in a folder of its own, both measured in turns by their own bench."""

import json
import re
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.compared import Compared, Side
from bench.report import commit_of
from runtime.embedded.process import Child, Launch

LOCK, RESULTS = "requirements.lock", Path("bench/results/latest.json")
LED_WITHIN = 900.0
"""Seconds one run of the bench may take, also on a machine that does much else."""
MADE_WITHIN = 1_800.0
"""Seconds for another environment."""
FAREWELL = 30.0  # seconds in which a bench that is called off takes its servers down
SHORT, QUICK = "--short", "--quick"
"""The plan of a comparison, and what a bench knows that does not know it."""
PARTS = re.compile(r"\{[a-z,]*\blives\b[a-z,]*\}")
"""How the help of a bench names the parts that can be measured alone."""
NAMED = re.compile(r"commit ([0-9a-f]{7,40})\+?")
"""How docs/bench.md names the commit something was measured at."""


class TooOld(RuntimeError):
    """The other revision cannot be measured; the text says why, for the person at the bench."""


@dataclass(frozen=True)
class State:
    """One state of the program: where it lies, and the interpreter that runs it."""

    name: str
    folder: Path
    python: str
    options: str
    """What its bench says of itself when asked for help."""

    @property
    def part(self) -> tuple[str, ...]:
        """What to ask for beside the plan; once there was nothing but lives, and they had no name."""
        return ("lives",) if PARTS.search(self.options) else ()

    @classmethod
    def at(cls, name: str, folder: Path, python: str) -> "State":
        """Ask its bench what it knows. Raises TooOld where there is none that answers."""
        if not (folder / "bench" / "__main__.py").exists():  # Python would go on to look for ours
            raise TooOld(f"{name} has no bench of its own")
        command = (python, "-m", "bench", "--help")
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LED_WITHIN, check=False)
        if answer.returncode or QUICK not in answer.stdout:
            raise TooOld(f"the bench of {name} knows no {QUICK}\n{answer.stderr}")
        return cls(name, folder, python, answer.stdout)


def revision(root: Path, asked: str | None) -> tuple[str, str]:
    """What to compare with, as asked or the newest tag or the commit docs/bench.md names; and its commit.

    Raises TooOld where there is none, or none of that name.
    """
    wanted = asked or _newest_tag(root) or _in_the_docs(root)
    if wanted is None:
        raise TooOld("no tag, and no commit in docs/bench.md: name what to compare with, as in `bench against REV`")
    try:
        return wanted, _git(root, "rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}").decode().strip()
    except subprocess.CalledProcessError:
        raise TooOld(f"{wanted} names no commit of {root}") from None


def _newest_tag(root: Path) -> str | None:
    try:
        return _git(root, "describe", "--tags", "--abbrev=0").decode().strip()
    except subprocess.CalledProcessError:
        return None


def _in_the_docs(root: Path) -> str | None:
    page = root / "docs" / "bench.md"
    found = NAMED.search(page.read_text()) if page.exists() else None
    return found.group(1) if found else None


def _git(root: Path, *asked: str) -> bytes:
    return subprocess.run(("git", "-C", str(root), *asked), capture_output=True, check=True).stdout


@contextmanager
def checked_out(root: Path, commit: str) -> Iterator[Path]:
    """The files of a commit in a temporary folder, which is gone afterwards whatever happens."""
    with TemporaryDirectory(prefix="anze-before-", ignore_cleanup_errors=True) as place:
        with tarfile.open(fileobj=BytesIO(_git(root, "archive", "--format=tar", commit))) as packed:
            packed.extractall(place, filter="data")
        yield Path(place)


async def against(root: Path, asked: str | None, rounds: int) -> Compared:
    """Measure before, after, before, after … with the plan that both know. Raises TooOld."""
    name, commit = revision(root, asked)
    with checked_out(root, commit) as folder:
        named = commit[:7] if commit.startswith(name) else f"{name} ({commit[:7]})"
        states = (
            State.at(named, folder, await _interpreter(root, folder)),
            State.at(commit_of(root), root, sys.executable),
        )
        plan = SHORT if all(SHORT in state.options for state in states) else QUICK
        _say(f"{states[0].name} against {states[1].name}, {plan}, {rounds} rounds of both")
        runs = await _in_turns(states, plan, rounds)
    before, after = (Side(state.name, tuple(found)) for state, found in zip(states, runs, strict=True))
    return Compared(datetime.now(UTC), f"python -m bench against {name}", plan.strip("-"), before, after)


async def _in_turns(states: Sequence[State], plan: str, rounds: int) -> list[list[dict[str, Any]]]:
    """What each state's bench found, round by round; both of a round meet the machine as it then is."""
    found: list[list[dict[str, Any]]] = [[] for _ in states]
    for number in range(1, rounds + 1):
        for state, runs in zip(states, found, strict=True):
            began = time.perf_counter()
            runs.append(await _led(state, plan))
            _say(f"round {number} of {rounds}: {state.name} took {time.perf_counter() - began:.0f} s")
    return found


async def _interpreter(root: Path, folder: Path) -> str:
    """Ours, where the other revision wants the same packages; else one of its own, made by its own Makefile."""
    if (root / LOCK).read_bytes() == (folder / LOCK).read_bytes():
        return sys.executable
    _say("other packages than ours: an environment of its own is made")
    await _run(folder, ("make", "venv", f"PYTHON={sys.executable}"), MADE_WITHIN)
    return str(folder / ".venv" / "bin" / "python")


async def _led(state: State, plan: str) -> dict[str, Any]:
    """One run of a state's own bench in a process of its own, and the figures it left behind."""
    with TemporaryDirectory(prefix="anze-figures-") as place:
        here = Path(place) / "figures.json"
        told = ("--json", str(here)) if "--json" in state.options else ()
        await _run(state.folder, (state.python, "-m", "bench", *state.part, plan, *told), LED_WITHIN)
        left = here if told else state.folder / RESULTS
        if not left.exists():
            raise TooOld(f"the bench of {state.name} leaves no figures in {RESULTS}")
        return json.loads(left.read_text())


async def _run(folder: Path, command: Sequence[str], within: float) -> None:
    """Run a command in a folder, which comes first in the path of a Python. Raises TooOld with its last words."""
    child = Child.start(Launch(command[0], command, directory=folder, on_our_death=signal.SIGTERM))
    try:
        if not await child.ended(within):
            raise TooOld(f"{' '.join(command)} in {folder} took more than {within:.0f} s\n{child.last_words}")
    finally:
        await child.stop(signal.SIGINT, FAREWELL)
    if child.returncode:
        raise TooOld(f"{' '.join(command)} in {folder} failed\n{child.last_words}")


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)
