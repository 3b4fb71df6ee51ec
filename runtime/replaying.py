"""Histories taken again under this version's code, and what they ask of their activities; nothing is sent."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from temporalio.client import Client, WorkflowExecution
from temporalio.converter import DataConverter
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
    WorkflowRunner,
)
from temporalio.workflow import ActivityHandle

from api.queues import running, served
from models.contracts.vocabulary import CaseKind, ClaimStage, HazardStage, PolicyStage
from runtime.codec import require_readable
from runtime.sandbox import sandbox
from runtime.worker import WORKFLOWS

STAGES = {CaseKind.POLICY: PolicyStage, CaseKind.HAZARD: HazardStage, CaseKind.CLAIM: ClaimStage}
PER_STAGE = 20
"""Lives of one stage took the same way, so a few of each tell more than many of one."""
LONGEST_REASON = 200  # characters of a failure that are worth showing in a table

Heard = Callable[["Replayed"], None]
Asked = StartActivityInput | StartLocalActivityInput
Note = Callable[[Asked, ActivityHandle[Any]], None]
"""Told of each activity as it is asked for; the handle has its result later, as soon as the history has it."""


class Watching(Interceptor):
    """Has noted what a replayed workflow asks of its activities, in its order; whose note it is may change between."""

    def __init__(self, note: Note | None = None) -> None:
        self.note = note

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor] | None:
        told = self._told

        class Outward(WorkflowOutboundInterceptor):
            def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:  # noqa: A002
                return told(input, super().start_local_activity(input))

            def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:  # noqa: A002
                return told(input, super().start_activity(input))

        class Inward(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outward(outbound))

        return Inward

    def _told(self, asked: Asked, handle: ActivityHandle[Any]) -> ActivityHandle[Any]:
        if self.note is not None:
            self.note(asked, handle)
        return handle


def replayer(
    runner: WorkflowRunner,
    converter: DataConverter,
    watching: Watching | None = None,
    workflows: Sequence[type[Any]] | None = None,
) -> Replayer:
    """Takes histories again as this version's worker would, or with some of its workflows alone, which load sooner."""
    return Replayer(
        workflows=WORKFLOWS if workflows is None else workflows,
        data_converter=converter,
        workflow_runner=runner,
        interceptors=[watching] if watching else [],
        build_id=version("anze"),  # else the SDK compiles every loaded module to hash it
    )


@dataclass(frozen=True)
class Replayed:
    """One run of one workflow, and what was wrong with it."""

    workflow_id: str
    run_id: str
    kind: str
    stage: str
    events: int
    failure: str = ""

    @property
    def holds(self) -> bool:
        return not self.failure


@dataclass(frozen=True)
class Sample:
    """A group of runs that are found alike."""

    kind: str
    stage: str
    query: str


def samples(task_queue: str, closed: bool) -> tuple[Sample, ...]:
    """Every kind × stage of cases, and whatever else the queue serves; without `closed` only what still runs."""
    asked = served(task_queue) if closed else running(task_queue)
    kinds = [
        Sample(kind.label, stage.label, f"{asked} AND WorkflowType = '{kind.label}' AND AnzeStage = '{stage.label}'")
        for kind, stages in STAGES.items()
        for stage in stages
    ]
    of_cases = ", ".join(f"'{kind.label}'" for kind in STAGES)
    return (*kinds, Sample("其他", "", f"{asked} AND WorkflowType NOT IN ({of_cases})"))


async def replay(client: Client, asked: Sequence[Sample], most: int, heard: Heard) -> tuple[Replayed, ...]:
    """Replays at most so many runs of each sample; `heard` is told of each. What was sealed is opened by the client.

    Raises Unreadable where that client has no key for it.
    """
    again, found = replayer(sandbox(), client.data_converter), list[Replayed]()
    for sample in asked:
        async for execution in _runs(client, sample, most):
            found.append(await _replayed(client, again, sample, execution))
            heard(found[-1])
    return tuple(found)


async def _runs(client: Client, sample: Sample, most: int) -> AsyncIterator[WorkflowExecution]:
    # the order a server lists in (the newest first) is not promised; which few of a stage are taken does not matter
    async for execution in client.list_workflows(sample.query, limit=most, page_size=min(most, 100)):
        yield execution


async def _replayed(client: Client, again: Replayer, sample: Sample, execution: WorkflowExecution) -> Replayed:
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    history = await handle.fetch_history()
    begun = history.events[0].workflow_execution_started_event_attributes
    await require_readable(client.data_converter, begun.input.payloads)
    result = await again.replay_workflow(history, raise_on_replay_failure=False)
    failure = result.replay_failure
    return Replayed(
        workflow_id=execution.id,
        run_id=execution.run_id,
        kind=execution.workflow_type if not sample.stage else sample.kind,
        stage=sample.stage,
        events=len(history.events),
        failure=f"{type(failure).__name__}: {failure}"[:LONGEST_REASON] if failure else "",
    )
