"""What one life leaves in Temporal: events, bytes, billable actions; how fast such histories replay."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from runtime.replaying import replayer
from runtime.sandbox import sandbox

PREFIX = "EVENT_TYPE_"
BILLED = {
    "WORKFLOW_EXECUTION_STARTED": "starts",
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": "updates",
    "WORKFLOW_EXECUTION_SIGNALED": "signals",
    "TIMER_STARTED": "timers",
    "ACTIVITY_TASK_SCHEDULED": "activities",
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": "upserts",
}
"""Events that count as one action each; a run that continues another counts as continue-as-new, not as a start."""


@dataclass(frozen=True)
class Account:
    """The histories of all runs of some workflows together."""

    runs: int
    events: int
    bytes: int
    actions: dict[str, int]

    @property
    def billable(self) -> int:
        return sum(self.actions.values())


async def histories(client: Client, workflow_id: str) -> list[WorkflowHistory]:
    """Every run of a workflow, the last one first, found through the run each one continues."""
    found: list[WorkflowHistory] = []
    run_id: str | None = None
    while True:
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        found.append(history)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run_id:
            return found


def account(runs: Sequence[WorkflowHistory]) -> Account:
    """Count events, their bytes as stored (protobuf), and billable actions."""
    events = [event for run in runs for event in run.events]
    actions: Counter[str] = Counter()
    for run in runs:
        actions.update(_actions(run.events))
    return Account(len(runs), len(events), sum(event.ByteSize() for event in events), dict(sorted(actions.items())))


def _actions(events: Iterable[HistoryEvent]) -> Counter[str]:
    counted: Counter[str] = Counter()
    marked: set[int] = set()
    for event in events:
        name = EventType.Name(event.event_type).removeprefix(PREFIX)
        if name == "MARKER_RECORDED":
            marked.add(event.marker_recorded_event_attributes.workflow_task_completed_event_id)
        elif name in BILLED:
            again = event.workflow_execution_started_event_attributes.continued_execution_run_id
            counted["continue-as-new" if again else BILLED[name]] += 1
    counted["local activities, by task"] += len(marked)
    return counted


async def replayed_per_second(runs: Sequence[WorkflowHistory]) -> tuple[int, float]:
    """Replay every run in the sandbox: how many events, and events per second. Raises when one does not replay."""
    again = replayer(sandbox(), pydantic_data_converter)
    await again.replay_workflow(runs[0])  # the first one loads the code
    began = time.perf_counter()
    for run in runs:
        await again.replay_workflow(run)
    events = sum(len(run.events) for run in runs)
    return events, events / (time.perf_counter() - began)
