"""Callers hang up, processes die between one commit and the next: all or nothing, and repeating converges."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest
import uvicorn

from api.app import create_app
from api.insurer.doors import application
from bench.cast import credit_code
from models.contracts import ids
from runtime.embedded.guest import Guest
from runtime.embedded.ports import LOOPBACK, free_ports
from tests.faults.children import serving
from tests.faults.conftest import Measured
from tests.faults.failpoints import Failpoint
from tests.faults.ground import Ground
from tests.faults.history import Outcome, Voice
from tests.faults.invariants import rows_of
from tests.faults.lives import HAZARD, WALK
from tests.runtime.waiting import PATIENCE, until

CUTS = (0.0, 0.001, 0.005, 0.02, 0.05, 0.1, 0.2)
"""Seconds between the last byte of a request and the caller's hanging up."""
PARTS = (0.2, 0.7, 0.99)
"""How much of a request was sent when the caller hung up."""


@asynccontextmanager
async def listening(ground: Ground) -> AsyncIterator[int]:
    """The API of this process behind a real socket; its port."""
    port = free_ports(1)[0]
    async with ground.tools() as tools:
        server = Guest(uvicorn.Config(create_app(tools), host=LOOPBACK, port=port, log_config=None, lifespan="off"))
        task = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        try:
            yield port
        finally:
            server.should_exit = server.force_exit = True
            await task


def opening(ground: Ground, number: int) -> dict[str, Any]:
    """The very body `Author.open` sends, so that it is a repeat."""
    asked = application(date.fromisoformat(ground.author.today))
    insured = asked["insured"] | {"credit_code": credit_code(number), "email": f"safety@e{number}.example"}
    return {"terms": asked["terms"] | {"number": f"F-{number:06d}"}, "insured": insured}


def spelled(voice: Voice, body: dict[str, Any], key: str) -> bytes:
    """The request as bytes."""
    content = json.dumps(body).encode()
    head = (
        f"POST /v1/policies HTTP/1.1\r\nHost: anze.test\r\nAuthorization: Bearer {voice.token}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def hung_up(port: int, said: bytes, after: float) -> None:
    _, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(said)
    await writer.drain()
    await asyncio.sleep(after)
    writer.transport.abort()


@pytest.mark.fault("F30")
async def test_a_caller_who_hangs_up_anywhere_leaves_all_or_nothing_and_repeating_it_gives_one_case(
    ground: Ground, measured: Measured
) -> None:
    async with ground.worker(), ground.voices() as (voice,), listening(ground) as port:
        cuts = [(part, 0.0) for part in PARTS] + [(1.0, after) for after in CUTS]
        for number, (part, after) in enumerate(cuts, 1):
            said = spelled(voice, opening(ground, number), f"{number}-open")
            await hung_up(port, said[: int(len(said) * part)], after)
        await asyncio.sleep(0.5)
        found = await rows_of(ground.database.admin, "SELECT seq FROM cases")
        assert all(row["seq"] == 1 for row in found)
        await asyncio.gather(*(ground.author.open(voice, number) for number in range(1, len(cuts) + 1)))
        assert await ground.broken() == []
        steps = await rows_of(ground.database.admin, "SELECT 1 FROM steps")
        assert len(steps) == len(cuts)
    measured("hung up:", len(cuts))
    measured("done all the same:", len(found))
    measured("cases after repeating:", len(steps))


@pytest.mark.slow_fault
@pytest.mark.fault("F27")
async def test_an_api_that_dies_between_its_commit_and_the_start_of_the_workflow_has_promised_nothing(
    ground: Ground, measured: Measured
) -> None:
    """No row speaks of a case before the case itself has written it, so there is nothing a reconciler could miss."""
    dying = Failpoint("before", "api.insurer.opening.open_policy")
    async with ground.worker(), serving("web", ground.settings, dying) as web, ground.voices(at=web) as (voice,):
        told = await voice.post("/v1/policies", opening(ground, 1), "1-open", patience=0)
        assert told.outcome is Outcome.INFO
        await web.killed()
    tables = ("insureds", "cases", "steps", "commands", "outbox")
    left = {one: len(await rows_of(ground.database.admin, f"SELECT 1 FROM {one}")) for one in tables}
    assert left == {"insureds": 1, "cases": 0, "steps": 0, "commands": 0, "outbox": 0}
    async with ground.worker(), ground.voices() as (again,):
        voice.http = again.http
        began = time.monotonic()
        await ground.author.open(voice, 1)
        assert await ground.broken() == []
    measured("cases without a workflow after the crash:", left["cases"])
    measured("open s after repeating:", time.monotonic() - began)


@pytest.mark.fault("F27")
async def test_a_visit_whose_answer_was_lost_is_answered_again_once_its_hazards_are_open(ground: Ground) -> None:
    """The visit is on record long before; its stored answer would name a case that is not there."""
    slow = Failpoint("before", "activities.registry.TemporalRegistry.open_hazards", "wait", seconds=2.0)
    async with serving("worker", ground.settings, slow), ground.voices(answer_within=1.0) as (voice,):
        policy = await ground.author.open(voice, 1)
        for path in WALK[:-1]:
            await ground.author.act(voice, policy, 1, path)
        visit = await ground.author.act(voice, policy, 1, WALK[-1])
        hazard = await voice.get(f"/v1/hazards/{ids.hazard_id(policy, HAZARD)}")
        assert 503 in visit.answers, "no answer was lost, and nothing was tried"
        assert hazard is not None
        assert await ground.broken() == []


@pytest.mark.slow_fault
@pytest.mark.fault("F27")
async def test_a_hazard_whose_policy_died_after_its_commit_is_opened_when_a_worker_is_back(
    ground: Ground, measured: Measured
) -> None:
    dying = Failpoint("before", "activities.registry.TemporalRegistry.open_hazards")
    async with ground.voices() as (voice,):
        async with serving("worker", ground.settings, dying) as worker:
            policy = await ground.author.open(voice, 1)
            for path in ("upload", "provider", "plan", "plan/confirmation"):
                await ground.author.act(voice, policy, 1, path)
            visit = asyncio.create_task(ground.author.act(voice, policy, 1, "visits"))
            await worker.killed()
        hazards = "SELECT 1 FROM cases WHERE kind = 'hazard'"
        assert await rows_of(ground.database.admin, hazards) == []
        back = time.monotonic()
        async with ground.worker():
            async with asyncio.timeout(PATIENCE):
                while not await rows_of(ground.database.admin, hazards):
                    await asyncio.sleep(0.1)
            measured("hazard's workflow started s after a worker was back:", time.monotonic() - back)
            await visit
            assert await voice.get(f"/v1/hazards/{ids.hazard_id(policy, HAZARD)}") is not None
            assert await ground.broken() == []


@pytest.mark.slow_fault
@pytest.mark.fault("F28")
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_that_dies_beside_the_commit_of_a_step_leaves_one_step_and_a_true_read_model(
    ground: Ground, measured: Measured, when: Any
) -> None:
    dying = Failpoint(when, "activities.ledger.PgLedger.commit_step", nth=2)
    async with ground.voices() as (voice,):
        async with serving("worker", ground.settings, dying) as worker:
            policy = await ground.author.open(voice, 1)
            upload = asyncio.create_task(ground.author.act(voice, policy, 1, "upload"))
            await worker.killed()
        committed = (await rows_of(ground.database.admin, "SELECT seq, stage FROM cases"))[0]
        assert committed["seq"] == (2 if when == "after" else 1)
        back = time.monotonic()
        async with ground.worker():
            done = await upload
            measured(f"killed {when} the commit, answered s after a worker was back:", time.monotonic() - back)
            assert (done.said["stage"], done.said["seq"]) == ("uploaded", 2)
            await ground.author.act(voice, policy, 1, "provider")
            assert await ground.broken() == []
        row = (await rows_of(ground.database.admin, "SELECT seq, stage FROM cases"))[0]
        assert (row["seq"], row["stage"]) == (3, "provider_named")
