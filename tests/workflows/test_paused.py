"""An operator pauses a case in the Temporal UI: lists are rows, so they stand; the case goes on when it is let go."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest, UnpauseWorkflowExecutionRequest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from api.operator.engine import describe
from api.tools import Tools
from tests.domain.test_policy_refusals import UPLOAD
from tests.workflows.cases import Office, Opened


async def pause(office: Office, policy: Opened) -> None:
    await office.client.workflow_service.pause_workflow_execution(
        PauseWorkflowExecutionRequest(
            namespace=office.client.namespace, workflow_id=policy.birth.workflow_id, reason="查一查", request_id="pause"
        )
    )


async def let_go(office: Office, policy: Opened) -> None:
    await office.client.workflow_service.unpause_workflow_execution(
        UnpauseWorkflowExecutionRequest(
            namespace=office.client.namespace, workflow_id=policy.birth.workflow_id, request_id="go"
        )
    )


async def test_a_paused_case_breaks_no_list_and_loses_nothing(office: Office) -> None:
    policy = await office.opened()
    row = policy.steps[-1].row
    await pause(office, policy)
    try:
        # The SDK cannot read the status of a paused workflow (engine.md A): no page may be built on describe or list.
        with pytest.raises(ValueError, match="WorkflowExecutionStatus"):
            await policy.handle.describe()
        tools = cast(Tools, SimpleNamespace(temporal=office.client))
        assert await describe(tools, policy.birth.workflow_id) is None, "the operators' page goes on"
        assert policy.steps[-1].row == row, "what lists read is untouched"
        with pytest.raises((WorkflowUpdateFailedError, RPCError, TimeoutError)):
            async with asyncio.timeout(2):
                await policy.act("upload", UPLOAD)
    finally:
        await let_go(office, policy)
    assert (await policy.act("upload", UPLOAD)).stage.value == "uploaded"
    assert [step.trace.name for step in policy.steps if step.trace].count("UploadPolicy") == 1


def test_nothing_but_the_operators_look_asks_temporal_how_a_case_stands() -> None:
    """Reads come from PostgreSQL; only the gateway speaks to Temporal, and it only acts."""
    api = Path(__file__).resolve().parents[2] / "api"
    asking = ("list_workflows(", ".describe(", ".query(", "count_workflows(")
    found = {path.name: word for path in api.rglob("*.py") for word in asking if word in path.read_text("utf-8")}
    assert set(found) == {"engine.py"}, "the operators' look at what fails, which goes on without an answer"
