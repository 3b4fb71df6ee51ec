"""The daily reconciliation on the real engine: one schedule however often a worker starts, one walk a day."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from temporalio import activity
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow, ScheduleHandle
from temporalio.worker import Worker

from domain.calendar import SHANGHAI
from models.contracts.payment import Reconciled
from models.contracts.ports import Bookkeeper
from runtime.sandbox import sandbox
from runtime.schedules import anchoring_id, ensure_schedules, reconciling_id
from tests.runtime.waiting import PATIENCE, until
from workflows.reconciling import ReconcilingWorkflow


class CountingBookkeeper(Bookkeeper):
    """Walks in no time; the first `away` walks find no database."""

    def __init__(self, away: int = 0) -> None:
        self.walks, self.away = 0, away

    @activity.defn(name="核对付款")
    async def reconcile_orders(self) -> Reconciled:
        self.walks += 1
        if self.walks <= self.away:
            raise ConnectionError("the database is away")
        return Reconciled(orders=3, found=1)


@pytest.fixture
async def schedule(temporal: Client, task_queue: str) -> AsyncIterator[ScheduleHandle]:
    await ensure_schedules(temporal, task_queue)
    handle = temporal.get_schedule_handle(reconciling_id(task_queue))
    yield handle
    for name in (reconciling_id(task_queue), anchoring_id(task_queue)):
        await temporal.get_schedule_handle(name).delete()


async def test_it_runs_every_day_at_six_in_shanghai(schedule: ScheduleHandle) -> None:
    asked_at, found = datetime.now(UTC), await schedule.describe()
    times = [one.astimezone(SHANGHAI) for one in found.info.next_action_times[:3]]
    assert [(one.hour, one.minute) for one in times] == [(6, 0)] * 3
    assert [(later.date() - earlier.date()).days for earlier, later in pairwise(times)] == [1, 1]
    assert times[0] > asked_at


async def test_workers_that_start_again_leave_one_schedule_and_let_a_paused_one_rest(
    temporal: Client, task_queue: str, schedule: ScheduleHandle
) -> None:
    await schedule.pause(note="核心系统检修")
    await asyncio.gather(*(ensure_schedules(temporal, task_queue) for _ in range(3)))
    found = await schedule.describe()
    assert (found.schedule.state.paused, found.schedule.state.note) == (True, "核心系统检修")


@pytest.mark.fault("F35")
async def test_the_books_are_compared_once_for_each_time_it_is_due(
    temporal: Client, task_queue: str, schedule: ScheduleHandle
) -> None:
    keeper = CountingBookkeeper()
    worker = Worker(
        temporal,
        task_queue=task_queue,
        workflows=[ReconcilingWorkflow],
        activities=[keeper.reconcile_orders],
        workflow_runner=sandbox(),
    )
    async with worker:
        await schedule.pause(note="或许现在正是六点")
        await schedule.trigger()
        await until(lambda: keeper.walks == 1)
        async with asyncio.timeout(PATIENCE):
            while not (actions := (await schedule.describe()).info.recent_actions):
                await asyncio.sleep(0.05)
        assert isinstance(actions[0].action, ScheduleActionExecutionStartWorkflow)
        started = temporal.get_workflow_handle_for(ReconcilingWorkflow.run, actions[0].action.workflow_id)
        assert await started.result() == Reconciled(orders=3, found=1)
    assert keeper.walks == 1
