"""Signs of life of an activity that waits for somebody outside, so that a lost worker is noticed soon."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

BEAT = 2.0  # seconds; the SDK passes on as many as the activity's heartbeat time-out needs


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Tells Temporal that this attempt still lives, until the block ends."""
    beats = asyncio.create_task(_beat()) if activity.in_activity() else None
    try:
        yield
    finally:
        if beats:
            beats.cancel()


async def _beat() -> None:
    while True:  # the start was the first sign: what ends at once costs the engine no call
        await asyncio.sleep(BEAT)
        activity.heartbeat()
