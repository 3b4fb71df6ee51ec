"""Claims over HTTP, workflow and PostgreSQL: examples pass, repeats change nothing, two sign, money is exact."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client

from api.claims.doors import losses, payment, report
from api.insurer.doors import DOORS
from api.words import Scope
from tests.api.claiming import agreed, done, instructed, insured, reported, tried, trusted, until, victim
from tests.api.conftest import Caller, counted, fresh_key, sample_file, today
from tests.faults.invariants import Look, broken

SURRENDER = next(door.example for door in DOORS if door.path == "surrender")

pytestmark = pytest.mark.usefixtures("worker")


@pytest.mark.obligation("SZ-A8", "XM-18a", "ZJ-29")
async def test_a_claim_is_reported_settled_paid_confirmed_uploaded_and_closed(insurer: Caller, admin) -> None:
    core = await trusted(insurer, admin, Scope.PAYMENTS_CONFIRM)
    claim_id, ref = await agreed(insurer)
    await instructed(insurer, claim_id, ref)
    answer = await core.post(
        f"/v1/claims/{claim_id}/payments/P-1/confirmation", {"result": "confirmed", "reference": "BK-1"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["stage"] == "completed"
    assert "claim_result_upload" in {duty["key"] for duty in answer.json()["duties"]}
    assert (await tried(insurer, claim_id, "closing")).json()["code"] == "step_skipped"
    await done(insurer, claim_id, "result-upload")
    assert (await done(insurer, claim_id, "closing"))["stage"] == "closed"
    ledger = (await insurer.get(f"/v1/claims/{claim_id}/ledger")).json()
    assert [line["reference"] for line in ledger["lines"]] == ["BK-1"]
    assert (ledger["totals"]["payable"], ledger["totals"]["paid"], ledger["totals"]["open"]) == (
        "102000.00", "102000.00", "0.00",
    )  # fmt: skip
    assert {check["holds"] for check in ledger["checks"]} == {True}
    assert (await done(insurer, claim_id, "reopening"))["stage"] == "reported"


async def test_every_example_of_a_claim_passes_at_its_time(insurer: Caller, admin) -> None:
    await sample_file(insurer)
    core = await trusted(insurer, admin, Scope.PAYMENTS_CONFIRM)
    claim_id = await reported(insurer, await insured(insurer), "C-9", documents_complete=False)
    ref = await victim(insurer, claim_id)
    for path in ("casualties", "limits", "document-requests", "documents", "survey"):
        await done(insurer, claim_id, path)
    await done(insurer, claim_id, "assessment", {"lines": losses(ref)})
    for path in ("determination", "settlement"):
        await done(insurer, claim_id, path)
    await done(insurer, claim_id, "payments", payment(ref))
    await done(insurer, claim_id, "payments/voiding")
    await done(insurer, claim_id, "payments", {**payment(ref), "number": "P-2"})
    await done(insurer, claim_id, "payments/approval", {"number": "P-2", "by_user": "U1002"})
    await until(insurer, claim_id, "P-2", "instructed")
    said = {"result": "confirmed", "reference": "BK20261122000001"}
    assert (await core.post(f"/v1/claims/{claim_id}/payments/P-2/confirmation", said)).status_code == 200
    for path in ("extensions", "result-upload", "closing", "reopening"):
        answer = await tried(insurer, claim_id, path)
        assert answer.status_code == 200 or answer.json()["code"] == "extension_not_allowed", (path, answer.text)


async def test_a_refusal_is_served_with_reasons(insurer: Caller) -> None:
    await sample_file(insurer)
    claim_id = await reported(insurer, await insured(insurer))
    denied = await done(insurer, claim_id, "determination", {"covered": False, "note": "除外责任"})
    assert "refusal_notice" in {duty["key"] for duty in denied["duties"]}
    assert (await done(insurer, claim_id, "refusal"))["stage"] == "refused"
    nothing = await tried(insurer, claim_id, "payments", payment(await victim(insurer, claim_id)))
    assert (nothing.status_code, nothing.json()["code"]) == (409, "wrong_stage")


@pytest.mark.obligation("XM-18b")
async def test_one_standard_for_all_employees(insurer: Caller) -> None:
    claim_id = await reported(insurer, await insured(insurer))
    one, two = [await victim(insurer, claim_id) for _ in range(2)]
    lines = [
        {"id": f"L-{number}", "head": "employee_death", "amount": amount, "person": person}
        for number, (amount, person) in enumerate((("500000.00", one), ("400000.00", two)), 1)
    ]
    answer = await tried(insurer, claim_id, "assessment", {"lines": lines})
    assert (answer.status_code, answer.json()["code"]) == (409, "one_standard")


async def test_two_different_persons_sign_above_the_threshold(insurer: Caller, admin) -> None:
    claim_id, ref = await agreed(insurer)
    await done(insurer, claim_id, "payments", {**payment(ref), "number": "P-1", "by_user": "U1001"})
    before = await counted(admin, "steps", "payment_orders", "reservations")
    for same in ("U1001", "u1001"):
        answer = await tried(insurer, claim_id, "payments/approval", {"number": "P-1", "by_user": same})
        assert (answer.status_code, answer.json()["code"]) == (409, "four_eyes")
        assert answer.json()["clause"] == "特别约定第三条"
    assert await counted(admin, "steps", "payment_orders", "reservations") == before
    approved = await done(insurer, claim_id, "payments/approval", {"number": "P-1", "by_user": "U1002"})
    assert approved["payments"][0]["approved"]["by_user"] == "U1002"


async def test_many_approvals_at_once_make_one_order(insurer: Caller, admin) -> None:
    claim_id, ref = await agreed(insurer)
    await done(insurer, claim_id, "payments", {**payment(ref), "number": "P-1"})
    approval = {"number": "P-1", "by_user": "U1002"}
    answers = await asyncio.gather(*(tried(insurer, claim_id, "payments/approval", approval) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    await until(insurer, claim_id, "P-1", "instructed")
    assert await counted(admin, "payment_orders", "reservations") == {"payment_orders": 1, "reservations": 1}


async def test_a_payment_is_never_confirmed_twice_with_two_references(insurer: Caller, admin) -> None:
    core = await trusted(insurer, admin, Scope.PAYMENTS_CONFIRM)
    claim_id, ref = await agreed(insurer)
    await instructed(insurer, claim_id, ref)
    url, said = f"/v1/claims/{claim_id}/payments/P-1/confirmation", {"result": "confirmed", "reference": "BK-1"}
    key = fresh_key()
    first = await core.post(url, said, key)
    again = await core.post(url, said, key)
    assert (again.status_code, again.json()["stage"]) == (200, first.json()["stage"])
    other = await core.post(url, {**said, "reference": "BK-2"})
    assert other.status_code == 200
    view = (await insurer.get(f"/v1/claims/{claim_id}")).json()
    assert view["payments"][0]["reference"] == "BK-1"
    assert "BK-2" in view["payments"][0]["disputed"]
    assert view["money"]["paid"] == "102000.00"


async def test_only_a_key_made_for_it_confirms(insurer: Caller) -> None:
    claim_id, ref = await agreed(insurer)
    await instructed(insurer, claim_id, ref)
    url = f"/v1/claims/{claim_id}/payments/P-1/confirmation"
    answer = await insurer.post(url, {"result": "confirmed", "reference": "BK-1"})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_limits_nobody_knows_stop_money_until_a_person_settles_them(insurer: Caller) -> None:
    await sample_file(insurer)
    unknown: dict[str, Any] = {"limit_per_accident": None, "limit_aggregate": None}
    claim_id = await reported(insurer, await insured(insurer, **unknown))
    ref = await victim(insurer, claim_id)
    await done(insurer, claim_id, "survey")
    view = await done(insurer, claim_id, "assessment", {"lines": losses(ref)})
    assert (view["money"]["payable"], view["limits_unknown"]) == (None, ["per_accident", "aggregate"])
    await done(insurer, claim_id, "determination")
    assert (await tried(insurer, claim_id, "settlement")).json()["code"] == "limits_unknown"
    assert (await tried(insurer, claim_id, "payments", payment(ref))).json()["code"] == "limits_unknown"
    await done(insurer, claim_id, "limits")
    await done(insurer, claim_id, "settlement")


async def test_an_accident_outside_the_cover_is_refused_and_may_be_reported_again(insurer: Caller, admin) -> None:
    policy_id = await insured(insurer)
    body = report(today())
    early = {**body, "accident": {**body["accident"], "at": "2020-01-02T10:00:00+08:00"}}
    answer = await insurer.post(f"/v1/policies/{policy_id}/claims", early)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_force")
    assert (await insurer.post(f"/v1/policies/{policy_id}/claims", body)).status_code == 201


@pytest.mark.fault("F29")
async def test_twenty_equal_reports_at_once_are_one_claim(insurer: Caller, admin, look: Look) -> None:
    policy_id, key = await insured(insurer), fresh_key()
    url, body = f"/v1/policies/{policy_id}/claims", report(today())
    answers = await asyncio.gather(*(insurer.post(url, body, key) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await insurer.post(url, {**body, "documents_complete": False})
    assert (other.status_code, other.json()["code"]) == (409, "number_taken")
    assert await broken(look) == []


async def test_a_claim_outlives_its_policy(insurer: Caller) -> None:
    await sample_file(insurer)
    policy_id = await insured(insurer)
    surrender = {"reason": "fully_stopped", "on": str(today()), "note": "企业注销"}
    assert (await insurer.post(f"/v1/policies/{policy_id}/surrender", surrender)).status_code in (200, 422)
    claim_id = await reported(insurer, policy_id)
    listed = (await insurer.get(f"/v1/policies/{policy_id}/claims")).json()["items"]
    assert [line["id"] for line in listed] == [claim_id]


async def test_a_report_repeated_after_a_surrender_finds_its_claim_though_the_engine_lost_it(
    insurer: Caller, temporal: Client
) -> None:
    await sample_file(insurer)
    policy_id, key, body = await insured(insurer), fresh_key(), report(today())
    first = await insurer.post(f"/v1/policies/{policy_id}/claims", body, key)
    given_up = {**SURRENDER(today()), "on": str(today() - timedelta(days=2))}
    answer = await insurer.post(f"/v1/policies/{policy_id}/surrender", given_up)
    assert answer.status_code == 200, answer.text
    new = await insurer.post(f"/v1/policies/{policy_id}/claims", {**body, "number": "C-2"})
    assert (new.status_code, new.json()["code"]) == (409, "not_in_force")
    await temporal.get_workflow_handle(f"claim/{insurer.code}/{body['number']}").terminate("lost")
    again = await insurer.post(f"/v1/policies/{policy_id}/claims", body, key)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    other = await insurer.post(f"/v1/policies/{policy_id}/claims", {**body, "documents_complete": False})
    assert (other.status_code, other.json()["code"]) == (409, "number_taken")


async def test_a_payment_number_is_used_once_per_insurer(insurer: Caller) -> None:
    first, one = await agreed(insurer, "C-1")
    await instructed(insurer, first, one, "P-7")
    second, two = await agreed(insurer, "C-2")
    await done(insurer, second, "payments", {**payment(two), "number": "P-7"})
    answer = await tried(insurer, second, "payments/approval", {"number": "P-7", "by_user": "U1002"})
    assert (answer.status_code, answer.json()["code"]) == (409, "number_used")
