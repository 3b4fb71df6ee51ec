"""The bare floor: as many workflows, updates and open timers on the same server, and no database, rule or page."""

import asyncio
import itertools
from collections.abc import Iterator
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

with workflow.unsafe.imports_passed_through():
    from bench.measure import Load

QUEUE = "anze-floor"
TIMER = timedelta(days=7)


@workflow.defn(name="floor")
class FloorWorkflow:
    """Counts updates, with a timer of seven days open all the time."""

    def __init__(self) -> None:
        self.done = 0

    @workflow.run
    async def run(self, updates: int) -> int:
        await workflow.wait_condition(lambda: self.done >= updates, timeout=TIMER)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.done

    @workflow.update(name="step")
    async def step(self, said: str) -> int:
        self.done += 1
        return self.done


class Floor:
    """Drives pairs of workflows as a policy and its hazard would be: update-with-start, then update after update."""

    def __init__(self, client: Client, policy_updates: int, hazard_updates: int) -> None:
        self._client = client
        self._updates = {"policy": policy_updates, "hazard": hazard_updates}
        self._numbers = itertools.count(1)

    async def lead(self, load: Load) -> int:
        """Lead pairs until there are enough or the time is over; how many."""
        left = load.turns()
        return sum(await asyncio.gather(*(self._caller(left) for _ in range(load.callers))))

    async def _caller(self, left: Iterator[int]) -> int:
        led = 0
        for _ in left:
            led += 1
            number = next(self._numbers)
            for kind, updates in self._updates.items():
                await self._one(f"floor/{kind}/{number}", updates)
        return led

    async def _one(self, workflow_id: str, updates: int) -> None:
        start = WithStartWorkflowOperation(
            FloorWorkflow.run,
            updates,
            id=workflow_id,
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        await self._client.execute_update_with_start_workflow(
            FloorWorkflow.step, "opened", start_workflow_operation=start
        )
        handle = self._client.get_workflow_handle(workflow_id)
        for number in range(1, updates):
            await handle.execute_update(FloorWorkflow.step, f"step {number}")
