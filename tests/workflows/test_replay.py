"""Every recorded life replays under today's code, and gives the same dates, alarms, notices and limits as then."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from models.contracts.rulebook import PackRef
from rules.library import Library
from runtime.worker import WORKFLOWS
from tests.workflows.record import PLACES, TOLD_OF_REFUSALS
from tests.workflows.replaying import GOLDEN, HISTORIES, KINDS, golden, replayed, timers

RECORDED = sorted(HISTORIES.glob("*.json"))
STAGES = {
    "policy": ("opened", "serving", "served", "chapter", "continued", "adopted", "surrendered", "expired"),
    "claim": ("reported", "advanced", "large_prepay", "small_fast", "continuing", "continued", "refused", "withdrawn"),
    "hazard": ("found", "refused", "closed", "adopted", "stopped"),
}
WHERE_A_REFUSAL_IS_TOLD = ("policy-rated", "hazard-not_a_hazard", "hazard-passed_on")
OF_NO_PLACE = ("mailroom-sent", "mailroom-digest", "mailroom-stuck", "mailroom-given_up", "reconciling-done",
               "anchoring-done")  # fmt: skip
OF_CASES = [path for path in RECORDED if path.stem.partition("-")[0] in STAGES]
recorded = pytest.mark.parametrize("path", RECORDED, ids=[path.stem for path in RECORDED])


def test_every_stage_is_recorded_for_every_place() -> None:
    wanted = {f"{kind}-{stage}-{place}" for kind, stages in STAGES.items() for stage in stages for place in PLACES}
    wanted |= {f"{name}-{place}" for name in WHERE_A_REFUSAL_IS_TOLD for place in TOLD_OF_REFUSALS}
    assert wanted | set(OF_NO_PLACE) <= {path.stem for path in RECORDED}


def test_every_workflow_a_worker_serves_is_recorded() -> None:
    assert set(KINDS.values()) == set(WORKFLOWS)
    assert {path.stem.partition("-")[0] for path in RECORDED} == set(KINDS)


@recorded
async def test_a_recorded_history_replays(path: Path) -> None:
    await replayed(path)


@recorded
async def test_a_recorded_life_gives_the_same_dates_notices_and_limits(path: Path) -> None:
    """Replay does not see them (engine.md E7b). Meant to change? `python -m tests.workflows.record --golden`."""
    then = json.loads((GOLDEN / path.name).read_text(encoding="utf-8"))
    assert json.loads(json.dumps(await golden(path))) == then


async def test_the_documents_every_recorded_life_began_under_are_still_here() -> None:
    """A case is bound to a text by its digest: one that is gone stops its hazards, its claims and its pages."""
    here = {(pack.ref.region, pack.ref.digest) for pack in Library().known()}
    bound = {path.stem: {(ref.region, ref.digest) for ref in await _documents(path)} for path in OF_CASES}
    assert {life: refs - here for life, refs in bound.items() if refs - here} == {}


async def _documents(path: Path) -> tuple[PackRef, ...]:
    """Of its first step here: what a life is made to adopt later may be a test's own document."""
    steps = (await replayed(path)).steps
    return steps[min(steps)].row.packs


@pytest.mark.parametrize("path", OF_CASES, ids=[path.stem for path in OF_CASES])
async def test_every_timer_was_set_to_the_alarm_of_its_step(path: Path) -> None:
    """A timer's duration is not compared by replay either."""
    alarms = [datetime.fromisoformat(step["alarm"]) for step in (await golden(path))["steps"] if step["alarm"]]
    for fires_at in timers(path):
        assert any(abs(fires_at - alarm) < timedelta(seconds=30) for alarm in alarms), fires_at
