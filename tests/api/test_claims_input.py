"""Bad input about money and people: every row of the matrix is refused before anything happens, echoing nothing."""

import json

import pytest

from api.claims.doors import losses, payment, report
from api.words import Scope
from tests.api.claiming import insured, reported, trusted, victim
from tests.api.conftest import Caller, counted, today

pytestmark = pytest.mark.usefixtures("worker")
AMOUNTS = (
    '"NaN"', '"Infinity"', '"-Infinity"', '"sNaN"', "NaN", "Infinity", "1e999", '"1e400000"', '"0.001"', '"1.005"',
    "0.1", "1.005", "100", "5", '"-1.00"', "-1", '"１００"', '"1_000"', '"1,000"', '"+1"', '" 1"', '"1 "', '""',
    '"0"', '"0.00"', "true", "null", "[]", "{}", '"12345678901234567"', '"1e3"', '"0x10"', '"1."', '".5"', '"1\\u0000"',
    '"\\u202e1"', '"1\\ud800"', "2147483648", "9" * 400,
)  # fmt: skip
"""JSON texts that are no positive amount of yuan with at most two places, as a string."""


def with_amount(body: dict, amount: str, *where: str | int) -> bytes:
    """The body with one amount replaced by a JSON text."""
    place = body
    for part in where[:-1]:
        place = place[part]
    place[where[-1]] = "@@"
    return json.dumps(body).replace('"@@"', amount).encode()


@pytest.fixture
async def claim_id(insurer: Caller) -> str:
    return await reported(insurer, await insured(insurer))


async def test_no_amount_but_an_exact_positive_one_is_taken(insurer: Caller, claim_id: str, admin) -> None:
    ref = await victim(insurer, claim_id)
    before = await counted(admin, "steps", "commands", "timeline")
    for amount in AMOUNTS:
        for path, body, where in (
            ("assessment", {"lines": losses(ref)}, ("lines", 0, "amount")),
            ("payments", payment(ref), ("lines", 0, "amount")),
            ("settlement", {"amount": "1.00", "agreement": {"digest": "0" * 64, "name": "x.pdf"}}, ("amount",)),
            ("payments/returns", {"number": "P-1", "how": "set_off", "amount": "1.00"}, ("amount",)),
        ):
            answer = await insurer.raw(f"/v1/claims/{claim_id}/{path}", with_amount(body, amount, *where))
            assert answer.status_code == 422, (path, amount, answer.text)
            assert amount.strip('"') not in answer.text or len(amount) < 8, (path, amount)
    assert await counted(admin, "steps", "commands", "timeline") == before


async def test_limits_and_figures_are_as_exact(insurer: Caller, claim_id: str, admin) -> None:
    zero = {'"0"', '"0.00"', "null"}
    for amount in AMOUNTS:
        body = {"limits": {"per_person": "1.00"}, "reason": "批单"}
        answer = await insurer.raw(f"/v1/claims/{claim_id}/limits", with_amount(body, amount, "limits", "per_person"))
        assert answer.status_code == 422 or amount in zero, (amount, answer.text)
    assert (await counted(admin, "insurer_claim_rules")) == {"insurer_claim_rules": 0}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"number": "C 1"}),
        ("", {"number": "C-1\u202e"}),
        ("", {"accident": {**report(today())["accident"], "deaths": -1}}),
        ("", {"accident": {**report(today())["accident"], "deaths": True}}),
        ("", {"accident": {**report(today())["accident"], "deaths": "1"}}),
        ("", {"accident": {**report(today())["accident"], "deaths": 2**31}}),
        ("", {"accident": {**report(today())["accident"], "at": "2026-11-21T10:00:00"}}),
        ("", {"accident": {**report(today())["accident"], "at": 1}}),
        ("", {"accident": {**report(today())["accident"], "at": "9999-12-31T23:59:59+08:00"}}),
        ("", {"accident": {**report(today())["accident"], "direct_loss": 60000.00}}),
        ("", {"accident": {**report(today())["accident"], "happened": "文字\u0000"}}),
        ("", {"insurer_id": "6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c11"}),
        ("", {"stage": "completed"}),
        ("", {"documents_complete": "yes"}),
    ],
)
async def test_a_report_is_read_strictly(insurer: Caller, admin, path: str, body: dict) -> None:
    policy_id = await insured(insurer)
    answer = await insurer.post(f"/v1/policies/{policy_id}/claims{path}", {**report(today()), **body})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_what_does_not_fit_together_is_refused(insurer: Caller, claim_id: str, admin) -> None:
    ref = await victim(insurer, claim_id)
    line = losses(ref)[0]
    url = f"/v1/claims/{claim_id}"
    attachment = {"digest": "0" * 64, "name": "x.pdf"}
    for path, body in (
        ("assessment", {"lines": []}),
        ("assessment", {"lines": [line, line]}),
        ("assessment", {"lines": [{**line, "grade": None}]}),
        ("assessment", {"lines": [{**line, "grade": 11}]}),
        ("assessment", {"lines": [{**line, "person": None}]}),
        ("assessment", {"lines": [{**line, "head": "pain"}]}),
        ("payments", {**payment(ref), "by_user": ""}),
        ("payments", {**payment(ref), "by_user": "张三"}),
        ("payments", {**payment(ref), "kind": "advance"}),
        ("payments", {**payment(ref), "status": "confirmed"}),
        ("payments", {**payment(ref), "payee": {"kind": "victim"}}),
        ("payments/approval", {"number": "P-1"}),
        ("refusal", {"reasons": "", "clause": "七", "notice": attachment}),
        ("refusal", {"reasons": "除外", "clause": "七"}),
        ("path", {"path": "fastest", "reason": "x"}),
        ("documents", {"complete": 1}),
        ("survey", {"facts_true": "true", "note": "x"}),
        ("payments/returns", {"number": "P-1", "how": "recovered", "amount": "1.00"}),
    ):
        answer = await insurer.post(f"{url}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), (path, body, answer.text)


async def test_steps_out_of_order_are_refused_with_the_present_state(insurer: Caller, claim_id: str) -> None:
    ref = await victim(insurer, claim_id)
    for path, body, code in (
        ("payments/approval", {"number": "P-0", "by_user": "U1"}, "unknown_payment"),
        ("payments/voiding", {"number": "P-0", "reason": "x"}, "unknown_payment"),
        ("closing", {}, "wrong_stage"),
        ("reopening", {"reason": "x"}, "wrong_stage"),
        ("payments", {**payment(ref), "payee": {"kind": "victim", "ref": ref}}, "payment_not_allowed"),
        ("path", {"path": "small_fast", "reason": "快"}, "path_figures_missing"),
        ("path", {"path": "emergency_advance", "reason": "急"}, "path_figures_missing"),
    ):
        answer = await insurer.post(f"/v1/claims/{claim_id}/{path}", body)
        assert answer.status_code in (404, 409), (path, answer.text)
        assert answer.json()["code"] == code, (path, answer.text)


async def test_a_victim_nobody_entered_is_unknown(insurer: Caller, other: Caller, claim_id: str) -> None:
    theirs = await victim(other, await reported(other, await insured(other)))
    for ref in (theirs, "6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c11"):
        for path, body in (("assessment", {"lines": losses(ref)}), ("payments", payment(ref))):
            answer = await insurer.post(f"/v1/claims/{claim_id}/{path}", body)
            assert (answer.status_code, answer.json()["code"]) == (422, "unknown_victim")
    broken = await insurer.post(f"/v1/claims/{claim_id}/assessment", {"lines": losses("x")})
    assert broken.json()["code"] == "invalid"


async def test_confirmations_are_read_strictly(insurer: Caller, claim_id: str, admin) -> None:
    core = await trusted(insurer, admin, Scope.PAYMENTS_CONFIRM)
    for number, body in (
        ("P-1", {"result": "confirmed"}),
        ("P-1", {"result": "paid"}),
        ("P-1", {"result": "confirmed", "reference": "BK 1"}),
        ("P-1", {"result": "refused", "number": "P-2"}),
        ("P%201", {"result": "refused"}),
    ):
        answer = await core.post(f"/v1/claims/{claim_id}/payments/{number}/confirmation", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), (number, body)
    nobody = await core.post(f"/v1/claims/{claim_id}/payments/P-1/confirmation", {"result": "refused"})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "unknown_payment")
