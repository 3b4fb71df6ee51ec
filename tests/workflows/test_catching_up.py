"""What the engine forgets, the ledger remembers: a workflow set back takes the recorded steps again, then goes on."""

from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle

from models.contracts.claim import RecordOutcome
from models.contracts.vocabulary import Event, OrderResult, PaymentStatus, PolicyStage
from tests.domain.test_policy_refusals import CONFIRM, PLAN, PROVIDER, UPLOAD
from tests.fakes import FakeCashier
from tests.runtime.waiting import until
from tests.workflows.cases import Office, fresh_key, given
from tests.workflows.claims import ClaimDesk, working

ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
ENDED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
CONFIRMED = RecordOutcome(number="Z-1", result=OrderResult.CONFIRMED, reference="BANK-9")
FORGET = [
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
]


async def forget_after(client: Client, handle: WorkflowHandle[Any, Any], updates: int) -> None:
    """Set the workflow back to where it had accepted that many updates; what came later is forgotten."""
    history = await handle.fetch_history()
    accepted = [one.event_id for one in history.events if one.event_type == ACCEPTED]
    ended = [one.event_id for one in history.events if one.event_type == ENDED]
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id),
            reason="the server forgot",
            workflow_task_finish_event_id=max(one for one in ended if one < accepted[updates]),
            request_id=str(uuid4()),
            reset_reapply_exclude_types=FORGET,
        )
    )


@pytest.mark.fault("F8", "F13")
class TestAForgottenUpdate:
    async def test_is_taken_again_before_the_next_command(self, office: Office) -> None:
        policy = await office.opened()
        await policy.act("upload", UPLOAD)
        await forget_after(office.client, policy.handle, updates=1)
        view = await policy.act("name_provider", PROVIDER)
        assert view.stage is PolicyStage.PROVIDER_NAMED
        assert policy.seqs == [1, 2, 3]
        happened = [one.event for step in policy.steps[1:] for one in step.happened]
        assert happened == [Event.POLICY_UPLOADED, Event.PROVIDER_NAMED]

    async def test_has_one_effect_when_its_caller_repeats_it(self, office: Office) -> None:
        key = fresh_key()
        policy = await office.opened()
        first = await policy.act("upload", UPLOAD, key)
        await forget_after(office.client, policy.handle, updates=1)
        again = await policy.act("upload", UPLOAD, key)
        later = await policy.act("name_provider", PROVIDER)
        assert (again.stage, again.seq) == (first.stage, first.seq)
        assert later.seq == 3

    async def test_several_are_taken_again_in_their_order(self, office: Office) -> None:
        policy = await office.opened()
        for update, command in (("upload", UPLOAD), ("name_provider", PROVIDER), ("file_plan", PLAN)):
            await policy.act(update, command)
        await forget_after(office.client, policy.handle, updates=1)
        view = await policy.act("confirm_plan", CONFIRM)
        assert (view.stage, view.seq) == (PolicyStage.PLAN_CONFIRMED, 5)
        assert policy.seqs == [1, 2, 3, 4, 5]


@pytest.mark.fault("F13")
class TestAForgottenOpening:
    async def test_is_taken_again_as_it_was_with_everything_after_it(self, office: Office) -> None:
        policy = await office.opened()
        await policy.act("upload", UPLOAD)
        await forget_after(office.client, policy.handle, updates=0)
        again = await office.open(policy.birth, given(policy.command, fresh_key()))
        later = await policy.act("name_provider", PROVIDER)
        assert again.stage is PolicyStage.UPLOADED
        assert (later.stage, later.seq) == (PolicyStage.PROVIDER_NAMED, 3)
        assert policy.seqs == [1, 2, 3]


@pytest.mark.fault("F13")
class TestAForgottenAnswerOfTheBank:
    async def test_is_kept_beside_its_order_although_the_case_died_after_its_step(
        self, temporal: Client, task_queue: str
    ) -> None:
        cashier = FakeCashier()
        cashier.script["Z-1"] = OrderResult.UNKNOWN
        async with working(ClaimDesk(temporal, task_queue, cashier=cashier)) as desk:
            claim = await (await desk.reported()).settled()
            await claim.propose("Z-1")
            await claim.approve("Z-1")
            await claim.until("Z-1", PaymentStatus.UNKNOWN)
            await claim.act("record_outcome", CONFIRMED)
            await until(lambda: len(cashier.kept) == 1)
            cashier.kept.clear()  # as if the case had died between its step and this
            await forget_after(temporal, claim.handle, updates=7)
            claim.recorded = len(claim.steps)
            await claim.propose("Z-2", 2)
            await until(lambda: bool(cashier.kept))
        assert [(one.order.payment_number, one.outcome.reference) for one in cashier.kept] == [("Z-1", "BANK-9")]
        assert [one.payment_number for one in cashier.orders.values()] == ["Z-1"]
