"""Limits of the engine: many commands at once, long histories, changes that replay sees and changes it does not."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.workflow import NondeterminismError

from domain import counting
from models.contracts.policy_state import PolicyRun
from runtime.replaying import Watching, replayer
from runtime.sandbox import serving
from tests.faults.conftest import Measured
from tests.faults.ground import Ground
from tests.faults.history import Outcome
from tests.workflows.replaying import HISTORIES, Seen, read, replayed
from workflows.answers import FULL
from workflows.policy import PolicyWorkflow

IN_FLIGHT, PER_COMMAND = 10, 20
"""Commands the server lets in at a time, and more events than any of them makes."""
OPENED = HISTORIES / "policy-opened-341300.json"


@workflow.defn(name="保单")
class PolicyWithAPause(PolicyWorkflow):
    """A change nobody patched: a timer before anything else."""

    @workflow.init
    def __init__(self, run: PolicyRun) -> None:
        super().__init__(run)

    @workflow.run
    async def run(self, run: PolicyRun) -> str:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(run)


def spending(number: int) -> dict[str, Any]:
    return {"number": f"S-{number}", "amount": "1.00", "purpose": "training"}


@pytest.mark.fault("F11")
async def test_a_change_that_open_cases_cannot_follow_is_caught_by_replay() -> None:
    again = replayer(serving(), pydantic_data_converter, workflows=[PolicyWithAPause])
    with pytest.raises(NondeterminismError):
        await again.replay_workflow(read(OPENED))


@pytest.mark.fault("F12")
async def test_a_deadline_moved_silently_passes_replay_and_is_caught_by_the_golden_dates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest, seen = counting._advance, Seen()

    def generous(calendar: Any, after: Any, amount: int, pauses: Any) -> Any:
        return honest(calendar, after, amount + 1, pauses)

    monkeypatch.setattr(counting, "_advance", generous)
    again = replayer(serving(), pydantic_data_converter, Watching(seen.note), [PolicyWorkflow])
    await again.replay_workflow(read(OPENED))
    assert due_dates(seen) != due_dates(await replayed(OPENED))


def due_dates(seen: Seen) -> list[dict[str, str]]:
    """What tests/workflows/test_replay.py compares with tests/workflows/golden."""
    return [{one["key"]: str(one["effective"]) for one in step.row.view["duties"]} for step in seen.steps.values()]


@pytest.mark.fault("F37")
async def test_commands_beyond_the_ten_in_flight_wait_and_each_has_one_effect(
    ground: Ground, measured: Measured
) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        policy = await ground.author.open(voice, 1)
        path, began = f"/v1/policies/{policy}/spend", time.monotonic()
        on = ground.author.today
        told = await asyncio.gather(
            *(voice.post(path, {**spending(number), "on": on}, f"s-{number}") for number in range(40))
        )
        measured("seconds for 40 commands to one case at once:", time.monotonic() - began)
        assert {one.outcome for one in told} == {Outcome.OK}
        assert sorted(one.said["seq"] for one in told) == list(range(2, 42))
        assert await ground.broken() == []


@pytest.mark.slow_fault
@pytest.mark.fault("F37")
async def test_a_long_history_is_continued_before_it_reaches_a_limit(ground: Ground, measured: Measured) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        policy, numbers = await ground.author.open(voice, 1), iter(range(1900))
        path, on, began = f"/v1/policies/{policy}/spend", ground.author.today, time.monotonic()

        async def spender() -> None:
            for number in numbers:
                told = await voice.post(path, {**spending(number), "on": on}, f"s-{number}")
                assert told.outcome is Outcome.OK, told

        await asyncio.gather(*(spender() for _ in range(8)))
        measured("seconds for 1,900 commands to one case:", time.monotonic() - began)
        assert await ground.broken() == []
        name = (await ground.rows("SELECT workflow_id FROM cases"))[0]["workflow_id"]
        runs = [one.run_id async for one in ground.client.list_workflows(f"WorkflowId = '{name}'")]
        # a list knows the length of closed runs alone
        seen = [await ground.client.get_workflow_handle(name, run_id=run).describe() for run in runs]
        lengths = [one.history_length for one in seen]
        measured("runs:", len(lengths))
        measured("events of the longest:", max(lengths))
        assert len(lengths) > 1
        assert 0 < min(lengths) <= max(lengths) < FULL + IN_FLIGHT * PER_COMMAND
    assert (await ground.rows("SELECT seq FROM cases"))[0]["seq"] == 1901


@pytest.mark.fault("F38")
async def test_lists_show_what_was_written_a_moment_ago(ground: Ground, measured: Measured) -> None:
    async with ground.worker(), ground.voices() as (voice,):
        for number in range(1, 6):
            policy = await ground.author.open(voice, number)
            shown = await voice.get("/v1/policies")
            assert str(policy) in {one["id"] for one in shown["items"]}
            await ground.author.act(voice, policy, number, "provider")
            shown = await voice.get("/v1/policies")
            assert {one["id"]: one["stage"] for one in shown["items"]}[str(policy)] == "provider_named"
        assert await ground.broken() == []
    measured("lists that lagged:", 0)
