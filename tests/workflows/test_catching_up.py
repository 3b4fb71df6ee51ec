"""What the engine forgets, the ledger remembers: a workflow set back takes the recorded steps again, then goes on."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models.contracts.claim import RecordOutcome
from models.contracts.vocabulary import Event, OrderResult, PaymentStatus, PolicyStage
from rules.library import CALENDARS, PACKS, Library
from runtime.recovery.histories import lives_since
from tests.domain.lives import library
from tests.domain.test_policy_refusals import CONFIRM, PLAN, PROVIDER, UPLOAD
from tests.fakes import FakeCashier
from tests.runtime.waiting import until
from tests.workflows.cases import Office, at_rest, fresh_key, given
from tests.workflows.claims import ClaimDesk, working
from workflows.search import DUE_AT, STAGE

ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
ENDED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
CONFIRMED = RecordOutcome(number="Z-1", result=OrderResult.CONFIRMED, reference="BANK-9")
FORGET = [
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
]


def before_the_city_spoke(folder: Path) -> Library:
    """Without the documents of the city, and of the years only the first."""
    packs, calendars = folder / "packs", folder / "calendars"
    shutil.copytree(PACKS, packs, ignore=lambda _, names: [name for name in names if name.startswith("341300")])
    calendars.mkdir()
    shutil.copy2(min(CALENDARS.glob("*.yaml")), calendars)
    return Library(packs, calendars)


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

    async def test_is_no_step_for_a_ledger_that_is_set_back_later_but_what_stood_in_its_place_is(
        self, office: Office
    ) -> None:
        policy, began = await office.opened(), datetime.now(UTC)
        await policy.act("upload", UPLOAD)
        await forget_after(office.client, policy.handle, updates=1)
        unaware = given(UPLOAD, fresh_key())  # decided, and found to stand there already
        with pytest.raises(WorkflowUpdateFailedError):
            await policy.handle.execute_update("upload", unaware, id=unaware.command_id)
        await policy.act("name_provider", PROVIDER)

        async def are_listed() -> bool:  # the engine's list follows in a moment
            query = f"WorkflowId = '{policy.birth.workflow_id}'"
            return len([run async for run in office.client.list_workflows(query)]) == 2

        await until(are_listed)
        (lived,) = await lives_since(office.client, office.task_queue, began)
        assert {seq: step.trace for seq, step in lived.steps.items()} == {one.seq: one.trace for one in policy.steps}
        assert lived.on_record == 2


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

    async def test_is_taken_again_before_the_next_command(self, office: Office) -> None:
        """Nobody asks for the opening any more: it was answered."""
        policy = await office.opened()
        await forget_after(office.client, policy.handle, updates=0)
        stranger = given(UPLOAD, fresh_key()).model_copy(update={"recorded": 1, "insurer_id": uuid4()})
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await policy.handle.execute_update("upload", stranger, id=stranger.command_id)
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.details[0]["code"] == "not_found"
        view = await policy.act("upload", UPLOAD)
        assert (view.stage, policy.seqs) == (PolicyStage.UPLOADED, [1, 2])

    async def test_keeps_the_documents_and_years_it_was_signed_under(self, office: Office, tmp_path: Path) -> None:
        office.desk.library = before_the_city_spoke(tmp_path)
        policy = await office.opened()
        before = policy.steps[0].row
        office.desk.library = library()  # its city has spoken since, and another year is published
        await forget_after(office.client, policy.handle, updates=0)
        again = await office.open(policy.birth, given(policy.command, fresh_key()).model_copy(update={"recorded": 1}))
        later = await policy.act("upload", UPLOAD)
        assert again.packs == later.packs == before.packs
        assert [one.key for one in again.duties] == [one.key for one in policy.view.duties]
        assert policy.steps[1].row.calendar_through == before.calendar_through

    async def test_comes_in_parts_where_its_life_is_long(self, office: Office) -> None:
        policy = await office.opened()
        for update, command in (("upload", UPLOAD), ("name_provider", PROVIDER), ("file_plan", PLAN)):
            await policy.act(update, command)
        office.ledger.part = 1
        await forget_after(office.client, policy.handle, updates=0)
        known = given(policy.command, fresh_key()).model_copy(update={"recorded": 4})
        again = await office.open(policy.birth, known)
        assert (again.seq, policy.seqs) == (4, [1, 2, 3, 4])

    async def test_whose_steps_lead_elsewhere_than_the_ledger_is_left_to_a_person(self, office: Office) -> None:
        policy = await office.opened()
        office.ledger.spoilt = {"next_alarm_at": datetime(2031, 1, 1, tzinfo=UTC)}
        await forget_after(office.client, policy.handle, updates=0)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await office.open(policy.birth, given(policy.command, fresh_key()))
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.details[0]["code"] == "ledger_differs"
        assert policy.seqs == [1]
        office.ledger.spoilt = {}
        assert (await office.open(policy.birth, given(policy.command, fresh_key()))).seq == 1


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


async def test_the_engines_list_says_how_a_case_stands_that_caught_up(office: Office) -> None:
    policy = await office.opened()
    await policy.act("upload", UPLOAD)
    await forget_after(office.client, policy.handle, updates=0)
    await office.open(policy.birth, given(policy.command, fresh_key()).model_copy(update={"recorded": 2}))
    await at_rest(policy.handle)
    told = (await policy.handle.describe()).typed_search_attributes
    assert told[STAGE] == PolicyStage.UPLOADED.label
    assert told[DUE_AT] == policy.steps[-1].row.next_due_at
