"""Cases on the real engine: a worker with fakes of the ports, commands by key, and time that is moved on purpose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.testing import TimeSkipper
from temporalio.worker import Worker, WorkerDeploymentConfig

from activities.registry import TemporalRegistry
from domain.addresses import case_memo
from domain.calendar import local_date
from models.contracts.base import Actor, Command, Given
from models.contracts.policy import OpenPolicy
from models.contracts.policy_state import Birth, PolicyView
from models.contracts.ports import Registry, RuleDesk
from models.contracts.rulebook import Resolved, RulesFor
from runtime.sandbox import sandbox
from tests.domain.lives import application, library, policy_birth
from tests.fakes import FakeLedger
from tests.makers import SOMEBODY
from tests.runtime.waiting import until
from workflows.hazard import HazardWorkflow
from workflows.policy import PolicyWorkflow
from workflows.search import for_hazard, for_policy

_numbers, _keys = count(1), count(1)
SESSION = uuid4().hex[:6]
PAGES = "http://anze.test"
"""Where our own pages are."""


class LibraryDesk(RuleDesk):
    """The real library; away for as many questions as it is told."""

    def __init__(self, outages: int = 0) -> None:
        self.outages = outages
        self.library = library()

    @activity.defn(name="查定规则")
    async def resolve_rules(self, asked: RulesFor) -> Resolved:
        if self.outages > 0:
            self.outages -= 1
            raise LookupError("no such pack on this worker yet")
        return self.library.resolve(asked)


@dataclass
class Office:
    """What one test works with."""

    client: Client
    task_queue: str
    ledger: FakeLedger = field(default_factory=FakeLedger)
    desk: LibraryDesk = field(default_factory=LibraryDesk)
    registry: Registry | None = None
    workflows: tuple[type, ...] = (PolicyWorkflow, HazardWorkflow)
    deployment: WorkerDeploymentConfig | None = None
    """Which build the worker is, where that matters."""

    def worker(self) -> Worker:
        registry = self.registry or TemporalRegistry(self.client, self.task_queue, for_hazard, PAGES)
        return Worker(
            self.client,
            task_queue=self.task_queue,
            workflows=list(self.workflows),
            activities=[
                self.ledger.commit_step,
                self.ledger.recall_answer,
                self.ledger.recorded_since,
                self.desk.resolve_rules,
                registry.open_hazards,
            ],
            workflow_runner=sandbox(),
            deployment_config=self.deployment,
            max_cached_workflows=100,
        )

    async def opened(self, name: str = "保单", **more: Any) -> "Opened":
        """A policy signed today under a number of its own."""
        signed_at = more.pop("signed_at", None) or datetime.now().astimezone() - timedelta(seconds=30)
        today = local_date(signed_at)
        plain: dict[str, Any] = {
            "number": f"P-{SESSION}-{next(_numbers)}",
            "signed_at": signed_at.isoformat(timespec="seconds"),
            "effective_on": today,
            "expires_on": today + timedelta(days=364),
        }
        command = application(**(plain | more))
        birth = policy_birth(command.terms.number)
        view = await self.open(birth, given(command, fresh_key()), name)
        return Opened(self, self.client.get_workflow_handle(birth.workflow_id), birth, command, view)

    async def open(self, birth: Birth, asked: Given[OpenPolicy], name: str = "保单") -> PolicyView:
        start = WithStartWorkflowOperation(
            name,
            birth,
            id=birth.workflow_id,
            task_queue=self.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            search_attributes=for_policy(birth, asked.command),
            memo=case_memo(PAGES, birth.case_id),
        )
        return await self.client.execute_update_with_start_workflow(
            "opened", asked, start_workflow_operation=start, id=asked.command_id, result_type=PolicyView
        )


@dataclass
class Opened:
    """An open policy on the engine."""

    office: Office
    handle: WorkflowHandle[Any, Any]
    birth: Birth
    command: OpenPolicy
    view: PolicyView

    async def act(self, update: str, command: Command, key: str | None = None, actor: Actor = SOMEBODY) -> PolicyView:
        asked = given(command, key or fresh_key(), actor).model_copy(update={"recorded": len(self.steps)})
        return await self.handle.execute_update(update, asked, id=asked.command_id, result_type=PolicyView)

    async def pass_days(self, days: float) -> None:
        await TimeSkipper(self.office.client).fast_forward(self.handle, timedelta(days=days))

    def hazard(self, number: str) -> WorkflowHandle[Any, Any]:
        name = f"hazard/{self.birth.insurer_code}/{self.command.terms.number}/{number}"
        return self.office.client.get_workflow_handle(name)

    @property
    def steps(self) -> list[Any]:
        return self.office.ledger.of(self.birth.case_id)

    @property
    def seqs(self) -> list[int]:
        return [step.seq for step in self.steps]

    def told(self, duty: str) -> list[str]:
        """The moments of a duty that were told, in order, once for each role."""
        return [n.key.split(":")[2] for step in self.steps for n in step.notices if n.about.duty_key == duty]


async def at_rest(handle: WorkflowHandle[Any, Any]) -> int:
    """How long its history is once nothing of it is under way; who is answered may be so before the task is over."""

    async def is_idle() -> bool:
        found = (await handle.describe()).raw_description
        return not (found.HasField("pending_workflow_task") or found.pending_activities)

    await until(is_idle)
    return len([event async for event in handle.fetch_history_events()])


def given(command: Command, key: str, actor: Actor = SOMEBODY) -> Given[Any]:
    kind = Given[type(command)]  # pyright: ignore[reportInvalidTypeArguments] - what the handler expects, at run time
    return kind(command_id=key, actor=actor, fingerprint=fingerprint(command), command=command)


def fingerprint(command: Command) -> str:
    return sha256(command.model_dump_json().encode()).hexdigest()


def fresh_key() -> str:
    return f"key-{SESSION}-{next(_keys)}"


@asynccontextmanager
async def working(office: Office) -> AsyncIterator[Office]:
    async with office.worker():
        yield office
