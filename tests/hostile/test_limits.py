"""How much one caller, one address and one request may ask for; beyond it a problem says when to come again."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool
from starlette.types import Receive, Scope, Send
from temporalio.worker import Worker

from api.app import create_app
from api.gateway import FoundCase
from api.insurer.doors import SAMPLE_FILE, visit
from api.keys import KeyFor, mint_key
from api.limits import Limits
from api.rates import counted_as
from api.rows import CASES
from api.tools import Budgets, Tools
from models.contracts.vocabulary import ActorKind, CaseKind
from tests.api.conftest import Caller, admin, app, fresh_key, http, insurer, other, terms, today, tools, worker
from tests.runtime.waiting import PATIENCE, until

__all__ = ["admin", "app", "http", "insurer", "other", "tools", "worker"]
FEW = Budgets(requests_per_second=0.001, burst=3, guesses_per_second=0.001, guesses_burst=2)
"""So slowly that nothing flows in while a busy machine is at its few requests."""
FOUND = 50
"""Hazards one visit may have."""
SPENT = {"number": "S-1", "amount": "1.00", "purpose": "training", "on": str(today())}


def within(tools: Tools, budgets: Budgets) -> AsyncClient:
    """The application with these budgets."""
    transport = ASGITransport(create_app(replace(tools, budgets=budgets)))
    return AsyncClient(transport=transport, base_url="http://anze.test")


def wrong_key(number: int) -> dict[str, str]:
    return {"Authorization": f"Bearer anze_{number:08x}_{'A' * 43}"}


async def test_who_tries_keys_waits_and_who_has_one_goes_on(tools: Tools, insurer: Caller) -> None:
    async with within(tools, FEW) as http:
        assert (await http.get("/v1/me", headers=insurer.headers)).status_code == 200
        answers = [await http.get("/v1/me", headers=wrong_key(number)) for number in range(4)]
        assert [one.status_code for one in answers] == [401, 401, 429, 429]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 1 / FEW.guesses_per_second
        assert answers[-1].json()["code"] == "too_many"
        assert (await http.get("/v1/me", headers=insurer.headers)).status_code == 200


async def test_pages_are_shown_to_one_address_no_faster_than_a_person_reads(tools: Tools) -> None:
    async with within(tools, FEW) as http:
        answers = [await http.get("/", headers={"Accept": "text/html"}) for _ in range(5)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
        assert "请求过于频繁" in answers[-1].text
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert (await http.get("/health/live")).status_code == 200


async def test_one_address_has_so_many_requests_under_way_whatever_keys_it_shows(app: FastAPI) -> None:
    release, inside = asyncio.Event(), list[Scope]()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        inside.append(scope)
        await release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    limited = Limits(slow, Budgets(at_once=2))

    async def ask(address: str, number: int) -> int:
        async def door(scope: Scope, receive: Receive, send: Send) -> None:
            await limited({**scope, "app": app}, receive, send)

        transport = ASGITransport(door, client=(address, 1))
        async with AsyncClient(transport=transport, base_url="http://anze.test") as http:
            return (await http.get("/v1/me", headers=wrong_key(number))).status_code

    under_way = [asyncio.create_task(ask(f"2001:db8::{number}", number)) for number in (1, 2)]
    await until(lambda: len(inside) == 2)
    assert await ask("2001:db8::3", 3) == 429, "the third key of the third address of one /64"
    elsewhere = asyncio.create_task(ask("2001:db8:0:1::1", 4))
    await until(lambda: len(inside) == 3)
    release.set()
    assert [await one for one in (*under_way, elsewhere)] == [200, 200, 200]
    assert await ask("2001:db8::3", 3) == 200


async def test_the_keys_of_one_organisation_have_so_many_requests_under_way_wherever_they_are_used(
    tools: Tools, insurer: Caller, admin: AsyncEngine, case: FoundCase
) -> None:
    application = create_app(replace(tools, budgets=replace(tools.budgets, at_once=1)))
    async with admin.begin() as connection:
        minted = await mint_key(connection, KeyFor(ActorKind.INSURER, "第二把", insurer_id=insurer.id))
    keys = {1: insurer.headers, 2: Caller(insurer.http, minted.token, insurer.id, insurer.code).headers}

    async def ask(number: int) -> int:
        transport = ASGITransport(application, client=(f"192.0.2.{number}", 1))
        async with AsyncClient(transport=transport, base_url="http://anze.test") as http:
            return (await http.get(f"/v1/policies/{case.id}/timeline", headers=keys[number])).status_code

    async with admin.begin() as connection:
        await connection.execute(text("LOCK TABLE timeline"))  # recognising a key does not read it
        both = [asyncio.create_task(ask(number)) for number in keys]
        done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        assert [one.result() for one in done] == [429]
    assert sorted([await one for one in both]) == [200, 429]
    assert await ask(2) == 200


def test_an_address_counts_as_its_subscriber() -> None:
    assert counted_as("2001:db8:1:2:3:4:5:6") == counted_as("2001:db8:1:2::") == "2001:db8:1:2::/64"
    assert counted_as("::ffff:192.0.2.7") == counted_as("192.0.2.7") == "192.0.2.7"
    assert counted_as("testclient") == "testclient"


async def test_a_body_that_stops_coming_is_not_waited_for(tools: Tools, insurer: Caller) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with within(tools, Budgets(body_within=0.2)) as http:
        for path, kind in (("/v1/policies", "application/json"), ("/v1/files", "application/pdf")):
            headers = {**insurer.headers, "Idempotency-Key": fresh_key(), "Content-Type": kind}
            async with asyncio.timeout(PATIENCE):
                answer = await http.post(path, content=stuck(), headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), path


async def test_a_body_that_trickles_is_not_waited_for(tools: Tools, insurer: Caller) -> None:
    """Every byte comes in time, and all of them would take for ever."""

    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b"a"
            await asyncio.sleep(0.01)

    form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    pdf = {**insurer.headers, "Idempotency-Key": fresh_key(), "Content-Type": "application/pdf"}
    async with within(tools, Budgets(body_within=0.5)) as http:
        for path, headers in (("/v1/files", pdf), ("/enter/code", form), (f"/l/{'A' * 43}", form)):
            async with asyncio.timeout(PATIENCE):
                answer = await http.post(path, content=trickle(), headers=headers)
            assert answer.status_code == 400, path


async def test_while_a_file_comes_in_no_connection_to_the_database_is_held(tools: Tools, insurer: Caller) -> None:
    pool, held = tools.engine.pool, list[int]()
    assert isinstance(pool, QueuePool)

    async def slowly() -> AsyncIterator[bytes]:
        for at in range(0, len(SAMPLE_FILE), 100):
            held.append(pool.checkedout())
            yield SAMPLE_FILE[at : at + 100]

    headers = {**insurer.headers, "Idempotency-Key": fresh_key(), "Content-Type": "application/pdf"}
    assert (await insurer.http.post("/v1/files", content=slowly(), headers=headers)).status_code == 201
    assert len(held) > 1
    assert set(held) == {0}


async def test_one_organisation_uploads_so_many_bytes_and_others_theirs(
    tools: Tools, insurer: Caller, other: Caller
) -> None:
    room = len(SAMPLE_FILE) * 2 + 1
    async with within(tools, Budgets(uploaded_per_second=0.001, uploaded_burst=room)) as http:

        async def hand_in(caller: Caller) -> Response:
            headers = {**caller.headers, "Idempotency-Key": fresh_key(), "Content-Type": "application/pdf"}
            return await http.post("/v1/files", content=SAMPLE_FILE, headers=headers)

        answers = [await hand_in(insurer) for _ in range(3)]
        assert [one.status_code for one in answers] == [201, 201, 429]
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert (await hand_in(other)).status_code == 201
        assert (await http.get("/v1/me", headers=insurer.headers)).status_code == 200, "whoever uploaded may still ask"


async def test_a_packed_body_is_not_unpacked_and_not_taken(insurer: Caller) -> None:
    for path, kind in (
        ("/v1/policies", "application/json"),
        ("/v1/files", "application/pdf"),
        ("/enter/code", "application/x-www-form-urlencoded"),
    ):
        for how in ("gzip", "deflate", "br", "gzip, gzip"):
            sent = {**insurer.headers, "Idempotency-Key": fresh_key(), "Content-Type": kind, "Content-Encoding": how}
            answer = await insurer.http.post(path, content=gzip.compress(SAMPLE_FILE), headers=sent)
            assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media"), (path, how)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_wrong_method_is_told_so_whatever_its_body_and_learns_every_right_one(http: AsyncClient, method: str):
    for path, allowed in (
        ("/v1/policies", "GET, POST"),
        ("/v1/policies/6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c11/claims", "GET, POST"),
        ("/v1/policies/6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c11/upload", "POST"),
    ):
        answers = [
            await http.request(method, path, json={}),
            await http.request(method, path),
            await http.options(path),
        ]
        for answer in answers:
            assert (answer.status_code, answer.headers["Allow"]) == (405, allowed), path
            assert answer.json()["code"] == "method_not_allowed"
    assert (await http.request(method, "/v1/nowhere", json={})).status_code == 404


@pytest.fixture
async def case(insurer: Caller, worker: Worker, admin: AsyncEngine) -> FoundCase:
    policy_id = UUID((await insurer.post("/v1/policies", terms())).json()["id"])
    async with admin.connect() as connection:
        row = (await connection.execute(select(CASES).where(CASES.c.id == policy_id))).one()
    return FoundCase(row.id, row.kind, row.insurer_id, row.workflow_id, row.ended_at, row.seq)


async def test_a_name_no_table_has_reaches_no_case(insurer: Caller, case: FoundCase) -> None:
    for name in ("no_such_update", "opened", "adopt_calendar", "%2e%2e", "upload%00", "UPLOAD"):
        assert (await insurer.post(f"/v1/policies/{case.id}/{name}", {})).status_code == 404, name


async def test_the_largest_command_there_is_reaches_its_case_and_is_carried_out(
    insurer: Caller, case: FoundCase, admin: AsyncEngine
) -> None:
    """A visit of fifty hazards, every character of the budget used: far below what Temporal takes, and it is taken."""
    most, url = Budgets().body, f"/v1/policies/{case.id}"
    assert (await insurer.raw("/v1/files", SAMPLE_FILE, **{"Content-Type": "application/pdf"})).is_success
    body = json.dumps(_visit(most), ensure_ascii=False).encode()
    assert most - 1000 < len(body) <= most
    for path, said in (
        ("provider", {"provider_name": "甲机构"}),
        ("plan", {"items": ["hazard_inspection"], "goals": "目标"}),
        ("plan/confirmation", {}),
    ):
        assert (await insurer.post(f"{url}/{path}", said)).status_code == 200, path
    key = {"Idempotency-Key": fresh_key()}
    async with asyncio.timeout(PATIENCE):
        while (answer := await insurer.raw(f"{url}/visits", body, **key)).status_code == 503:  # outcome unknown yet
            await asyncio.sleep(1)
    assert answer.status_code == 200, answer.text[:300]
    async with admin.connect() as connection:
        born = select(func.count()).select_from(CASES).where(CASES.c.kind == CaseKind.HAZARD)
        assert (await connection.execute(born.where(CASES.c.insurer_id == insurer.id))).scalar_one() == FOUND
    assert (await insurer.post(f"{url}/spend", SPENT)).status_code == 200, "the case lives on"


def _visit(size: int) -> dict[str, Any]:
    """Of nearly so many bytes."""
    plain = visit(today())
    [found] = plain["hazards"]
    text = "长" * ((size - 800) // FOUND // 3 - 70)
    hazards = [found | {"number": f"H-{number:03d}", "description": text} for number in range(FOUND)]
    full = plain | {"hazards": hazards}
    left = (size - len(json.dumps(full, ensure_ascii=False).encode())) // 3
    return full | {"summary": plain["summary"] + "长" * min(left, 1900)}


async def test_a_body_no_command_has_room_for_is_refused_before_any_case_hears_of_it(
    insurer: Caller, case: FoundCase
) -> None:
    most, url = Budgets().body, f"/v1/policies/{case.id}"
    for path, body in (
        ("plan", {"items": ["hazard_inspection"], "goals": "长" * (most // 3 - 100)}),
        ("provider", {"provider_name": "甲", "more": ["x" * 1000] * (most // 1010)}),
    ):
        answer = await insurer.raw(f"{url}/{path}", json.dumps(body, ensure_ascii=False).encode())
        assert answer.status_code == 422, (path, answer.text[:300])
    assert (await insurer.raw(f"{url}/plan", b" " * (most + 1))).status_code == 413
