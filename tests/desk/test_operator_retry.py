"""Work that keeps failing on a real engine: it is told without its error's text, and tried again at once when asked."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from models.contracts.vocabulary import ActorKind
from runtime.settings import Settings
from tests.desk.conftest import SignedIn
from tests.runtime.waiting import PATIENCE, until

WHY = "邮件服务器已恢复"
THRICE = RetryPolicy(
    initial_interval=timedelta(milliseconds=1), backoff_coefficient=1_000, maximum_interval=timedelta(hours=1)
)
"""Tried three times within two seconds, and then not for a quarter of an hour."""


@workflow.defn(name="stuck")
class Stuck:
    """Waits for an activity that never succeeds."""

    @workflow.run
    async def run(self) -> None:
        limit = timedelta(seconds=10)
        await workflow.execute_activity("never", start_to_close_timeout=limit, retry_policy=THRICE)


class Tries:
    """Counts how often it was tried."""

    def __init__(self) -> None:
        self.count = 0

    @activity.defn(name="never")
    async def never(self) -> None:
        self.count += 1
        raise ApplicationError("张三的银行账号", type="core_system_away")


@pytest.fixture
async def tries(temporal: Client, settings: Settings) -> AsyncIterator[Tries]:
    """A workflow that is stuck, on the queue of this test's system."""
    tried = Tries()
    queue = settings.task_queue
    runner = UnsandboxedWorkflowRunner()
    worker = Worker(temporal, task_queue=queue, workflows=[Stuck], activities=[tried.never], workflow_runner=runner)
    async with worker:
        handle = await temporal.start_workflow("stuck", id=f"{queue}/stuck", task_queue=queue)
        await until(lambda: tried.count == 3)
        yield tried
        await handle.terminate()


async def test_what_keeps_failing_is_shown_and_tried_at_once_with_a_reason_on_record(
    signed_in: SignedIn, tries: Tries, admin: AsyncEngine, settings: Settings
):
    person = await signed_in(ActorKind.OPERATOR)
    page = await _showing(person.get, "core_system_away")
    assert f"{settings.task_queue}/stuck" in page
    assert "张三" not in page, "what an error says may be personal"
    (pick,) = re.findall(r'name="pick" value="([^"]+)"', page)
    silent = await person.post("/operator/retry", pick=pick, reason="")
    assert silent.status_code == 422
    assert 'id="reason-error"' in silent.text
    assert tries.count == 3
    strange = await person.post("/operator/retry", pick="another/1", reason=WHY)
    assert strange.headers["location"] == "/operator?done=retried&n=0"
    done = await person.post("/operator/retry", pick=pick, reason=WHY)
    assert done.headers["location"] == "/operator?done=retried&n=1"
    await until(lambda: tries.count >= 4)
    async with admin.connect() as connection:
        said = (await connection.execute(text("SELECT said FROM audit WHERE what = 'operator_act'"))).scalars().all()
    assert [one["reason"] for one in said] == [WHY]


async def _showing(get, words: str) -> str:
    """The page, once the engine's list of running workflows has caught up."""
    async with asyncio.timeout(PATIENCE):
        while words not in (page := (await get("/operator")).text):
            await asyncio.sleep(0.2)
    return page
