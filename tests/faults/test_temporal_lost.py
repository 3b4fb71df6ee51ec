"""Temporal dies or is out of reach: what was acknowledged is there, what was pending converges, nothing doubles."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.children import serving
from tests.faults.conftest import Measured
from tests.faults.failpoints import Failpoint
from tests.faults.ground import Ground
from tests.faults.history import Outcome, Voice
from tests.faults.lives import Untold
from tests.faults.proxy import Mode
from tests.faults.watching import Executions

RUNGS = """
SELECT count(*) AS told, count(DISTINCT notice_key) AS keys, count(DISTINCT case_id) AS cases,
       max(extract(epoch FROM queued_at - $1::timestamptz))::float AS latest,
       min(extract(epoch FROM queued_at - $1::timestamptz))::float AS earliest
FROM outbox WHERE kind = 'duty_overdue'
"""
PROMISED = 60.0
"""Seconds after recovery in which every timer that became due during an outage fires (promises.md P3)."""

ONE_WAY = 0.1  # seconds of latency


async def several(ground: Ground, voice: Voice, count: int, callers: int = 8) -> list[object]:
    """So many lives, a few at a time."""
    gate = asyncio.Semaphore(callers)

    async def one(number: int) -> object:
        async with gate:
            return await ground.author.life(voice, number)

    return await asyncio.gather(*(one(number) for number in range(1, count + 1)))


async def opened_before(ground: Ground, voice: Voice, count: int) -> datetime:
    """Open so many policies whose terms all end at one instant, when all are open; ten show how long it will take."""
    gate, far = asyncio.Semaphore(10), datetime.now(UTC) + timedelta(hours=1)

    async def one(number: int, due: datetime) -> None:
        async with gate:
            await ground.author.open_due(voice, number, due)

    await one(999, far)  # the first one loads templates and rules
    began = time.monotonic()
    await asyncio.gather(*(one(1000 + number, far) for number in range(10)))
    takes = (time.monotonic() - began) * count / 10
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=round(20 + 1.5 * takes))
    await asyncio.gather(*(one(number, due) for number in range(count)))
    assert datetime.now(UTC) < due, "this machine opened them too slowly for the trial"
    return due


async def _accepted(ground: Ground, workflow_id: str) -> AsyncIterator[str]:
    """The updates a run has taken."""
    async for one in ground.client.get_workflow_handle(workflow_id).fetch_history_events():
        if one.HasField("workflow_execution_update_accepted_event_attributes"):
            yield one.workflow_execution_update_accepted_event_attributes.accepted_request.input.name


@pytest.mark.slow_fault
@pytest.mark.fault("F1")
async def test_every_open_timer_fires_once_across_five_kills(ground: Ground, measured: Measured) -> None:
    await ground.department()
    async with ground.worker(), ground.voices() as (voice,):
        due = await opened_before(ground, voice, 200)
        for _ in range(5):
            left = (due - datetime.now(UTC)).total_seconds()
            await asyncio.sleep(max(0.3, left / 3) if left < 30 else left - 20)
            await ground.kill_temporal()
            await ground.temporal.start()
        back = (datetime.now(UTC) - due).total_seconds()
        async with asyncio.timeout(PROMISED * 3):  # so that it ends; how late it may be is asked below
            while (await ground.rows(RUNGS, due))[0]["cases"] < 200:
                await asyncio.sleep(0.5)
        assert await ground.broken() == []
        rung = (await ground.rows(RUNGS, due))[0]
    assert (rung["cases"], rung["told"], rung["keys"]) == (200, 400, 400)
    assert rung["earliest"] >= 0
    late = max(0.0, rung["latest"] - max(0.0, back))
    assert late <= PROMISED
    measured("timers lost:", 200 - rung["cases"])
    measured("doubled:", rung["told"] - rung["keys"])
    measured("latest, seconds after the last recovery:", late)


@pytest.mark.slow_fault
@pytest.mark.fault("F2")
async def test_every_acknowledged_start_of_a_burst_exists_once(ground: Ground, measured: Measured) -> None:
    chance, numbers = random.Random(2), iter(range(1, 10_000))
    async with ground.worker(), ground.voices() as (voice,):
        storm = True

        async def starter() -> None:
            while storm:
                await ground.author.open(voice, next(numbers))

        starters = [asyncio.create_task(starter()) for _ in range(16)]
        for _ in range(15):
            await asyncio.sleep(chance.uniform(0.4, 0.8))
            await ground.kill_temporal()
            await ground.temporal.start()
        storm = False
        await asyncio.gather(*starters)
        assert await ground.broken() == []
        opened = (await ground.rows("SELECT count(*) AS cases, count(DISTINCT number) AS numbers FROM cases"))[0]
    acknowledged = ground.history.count(Outcome.OK)
    assert acknowledged == len(ground.history.operations) == opened["cases"] == opened["numbers"]
    measured("acknowledged:", acknowledged)
    measured("cases there:", opened["cases"])


@pytest.mark.slow_fault
@pytest.mark.fault("F3")
async def test_an_outage_longer_than_an_activity_repeats_activities_and_no_effect(
    ground: Ground, measured: Measured
) -> None:
    executions = Executions()
    async with ground.worker(executions), ground.voices() as (voice,):
        lives = asyncio.create_task(several(ground, voice, 40))
        await asyncio.sleep(2)
        await ground.kill_temporal()
        await asyncio.sleep(12)
        await ground.temporal.start()
        back = time.monotonic()
        await lives
        measured("seconds from recovery to the last answer:", time.monotonic() - back)
        assert await ground.broken() == []
    assert ground.history.count(Outcome.OK) == 40 * 9
    assert executions.repeated > 0, "the outage outlasted no activity, and nothing was tried"
    measured("activities that ran again:", executions.repeated)


@pytest.mark.fault("F8")
async def test_a_command_that_was_pending_when_temporal_died_takes_effect_once(
    ground: Ground, measured: Measured
) -> None:
    async with ground.voices(answer_within=1.0) as (voice,):
        async with ground.worker():
            policy = await ground.author.open(voice, 1)
        told = await voice.post(f"/v1/policies/{policy}/provider", {"provider_name": "甲机构"}, "pending", patience=0)
        assert (told.outcome, told.answers) == (Outcome.INFO, [503])
        await ground.kill_temporal()
        await ground.temporal.start()
        async with ground.worker():
            began = time.monotonic()
            again = await voice.post(f"/v1/policies/{policy}/provider", {"provider_name": "甲机构"}, "pending")
            measured("seconds to the answer:", time.monotonic() - began)
            assert again.said["stage"] == "provider_named"
            assert await ground.broken() == []
    assert len(await ground.rows("SELECT 1 FROM steps")) == 2


@pytest.mark.slow_fault
@pytest.mark.fault("F8")
async def test_an_opening_that_died_with_temporal_and_worker_after_its_commit_is_lived_all_the_same(
    ground: Ground, measured: Measured
) -> None:
    """The ledger knows the policy, the engine's run of it was never told: repeating it brings it to life."""
    dying = Failpoint("after", "activities.ledger.PgLedger.commit_step")
    async with ground.voices(answer_within=2.0) as (voice,):
        async with serving("worker", ground.settings, dying) as worker:
            opening = asyncio.create_task(ground.author.open(voice, 1))
            await worker.killed()
            await ground.kill_temporal()
        await ground.temporal.start()
        async with ground.worker():
            back = time.monotonic()
            policy = await opening
            measured("acknowledged s after both were back:", time.monotonic() - back)
            updates = [one async for one in _accepted(ground, f"policy/{voice.code}/F-000001")]
            assert updates == ["opened"], "acknowledged, and its run does not know of it: no term of it would ring"
            await ground.author.act(voice, policy, 1, "upload")
            assert await ground.broken() == []
    assert ground.history.operations[0].answers[0] == 503


@pytest.mark.fault("F20")
async def test_connections_reset_five_times_are_invisible(ground: Ground, measured: Measured) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        began = time.monotonic()
        lives = asyncio.create_task(several(ground, voice, 4))
        for _ in range(5):
            await asyncio.sleep(0.3)
            ground.to_temporal.reset()
        await lives
        measured("seconds for 4 lives:", time.monotonic() - began)
        assert ground.to_temporal.cut >= 5
        assert await ground.broken() == []
    assert ground.history.count(Outcome.OK) == 4 * 9


@pytest.mark.parametrize(
    "seconds", [3, pytest.param(20, marks=pytest.mark.slow_fault), pytest.param(60, marks=pytest.mark.slow_fault)]
)
@pytest.mark.fault("F21")
async def test_after_a_black_hole_every_command_ends_once(ground: Ground, measured: Measured, seconds: int) -> None:
    async with ground.worker(), ground.voices(2, answer_within=min(5.0, seconds - 1.0)) as (voice, other):
        voice.patience, other.patience = 180, 0
        lives = asyncio.create_task(several(ground, voice, 4))
        await asyncio.sleep(0.5)
        ground.to_temporal.become(Mode.BLACKHOLE)
        hole = asyncio.create_task(asyncio.sleep(seconds))
        with pytest.raises(Untold, match="503"):  # nothing gets through, and the answer says that it is unknown
            await ground.author.open(other, 99)
        await hole
        ground.to_temporal.become(Mode.PASS)
        healed, other.patience = time.monotonic(), 180
        await ground.author.open(other, 99)
        measured(f"{seconds} s: seconds from healing to the first answer:", time.monotonic() - healed)
        await lives
        assert await ground.broken() == []
    assert ground.history.count(Outcome.OK) == 4 * 9 + 1


@pytest.mark.slow_fault
@pytest.mark.fault("F22")
async def test_latency_makes_everything_slower_and_nothing_else(ground: Ground, measured: Measured) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        quickest = list[float]()
        for words, mode in (("without:", Mode.PASS), ("100 ms each way:", Mode.LATENCY)):
            ground.to_temporal.become(mode, delay=ONE_WAY)
            done, began = len(ground.history.operations), time.monotonic()
            first = 1 if mode is Mode.PASS else 21
            await asyncio.gather(*(ground.author.life(voice, first + number) for number in range(20)))
            measured(f"seconds for 20 lives {words}", time.monotonic() - began)
            quickest.append(min(one.seconds for one in ground.history.operations[done:]))
            measured(f"quickest answer {words}", quickest[-1])
        without, slowed = quickest
        assert slowed > max(without, 2 * ONE_WAY)
        assert await ground.broken() == []
    assert ground.history.count(Outcome.OK) == 2 * 20 * 9
