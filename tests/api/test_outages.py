"""When something is down the answer says so, within its budget, and repeating the same request ends in one effect."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from httpx import ASGITransport, AsyncClient
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from api.app import create_app
from api.insurer.doors import SAMPLE_FILE
from api.rates import Rates
from api.tools import Budgets, Tools
from models.tables.engine import make_engine
from runtime.settings import Settings
from runtime.worker import library, make_worker
from tests.api.conftest import Caller, counted, fresh_key, terms
from tests.api.test_writing import opened
from tests.faults.invariants import Look, broken
from tests.runtime.patient import MEANT
from tests.runtime.waiting import PATIENCE, in_time

NOWHERE = "127.0.0.1:9"  # the discard port; nobody listens there
SOON = Budgets(answer_within=2.5)
"""Below every other limit that could end a write, and enough for a busy machine to begin it."""


def through(tools: Tools, caller: Caller) -> Caller:
    """The same caller at an API with other tools."""
    heard = caller.http.event_hooks
    http = AsyncClient(transport=ASGITransport(create_app(tools)), base_url="http://anze.test", event_hooks=heard)
    return Caller(http, caller.token, caller.id, caller.code)


@pytest.mark.fault("F7")
async def test_without_a_worker_the_outcome_is_unknown_and_repeating_it_has_one_effect(
    tools: Tools, insurer: Caller, settings: Settings, temporal: Client, admin, look: Look
) -> None:
    hurried, key = through(replace(tools, budgets=SOON), insurer), fresh_key()

    async def asked() -> None:
        unknown = await hurried.post("/v1/policies", terms(), key)
        assert (unknown.status_code, unknown.json()["code"]) == (503, "outcome_unknown")
        assert int(unknown.headers["Retry-After"]) > 0
        assert "Idempotency-Key" in unknown.json()["detail"]

    await in_time(SOON.answer_within + 3, asked)
    engine = make_engine(settings.database, 5)
    async with make_worker(temporal, engine, settings, library()):
        done = await insurer.post("/v1/policies", terms(), key)
        again = await insurer.post("/v1/policies", terms(), key)
    await engine.dispose()
    assert (done.status_code, again.text) == (201, done.text)
    assert await counted(admin, "cases", "steps") == {"cases": 1, "steps": 1}
    assert await broken(look) == []


async def test_without_temporal_reading_works_and_writing_is_unknown(
    tools: Tools, insurer: Caller, worker: Worker
) -> None:
    policy_id = await opened(insurer)
    gone = await Client.connect(NOWHERE, lazy=True, data_converter=pydantic_data_converter)
    cut_off = through(replace(tools, temporal=gone, budgets=SOON), insurer)
    assert (await cut_off.get(f"/v1/policies/{policy_id}")).status_code == 200
    answer = await cut_off.post(f"/v1/policies/{policy_id}/provider", {"provider_name": "甲机构"})
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
    health = await cut_off.get("/health/ready")
    assert (health.status_code, health.json()["temporal"], health.json()["database"]) == (503, False, True)


@pytest.mark.fault("F15")
async def test_without_the_database_nothing_is_done_and_the_answer_says_so(
    tools: Tools, insurer: Caller, look: Look
) -> None:
    gone = make_engine(f"postgresql+asyncpg://nobody@{NOWHERE}/nothing", 1)
    cut_off = through(replace(tools, engine=gone), insurer)
    for answer in (await cut_off.post("/v1/policies", terms()), await cut_off.get("/v1/policies")):
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"]
    await gone.dispose()
    assert await broken(look) == []


@pytest.mark.fault("F17")
@pytest.mark.usefixtures("limits_of_service")
async def test_a_locked_table_ends_in_unavailable_and_heals(tools: Tools, insurer: Caller, admin, look: Look) -> None:
    hurried = through(replace(tools, budgets=Budgets(answer_within=0.5)), insurer)
    async with admin.begin() as connection:
        await connection.exec_driver_sql("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")
        answer = await hurried.get("/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert (await hurried.get("/v1/me")).status_code == 200
    assert await broken(look) == []


@pytest.mark.fault("F17")
@pytest.mark.usefixtures("limits_of_service", "worker")
async def test_a_lock_that_stays_ends_a_write_after_two_seconds_with_nothing_done(
    tools: Tools, insurer: Caller, admin, look: Look, record_property
) -> None:
    key = fresh_key()

    async def asked() -> None:
        answer = await insurer.post("/v1/policies", terms(), key)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")

    async with admin.begin() as connection:
        await connection.exec_driver_sql("LOCK TABLE insureds IN ACCESS EXCLUSIVE MODE")
        took = await in_time(5, asked)
    record_property("measured", f"refused after s: {took:.1f}")
    assert await counted(admin, "cases", "insureds") == {"cases": 0, "insureds": 0}
    assert (await insurer.post("/v1/policies", terms(), key)).status_code == 201
    assert await counted(admin, "cases", "steps") == {"cases": 1, "steps": 1}
    assert await broken(look) == []


@pytest.mark.fault("F17")
@pytest.mark.usefixtures("limits_of_service")
async def test_a_statement_that_does_not_end_is_cut_off_and_its_outcome_called_unknown(
    tools: Tools, insurer: Caller, admin, look: Look, record_property
) -> None:
    async with admin.begin() as connection:
        await connection.exec_driver_sql(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'"
        )
        await connection.exec_driver_sql(
            "CREATE TRIGGER dawdle BEFORE INSERT ON insureds FOR EACH ROW EXECUTE FUNCTION dawdle()"
        )
    hurried = through(replace(tools, budgets=SOON), insurer)

    async def asked() -> None:
        answer = await hurried.post("/v1/policies", terms())
        assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
        assert int(answer.headers["Retry-After"]) > 0

    took = await in_time(SOON.answer_within + 3, asked)
    record_property("measured", f"cut off after s: {took:.1f}")
    busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO insureds%' AND state = 'active'"
    async with asyncio.timeout(PATIENCE), admin.connect() as connection:
        while (await connection.exec_driver_sql(busy)).scalar_one():
            await asyncio.sleep(0.05)
    assert (await insurer.get("/v1/me")).status_code == 200
    assert await counted(admin, "insureds") == {"insureds": 0}
    assert await broken(look) == []


@pytest.mark.slow_fault
@pytest.mark.fault("F17")
@pytest.mark.usefixtures("limits_of_service")
async def test_when_every_connection_is_taken_the_answer_comes_within_the_budget_and_one_that_is_free_heals(
    tools: Tools, insurer: Caller, settings: Settings, look: Look, monkeypatch: pytest.MonkeyPatch, record_property
) -> None:
    monkeypatch.setattr("models.tables.engine.POOL_WAIT", MEANT["models.tables.engine", "POOL_WAIT"])
    engine = make_engine(settings.database, 5)
    caller = through(replace(tools, engine=engine, budgets=Budgets()), insurer)

    async def asked() -> None:
        answers = await asyncio.gather(caller.get("/v1/me"), caller.post("/v1/policies", terms()))
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(503, "unavailable")}

    async with AsyncExitStack() as taken:
        for _ in range(5):
            await taken.enter_async_context(engine.connect())
        took = await in_time(5.5, asked)
    record_property("measured", f"no connection, told after s: {took:.1f}")
    assert (await caller.get("/v1/me")).status_code == 200
    await engine.dispose()
    assert await broken(look) == []


@pytest.mark.fault("F17")
@pytest.mark.usefixtures("limits_of_service")
async def test_every_connection_of_the_application_has_its_limits(tools: Tools) -> None:
    wanted = {"lock_timeout": "2s", "statement_timeout": "10s", "idle_in_transaction_session_timeout": "30s"}
    async with tools.engine.connect() as connection:
        for name, limit in wanted.items():
            assert (await connection.exec_driver_sql(f"SHOW {name}")).scalar_one() == limit


@pytest.mark.fault("F17", "F16")
async def test_a_line_that_breaks_while_a_page_or_an_upload_is_written_is_called_unknown_and_repeating_it_counts_once(
    tools: Tools, insurer: Caller, admin, look: Look
) -> None:
    """The commit of what the API itself writes: whether it came through, nobody knows (promises.md P2)."""
    async with admin.begin() as connection:
        await connection.exec_driver_sql(
            "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
            " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
        )
        await connection.exec_driver_sql(
            "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON files DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION cut()"
        )
    key = fresh_key()
    pdf = {"Content-Type": "application/pdf", "Idempotency-Key": key}
    answer = await insurer.raw("/v1/files?name=样张.pdf", SAMPLE_FILE, **pdf)
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
    async with admin.begin() as connection:
        await connection.exec_driver_sql("DROP TRIGGER cut ON files")
    for _ in range(2):
        assert (await insurer.raw("/v1/files?name=样张.pdf", SAMPLE_FILE, **pdf)).status_code == 201
    assert await counted(admin, "files") == {"files": 1}
    assert await broken(look) == []


async def test_a_case_an_operator_ended_breaks_no_page(insurer: Caller, temporal: Client, worker: Worker) -> None:
    policy_id = await opened(insurer)
    await temporal.get_workflow_handle(f"policy/{insurer.code}/PA-1").terminate("an operator's hand")
    assert (await insurer.get(f"/v1/policies/{policy_id}")).status_code == 200
    answer = await insurer.post(f"/v1/policies/{policy_id}/provider", {"provider_name": "甲机构"})
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")


async def test_a_paused_workflow_breaks_no_page(
    tools: Tools, insurer: Caller, temporal: Client, worker: Worker
) -> None:
    """The SDK cannot read the status of a paused workflow (engine.md A); pages come from PostgreSQL."""
    policy_id = await opened(insurer)
    paused = PauseWorkflowExecutionRequest(
        namespace=temporal.namespace, workflow_id=f"policy/{insurer.code}/PA-1", reason="操作员暂停", request_id="p-1"
    )
    await temporal.workflow_service.pause_workflow_execution(paused)
    for path in ("", "/duties", "/timeline", "/notices"):
        assert (await insurer.get(f"/v1/policies/{policy_id}{path}")).status_code == 200
    assert len((await insurer.get("/v1/policies")).json()["items"]) == 1
    hurried = through(replace(tools, budgets=SOON), insurer)
    answer = await hurried.post(f"/v1/policies/{policy_id}/provider", {"provider_name": "甲机构"})
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")


async def test_too_many_requests_are_told_to_wait(tools: Tools, insurer: Caller, other: Caller) -> None:
    few = replace(tools, budgets=Budgets(requests_per_second=0.001, burst=3))
    eager = through(few, insurer)
    answers = [await eager.get("/v1/me") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_a_bucket_fills_again_and_memory_stays_bounded() -> None:
    now = [0.0]
    rates = Rates(2, 4, lambda: now[0])
    assert [rates.spend("a") for _ in range(5)] == [0, 0, 0, 0, 1]
    now[0] = 0.6
    assert rates.spend("a") == 0
    for number in range(20_000):
        rates.spend(str(number))
    assert len(rates._buckets) <= 10_000


@pytest.mark.fault("F30")
async def test_a_caller_who_hangs_up_leaves_all_or_nothing(insurer: Caller, worker: Worker, admin, look: Look) -> None:
    key = fresh_key()
    task = asyncio.create_task(insurer.post("/v1/policies", terms(), key))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    answer = await insurer.post("/v1/policies", terms(), key)
    assert answer.status_code == 201
    assert await counted(admin, "cases", "steps") == {"cases": 1, "steps": 1}
    assert await broken(look) == []
