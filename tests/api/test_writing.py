"""Commands through the whole way: HTTP, workflow, PostgreSQL and back; examples pass, repeats change nothing."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.worker import Worker

from api.insurer.doors import DOORS
from api.tools import Tools
from models.contracts.vocabulary import CaseKind
from tests.api.conftest import Caller, counted, fresh_key, sample_file, terms, today
from tests.faults.invariants import Look, broken
from tests.statements import listening

pytestmark = pytest.mark.usefixtures("worker")
EXAMPLES = {(door.kind, door.path): door.example for door in DOORS}


async def opened(caller: Caller, number: str = "PA-1") -> str:
    answer = await caller.post("/v1/policies", terms(number))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_signed_policy_is_opened_and_can_be_read_at_once(insurer: Caller) -> None:
    policy_id = await opened(insurer)
    read = (await insurer.get(f"/v1/policies/{policy_id}")).json()
    assert read["stage"] == "signed"
    assert {duty["key"] for duty in read["duties"]} >= {"policy_upload", "service_completion"}
    duties = (await insurer.get(f"/v1/policies/{policy_id}/duties")).json()["items"]
    upload = next(duty for duty in duties if duty["key"] == "policy_upload")
    assert upload["explanation"]["days"][-1]["on"] == upload["explanation"]["effective"]
    assert upload["cites"]["clause"]
    assert upload["counting"]
    assert {rung["state"] for rung in upload["ladder"]} <= {"fired", "passed", "waiting"}


async def test_every_example_of_a_policy_and_its_hazard_passes(insurer: Caller) -> None:
    await sample_file(insurer)
    policy_id = await opened(insurer)
    for path in ("upload", "provider", "plan", "plan/confirmation", "endorsements", "suspensions", "resumption"):
        await _example(insurer, CaseKind.POLICY, policy_id, path)
    for path in ("visits", "spend", "service-completion"):
        await _example(insurer, CaseKind.POLICY, policy_id, path)
    hazards = (await insurer.get(f"/v1/policies/{policy_id}/hazards")).json()["items"]
    assert [line["number"] for line in hazards] == ["H-001"]
    for path in ("told", "objections", "objections/answer", "time-requests", "time-requests/refusal"):
        await _example(insurer, CaseKind.HAZARD, hazards[0]["id"], path)
    for path in ("rectification", "recheck"):
        view = await _example(insurer, CaseKind.HAZARD, hazards[0]["id"], path)
    assert view["stage"] == "closed"


async def _example(caller: Caller, kind: CaseKind, case_id: str, path: str) -> dict:
    shelf = "policies" if kind is CaseKind.POLICY else "hazards"
    answer = await caller.post(f"/v1/{shelf}/{case_id}/{path}", EXAMPLES[(kind, path)](today()))
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


async def test_a_command_asks_the_database_who_calls_and_once_for_case_repeat_and_files(
    insurer: Caller, tools: Tools
) -> None:
    await sample_file(insurer)
    policy_id = await opened(insurer)
    with listening(tools.engine) as seen:
        await _example(insurer, CaseKind.POLICY, policy_id, "upload")
    asked = [next(name for name in ("api_keys", "commands", "set_config") if name in said) for said, _ in seen]
    assert asked == ["set_config", "api_keys", "commands"], seen
    assert "files" in seen[-1][0]


@pytest.mark.fault("F29")
async def test_twenty_equal_posts_at_once_have_one_effect_and_one_answer(insurer: Caller, admin, look: Look) -> None:
    key = fresh_key()
    answers = await asyncio.gather(*(insurer.post("/v1/policies", terms(), key) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await counted(admin, "cases", "steps", "commands") == {"cases": 1, "steps": 1, "commands": 1}
    assert await broken(look) == []


async def test_a_repeated_command_gets_the_stored_answer_and_says_so(insurer: Caller, admin) -> None:
    await sample_file(insurer)
    url = f"/v1/policies/{await opened(insurer)}/upload"
    body, key = EXAMPLES[(CaseKind.POLICY, "upload")](today()), fresh_key()
    first = await insurer.post(url, body, key)
    before = await counted(admin, "steps", "commands", "timeline", "outbox")
    again = await insurer.post(url, body, key)
    assert (again.status_code, again.text) == (first.status_code, first.text)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert await counted(admin, "steps", "commands", "timeline", "outbox") == before


async def test_a_key_used_for_another_body_is_refused_and_changes_nothing(insurer: Caller, admin) -> None:
    policy_id, key = await opened(insurer), fresh_key()
    url = f"/v1/policies/{policy_id}/provider"
    assert (await insurer.post(url, {"provider_name": "甲机构"}, key)).status_code == 200
    before = await counted(admin, "steps")
    other = await insurer.post(url, {"provider_name": "乙机构"}, key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    elsewhere = await insurer.post(f"/v1/policies/{policy_id}/plan/confirmation", {}, key)
    assert elsewhere.json()["code"] == "key_reused"
    assert await counted(admin, "steps") == before


async def test_a_refusal_cites_code_sentence_and_clause_and_leaves_no_step(insurer: Caller, admin) -> None:
    policy_id = await opened(insurer)
    before = await counted(admin, "steps", "outbox")
    answer = await insurer.post(f"/v1/policies/{policy_id}/plan/confirmation", {})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "step_skipped")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "提交服务计划" in problem["detail"]
    assert await counted(admin, "steps", "outbox") == before


async def test_a_refused_opening_can_be_repeated_with_what_was_missing(insurer: Caller, admin) -> None:
    future = {"signed_at": f"{today() + timedelta(days=365)}T09:00:00+08:00"}
    refused = await insurer.post("/v1/policies", terms("PA-7", **future))
    assert (refused.status_code, refused.json()["code"]) == (422, "signed_in_future")
    assert (await counted(admin, "cases"))["cases"] == 0
    assert await opened(insurer, "PA-7")


async def test_another_application_under_a_known_number_is_refused_and_the_address_stays(
    insurer: Caller, admin
) -> None:
    await opened(insurer)
    changed = terms()
    changed["insured"]["email"] = "another@wanbei-chem.example"
    answer = await insurer.post("/v1/policies", changed)
    assert (answer.status_code, answer.json()["code"]) == (409, "number_taken")
    async with admin.connect() as connection:
        emails = (await connection.exec_driver_sql("SELECT email FROM recipients WHERE role = 'insured'")).scalars()
        assert list(emails) == ["anquan@wanbei-chem.example"]


async def test_a_file_nobody_handed_in_is_unknown(insurer: Caller, admin) -> None:
    policy_id = await opened(insurer)
    body = EXAMPLES[(CaseKind.POLICY, "upload")](today())
    answer = await insurer.post(f"/v1/policies/{policy_id}/upload", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_file")
    elsewhere = {**body, "address": "https://epolicy.insurer.example/PA-1.pdf"}
    assert (await insurer.post(f"/v1/policies/{policy_id}/upload", elsewhere)).status_code == 200


async def test_a_closed_policy_is_closed_to_commands_but_open_to_reading(insurer: Caller, worker: Worker) -> None:
    await sample_file(insurer)
    policy_id = await opened(insurer)
    await _example(insurer, CaseKind.POLICY, policy_id, "surrender")
    for _ in range(50):
        answer = await insurer.post(f"/v1/policies/{policy_id}/provider", {"provider_name": "甲机构"})
        assert (answer.status_code, answer.json()["code"]) == (409, "case_closed")
    read = (await insurer.get(f"/v1/policies/{policy_id}")).json()
    assert read["stage"] == "surrendered"
    assert read["ended_at"]
