"""Failpoints: what a child process does when it comes to a function, by its name; no product code knows them.

Armed by one variable of the environment, which only tests set, in children started as `python -m tests.faults.child`.
"""

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from typing import Any, Literal

VARIABLE = "ANZE_TEST_FAILPOINTS"
KILLED = 137
"""The exit code of a process that was killed with signal 9, as shells tell it."""
REACHED = "failpoint reached"


@dataclass(frozen=True)
class Failpoint:
    """`at` is a coroutine function where it is used, such as `activities.postman.hand_over` or a method of a class.

    `nth`: at which call; the others pass. `wait` and `fail` are done at every call from the nth on, `die` needs one.
    """

    when: Literal["before", "after"]
    at: str
    does: Literal["die", "fail", "wait"] = "die"
    seconds: float = 0.0
    nth: int = 1

    @property
    def spelled(self) -> str:
        return f"{self.when} {self.at} {self.does} {self.seconds} {self.nth}"

    @classmethod
    def read(cls, spelled: str) -> "Failpoint":
        when, at, does, seconds, nth = spelled.split()
        return cls(when, at, does, float(seconds), int(nth))  # pyright: ignore[reportArgumentType] - spelled by us

    async def struck(self) -> None:
        """Do what it is there for."""
        print(f"{REACHED}: {self.at}", flush=True)  # noqa: T201 - the test reads it
        if self.does == "die":
            os._exit(KILLED)
        if self.does == "fail":
            raise ConnectionError(f"failpoint at {self.at}")
        await asyncio.sleep(self.seconds)


def environment(*points: Failpoint) -> Mapping[str, str]:
    """What arms them in a child."""
    return {VARIABLE: ";".join(point.spelled for point in points)}


def arm(told: Mapping[str, str]) -> None:
    """Put every failpoint of the environment where it belongs; without any nothing happens."""
    for spelled in filter(None, told.get(VARIABLE, "").split(";")):
        _place(Failpoint.read(spelled))


def _place(point: Failpoint) -> None:
    owner, name = _found(point.at)
    setattr(owner, name, _armed(getattr(owner, name), point))


def _found(at: str) -> tuple[Any, str]:
    """The module or class, and the name in it. Raises LookupError where there is none: a failpoint must not miss."""
    path, _, name = at.rpartition(".")
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            owner: Any = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            owner = getattr(owner, part)
        if hasattr(owner, name):
            return owner, name
    raise LookupError(at)


def _armed(function: Callable[..., Awaitable[Any]], point: Failpoint) -> Callable[..., Awaitable[Any]]:
    calls = count(1)

    @functools.wraps(function)  # an activity stays one: its definition is an attribute
    async def guarded(*given: Any, **named: Any) -> Any:
        number = next(calls)
        strikes = number == point.nth or (number > point.nth and point.does != "die")
        if strikes and point.when == "before":
            await point.struck()
        answer = await function(*given, **named)
        if strikes and point.when == "after":
            await point.struck()
        return answer

    return guarded
