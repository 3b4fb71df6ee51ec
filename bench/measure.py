"""Figures: spreads of times, CPU and memory of process trees; what is measured is not known here."""

import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psutil

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Load:
    """How much is to be done: at most so many, by so many callers at once, within so many seconds."""

    count: int
    callers: int
    within: float

    def turns(self) -> Iterator[int]:
        """One number for each turn; shared by all callers. A turn that has begun is finished."""
        ends = time.perf_counter() + self.within
        return (number for number in range(self.count) if time.perf_counter() < ends)


@dataclass(frozen=True)
class Spread:
    """Times in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    most: float


def spread(seconds: Sequence[float]) -> Spread:
    """The spread of some times (in seconds; at least one)."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1000, 1)

    return Spread(len(ordered), at(0.5), at(0.95), at(0.99), round(ordered[-1] * 1000, 1))


class Meter:
    """CPU of named process trees between `start` and `read`, in milliseconds; `driver` is this process itself."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = {**pids, "driver": os.getpid()}
        self._began = 0.0
        self._before: dict[str, float] = {}

    def start(self) -> "Meter":
        self._before = {name: cpu_seconds(pid, whole_tree=name != "driver") for name, pid in self._pids.items()}
        self._began = time.perf_counter()
        return self

    def read(self) -> tuple[float, dict[str, float]]:
        """Seconds of wall time, and milliseconds of CPU by name."""
        wall = time.perf_counter() - self._began
        after = {name: cpu_seconds(pid, whole_tree=name != "driver") for name, pid in self._pids.items()}
        return wall, {name: (after[name] - self._before[name]) * 1000 for name in after}


def cpu_seconds(pid: int, *, whole_tree: bool = True) -> float:
    """User and system time of a process, of its living children and of those it has buried."""
    parent = psutil.Process(pid)
    own = parent.cpu_times()
    total = own.user + own.system
    if whole_tree:
        total += own.children_user + own.children_system
        total += sum(_own(child) for child in parent.children(recursive=True))
    return total


def _own(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def resident(pid: int) -> float:
    """Resident memory of one process in MiB."""
    return psutil.Process(pid).memory_info().rss / MEBIBYTE
