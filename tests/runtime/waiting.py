"""Waiting for the outside world in tests: retry until true, with a limit; never a sleep of a guessed length."""

import asyncio
from collections.abc import Callable

import psutil


async def until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Retry until true, with a limit."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits to be collected has."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
