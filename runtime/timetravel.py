"""Moves cases and mailrooms through time on a server that can skip it (engine.md E3, F); for demo, training and tests.

Each workflow has a clock of its own that runs on from wherever it was moved to. A `Traveller` keeps one present for all
of them: whoever is moved is moved to it, and what starts anew starts in it.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.service import RPCError, RPCStatusCode

from models.contracts.ids import mailroom_workflow_id
from models.tables.engine import connected, operator

AT_ONCE = 12
"""Workflows on their way at one time: the server and one worker share two cores with everything else."""
HARDLY = timedelta(seconds=1)
"""A workflow that is less than this behind is left where it is."""

A_LITTLE = timedelta(milliseconds=20)
INTO_THE_PRESENT = "into-the-present"

ALARMED = text(
    "WITH RECURSIVE family AS ("
    " SELECT id, parent_id FROM cases WHERE ended_at IS NULL AND next_alarm_at <= :until"
    " UNION SELECT c.id, c.parent_id FROM cases c JOIN family f ON c.id = f.parent_id OR c.parent_id = f.id)"
    " SELECT workflow_id FROM cases JOIN family USING (id) WHERE ended_at IS NULL ORDER BY next_alarm_at"
)
NEXT_ALARM = text("SELECT min(next_alarm_at) FROM cases WHERE ended_at IS NULL")
FAMILY = text(
    "SELECT workflow_id FROM cases WHERE ended_at IS NULL AND coalesce(parent_id, id) ="
    " (SELECT coalesce(parent_id, id) FROM cases WHERE workflow_id = :workflow_id)"
)
QUEUED = text("SELECT DISTINCT recipient_id FROM outbox WHERE status = 'queued'")


class NoTimeTravel(Exception):
    """The server cannot skip time, or this version of the SDK cannot ask it to; the text says what to do."""


class Traveller:
    """The one present of a story, and how far each workflow has been moved towards it. Nothing ever moves back."""

    def __init__(self, client: Client, engine: AsyncEngine) -> None:
        self._skipper = _skipper(client)
        self._client = client
        self._engine = engine
        self._ahead = timedelta()
        self._moved: dict[str, timedelta] = {}
        self._roads: dict[str, asyncio.Lock] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    @property
    def client(self) -> Client:
        """A client whose workflows start in the present, and whose signals find theirs there."""
        config = self._client.config()
        config["interceptors"] = [*config["interceptors"], _InThePresent(self)]
        return Client(**config)

    def now(self) -> datetime:
        """The story's present; it runs on with the real clock."""
        return datetime.now(UTC) + self._ahead

    def set(self, present: datetime) -> None:
        """Make it this instant, for everything that is moved or starts from now on; an earlier one changes nothing."""
        self._ahead = max(self._ahead, present - datetime.now(UTC))

    async def travel(self, workflow_id: str) -> None:
        """Move one workflow to the present, through every timer on its way; one that is over or absent stays."""
        async with self._roads.setdefault(workflow_id, asyncio.Lock()):
            ahead = self._ahead
            behind = ahead - self._moved.get(workflow_id, timedelta())
            if behind < HARDLY:
                return
            async with self._places:
                is_there = await self._skip(workflow_id, behind)
            if is_there:  # else it may begin any moment, and must then begin in the present
                self._moved[workflow_id] = ahead

    async def travel_together(self, workflow_ids: Iterable[str]) -> None:
        await asyncio.gather(*(self.travel(one) for one in workflow_ids))

    async def arrive(self, workflow_id: str) -> None:
        """Move a case, its policy and that policy's hazards to the present: before somebody acts on it."""
        await self.travel_together(await self._ids(FAMILY, workflow_id=workflow_id))

    async def move_cases(self) -> int:
        """Move every open case with an alarm up to the present, with its family; gives how many were moved."""
        moved = await self._ids(ALARMED, until=self.now())
        await self.travel_together(moved)
        return len(moved)

    async def move_mailrooms(self) -> int:
        """Move the mailroom of everybody for whom something waits; in its office hours the digest goes out."""
        waiting = [mailroom_workflow_id(recipient) for recipient in await self._column(QUEUED)]
        await self.travel_together(waiting)
        return len(waiting)

    async def next_alarm(self) -> datetime | None:
        """The first instant at which time alone changes a case."""
        found = await self._column(NEXT_ALARM)
        return found[0]

    async def begun(self, workflow_id: str) -> None:
        """Wait until a workflow that was started ahead of the real clock has skipped the time until its start."""
        asked = _asking(self._client, workflow_id)
        await self._client.workflow_service.poll_workflow_execution_time_skipping(asked, retry=True)

    async def _skip(self, workflow_id: str, duration: timedelta) -> bool:
        """Whether there is such a workflow, which has then been moved."""
        try:
            await self._skipper.fast_forward(self._client.get_workflow_handle(workflow_id), duration)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise _explained(error) from error
        return True

    async def _ids(self, statement: Any, **values: Any) -> list[str]:
        return [str(one) for one in await self._column(statement, **values)]

    async def _column(self, statement: Any, **values: Any) -> list[Any]:
        async with connected(self._engine) as connection, connection.begin():
            await operator(connection)
            return list((await connection.execute(statement, values)).scalars())

    def births(self, workflow_id: str) -> timedelta | None:
        """How far ahead a workflow must begin that is started now; `None` where it was started before."""
        if workflow_id in self._moved:
            return None
        self._moved[workflow_id] = self._ahead
        return self._ahead


def _explained(error: RPCError) -> Exception:
    """The error itself, or what to do where the server does not know how to skip time."""
    if error.status not in {RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.INVALID_ARGUMENT}:
        return error
    return NoTimeTravel(
        "这台 Temporal 服务器没有开启时间快进 / this server cannot skip time:"
        f" frontend.WorkflowTimeSkippingEnabled ({error.message})"
    )


def _skipper(client: Client) -> Any:
    """The SDK's own, which is experimental and may move. Raises NoTimeTravel where it is missing."""
    try:
        from temporalio.testing import TimeSkipper
    except ImportError:
        raise NoTimeTravel("temporalio 的这个版本没有时间快进 / this temporalio has no TimeSkipper") from None
    return TimeSkipper(client)


def _skipping(duration: timedelta) -> Any:
    """What a start must carry so that the new workflow's first moment lies that far ahead."""
    from temporalio.api.common.v1 import FastForwardConfig, TimeSkippingConfig

    forward = FastForwardConfig(id=INTO_THE_PRESENT)
    forward.duration.FromTimedelta(duration)
    return TimeSkippingConfig(enabled=True, fast_forward_config=forward)


def _asking(client: Client, workflow_id: str) -> Any:
    """The question whether a start's skip is over."""
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import PollWorkflowExecutionTimeSkippingRequest

    execution = WorkflowExecution(workflow_id=workflow_id)
    return PollWorkflowExecutionTimeSkippingRequest(
        namespace=client.namespace, workflow_execution=execution, fast_forward_id=INTO_THE_PRESENT
    )


class _InThePresent(Interceptor):
    def __init__(self, traveller: Traveller) -> None:
        self._traveller = traveller

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's name
        return _Outbound(next, self._traveller)


class _Outbound(OutboundInterceptor):
    """Whatever comes with a start (a signal, an update) is sent when the new workflow has reached the present."""

    def __init__(self, following: OutboundInterceptor, traveller: Traveller) -> None:
        super().__init__(following)
        self._traveller = traveller

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
        ahead = self._traveller.births(input.id)
        if ahead is None:  # a nudge: whoever gets it looks at the clock first
            await self._traveller.travel(input.id)
        elif ahead >= HARDLY:
            begun = await self._begin({**vars(input), "start_signal": None, "start_signal_args": ()}, ahead)
            return await super().start_workflow(input) if input.start_signal else begun
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self,
        input: StartWorkflowUpdateWithStartInput,  # noqa: A002
    ) -> WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        ahead = self._traveller.births(start.id)
        if ahead is not None and ahead >= HARDLY:
            given = {name: value for name, value in vars(start).items() if name in _FIELDS}
            await self._begin({**_PLAIN, **given, "rpc_timeout": input.rpc_timeout}, ahead)
        return await super().start_update_with_start_workflow(input)

    async def _begin(self, values: dict[str, Any], ahead: timedelta) -> WorkflowHandle[Any, Any]:
        """Skip the time until the present before the first moment; the skip ends first, so that nothing overshoots."""
        delayed = {"start_delay": ahead, "time_skipping_config": _skipping(ahead - A_LITTLE)}
        try:
            handle = await super().start_workflow(StartWorkflowInput(**{**values, **delayed}))
        except RPCError as error:
            raise _explained(error) from error
        await self._traveller.begun(handle.id)
        return handle


_FIELDS = frozenset(StartWorkflowInput.__dataclass_fields__)
_PLAIN: dict[str, Any] = {
    "start_signal": None,
    "start_signal_args": (),
    "rpc_metadata": {},
    "request_eager_start": False,
}
