"""Workers die, are told to stop, or starve: others take over, what can finish finishes, and nothing is done twice."""

import asyncio
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from temporalio.common import SearchAttributeKey

from runtime import worker as workers
from runtime.embedded.ports import free_ports
from runtime.embedded.process import Child, Launch
from runtime.embedded.temporal import TemporalServer
from runtime.search import SearchAttributeConflict, search_attributes
from runtime.settings import Settings
from tests.faults.children import serving
from tests.faults.conftest import Measured
from tests.faults.failpoints import Failpoint
from tests.faults.ground import Ground
from tests.faults.history import Outcome
from tests.runtime.waiting import PATIENCE

ON_TIME = 5.0
"""Seconds after its instant in which a deadline fires while the service is up (promises.md P3)."""
MARGIN = 3
"""On a machine that others use, and here starves on purpose."""
LATEST = """
SELECT max(extract(epoch FROM queued_at - $1::timestamptz))::float AS latest,
       min(extract(epoch FROM queued_at - $1::timestamptz))::float AS earliest, count(*) AS told
FROM outbox WHERE kind = 'duty_overdue'
"""


@pytest.mark.fault("F5")
async def test_the_cases_a_killed_worker_had_cached_are_answered_by_the_other(
    ground: Ground, measured: Measured
) -> None:
    worker = partial(serving, "worker", ground.settings)
    async with ground.voices() as (voice,), worker() as first, worker():
        policies = await asyncio.gather(*(ground.author.open(voice, number) for number in range(1, 9)))
        await first.die()
        killed = time.monotonic()
        acts = [ground.author.act(voice, one, n, "provider") for n, one in enumerate(policies)]
        answers = await asyncio.gather(*acts)
        measured("seconds to the last of 8 answers:", time.monotonic() - killed)
        waited = [one.seconds for one in answers if one.seconds >= workers.STICKY.total_seconds()]
        assert min(waited, default=0.0) < 3 * MARGIN, "whoever waited did so for what a dead worker had cached"
        assert await ground.broken() == []
    assert ground.history.count(Outcome.OK) == 16


@pytest.mark.slow_fault
@pytest.mark.fault("F6")
async def test_a_worker_told_to_stop_finishes_what_it_has_begun(ground: Ground, measured: Measured) -> None:
    slow = Failpoint("before", "activities.postman.hand_over", "wait", seconds=2)
    async with ground.voices() as (voice,):
        async with serving("worker", ground.settings, slow) as leaving:
            await ground.author.open(voice, 1)
            await leaving.reached()
            assert leaving.child is not None
            child, told = leaving.child, time.monotonic()
            await child.stop(signal.SIGTERM, patience=10)
            measured("seconds from SIGTERM to the end:", time.monotonic() - told)
            assert child.returncode == 0
        async with serving("worker", ground.settings):
            assert await ground.broken() == []
    again = await ground.rows("SELECT 1 FROM attempts WHERE number > 1 OR outcome = 'ambiguous'")
    measured("mails tried again:", len(again))
    assert again == []


@pytest.mark.fault("F10")
async def test_a_worker_refuses_to_serve_a_namespace_whose_attributes_are_others(
    settings: Settings, measured: Measured
) -> None:
    wanted = search_attributes()[0]
    server = TemporalServer(free_ports(1)[0], attributes=[SearchAttributeKey.for_int(wanted.name)])
    await server.start()
    told = settings.model_copy(update={"temporal_address": server.address, "temporal_metrics_port": free_ports(1)[0]})
    try:
        with pytest.raises(SearchAttributeConflict, match=wanted.name):
            await workers.run(told)
    finally:
        await server.stop()
    measured("refused before the first task, by name:", wanted.name)


@pytest.mark.slow_fault
@pytest.mark.fault("F39")
async def test_a_starving_worker_is_late_and_never_wrong(ground: Ground, measured: Measured) -> None:
    await ground.department()
    starved = ("taskset", "-c", "0", "nice", "-n", "19")
    hog = Child.start(Launch("hog", ["taskset", "-c", "0", sys.executable, "-c", "while True: pass"]))
    try:
        async with ground.voices() as (voice,), serving("worker", ground.settings, prefix=starved):
            voice.patience = 120
            due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=25)
            await asyncio.gather(*(ground.author.open_due(voice, 100 + number, due) for number in range(5)))
            assert datetime.now(UTC) < due, "this machine opened them too slowly for the trial"
            await asyncio.gather(*(ground.author.life(voice, number) for number in range(1, 5)))
            async with asyncio.timeout(PATIENCE):
                while (await ground.rows(LATEST, due))[0]["told"] < 10:
                    await asyncio.sleep(0.2)
            assert await ground.broken() == []
            rung = (await ground.rows(LATEST, due))[0]
    finally:
        hog.kill()
        await hog.ended(5)
    assert rung["earliest"] >= 0
    assert rung["latest"] <= ON_TIME * MARGIN
    measured("latest deadline, seconds:", rung["latest"])
