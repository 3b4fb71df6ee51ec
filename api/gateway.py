"""Opens a case in Temporal, acts on one, and says how it ended: an answer or a problem; acts on many: operator/."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.problems import Problem, refused, try_later
from api.tools import Tools
from api.words import COMMAND_TOO_LARGE, ProblemCode
from domain.addresses import case_link, case_memo
from domain.places import region_name
from models.contracts.base import Contract, Given
from models.contracts.claim import ClaimBirth, ReportClaim
from models.contracts.claim_state import ClaimView
from models.contracts.hazard import HazardView
from models.contracts.policy import OpenPolicy
from models.contracts.policy_state import Birth, PolicyView
from models.contracts.step import Refusal
from models.contracts.vocabulary import CaseKind
from workflows.search import for_claim, for_policy

REFUSED = "refused"
INTERNAL = "internal"
MAKING_ROOM = "making_room"
LEFT_UNDONE = {"AcceptedUpdateCompletedWorkflow"}
VIEWS: dict[CaseKind, type[Contract]] = {
    CaseKind.POLICY: PolicyView,
    CaseKind.HAZARD: HazardView,
    CaseKind.CLAIM: ClaimView,
}
SHORTEST = 0.2  # seconds; a call is never sent with less, it could not come back

START: dict[str, Any] = {
    "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
    # An opening that was refused ends as failed and may be tried again; a life that was lived may not.
    "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
}

T = TypeVar("T")
V = TypeVar("V", bound=Contract)


@dataclass(frozen=True)
class FoundCase:
    """A case as PostgreSQL knows it; only such a one is ever spoken to, never an id from outside."""

    id: UUID
    kind: CaseKind
    insurer_id: UUID
    workflow_id: str
    ended_at: datetime | None
    seq: int
    """Steps in the ledger; a workflow that knows fewer has lost some and catches up first."""


async def open_policy(
    tools: Tools, birth: Birth, given: Given[OpenPolicy], deadline: float | None = None
) -> PolicyView:
    """Start the policy's life, or find it started: the id is made of insurer and number, so twice gives one case.

    `deadline` is an instant of the event loop's clock; without one the whole budget counts. Raises Problem.
    """
    start = WithStartWorkflowOperation(
        "保单",
        birth,
        id=birth.workflow_id,
        task_queue=tools.task_queue,
        **START,
        static_summary=summary(given.command),
        static_details=case_link(tools.base_url, birth.case_id),
        memo=case_memo(tools.base_url, birth.case_id),
        search_attributes=for_policy(birth, given.command),
    )
    return await _open(tools, start, given, PolicyView, deadline)


async def open_claim(
    tools: Tools, birth: ClaimBirth, given: Given[ReportClaim], deadline: float | None = None
) -> ClaimView:
    """Start the claim's life, or find it started; it lives whether or not its policy still does. Raises Problem."""
    start = WithStartWorkflowOperation(
        "理赔",
        birth,
        id=birth.workflow_id,
        task_queue=tools.task_queue,
        **START,
        static_summary=claim_summary(birth),
        static_details=case_link(tools.base_url, birth.case_id),
        memo=case_memo(tools.base_url, birth.case_id),
        search_attributes=for_claim(birth),
    )
    return await _open(tools, start, given, ClaimView, deadline)


async def _open(
    tools: Tools,
    start: WithStartWorkflowOperation[Any, Any],
    given: Given[Any],
    view: type[V],
    deadline: float | None,
) -> V:
    left = _left(tools, deadline)
    call = tools.temporal.execute_update_with_start_workflow(
        "opened",
        _bounded(tools, given),
        start_workflow_operation=start,
        id=given.mark,
        result_type=view,
        rpc_timeout=timedelta(seconds=left),
    )
    return await _outcome(tools, call, left, None)


async def act(tools: Tools, case: FoundCase, update: str, given: Given[Any], deadline: float | None = None) -> Contract:
    """Give one command to one case and wait for its view. Raises Problem: a refusal, or an outcome that is unknown."""
    left, said = _left(tools, deadline), _bounded(tools, given)
    call = tools.temporal.get_workflow_handle(case.workflow_id).execute_update(
        update,
        said.model_copy(update={"recorded": case.seq, "insurer_id": case.insurer_id}),
        id=given.mark,
        result_type=VIEWS[case.kind],
        rpc_timeout=timedelta(seconds=left),
    )
    return await _outcome(tools, call, left, case)


def summary(command: OpenPolicy) -> str:
    """What the Temporal UI shows beside the id: 保单 · place · enterprise (a company, never a person)."""
    terms = command.terms
    return f"保单 {terms.number} · {region_name(terms.region)} · {command.insured_name}"


def claim_summary(birth: ClaimBirth) -> str:
    """The same of a claim."""
    return f"理赔 {birth.number} · {region_name(birth.region)} · {birth.insured_name}"


def _bounded(tools: Tools, given: Given[Any]) -> Given[Any]:
    """The same, small enough for the engine: what it does not take would fail there, again and again."""
    most = tools.budgets.command
    if len(given.model_dump_json().encode()) > most:
        raise Problem(ProblemCode.TOO_LARGE, COMMAND_TOO_LARGE.format(most=most // 1024))
    return given


def _left(tools: Tools, deadline: float | None) -> float:
    if deadline is None:
        return tools.budgets.answer_within
    return max(SHORTEST, deadline - asyncio.get_running_loop().time())


async def _outcome(tools: Tools, call: Awaitable[T], left: float, case: FoundCase | None) -> T:
    try:
        async with asyncio.timeout(left):
            return await call
    except WorkflowUpdateFailedError as failed:
        raise _failed(tools, failed) from failed
    except WorkflowAlreadyStartedError as closed:
        raise Problem(ProblemCode.CASE_CLOSED) from closed
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError, RuntimeError) as unknown:
        # RuntimeError: the engine could not be reached at all
        raise _unknown(tools) from unknown
    except RPCError as error:
        raise _rpc(tools, error, case) from error


def may_be_taken_later(failed: WorkflowUpdateFailedError) -> bool:
    """Whether the case was in no state to say yes or no: the same command may be sent again after a pause."""
    cause = failed.cause
    return not isinstance(cause, ApplicationError) or cause.type in {MAKING_ROOM, *LEFT_UNDONE}


def _unknown(tools: Tools) -> Problem:
    return try_later(ProblemCode.OUTCOME_UNKNOWN, tools.budgets.retry_after)


def _failed(tools: Tools, failed: WorkflowUpdateFailedError) -> Problem:
    """The text of an error is never looked at; its type says whether the case refused or a bug struck."""
    cause = failed.cause
    if isinstance(cause, ApplicationError) and cause.type == MAKING_ROOM:
        return try_later(ProblemCode.UNAVAILABLE, tools.budgets.retry_after)
    if may_be_taken_later(failed) or not isinstance(cause, ApplicationError):
        return _unknown(tools)
    return refused(Refusal.model_validate(cause.details[0])) if cause.type == REFUSED else Problem(ProblemCode.INTERNAL)


def _rpc(tools: Tools, error: RPCError, case: FoundCase | None) -> Problem:
    """A case that ended is closed; everything else may have happened, so it is said to be unknown."""
    if error.status is RPCStatusCode.NOT_FOUND and case and case.ended_at:
        return Problem(ProblemCode.CASE_CLOSED)
    if error.status is RPCStatusCode.INVALID_ARGUMENT:
        return Problem(ProblemCode.TOO_LARGE)
    if error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
        return try_later(ProblemCode.TOO_MANY, tools.budgets.retry_after)
    return _unknown(tools)
