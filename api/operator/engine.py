"""What the workflow engine says of itself: work that keeps failing, its runs, the daily reconciliation, a new try.

Only bounded questions, kept for fifteen seconds; what fails there is told without a word of any case's content.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse, ResetActivityRequest
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from api.queues import AWAY, reported, running
from api.tools import Tools
from models.contracts.ids import reconciling_id

KEPT = 15.0  # seconds
WITHIN = 4.0  # seconds for all questions of one page together
MOST_REPORTED, MOST_LATEST = 50, 100
"""Workflows asked about: those the server itself reports, and the latest that run."""
AT_ONCE = 8
OFTEN = 3
"""Tries after which something counts as failing and not as unlucky."""


class Place(Protocol):
    """Whom to ask, and about which queue: the tools of the API, or what `anze doctor` has."""

    @property
    def temporal(self) -> Client: ...

    @property
    def task_queue(self) -> str: ...


@dataclass(frozen=True)
class Failing:
    """An activity or a workflow task that has been tried often and is tried again."""

    workflow_id: str
    run_id: str
    activity_id: str
    """Empty for a workflow task: only a mended program helps it."""
    what: str
    attempt: int
    error: str
    """The type of the last failure; its text may speak of the case."""
    since: datetime | None
    next_try_at: datetime | None


@dataclass(frozen=True)
class Report:
    """What the engine said last; `away` where it could not be asked."""

    away: bool = False
    asked: int = 0
    failing: tuple[Failing, ...] = ()
    reconciled_at: datetime | None = None
    reconciles_at: datetime | None = None
    at: float = field(default=-KEPT, repr=False)
    suspects: frozenset[str] = frozenset()


class Watch:
    """The last report of this process, and the lock that lets one request ask while the others wait for its answer."""

    def __init__(self) -> None:
        self._report = Report()
        self._asking = asyncio.Lock()

    async def report(self, tools: Place, suspects: Iterable[str] = ()) -> Report:
        """What fails among `suspects` (ids of workflows), those the server reports and the latest that run."""
        async with self._asking:
            now, asked = asyncio.get_running_loop().time(), frozenset(suspects)
            if now - self._report.at >= KEPT or not asked <= self._report.suspects:
                self._report = await _asked(tools, asked, now)
            return self._report

    def forget(self) -> None:
        """Something was done about it: the next page asks again."""
        self._report = Report()


async def _asked(tools: Place, suspects: frozenset[str], now: float) -> Report:
    try:
        async with asyncio.timeout(WITHIN):
            wanted = await _wanted(tools, suspects)
            described, schedule = await asyncio.gather(_described(tools, wanted), _schedule(tools))
    except AWAY:
        return Report(away=True, at=now, suspects=suspects)
    failing = [one for found in described for one in _failing(found)]
    ordered = tuple(sorted(failing, key=lambda one: (-one.attempt, one.workflow_id, one.activity_id)))
    return Report(False, len(wanted), ordered, *schedule, at=now, suspects=suspects)


async def _wanted(tools: Place, suspects: frozenset[str]) -> list[str]:
    found = dict.fromkeys(sorted(suspects))
    try:
        found |= dict.fromkeys(await _listed(tools, reported(tools.task_queue), MOST_REPORTED))
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:  # an older server does not know this attribute
            raise
    found |= dict.fromkeys(await _listed(tools, running(tools.task_queue), MOST_LATEST))
    return list(found)


async def _listed(tools: Place, query: str, most: int) -> list[str]:
    found: list[str] = []
    with suppress(ValueError):  # a status this library has no word for (a paused workflow) ends the list
        async for one in tools.temporal.list_workflows(query, limit=most, page_size=most):
            found.append(one.id)
    return found


async def _described(tools: Place, ids: list[str]) -> list[WorkflowExecutionDescription]:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(workflow_id: str) -> WorkflowExecutionDescription | None:
        async with places:
            return await describe(tools, workflow_id)

    return [found for found in await asyncio.gather(*(one(each) for each in ids)) if found]


async def describe(tools: Place, workflow_id: str) -> WorkflowExecutionDescription | None:
    """The latest run of a workflow; `None` where the engine knows none, or it is paused, which the library cannot read.

    Raises what AWAY lists.
    """
    try:
        async with asyncio.timeout(WITHIN):
            return await tools.temporal.get_workflow_handle(workflow_id).describe()
    except ValueError:
        return None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def _failing(found: WorkflowExecutionDescription) -> list[Failing]:
    raw: DescribeWorkflowExecutionResponse = found.raw_description
    told = [_activity(found, one) for one in raw.pending_activities if one.attempt >= OFTEN]
    task = raw.pending_workflow_task
    if raw.HasField("pending_workflow_task") and task.attempt >= OFTEN:
        since = task.original_scheduled_time.ToDatetime(UTC)
        told.append(Failing(found.id, found.run_id, "", "", task.attempt, "", since, None))
    return told


def _activity(found: WorkflowExecutionDescription, one: Any) -> Failing:
    failure = one.last_failure
    kind = failure.application_failure_info.type or failure.WhichOneof("failure_info") or ""
    waits = one.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and one.HasField("scheduled_time")
    return Failing(
        workflow_id=found.id,
        run_id=found.run_id,
        activity_id=one.activity_id,
        what=one.activity_type.name,
        attempt=one.attempt,
        error=kind.removesuffix("_failure_info"),
        since=one.last_started_time.ToDatetime(UTC) if one.HasField("last_started_time") else None,
        next_try_at=one.scheduled_time.ToDatetime(UTC) if waits else None,
    )


async def _schedule(tools: Place) -> tuple[datetime | None, datetime | None]:
    """When the books were last compared, and when they will be next."""
    try:
        found = (await tools.temporal.get_schedule_handle(reconciling_id(tools.task_queue)).describe()).info
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None, None
        raise
    last = found.recent_actions[-1].started_at if found.recent_actions else None
    return last, next(iter(found.next_action_times), None)


async def try_again(tools: Place, failing: Failing, by: str) -> None:
    """Let a failing activity be tried at once, from its first attempt. Raises what AWAY lists."""
    execution = WorkflowExecution(workflow_id=failing.workflow_id, run_id=failing.run_id)
    request = ResetActivityRequest(
        namespace=tools.temporal.namespace, execution=execution, identity=by, id=failing.activity_id
    )
    async with asyncio.timeout(WITHIN):
        await tools.temporal.workflow_service.reset_activity(request)


def ui_address(tools: Tools, workflow_id: str, run_id: str = "") -> str:
    """Where the Temporal UI shows a workflow, that run of it where one is known; empty without a UI."""
    if not tools.temporal_ui:
        return ""
    place = f"{tools.temporal_ui}/namespaces/{quote(tools.temporal.namespace, safe='')}/workflows"
    return f"{place}/{quote(workflow_id, safe='')}" + (f"/{quote(run_id, safe='')}/timeline" if run_id else "")
