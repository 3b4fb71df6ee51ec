"""Workflows that the engine has lost begin again from the ledger, and those that were set back catch up with it.

Each open case is asked to open once more, with the very application on record: a workflow that is absent starts, finds
its steps in the ledger and takes them again (decision 0021); one that knows fewer steps looks the others up.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.registry import hazard_summary
from api.gateway import claim_summary, summary
from domain.addresses import case_link, case_memo
from models.contracts.base import Given
from models.contracts.claim import ClaimBirth
from models.contracts.hazard import HazardBirth
from models.contracts.policy_state import Birth
from models.contracts.step import Cause
from models.contracts.vocabulary import CaseKind
from models.tables.cases import Case, RecordedStep
from models.tables.engine import connected, operator, tenant
from models.tables.parties import Insurer
from workflows.journal import given_again
from workflows.opening import OPENINGS
from workflows.search import for_claim, for_hazard, for_policy

ANSWERED_WITHIN = timedelta(seconds=30)
AT_ONCE = 8
PAGE = 500
ORDER = (CaseKind.POLICY, CaseKind.CLAIM, CaseKind.HAZARD)
"""Policies open their hazards themselves; what is asked afterwards is those whose policy has ended."""
FAILURES = (WorkflowUpdateFailedError, WorkflowAlreadyStartedError, RPCError, TimeoutError)
NUDGE_ALL = text(
    "INSERT INTO nudges (recipient_id) SELECT recipient_id FROM outbox WHERE status = 'queued'"
    " UNION SELECT recipient_id FROM mails WHERE status = 'queued'"
)


@dataclass(frozen=True)
class Reopened:
    """How one case was found: its steps on record, and why it did not come up to them, if it did not."""

    workflow_id: str
    recorded: int
    held: str = ""


@dataclass(frozen=True)
class Begin:
    """How one case is opened, as it was the first time."""

    name: str
    birth: Any
    asked: Any
    shown: str
    found_by: Any


class Reopener:
    """Asks every open case; harmless when repeated, and where nothing is lost."""

    def __init__(self, engine: AsyncEngine, client: Client, task_queue: str, base_url: str) -> None:
        self._engine = engine
        self._client = client
        self._task_queue = task_queue
        self._base_url = base_url

    async def count(self) -> int:
        async with connected(self._engine) as connection, connection.begin():
            await operator(connection)
            counted = await connection.execute(text("SELECT count(*) FROM cases WHERE ended_at IS NULL"))
            return counted.scalar_one()

    async def run(self, done: Callable[[], None] = lambda: None) -> list[Reopened]:
        """Then every mailroom with something to send is woken up. Raises what the database raises."""
        ended: list[Reopened] = []
        for kind in ORDER:
            async for rows in self._pages(kind):
                for found in await asyncio.gather(*(self._one(row) for row in rows)):
                    ended.append(found)
                    done()
        async with connected(self._engine) as connection, connection.begin():
            await operator(connection)
            await connection.execute(NUDGE_ALL)
        return ended

    async def _pages(self, kind: CaseKind) -> AsyncIterator[list[Row[Any]]]:
        for insurer_id in await self._insurers():
            after: UUID | None = None
            while rows := await self._page(insurer_id, kind, after):
                for start in range(0, len(rows), AT_ONCE):
                    yield rows[start : start + AT_ONCE]
                after = rows[-1].id

    async def _insurers(self) -> list[UUID]:
        async with connected(self._engine) as connection, connection.begin():
            await operator(connection)
            return list((await connection.execute(select(col(Insurer.id)).order_by(col(Insurer.code)))).scalars())

    async def _page(self, insurer_id: UUID, kind: CaseKind, after: UUID | None) -> list[Row[Any]]:
        async with connected(self._engine) as connection, connection.begin():
            await tenant(connection, insurer_id)
            return await _open_cases(connection, kind, after)

    async def _one(self, row: Row[Any]) -> Reopened:
        begin = _begin(row)
        if begin is None:
            return Reopened(row.workflow_id, row.seq, "台账第 1 步没有建档申请，须人工处理")
        start = WithStartWorkflowOperation(
            begin.name,
            begin.birth,
            id=row.workflow_id,
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            static_summary=begin.shown,
            static_details=case_link(self._base_url, row.id),
            memo=case_memo(self._base_url, row.id),
            search_attributes=begin.found_by,
        )
        try:
            async with asyncio.timeout(ANSWERED_WITHIN.total_seconds()):
                # under a fresh id: the engine may remember the first opening, and would answer without asking the case
                await self._client.execute_update_with_start_workflow(
                    "opened", begin.asked, start_workflow_operation=start, id=f"recover-{uuid4()}"
                )
        except FAILURES as failure:
            return Reopened(row.workflow_id, row.seq, _words(failure))
        return Reopened(row.workflow_id, row.seq)


async def _open_cases(connection: AsyncConnection, kind: CaseKind, after: UUID | None) -> list[Row[Any]]:
    first = (col(RecordedStep.case_id) == col(Case.id)) & (col(RecordedStep.seq) == 1)
    wanted = (
        select(*(col(one) for one in (Case.id, Case.kind, Case.workflow_id, Case.seq, RecordedStep.cause)))
        .join(RecordedStep, first)
        .where(col(Case.kind) == kind, col(Case.ended_at).is_(None))
        .order_by(col(Case.id))
        .limit(PAGE)
    )
    return list(await connection.execute(wanted if after is None else wanted.where(col(Case.id) > after)))


def _begin(row: Row[Any]) -> Begin | None:
    """The application and the birth as the first step keeps them."""
    if not row.cause:
        return None
    cause = Cause.model_validate(row.cause)
    if row.kind is CaseKind.HAZARD:
        born = HazardBirth.model_validate(cause.body)
        return Begin(CaseKind.HAZARD.label, born, row.seq, hazard_summary(born), for_hazard(born))
    if "birth" not in cause.body:
        return None
    given: Given[Any] = given_again(cause, OPENINGS)
    given = given.model_copy(update={"recorded": row.seq})
    if row.kind is CaseKind.POLICY:
        birth = Birth.model_validate(cause.body["birth"])
        return Begin(CaseKind.POLICY.label, birth, given, summary(given.command), for_policy(birth, given.command))
    claim = ClaimBirth.model_validate(cause.body["birth"])
    return Begin(CaseKind.CLAIM.label, claim, given, claim_summary(claim), for_claim(claim))


def _why(cause: BaseException | None) -> str:
    """A refusal in its own words; of anything else its kind alone, for it may speak of people."""
    if isinstance(cause, ApplicationError) and cause.type == "refused":
        return cause.message
    return getattr(cause, "type", "") or type(cause).__name__


def _words(failure: BaseException) -> str:
    if isinstance(failure, WorkflowAlreadyStartedError):
        return "流程已经结束，台账里却未结束，须人工处理"
    if isinstance(failure, WorkflowUpdateFailedError):
        return f"流程没有接上台账（{_why(failure.cause)}）"
    return f"流程没有应答（{type(failure).__name__}），稍后再运行一次"
