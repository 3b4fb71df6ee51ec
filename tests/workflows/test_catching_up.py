"""What the engine forgets, the ledger remembers: a workflow set back takes the recorded steps again, then goes on."""

from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from models.contracts.vocabulary import Event, PolicyStage
from tests.domain.test_policy_refusals import CONFIRM, PLAN, PROVIDER, UPLOAD
from tests.workflows.cases import Office, Opened, fresh_key, given

ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
ENDED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
FORGET = [
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
]


async def forget_after(policy: Opened, updates: int) -> None:
    """Set the workflow back to where it had accepted that many updates; what came later is forgotten."""
    history = await policy.handle.fetch_history()
    accepted = [one.event_id for one in history.events if one.event_type == ACCEPTED]
    ended = [one.event_id for one in history.events if one.event_type == ENDED]
    await policy.office.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=policy.office.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=policy.birth.workflow_id),
            reason="the server forgot",
            workflow_task_finish_event_id=max(one for one in ended if one < accepted[updates]),
            request_id=str(uuid4()),
            reset_reapply_exclude_types=FORGET,
        )
    )


class TestAForgottenUpdate:
    async def test_is_taken_again_before_the_next_command(self, office: Office) -> None:
        policy = await office.opened()
        await policy.act("upload", UPLOAD)
        await forget_after(policy, updates=1)
        view = await policy.act("name_provider", PROVIDER)
        assert view.stage is PolicyStage.PROVIDER_NAMED
        assert policy.seqs == [1, 2, 3]
        happened = [one.event for step in policy.steps[1:] for one in step.happened]
        assert happened == [Event.POLICY_UPLOADED, Event.PROVIDER_NAMED]

    async def test_has_one_effect_when_its_caller_repeats_it(self, office: Office) -> None:
        key = fresh_key()
        policy = await office.opened()
        first = await policy.act("upload", UPLOAD, key)
        await forget_after(policy, updates=1)
        again = await policy.act("upload", UPLOAD, key)
        later = await policy.act("name_provider", PROVIDER)
        assert (again.stage, again.seq) == (first.stage, first.seq)
        assert later.seq == 3

    async def test_several_are_taken_again_in_their_order(self, office: Office) -> None:
        policy = await office.opened()
        for update, command in (("upload", UPLOAD), ("name_provider", PROVIDER), ("file_plan", PLAN)):
            await policy.act(update, command)
        await forget_after(policy, updates=1)
        view = await policy.act("confirm_plan", CONFIRM)
        assert (view.stage, view.seq) == (PolicyStage.PLAN_CONFIRMED, 5)
        assert policy.seqs == [1, 2, 3, 4, 5]


class TestAForgottenOpening:
    async def test_is_taken_again_as_it_was_with_everything_after_it(self, office: Office) -> None:
        policy = await office.opened()
        await policy.act("upload", UPLOAD)
        await forget_after(policy, updates=0)
        again = await office.open(policy.birth, given(policy.command, fresh_key()))
        later = await policy.act("name_provider", PROVIDER)
        assert again.stage is PolicyStage.UPLOADED
        assert (later.stage, later.seq) == (PolicyStage.PROVIDER_NAMED, 3)
        assert policy.seqs == [1, 2, 3]
