"""Claims on the real engine: a worker with fakes of the ports, or with the real ones, and commands by key."""

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
from temporalio.worker import Worker

from domain.calendar import local_date
from models.contracts import claim as commands
from models.contracts.base import Actor, Command, Given
from models.contracts.claim import ClaimBirth, ReportClaim
from models.contracts.claim_state import ClaimView
from models.contracts.ports import Cashier, Ledger, RuleDesk, Treasury
from models.contracts.rulebook import Resolved, RulesFor
from models.contracts.vocabulary import LossHead, PaymentKind, PaymentStatus
from runtime.sandbox import sandbox
from tests.domain.claim_lives import COVERED, SUPPLIER, SURVEYED, accident, claim_birth, spending
from tests.domain.lives import library
from tests.fakes import FakeCashier, FakeLedger, FakeTreasury
from tests.makers import SOMEBODY
from tests.runtime.waiting import until
from workflows.claim import ClaimWorkflow
from workflows.search import for_claim

_numbers, _keys = count(1), count(1)
SESSION = uuid4().hex[:6]
RESCUE_BILL = commands.AssessLoss.model_validate(
    {"lines": [{"id": f"L-{n}", "head": "rescue", "amount": "100.00"} for n in range(1, 41)]}
)
"""Forty bills of a hundred yuan each: money that needs no person."""


class LibraryDesk(RuleDesk):
    """The real library of packs."""

    @activity.defn(name="查定规则")
    async def resolve_rules(self, asked: RulesFor) -> Resolved:
        return library().resolve(asked)


@dataclass
class ClaimDesk:
    """What one test works with; ports may be the real ones."""

    client: Client
    task_queue: str
    ledger: Ledger = field(default_factory=FakeLedger)
    treasury: Treasury = field(default_factory=FakeTreasury)
    cashier: Cashier = field(default_factory=FakeCashier)

    def worker(self, **more: Any) -> Worker:
        return Worker(
            self.client,
            task_queue=self.task_queue,
            workflows=[ClaimWorkflow],
            activities=[
                self.ledger.commit_step,
                self.ledger.recall_answer,
                self.ledger.recorded_since,
                LibraryDesk().resolve_rules,
                self.treasury.reserve_payment,
                self.treasury.release_payment,
                self.cashier.instruct_payment,
                self.cashier.record_answer,
            ],
            workflow_runner=sandbox(),
            **more,
        )

    async def reported(self, number: str | None = None, **more: Any) -> "Reported":
        """An accident of two hours ago, reported now, under a number of its own."""
        happened = datetime.now().astimezone() - timedelta(hours=2)
        today = local_date(happened)
        cover: dict[str, Any] = {"signed_on": today - timedelta(days=40), "effective_on": today - timedelta(days=30)}
        birth = claim_birth(
            number=number or f"C-{SESSION}-{next(_numbers)}",
            **({**cover, "expires_on": today + timedelta(days=300)} | more),
        )
        plain = accident(at=happened.isoformat(timespec="seconds"))
        command = ReportClaim(number=birth.number, accident=plain, documents_complete=True)
        view = await self.open(birth, given(command, fresh_key()))
        return Reported(self, self.client.get_workflow_handle(birth.workflow_id), birth, command, view)

    async def open(self, birth: ClaimBirth, asked: Given[ReportClaim]) -> ClaimView:
        start = WithStartWorkflowOperation(
            "理赔",
            birth,
            id=birth.workflow_id,
            task_queue=self.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            search_attributes=for_claim(birth),
        )
        return await self.client.execute_update_with_start_workflow(
            "opened", asked, start_workflow_operation=start, id=asked.mark, result_type=ClaimView
        )


@dataclass
class Reported:
    """An open claim on the engine."""

    desk: ClaimDesk
    handle: WorkflowHandle[Any, Any]
    birth: ClaimBirth
    command: ReportClaim
    view: ClaimView
    recorded: int = 0
    """How many steps the caller saw on record, as the API tells a case with every command."""

    async def act(self, update: str, command: Command, key: str | None = None, actor: Actor = SOMEBODY) -> ClaimView:
        asked = given(command, key or fresh_key(), actor, self.recorded)
        self.view = await self.handle.execute_update(update, asked, id=asked.mark, result_type=ClaimView)
        return self.view

    async def ready(self) -> "Reported":
        """Surveyed, assessed with forty bills, covered: money may move."""
        await self.act("record_survey", SURVEYED)
        await self.act("assess_loss", RESCUE_BILL)
        await self.act("determine", COVERED)
        return self

    async def propose(self, number: str, line: int = 1) -> ClaimView:
        """One bill of the rescue team."""
        bill = spending(LossHead.RESCUE, "100.00").model_copy(update={"line": f"L-{line}"})
        proposal = commands.ProposePayment.model_validate(
            {
                "number": number,
                "kind": PaymentKind.SETTLEMENT,
                "lines": [bill],
                "payee": {"kind": "supplier", "ref": SUPPLIER},
                "by_user": "u-1",
            }
        )
        return await self.act("propose_payment", proposal)

    async def approve(self, number: str, key: str | None = None) -> ClaimView:
        return await self.act("approve_payment", commands.ApprovePayment(number=number, by_user="u-2"), key)

    async def settled(self) -> "Reported":
        """Ready, and agreed on all forty bills."""
        await self.ready()
        agreed = {"amount": "4000.00", "agreement": {"digest": "a" * 64, "name": "协议.pdf"}}
        await self.act("agree_settlement", commands.AgreeSettlement.model_validate(agreed))
        return self

    async def pass_days(self, days: float) -> None:
        await TimeSkipper(self.desk.client).fast_forward(self.handle, timedelta(days=days))

    @property
    def steps(self) -> list[Any]:
        assert isinstance(self.desk.ledger, FakeLedger)
        return self.desk.ledger.of(self.birth.case_id)

    def status(self, number: str) -> PaymentStatus:
        """As the ledger's last step has it."""
        payments = self.steps[-1].row.view["payments"]
        return PaymentStatus(next(one["status"] for one in payments if one["number"] == number))

    async def until(self, number: str, status: PaymentStatus) -> None:
        await until(lambda: self.status(number) is status)


def given(command: Command, key: str, actor: Actor = SOMEBODY, recorded: int = 0) -> Given[Any]:
    kind = Given[type(command)]  # pyright: ignore[reportInvalidTypeArguments] - what the handler expects, at run time
    return kind(command_id=key, actor=actor, fingerprint=_fingerprint(command), command=command, recorded=recorded)


def _fingerprint(command: Command) -> str:
    return sha256(command.model_dump_json().encode()).hexdigest()


def fresh_key() -> str:
    return f"key-{SESSION}-{next(_keys)}"


@asynccontextmanager
async def working(desk: ClaimDesk, **more: Any) -> AsyncIterator[ClaimDesk]:
    async with desk.worker(**more):
        yield desk
