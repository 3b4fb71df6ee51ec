"""Waiting for the outside world in tests: retry until true, with a limit; never a sleep of a guessed length."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable

import psutil

PATIENCE = 150.0
"""Seconds; the limit of every wait for what is sure to come. It costs nothing where that comes, and no test knows how
fast the machine is: below the limit of one test in pyproject.toml, so that what was waited for is what is told."""
SELDOM = 6
"""How often something is tried that must be done in time, where a busy machine may be late by itself."""


async def until(true: Callable[[], bool | Awaitable[bool]], seconds: float = PATIENCE) -> None:
    """Retry until true, with a limit. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await _is(true()):
            await asyncio.sleep(0.02)


async def _is(found: bool | Awaitable[bool]) -> bool:
    return await found if isawaitable(found) else found


async def in_time(seconds: float, once: Callable[[], Awaitable[None]]) -> float:
    """Do it until it took less than so many seconds, once; gives how long that was.

    What is always late is late every time; what is late once was held up by whoever else uses this machine.
    """
    clock, took = asyncio.get_running_loop().time, list[float]()
    while len(took) < SELDOM:
        began = clock()
        await once()
        took.append(clock() - began)
        if took[-1] < seconds:
            return took[-1]
    raise AssertionError(f"never within {seconds} s: {', '.join(f'{one:.1f}' for one in took)}")


def gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits to be collected has."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
