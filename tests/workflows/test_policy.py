"""A policy on the real engine: opened once, commands in order and once, alarms at their instants, chapters, sight."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.addresses import case_link
from domain.calendar import SHANGHAI, local_date
from models.contracts import policy as commands
from models.contracts.vocabulary import PolicyStage, SurrenderReason
from tests.domain.lives import FILE, found, visit
from tests.domain.test_policy_refusals import CONFIRM, PLAN, PROVIDER, UPLOAD
from tests.runtime.waiting import PATIENCE, until
from tests.workflows.cases import PAGES, Office, Opened, at_rest, fresh_key, given
from workflows.search import SEARCH_ATTRIBUTES

COMPLETE = commands.CompleteService(confirmed_by_insured=True)
A_MOMENT = timedelta(seconds=PATIENCE)
"""What a busy machine may need where days are counted."""
LEFT_OF_THE_YEAR = 2.5
"""Days in which the first year of `second_year_tomorrow` ends, also where the 29th of February lies in it."""


async def refused(call: object) -> str:
    """The code with which a case refuses."""
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await call  # type: ignore[misc]
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "refused"
    return cause.details[0]["code"]


async def planned(office: Office, **more: Any) -> Opened:
    policy = await office.opened(**more)
    for update, command in (("upload", UPLOAD), ("name_provider", PROVIDER), ("file_plan", PLAN)):
        await policy.act(update, command)
    return policy


def second_year_tomorrow() -> dict[str, Any]:
    """Terms of a policy of two years whose second one, a chapter of its own, begins tomorrow."""
    signed_at = datetime.now(SHANGHAI) - timedelta(days=364)
    begins = local_date(signed_at)
    return {"signed_at": signed_at.replace(microsecond=0), "expires_on": begins + timedelta(days=729)}


async def run_id(policy: Opened) -> str | None:
    return (await policy.handle.describe()).run_id


class TestOpening:
    async def test_opening_twice_gives_one_case_and_one_step(self, office: Office) -> None:
        policy = await office.opened()
        again = given(policy.command, fresh_key())
        first, second = await asyncio.gather(office.open(policy.birth, again), office.open(policy.birth, again))
        assert first == second == policy.view
        assert policy.seqs == [1]

    async def test_other_content_under_the_same_number_is_refused(self, office: Office) -> None:
        policy = await office.opened()
        other = policy.command.model_copy(update={"insured_name": "另一家企业"})
        assert await refused(office.open(policy.birth, given(other, fresh_key()))) == "number_taken"
        assert policy.seqs == [1]

    async def test_what_the_place_does_not_allow_is_refused_and_may_be_tried_again_under_its_number(
        self, office: Office
    ) -> None:
        number = f"P-retry-{fresh_key()}"
        assert await refused(office.opened(number=number, region="350200", limit_per_person=None)) == (
            "required_field_missing"
        )
        assert (await office.opened(number=number, region="350200")).seqs == [1]

    async def test_rules_that_are_not_there_yet_are_waited_for(self, office: Office) -> None:
        office.desk.outages = 4
        assert (await office.opened()).seqs == [1]


class TestCommands:
    async def test_a_refusal_leaves_nothing_in_history(self, office: Office) -> None:
        policy = await office.opened()
        before = await at_rest(policy.handle)
        assert await refused(policy.act("complete_service", COMPLETE)) == "step_skipped"
        assert await at_rest(policy.handle) == before
        assert policy.seqs == [1]

    async def test_a_command_for_a_case_of_another_insurer_finds_none(self, office: Office) -> None:
        policy, key = await office.opened(), fresh_key()
        asked = given(UPLOAD, key).model_copy(update={"insurer_id": uuid4()})
        assert await refused(policy.handle.execute_update("upload", asked, id=key)) == "not_found"
        own = given(UPLOAD, key).model_copy(update={"insurer_id": policy.birth.insurer_id})
        await policy.handle.execute_update("upload", own, id=fresh_key())
        assert policy.seqs == [1, 2]

    async def test_a_command_before_the_opening_is_refused(self, office: Office) -> None:
        birth = (await office.opened()).birth.model_copy(update={"workflow_id": f"policy/pingan/{fresh_key()}"})
        handle = await office.client.start_workflow("保单", birth, id=birth.workflow_id, task_queue=office.task_queue)
        key = fresh_key()
        assert await refused(handle.execute_update("upload", given(UPLOAD, key), id=key)) == "not_open"
        await handle.terminate()

    async def test_the_same_key_twice_is_one_step_and_one_answer(self, office: Office) -> None:
        policy, key = await office.opened(), fresh_key()
        first = await policy.act("upload", UPLOAD, key)
        assert await policy.act("upload", UPLOAD, key) == first
        assert policy.seqs == [1, 2]

    @pytest.mark.fault("F14")
    async def test_the_same_key_after_a_new_chapter_gets_the_answer_of_then(self, office: Office) -> None:
        policy, key = await office.opened(**second_year_tomorrow()), fresh_key()
        first = await policy.act("upload", UPLOAD, key)
        before = await run_id(policy)
        await policy.pass_days(LEFT_OF_THE_YEAR)
        await until_new_run(policy, before)
        assert await policy.act("upload", UPLOAD, key) == first
        assert policy.seqs == list(range(1, len(policy.seqs) + 1))
        reopened = await office.open(policy.birth, given(policy.command, fresh_key()))
        assert reopened.stage is PolicyStage.UPLOADED

    async def test_commands_at_one_time_are_committed_in_their_order(self, office: Office) -> None:
        policy = await planned(office)
        today = local_date(policy.command.terms.signed_at)
        answers = await asyncio.gather(*(policy.act("record_visit", visit(f"V-{n}", today)) for n in range(8)))
        assert sorted(view.seq for view in answers) == list(range(5, 13))
        assert policy.seqs == list(range(1, 13))

    async def test_a_ledger_that_is_away_is_waited_for_and_the_order_is_kept(self, office: Office) -> None:
        policy = await office.opened()
        office.ledger.outages = 4
        today = local_date(policy.command.terms.signed_at)
        uploaded, named = await asyncio.gather(policy.act("upload", UPLOAD), policy.act("name_provider", PROVIDER))
        assert {uploaded.seq, named.seq} == {2, 3}
        assert policy.seqs == [1, 2, 3]
        assert (await policy.act("record_visit", visit("V-1", today))).seq == 4

    @pytest.mark.fault("F9")
    @pytest.mark.parametrize("goals", ["decision", "view"])
    async def test_a_bug_fails_its_command_alone(self, temporal: Client, task_queue: str, goals: str) -> None:
        from tests.workflows.buggy import BuggyPolicy

        office = Office(temporal, task_queue, workflows=(BuggyPolicy,))
        async with office.worker():
            policy = await office.opened("有错的保单")
            await policy.act("name_provider", PROVIDER)
            with pytest.raises(WorkflowUpdateFailedError) as caught:
                await policy.act("file_plan", PLAN.model_copy(update={"goals": goals}))
            assert isinstance(caught.value.cause, ApplicationError)
            assert caught.value.cause.type == "internal"
            assert (await policy.act("file_plan", PLAN)).stage is PolicyStage.PLAN_FILED
            assert policy.seqs == [1, 2, 3]


class TestTime:
    @pytest.mark.obligation("SZ-20", "SZ-21c")
    async def test_alarms_ring_at_their_instants_and_once(self, office: Office) -> None:
        policy = await office.opened()
        await policy.pass_days(80)
        await until(lambda: "+7d" in policy.told("service_completion"))
        assert policy.told("policy_upload") == ["-2d", "due", "due", "+7d"]
        assert policy.told("service_completion") == ["-3d", "due", "due", "+7d"]
        for step in policy.steps[1:]:
            assert all(timedelta(0) <= step.at - notice.at < A_MOMENT for notice in step.notices)

    async def test_an_alarm_that_was_slept_through_rings_before_the_command_that_waited_as_long(
        self, temporal: Client, task_queue: str
    ) -> None:
        office = Office(temporal, task_queue)
        async with office.worker():
            policy = await office.opened()
        moving = asyncio.create_task(policy.pass_days(6))
        async with asyncio.timeout(PATIENCE):
            while not await has(policy, EventType.EVENT_TYPE_TIMER_FIRED):
                await asyncio.sleep(0.05)
        waiting = asyncio.create_task(policy.act("upload", UPLOAD))
        await asyncio.sleep(0.3)  # the command has reached the server, too
        async with office.worker():
            await asyncio.gather(moving, waiting)
        rang, uploaded = policy.steps[1:]
        assert [notice.key.split(":")[2] for notice in rang.notices] == ["-2d"]
        assert (rang.trace, uploaded.trace.name) == (None, "UploadPolicy")

    @pytest.mark.obligation("SZ-21c")
    async def test_each_chapter_keeps_state_and_what_it_is_found_by(self, office: Office) -> None:
        policy = await planned(office, **second_year_tomorrow())
        before, today = await run_id(policy), local_date(policy.command.terms.signed_at)
        await policy.act("confirm_plan", CONFIRM)
        await policy.act("record_visit", visit("V-1", today))
        await policy.act("complete_service", COMPLETE)
        assert PAGES not in await current_details(policy), "the first run has the link in what it began with"
        await policy.pass_days(LEFT_OF_THE_YEAR)
        await until_new_run(policy, before)
        await at_rest(policy.handle)
        described = await policy.handle.describe()
        attributes = {pair.key.name: pair.value for pair in described.typed_search_attributes}
        assert attributes["AnzePolicy"] == policy.command.terms.number
        assert attributes["AnzeStage"] == "服务已完成"
        ours = {name for name in attributes if name.startswith("Anze")}
        assert ours <= {key.name for key in SEARCH_ATTRIBUTES}
        shown = await current_details(policy)
        assert "服务已完成" in shown
        assert case_link(PAGES, policy.birth.case_id) in shown, "later runs lead to the page too"
        steps = len(policy.seqs)
        view = await policy.act("renew", commands.RenewPolicy(next_number="P-2"))
        assert (view.stage, view.seq) == (PolicyStage.SERVED, steps + 1)

    async def test_a_life_ends_by_itself_with_its_stage(self, office: Office) -> None:
        policy = await office.opened()
        await policy.pass_days(400)
        assert await policy.handle.result() == "已届满"
        assert policy.seqs == list(range(1, len(policy.seqs) + 1))
        assert policy.steps[-1].row.ended_at
        assert len({notice.key for step in policy.steps for notice in step.notices}) == sum(
            len(step.notices) for step in policy.steps
        )


class TestCompanions:
    async def test_a_visits_hazards_are_open_when_the_answer_comes(self, office: Office) -> None:
        policy = await planned(office)
        today = local_date(policy.command.terms.signed_at)
        view = await policy.act("record_visit", visit("V-1", today, found("H-1"), found("H-2")))
        assert [brief.number for brief in view.hazards] == ["H-1", "H-2"]
        for brief in view.hazards:
            assert [step.seq for step in office.ledger.of(brief.hazard_id)] == [1]

    @pytest.mark.obligation("XM-14")
    async def test_a_surrender_stops_the_hazards(self, office: Office) -> None:
        policy = await planned(office)
        today = local_date(policy.command.terms.signed_at)
        await policy.act("record_visit", visit("V-1", today, found("H-1")))
        surrender = commands.SurrenderPolicy(
            reason=SurrenderReason.FULLY_STOPPED, on=today, note="停产证明", evidence=FILE
        )
        assert (await policy.act("surrender", surrender)).stage is PolicyStage.SURRENDERED
        assert await policy.handle.result() == "已退保"
        assert await policy.hazard("H-1").result() == "已终止"


class TestOperatorsSight:
    async def test_the_details_tell_stage_and_next_duty_with_date_and_clause(self, office: Office) -> None:
        policy = await office.opened()
        shown = await current_details(policy)
        first = policy.view.duties[0]
        assert first.effective
        assert "已签署" in shown
        assert first.label in shown
        assert f"{first.effective.year}年{first.effective.month}月{first.effective.day}日" in shown
        assert "应急监二〔2023〕84号" in shown
        assert "二(五)" in shown

    async def test_a_timer_says_what_it_waits_for(self, office: Office) -> None:
        policy = await office.opened()
        await at_rest(policy.handle)
        timers = [
            event
            async for event in policy.handle.fetch_history_events()
            if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
        ]
        said = timers[-1].user_metadata.summary.data.decode()
        assert "履职提醒（第 1 级，共 3 级）：上传电子保单 → 保险机构" in said

    async def test_what_is_due_next_can_be_searched(self, office: Office) -> None:
        policy = await office.opened()
        query = f"AnzePolicy = '{policy.command.terms.number}' AND AnzeNextDuty = '上传电子保单'"

        async def listed() -> list[WorkflowExecutionStatus | None]:
            return [found.status async for found in office.client.list_workflows(query)]

        async with asyncio.timeout(PATIENCE):
            while not await listed():
                await asyncio.sleep(0.05)
        assert await listed() == [WorkflowExecutionStatus.RUNNING]


async def has(policy: Opened, kind: "EventType.ValueType") -> bool:
    return any([event.event_type == kind async for event in policy.handle.fetch_history_events()])


async def current_details(policy: Opened) -> str:
    described = await policy.handle.query("__temporal_workflow_metadata")
    return described["currentDetails"] if isinstance(described, dict) else described.current_details


async def until_new_run(policy: Opened, before: str | None) -> None:
    async with asyncio.timeout(PATIENCE):
        while await run_id(policy) == before:
            await asyncio.sleep(0.05)
