"""A hazard on the real engine: beside its policy, told to it, reported on time, carried through its rounds."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import TimeSkipper

from domain.calendar import local_date
from models.contracts import hazard as commands
from models.contracts.base import Actor, Command
from models.contracts.case import TakeOverDuty
from models.contracts.hazard import HazardRun, HazardView
from models.contracts.vocabulary import HazardGrade, HazardStage
from tests.domain.lives import found, visit
from tests.domain.test_hazard_life import CLAIM, FAILED, PASSED, REFUSE
from tests.domain.test_policy_refusals import PROVIDER
from tests.makers import DEPARTMENT, SOMEBODY
from tests.runtime.waiting import until
from tests.workflows.cases import Office, Opened, at_rest, fresh_key, given
from tests.workflows.test_policy import refused


async def act(
    handle: WorkflowHandle[Any, Any],
    update: str,
    command: Command,
    actor: Actor = SOMEBODY,
    key: str | None = None,
    recorded: int = 0,
) -> HazardView:
    asked = given(command, key or fresh_key(), actor).model_copy(update={"recorded": recorded})
    return await handle.execute_update(update, asked, id=asked.command_id, result_type=HazardView)


async def with_hazard(office: Office, region: str, grade: HazardGrade) -> tuple[Opened, WorkflowHandle[Any, Any]]:
    policy = await office.opened(region=region)
    await policy.act("name_provider", PROVIDER)
    today = local_date(policy.command.terms.signed_at)
    await policy.act("record_visit", visit("V-1", today, found("H-1", grade=grade)))
    return policy, policy.hazard("H-1")


def told(policy: Opened) -> list[str]:
    (brief,) = policy.steps[-1].row.view["hazards"]
    steps = policy.office.ledger.steps
    return [n.kind.value for s in steps if str(s.row.case_id) == brief["hazard_id"] for n in s.notices]


@pytest.mark.obligation("XM-28a", "XM-28b")
async def test_a_refusal_is_reported_at_once_and_marks_the_policy(office: Office) -> None:
    policy, hazard = await with_hazard(office, "350200", HazardGrade.MAJOR)
    view = await act(hazard, "refuse_rectification", REFUSE)
    assert view.stage is HazardStage.REFUSED
    assert "major_hazard_report" in told(policy)
    await until(lambda: policy.steps[-1].row.rate_review)
    assert policy.steps[-1].row.view["hazards"][0]["stage"] == "refused"


async def test_closed_after_a_failed_recheck_its_policy_has_no_open_hazard(office: Office) -> None:
    policy, hazard = await with_hazard(office, "341300", HazardGrade.ORDINARY)
    for update, command in (
        ("claim_rectification", CLAIM),
        ("recheck", FAILED),
        ("claim_rectification", CLAIM),
        ("recheck", PASSED),
    ):
        await act(hazard, update, command)
    assert await hazard.result() == "已销号"
    await until(lambda: policy.steps[-1].row.open_hazards == 0)
    assert policy.seqs == list(range(1, len(policy.seqs) + 1))


@pytest.mark.obligation("SZ-25a", "SZ-26a")
async def test_a_term_that_runs_out_is_reported_in_suzhou(office: Office, temporal: Client) -> None:
    policy, hazard = await with_hazard(office, "341300", HazardGrade.MAJOR)
    await TimeSkipper(temporal).fast_forward(hazard, timedelta(days=20))
    await until(lambda: "major_hazard_report" in told(policy))
    assert (await act(hazard, "take_over", TakeOverDuty(duty="department_answer"), DEPARTMENT)).duties


async def test_many_rounds_are_many_chapters_and_a_repeat_is_still_recognised(office: Office) -> None:
    _, hazard = await with_hazard(office, "341300", HazardGrade.ORDINARY)
    key = fresh_key()
    first = await act(hazard, "claim_rectification", CLAIM, key=key)
    await act(hazard, "recheck", FAILED)
    for _ in range(6):
        await act(hazard, "claim_rectification", CLAIM)
        await act(hazard, "recheck", FAILED)
    assert await act(hazard, "claim_rectification", CLAIM, key=key) == first
    assert (await act(hazard, "claim_rectification", CLAIM)).rounds == 8


async def test_no_closing_without_recheck_and_no_trace_of_the_attempt(office: Office) -> None:
    _, hazard = await with_hazard(office, "341300", HazardGrade.ORDINARY)
    before = await at_rest(hazard)
    assert await refused(act(hazard, "recheck", PASSED)) == "wrong_stage"
    assert await at_rest(hazard) == before


async def test_a_hazard_opened_twice_is_one(office: Office) -> None:
    policy, hazard = await with_hazard(office, "341300", HazardGrade.ORDINARY)
    brief = policy.steps[-1].row.view["hazards"][0]
    again = await hazard.execute_update("opened", id=fresh_key(), result_type=HazardView)
    assert (str(again.id), again.seq) == (brief["hazard_id"], 1)
    assert again.stage is HazardStage.FOUND


async def test_a_run_that_begins_anew_lets_those_wait_who_have_seen_its_hazard_on_record(office: Office) -> None:
    """The engine died with the first run before it was told of the commit."""
    policy, hazard = await with_hazard(office, "341300", HazardGrade.ORDINARY)
    (brief,) = policy.steps[-1].row.view["hazards"]
    found_by = office.ledger.of(UUID(brief["hazard_id"]))[0].cause
    assert found_by is not None
    await hazard.terminate()
    office.desk.outages = 1000  # it has no state before its rules are resolved
    office.ledger.outages = 2
    anew = await office.client.start_workflow(
        "隐患", HazardRun.model_validate(found_by.body), id=hazard.id, task_queue=office.task_queue
    )
    waiting = asyncio.create_task(act(anew, "claim_rectification", CLAIM, recorded=1))
    assert await refused(act(anew, "claim_rectification", CLAIM)) == "not_open"
    assert not waiting.done()
    office.desk.outages = 0
    view = await waiting
    assert (office.ledger.outages, view.seq, view.rounds) == (0, 2, 1)


async def test_the_insureds_receipt_is_proof_of_delivery(office: Office) -> None:
    _, hazard = await with_hazard(office, "341300", HazardGrade.ORDINARY)
    view = await act(hazard, "confirm_told", commands.ConfirmTold(note="微信送达"))
    assert view.stage is HazardStage.TOLD
    assert "hazard_notice" not in {duty.key for duty in view.duties}
