"""Opens the workflows of companions as siblings of their policy; what a hazard does is not known here."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.common import TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.wording import region_name
from models.contracts.hazard import HazardBirth
from models.contracts.ports import Registry
from models.contracts.vocabulary import CaseKind

HAZARD_WORKFLOW = CaseKind.HAZARD.label
CALL = timedelta(seconds=5)  # below the activity's own limit, so that the answer is ours to give

FoundBy = Callable[[HazardBirth], TypedSearchAttributes]
"""What a hazard is found by in the Temporal UI; the list of attributes is kept in workflows/search.py."""


class TemporalRegistry(Registry):
    """Starts workflows with the worker's own client."""

    def __init__(self, client: Client, task_queue: str, found_by: FoundBy) -> None:
        self._client = client
        self._task_queue = task_queue
        self._found_by = found_by

    @activity.defn(name="建立隐患案卷")
    async def open_hazards(self, births: tuple[HazardBirth, ...]) -> None:
        """Raises RPCError when Temporal does not answer; repeating opens only what is not open yet."""
        await asyncio.gather(*(self._open(birth) for birth in births))

    async def _open(self, birth: HazardBirth) -> None:
        try:
            await self._client.start_workflow(
                HAZARD_WORKFLOW,
                birth,
                id=birth.workflow_id,
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=self._found_by(birth),
                static_summary=hazard_summary(birth),
                rpc_timeout=CALL,
            )
        except WorkflowAlreadyStartedError:
            return


def hazard_summary(birth: HazardBirth) -> str:
    """One line of the Temporal UI's list."""
    hazard = birth.hazard
    return f"{hazard.grade.label} {hazard.number} · {region_name(birth.region)} · {birth.insured_name}"
