"""One command to many running cases, each once: few at a time, tried again where nobody answers; what, callers say."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from api.gateway import VIEWS, may_be_taken_later
from domain.wording import with_clause
from models.contracts.base import Given
from models.contracts.vocabulary import Word
from models.tables.cases import Case

AT_ONCE = 8
"""Cases spoken to at one time: far below what a worker takes, so that callers do not wait behind us."""
ANSWER_WITHIN = timedelta(seconds=15)
ATTEMPTS, PAUSE = 4, 1.0  # seconds before the second; twice as long before each further one


class Outcome(Word):
    """How a case took it, in the words of the report."""

    ADOPTED = "adopted", "已采用"
    WOULD = "would", "将采用（试运行）"
    ENDED = "ended", "已办结，无需采用"
    REFUSED = "refused", "未采用"
    UNKNOWN = "unknown", "结果不明，请重新运行"


@dataclass(frozen=True)
class Result:
    """One case, and a sentence for each duty that changed: duty key → sentence."""

    workflow_id: str
    outcome: Outcome
    moved: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    @property
    def failed(self) -> bool:
        return self.outcome in {Outcome.REFUSED, Outcome.UNKNOWN}


async def send(
    client: Client, case: Case, update: str, given: Given[Any], moved: Callable[[Any], Mapping[str, str]]
) -> Result:
    """Its key is made of what is sent and of the case, so that sending again changes nothing."""
    handle, why = client.get_workflow_handle(case.workflow_id), ""
    for attempt in range(ATTEMPTS):
        try:
            view = await handle.execute_update(
                update, given, id=given.command_id, result_type=VIEWS[case.kind], rpc_timeout=ANSWER_WITHIN
            )
        except WorkflowUpdateFailedError as failed:
            if not may_be_taken_later(failed):
                return _refused(case, failed)
            why = str(failed.cause)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return Result(case.workflow_id, Outcome.ENDED)
            why = error.status.name
        except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError, RuntimeError):  # the last: nothing was reached
            why = "没有答复"
        else:
            return Result(case.workflow_id, Outcome.ADOPTED, moved(view))
        await asyncio.sleep(PAUSE * 2**attempt)
    return Result(case.workflow_id, Outcome.UNKNOWN, why=why)


def _refused(case: Case, failed: WorkflowUpdateFailedError) -> Result:
    """A case that has closed meanwhile needs nothing, and one that was told already has taken it."""
    cause = failed.cause
    refusal = cause.details[0] if isinstance(cause, ApplicationError) and cause.details else {}
    if refusal.get("code") == "case_closed":
        return Result(case.workflow_id, Outcome.ENDED)
    if refusal.get("code") == "already_done":
        return Result(case.workflow_id, Outcome.ADOPTED)
    why = with_clause(str(refusal.get("says") or cause), str(refusal.get("clause") or ""))
    return Result(case.workflow_id, Outcome.REFUSED, why=why)
