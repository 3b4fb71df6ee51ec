"""Opens the workflows of companions as siblings of their policy; what a hazard does is not known here."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.addresses import case_link, case_memo
from domain.wording import region_name
from models.contracts.hazard import HazardBirth
from models.contracts.ports import Registry
from models.contracts.vocabulary import CaseKind

HAZARD_WORKFLOW = CaseKind.HAZARD.label
OPENED = "opened"
"""Answers once the hazard is in the ledger, so that a policy's answer never names a case not to be found."""
CALL = timedelta(seconds=5)  # below the activity's own limit, so that the answer is ours to give

FoundBy = Callable[[HazardBirth], TypedSearchAttributes]
"""What a hazard is found by in the Temporal UI; the list of attributes is kept in workflows/search.py."""


class TemporalRegistry(Registry):
    """Starts workflows with the worker's own client."""

    def __init__(self, client: Client, task_queue: str, found_by: FoundBy, base_url: str) -> None:
        self._client = client
        self._base_url = base_url
        self._task_queue = task_queue
        self._found_by = found_by

    @activity.defn(name="建立隐患案卷")
    async def open_hazards(self, births: tuple[HazardBirth, ...]) -> None:
        """Returns when each hazard is on record. Raises RPCError without Temporal; repeating is harmless."""
        await asyncio.gather(*(self._open(birth) for birth in births))

    async def _open(self, birth: HazardBirth) -> None:
        start = WithStartWorkflowOperation(
            HAZARD_WORKFLOW,
            birth,
            id=birth.workflow_id,
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=self._found_by(birth),
            static_summary=hazard_summary(birth),
            static_details=case_link(self._base_url, birth.case_id),
            memo=case_memo(self._base_url, birth.case_id),
        )
        with suppress(WorkflowAlreadyStartedError):  # opened by an earlier attempt, and closed since
            await self._client.execute_update_with_start_workflow(
                OPENED, id=OPENED, start_workflow_operation=start, rpc_timeout=CALL
            )


def hazard_summary(birth: HazardBirth) -> str:
    """One line of the Temporal UI's list."""
    hazard = birth.hazard
    return f"{hazard.grade.label} {hazard.number} · {region_name(birth.region)} · {birth.insured_name}"
