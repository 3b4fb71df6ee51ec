"""What the workflow engine is asked about one task queue: how it is served, what it serves; nothing is judged here."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client
from temporalio.service import RPCError

ASKED_WITHIN = 3.0  # seconds
AWAY: tuple[type[Exception], ...] = (RPCError, RuntimeError, OSError, TimeoutError)
"""How the engine's absence shows itself."""
KINDS = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
"""Decisions wait in the one, effects in the other: a worker may serve the first and be stuck in the second."""


@dataclass(frozen=True)
class Queue:
    """What the engine says of one task queue; its figures are some seconds old."""

    serving: int
    """Processes that have asked for decisions within the last five minutes, the engine's own measure."""
    oldest: timedelta
    """Since when the oldest task lies there, of either kind; zero where none does."""
    waiting: int


async def queue(client: Client, name: str) -> Queue:
    """Raises RPCError where the engine does not answer in time."""
    deciding, doing = await asyncio.gather(*(_described(client, name, kind) for kind in KINDS))
    stats = [one.stats for one in (deciding, doing)]
    return Queue(
        serving=len(deciding.pollers),
        oldest=max(one.approximate_backlog_age.ToTimedelta() for one in stats),
        waiting=sum(one.approximate_backlog_count for one in stats),
    )


def served(name: str) -> str:
    """The workflows of this queue, as the engine's lists are asked for them; further conditions may follow."""
    return "TaskQueue = '{}'".format(name.replace("'", "''"))


def running(name: str) -> str:
    """Those of them that have not ended."""
    return f"{served(name)} AND ExecutionStatus = 'Running'"


def reported(name: str) -> str:
    """Those the server itself reports as failing again and again; an older one takes no such question."""
    return f"{running(name)} AND TemporalReportedProblems IS NOT NULL"


async def _described(client: Client, name: str, kind: TaskQueueType.ValueType) -> DescribeTaskQueueResponse:
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=kind, report_stats=True
    )
    return await client.workflow_service.describe_task_queue(asked, timeout=timedelta(seconds=ASKED_WITHIN))
