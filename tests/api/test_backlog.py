"""Without a worker, operators learn from outside how long commands have waited, until one comes."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from temporalio.client import Client

from api import metrics
from api.tools import Tools
from models.tables.engine import make_engine
from runtime.settings import Settings
from runtime.worker import library, make_worker
from tests.api.conftest import Caller, terms
from tests.runtime.examining import examining
from tests.runtime.waiting import until


def oldest_task() -> float | None:
    return REGISTRY.get_sample_value("anze_oldest_work_seconds", {"work": "task"})


@pytest.mark.fault("F7")
async def test_without_a_worker_metric_and_doctor_tell_how_long_work_has_waited_until_one_comes(
    tools: Tools, insurer: Caller, settings: Settings, temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "EVERY", 0.2)
    asked = metrics.Measured(tools.engine, temporal, settings.task_queue, tools.now)
    measuring = asyncio.create_task(metrics.keep_measuring(asked))
    asking = asyncio.create_task(insurer.post("/v1/policies", terms()))
    try:
        await until(lambda: (oldest_task() or 0.0) > 1)
        assert (await insurer.get("/health/ready")).json()["workers"] is False
        late, patient = (settings.model_copy(update={"late_task": bound}) for bound in (1.0, 3_600.0))
        code, found = await examining(monkeypatch, late)()
        assert (code, found["办理进程"], found["积压"][0]) == (1, ("bad", "没有 worker 在办理"), "bad")
        assert found["积压"][1].startswith("1 件没有人取，最久的已等 ")
        assert (await examining(monkeypatch, patient)())[1]["积压"][0] == "good"
        engine = make_engine(settings.database, 5)
        async with make_worker(temporal, engine, settings, library()):
            assert (await asking).status_code == 201
            await until(lambda: oldest_task() == 0)
            found = (await examining(monkeypatch, late)())[1]
            assert (found["办理进程"], found["积压"][0]) == (("good", "1 个"), "good")
        await engine.dispose()
    finally:
        measuring.cancel()
        asking.cancel()
