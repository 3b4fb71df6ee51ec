"""Temporal dies or is out of reach: what was acknowledged is there, what was pending converges, nothing doubles."""

import asyncio
import time

import pytest

from tests.faults.conftest import Measured
from tests.faults.ground import Ground
from tests.faults.history import Outcome

pytestmark = pytest.mark.timeout(300)


@pytest.mark.fault("F20")
async def test_connections_reset_five_times_are_invisible(ground: Ground, measured: Measured) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        began = time.monotonic()
        lives = [asyncio.create_task(ground.author.life(voice, number)) for number in range(1, 9)]
        for _ in range(5):
            await asyncio.sleep(0.3)
            ground.to_temporal.reset()
        await asyncio.gather(*lives)
        took = time.monotonic() - began
        assert ground.history.count(Outcome.OK) == 8 * 9
        assert ground.to_temporal.cut >= 5
        assert await ground.broken() == []
    measured("lives led:", len(lives))
    measured("seconds:", took)
