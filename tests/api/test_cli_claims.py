"""`anze claims` as somebody with a key uses it: a claim led from report to payment, read as tables and as JSON."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker
from typer.testing import CliRunner, Result

from api.claims.doors import DOORS, losses, payment, report
from api.words import Scope
from runtime.commands.claims import app as claims
from runtime.commands.claims_acting import ACTS
from runtime.embedded.guest import Guest
from runtime.embedded.ports import LOOPBACK, free_ports
from tests.api.claiming import insured, trusted, until
from tests.api.conftest import Caller, sample_file, today
from tests.runtime.waiting import until as until_true

Said = Callable[..., Awaitable[Result]]


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    """The API on a port of its own, as a command meets it."""
    (port,) = free_ports(1)
    server = Guest(uvicorn.Config(app, host=LOOPBACK, port=port, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    await until_true(lambda: server.started)
    yield f"http://{LOOPBACK}:{port}"
    server.should_exit = server.force_exit = True
    await task


@pytest.fixture
async def holder(insurer: Caller, admin: AsyncEngine) -> Caller:
    return await trusted(insurer, admin, Scope.PAYMENTS_CONFIRM)


@pytest.fixture
def said(address: str, holder: Caller) -> Said:
    """Runs a command with the insurer's key; its loop is its own, so it runs in a thread."""

    async def run(*words: str, body: Any = None) -> Result:
        given = ["--body", "-"] if body is not None else []
        line = [*words, *given, "--api", address, "--key", holder.token]
        return await asyncio.to_thread(CliRunner().invoke, claims, line, input=json.dumps(body))

    return run


async def led(said: Said, holder: Caller) -> str:
    """A claim agreed and approved by two persons, by commands alone; its id."""
    await sample_file(holder)
    await insured(holder, "PA-CLI")
    opened = await said("report", "PA-CLI", "--json", body={**report(today()), "number": "C-CLI"})
    assert opened.exit_code == 0, opened.output
    person = json.loads((await said("do", "C-CLI", "enter_victim", "--json", body={"employee": True, "name": "张某",
                                    "bank_account": "6200000000000000000"})).stdout)["ref"]  # fmt: skip
    steps: list[tuple[str, Any]] = [
        ("record_survey", ACTS["record_survey"].example(today())),
        ("assess_loss", {"lines": losses(person)}),
        ("determine", ACTS["determine"].example(today())),
        ("agree_settlement", ACTS["agree_settlement"].example(today())),
        ("propose_payment", {**payment(person), "number": "P-1"}),
        ("approve_payment", {"number": "P-1", "by_user": "U1002"}),
    ]
    for act, body in steps:
        done = await said("do", "C-CLI", act, body=body)
        assert done.exit_code == 0, (act, done.output)
        assert "C-CLI" in done.stdout
    return json.loads(opened.stdout)["id"]


async def test_a_claim_is_led_from_report_to_payment_and_says_why(said: Said, holder: Caller, worker: Worker) -> None:
    claim_id = await led(said, holder)
    await until(holder, claim_id, "P-1", "instructed")
    outcome = {"number": "P-1", "result": "confirmed", "reference": "BK-1"}
    assert (await said("do", claim_id, "record_outcome", body=outcome)).exit_code == 0
    (line,) = json.loads((await said("payments", "C-CLI", "--json")).stdout)
    assert (line["status"], line["reference"], line["amount"]) == ("confirmed", "BK-1", "102000.00")
    assert (line["proposed_by"], line["approved_by"]) == ("U1001", "U1002")
    shown = (await said("payments", "C-CLI")).stdout
    assert all(word in shown for word in ("U1001", "U1002", "BK-1", "102,000.00"))
    why = (await said("explain", "C-CLI")).stdout
    assert all(word in why for word in ("为什么走这条路径", "为什么是这个金额", "保险法", "U1002"))
    sums = (await said("ledger", claim_id)).stdout
    assert "已付赔款" in sums
    assert "否" not in sums
    assert "付款到账" in (await said("timeline", "C-CLI")).stdout
    assert "理赔完成" in (await said("show", "C-CLI")).stdout


async def test_lists_are_filtered_and_go_on_over_pages(
    said: Said, holder: Caller, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.commands.claims_reading.PAGE", 1)
    policy = await insured(holder, "PA-L")
    for number in ("C-1", "C-2", "C-3"):
        body = {**report(today()), "number": number}
        assert (await said("report", policy, body=body)).exit_code == 0
    two = await said("list", "--policy", "PA-L", "--limit", "2", "--json")
    assert two.exit_code == 0, two.output
    listed = json.loads(two.stdout)
    assert [one["number"] for one in listed] == ["C-3", "C-2"]
    assert json.loads((await said("list", "--stage", "closed", "--json")).stdout) == []
    given_up = await said("do", "C-2", "withdraw_claim", body=ACTS["withdraw_claim"].example(today()))
    assert "已撤案" in given_up.stdout, given_up.output
    withdrawn = json.loads((await said("list", "--stage", "withdrawn", "--json")).stdout)
    assert [one["number"] for one in withdrawn] == ["C-2"]
    shown = (await said("list")).stdout
    assert all(number in shown for number in ("C-1", "C-2", "C-3"))


async def test_the_same_key_repeats_and_a_refusal_is_said_with_its_clause(
    said: Said, holder: Caller, worker: Worker
) -> None:
    policy, key = await insured(holder, "PA-R"), str(uuid4())
    body = {**report(today()), "number": "C-R", "documents_complete": False}
    for words in ("done", "done before"):
        answer = await said("report", policy, "--idempotency-key", key, body=body)
        assert (answer.exit_code, words in answer.stdout) == (0, True)
    asked = {"documents": ["鉴定结论"]}
    assert (await said("do", "C-R", "request_documents", body=asked)).exit_code == 0
    refused = await said("do", "C-R", "request_documents", body=asked)
    assert refused.exit_code == 1
    assert "一次性" in refused.stderr
    assert "保险法 第二十二条第二款" in refused.stderr
    assert (await said("show", "C-NOBODY")).exit_code == 1


async def test_every_door_can_be_opened_and_shows_an_example(said: Said) -> None:
    assert {door.update for door in DOORS} <= set(ACTS)
    for act in ACTS:
        shown = await said("do", "any", act, "--example")
        assert isinstance(json.loads(shown.stdout), dict), act
    assert (await said("do", "any", "nothing", "--example")).exit_code == 2
    assert (await said("do", "any", "determine", body=["a list"])).exit_code == 2


def test_an_api_that_is_away_is_named_and_the_key_to_repeat_with() -> None:
    (port,) = free_ports(1)
    line = ["do", str(uuid4()), "close_claim", "--body", "-", "--key", "x", "--api", f"http://{LOOPBACK}:{port}"]
    away = CliRunner().invoke(claims, line, input="{}")
    assert away.exit_code == 3
    assert "--idempotency-key" in away.stderr
