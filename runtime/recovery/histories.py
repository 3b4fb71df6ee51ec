"""What workflows did since an instant, read from the engine's histories by replaying them; nothing is written."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryReverseRequest,
    ListWorkflowExecutionsRequest,
)
from temporalio.client import Client
from temporalio.workflow import ActivityHandle

from api.queues import served
from models.contracts.payment import Answered, PaymentOrder, Release, Reservation
from models.contracts.step import Entered, Step
from models.contracts.vocabulary import CaseKind
from runtime.replaying import Asked, Watching, replayer
from runtime.sandbox import serving

Money = Reservation | Release | PaymentOrder | Answered
PAGE = 500
MARGIN = timedelta(minutes=10)
"""Between the clocks of the database and of the engine; what is read once too often changes nothing."""
AT_ONCE = 8


@dataclass
class Lived:
    """What one workflow asked of the ledger and of the tills, in its order, over all its runs."""

    workflow_id: str
    kind: CaseKind
    steps: dict[int, Step] = field(default_factory=dict)
    money: list[Money] = field(default_factory=list)
    on_record: int = 0
    """The last step of which the ledger told the workflow, which had lost it: it was not the step handed in."""
    about: Step | None = None
    """Any step of it, for whose case it is."""
    fault: str = ""
    """Why its history could not be taken again; then nothing of it is used."""

    def note(self, asked: Asked, handle: ActivityHandle[Any]) -> None:
        """What was handed to an activity; of steps only those that the ledger took."""
        given = asked.args[0] if asked.args else None
        if isinstance(given, Step):
            handle.add_done_callback(lambda answered: _answered(self, given, answered))
        elif isinstance(given, Money):
            self.money.append(given)


def _answered(lived: Lived, step: Step, answered: asyncio.Future[Any]) -> None:
    """A step without an answer is handed in again by the workflow itself; one that met others in its place is none."""
    if answered.cancelled() or answered.exception() is not None or not isinstance(answered.result(), Entered):
        return
    lived.about = step
    if missed := answered.result().missed:
        lived.on_record = max(lived.on_record, missed[-1].seq)
    else:
        lived.steps[step.seq] = step


async def lives_since(
    client: Client, task_queue: str, since: datetime, heard: Callable[[int, int], None] = lambda *_: None
) -> list[Lived]:
    """Every case with events since then, parents before children. Raises RPCError."""
    found = [one async for one in _executions(client, task_queue)]
    touched: list[WorkflowExecutionInfo] = []
    places, done = asyncio.Semaphore(AT_ONCE), 0

    async def look(one: WorkflowExecutionInfo) -> None:
        nonlocal done
        async with places:
            if await _last_event_at(client, one.execution) >= since - MARGIN:
                touched.append(one)
        done += 1
        heard(done, len(found))

    await asyncio.gather(*(look(one) for one in found))
    return await _replayed(client, sorted(touched, key=lambda one: one.start_time.ToNanoseconds()))


async def _executions(client: Client, task_queue: str) -> AsyncIterator[WorkflowExecutionInfo]:
    """Raw, because the SDK's list stumbles over a status it has no word for."""
    kinds = " OR ".join(f"WorkflowType = '{kind.label}'" for kind in CaseKind)
    asked = ListWorkflowExecutionsRequest(
        namespace=client.namespace, page_size=PAGE, query=f"{served(task_queue)} AND ({kinds})"
    )
    while True:
        page = await client.workflow_service.list_workflow_executions(asked, retry=True)
        for one in page.executions:
            yield one
        if not page.next_page_token:
            return
        asked.next_page_token = page.next_page_token


async def _last_event_at(client: Client, execution: WorkflowExecution) -> datetime:
    asked = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace, execution=execution, maximum_page_size=1
    )
    page = await client.workflow_service.get_workflow_execution_history_reverse(asked, retry=True)
    return page.history.events[0].event_time.ToDatetime(UTC)


async def _replayed(client: Client, runs: list[WorkflowExecutionInfo]) -> list[Lived]:
    watching, lives = Watching(), dict[str, Lived]()
    again = replayer(serving(), client.data_converter, watching)
    for run in runs:
        name = run.execution.workflow_id
        lived = lives.setdefault(name, Lived(name, _kind(run.type.name)))
        watching.note = lived.note
        history = await client.get_workflow_handle(name, run_id=run.execution.run_id).fetch_history()
        result = await again.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure:
            lived.fault = type(result.replay_failure).__name__
    order = [CaseKind.POLICY, CaseKind.HAZARD, CaseKind.CLAIM]
    return sorted((one for one in lives.values() if one.about or one.fault), key=lambda one: order.index(one.kind))


def _kind(label: str) -> CaseKind:
    return next(kind for kind in CaseKind if kind.label == label)
