"""Before and after out of the figures of some runs: ratios and one table; running them is bench/against.py."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any

from bench.report import CLAIMS, FLOOR, PROCESSES, QUIETLY, WITH_MAIL, Cells

Told = Mapping[str, Any]
"""One run of the bench as bench/results keeps it; an older bench may have kept less."""
Read = Callable[[Told], float | None]
SERVING = tuple(name for name in PROCESSES if name != "driver")
"""Whose CPU a life costs; the driver stands for those who call."""
LARGE = 100
"""From here on no decimal is told."""


@dataclass(frozen=True)
class Side:
    """One state of the program, and what each round found of it."""

    name: str
    runs: tuple[Told, ...]


@dataclass(frozen=True)
class Compared:
    """Two states that were measured in turns, and how."""

    at: datetime
    asked: str
    """The command that led to it."""
    plan: str
    before: Side
    after: Side


def _at(*path: str) -> Read:
    """The number at a place of what was told, if there is one."""

    def read(told: Told) -> float | None:
        found: Any = told
        for step in path:
            if not isinstance(found, Mapping) or step not in found:
                return None
            found = found[step]
        return float(found) if isinstance(found, int | float) else None

    return read


def _legs(told: Told, name: str) -> list[Told]:
    """The stretches of load of one name; claims have one of their own."""
    claimed = (told.get("claimed") or {}).get("leg")
    return [leg for leg in [*told.get("legs", ()), *([claimed] if claimed else [])] if leg["name"] == name]


def _rate(name: str) -> Read:
    def read(told: Told) -> float | None:
        legs = _legs(told, name)
        return sum(leg["lives"] for leg in legs) / sum(leg["seconds"] for leg in legs) if legs else None

    return read


def _cpu(name: str, *processes: str) -> Read:
    """Milliseconds of CPU for each of what was led, in these processes."""

    def read(told: Told) -> float | None:
        legs = _legs(told, name)
        led = sum(leg["lives"] for leg in legs)
        used = (sum(leg["cpu"].get(process, 0) for process in processes) * leg["lives"] for leg in legs)
        return sum(used) / led if led else None

    return read


def _over(above: Read, below: Read) -> Read:
    def read(told: Told) -> float | None:
        upper, lower = above(told), below(told)
        return upper / lower if upper is not None and lower else None

    return read


def _actions(told: Told) -> float | None:
    """All that would be billed of one life."""
    return sum(((told.get("account") or {}).get("actions") or {}).values()) or None


DUE = _at("midnight", "policies")
FIGURES: dict[str, Read] = {
    "lives a second": _rate(QUIETLY),
    "the bare floor beside them, a second": _rate(FLOOR),
    "lives / floor": _over(_rate(QUIETLY), _rate(FLOOR)),
    "CPU ms a life, all processes": _cpu(QUIETLY, *SERVING),
    **{f"CPU ms a life, {process}": _cpu(QUIETLY, process) for process in SERVING},
    "lives with their mail, a second": _rate(WITH_MAIL),
    "CPU ms a life with its mail, all processes": _cpu(WITH_MAIL, *SERVING),
    "a command, p50 ms": _at("lived", "by_command", "all", "p50"),
    "a command, p95 ms": _at("lived", "by_command", "all", "p95"),
    "a command of one caller alone, p50 ms": _at("lived", "low", "p50"),
    "a command of one caller alone, p95 ms": _at("lived", "low", "p95"),
    "events a life": _at("account", "events"),
    "bytes a life": _at("account", "bytes"),
    "billable actions a life": _actions,
    "claims a second": _rate(CLAIMS),
    "CPU ms a claim, all processes": _cpu(CLAIMS, *SERVING),
    "events a claim": _at("claimed", "account", "events"),
    "bytes a claim": _at("claimed", "account", "bytes"),
    "midnight: policies due": DUE,
    "midnight: opened a second": _at("midnight", "opened_per_second"),
    "midnight: seconds until the last rung": _at("midnight", "seconds"),
    "midnight: rungs a second": _over(DUE, _at("midnight", "seconds")),
    **{f"midnight: CPU ms a rung, {process}": _over(_at("midnight", "cpu", process), DUE) for process in SERVING},
}
"""What is told of both, by name. A ratio above one is good for what comes a second, below one for all else."""


def compared_table(compared: Compared) -> tuple[list[str], Cells]:
    """Header and rows: before, after, after/before of their means, and the same ratio of each round.

    The names of the states are those a reader finds in git.
    """
    states = (f"before: {compared.before.name}", f"after: {compared.after.name}")
    return ["", *states, "after/before", "round by round"], list(_rows(compared))


def _rows(compared: Compared) -> Iterator[list[str]]:
    for name, read in FIGURES.items():
        before, after = ([read(run) for run in side.runs] for side in (compared.before, compared.after))
        mean, now = _mean(before), _mean(after)
        pairs = [_ratio(one, two) for one, two in zip(before, after, strict=True)]
        yield [name, _told(mean), _told(now), _as_ratio(_ratio(mean, now)), ", ".join(map(_as_ratio, pairs))]


def _mean(values: Sequence[float | None]) -> float | None:
    """Of what is known."""
    known = [one for one in values if one is not None]
    return fmean(known) if known else None


def _ratio(before: float | None, after: float | None) -> float | None:
    """After / before; `None` where one of them is not known, or there was nothing before."""
    return after / before if before and after is not None else None


def _told(mean: float | None) -> str:
    if mean is None:
        return "–"
    return f"{mean:,.0f}" if mean >= LARGE else f"{mean:.2f}" if mean < 1 else f"{mean:.1f}"


def _as_ratio(found: float | None) -> str:
    return "–" if found is None else f"{found:.2f}"
