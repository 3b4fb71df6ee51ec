"""What an insurer's people do on a case by form: each act once, checked by its contract, allowed by post."""

import re
from html import unescape
from typing import Any

import pytest
from httpx import Response
from temporalio.worker import Worker

from api.insurer.doors import SAMPLE_FILE
from models.contracts.vocabulary import ActorKind, Post
from tests.api.claiming import agreed, insured, reported
from tests.api.conftest import terms
from tests.desk.conftest import Person, SignedIn, Town

FILE = ("电子保单.pdf", SAMPLE_FILE, "application/pdf")
VISIT: dict[str, Any] = {
    "number": "V-1",
    "on": str(terms()["terms"]["effective_on"]),
    "items": "hazard_inspection",
    "place": "一号车间",
    "staff_count": "2",
    "summary": "检查了反应釜区。",
}


@pytest.fixture
async def policy_id(town: Town, worker: Worker) -> str:
    answer = await town.insurers[0].post("/v1/policies", terms())
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.fixture
async def handler(signed_in: SignedIn) -> Person:
    return await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)


async def named(town: Town, policy_id: str) -> None:
    path = f"/v1/policies/{policy_id}/provider"
    assert (await town.insurers[0].post(path, {"provider_name": "安评公司"})).status_code == 200


async def events(town: Town, shelf: str, case_id: str) -> list[str]:
    return [one["event"] for one in (await town.insurers[0].get(f"/v1/{shelf}/{case_id}/timeline")).json()]


async def test_a_policy_is_uploaded_by_form_with_its_file(town: Town, handler: Person, policy_id: str) -> None:
    draft = f"{handler.user_id}-act-{policy_id}-upload"
    assert f'data-draft="{draft}"' in (await handler.get(f"/insurer/policies/{policy_id}/upload")).text
    answer = await handler.post(f"/insurer/policies/{policy_id}/upload", files={"file": FILE})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"/insurer/policies/{policy_id}?done=upload"
    assert "policy_uploaded" in await events(town, "policies", policy_id)
    page = await handler.get(answer.headers["location"])
    assert "已办理：上传电子保单" in page.text
    assert f'data-draft-done="{draft}"' in page.text
    assert f"/insurer/policies/{policy_id}/name_provider" in page.text


async def test_a_form_sent_twice_is_one_act(town: Town, handler: Person, policy_id: str) -> None:
    path, typed = f"/insurer/policies/{policy_id}/name_provider", {"provider_name": "安评公司"}
    first = await handler.post(path, once="the-same", **typed)
    second = await handler.post(path, once="the-same", **typed)
    assert first.status_code == second.status_code == 303
    assert (await events(town, "policies", policy_id)).count("provider_named") == 1


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    town: Town, handler: Person, policy_id: str
) -> None:
    await named(town, policy_id)
    wrong = {**VISIT, "staff_count": "两人", "hazards.0.number": "H 1", "hazards.0.description": "通道堵塞"}
    answer = await handler.post(f"/insurer/policies/{policy_id}/record_visit", **wrong)
    assert answer.status_code == 422
    assert error_of(answer, "staff_count") == "须为整数"
    assert error_of(answer, "hazards-0-number").startswith("格式不符，只用字母、数字、")
    assert error_of(answer, "hazards-0-grade") == "必填"
    assert 'value="两人"' in answer.text
    assert "通道堵塞" in answer.text
    assert "visit_recorded" not in await events(town, "policies", policy_id)


async def test_rows_are_added_without_scripts_and_hazards_become_cases(
    town: Town, handler: Person, policy_id: str
) -> None:
    await named(town, policy_id)
    path = f"/insurer/policies/{policy_id}/record_visit"
    more = await handler.post(path, **VISIT, _more="hazards")
    assert more.status_code == 200
    assert 'name="hazards.0.number"' in more.text
    assert 'value="一号车间"' in more.text
    found = {"hazards.0.number": "H-1", "hazards.0.description": "通道堵塞", "hazards.0.grade": "ordinary"}
    again = await handler.post(path, **VISIT, **found, _more="hazards")
    assert 'name="hazards.1.number"' in again.text
    assert 'value="H-1"' in again.text
    done = await handler.post(path, **VISIT, **found, **{"hazards.1.number": "", "hazards.1.description": ""})
    assert done.status_code == 303, done.text
    listed = (await town.insurers[0].get(f"/v1/policies/{policy_id}/hazards")).json()["items"]
    assert [one["number"] for one in listed] == ["H-1"]


async def test_a_file_stays_with_the_form_when_something_else_is_wrong(handler: Person, policy_id: str) -> None:
    path = f"/insurer/policies/{policy_id}/upload"
    answer = await handler.post(path, files={"file": FILE}, address="http://not-https.example")
    assert answer.status_code == 422
    assert "已上传：电子保单.pdf" in answer.text
    kept = re.search(r'name="file\.kept" value="([^"]+)"', answer.text)
    assert kept
    done = await handler.post(path, **{"file.kept": unescape(kept[1])})
    assert done.status_code == 303, done.text


async def test_a_refusal_of_the_case_is_told_in_words_with_its_clause(handler: Person, policy_id: str) -> None:
    typed = {"confirmed_by_insured": "true"}
    answer = await handler.post(f"/insurer/policies/{policy_id}/complete_service", **typed)
    assert answer.status_code == 409
    assert "须先“记录服务”，再“服务完成”" in answer.text


async def test_an_auditor_reads_and_every_act_is_refused(town: Town, signed_in: SignedIn, policy_id: str) -> None:
    auditor = await signed_in(ActorKind.INSURER, Post.INSURER_AUDITOR)
    page = await auditor.get(f"/insurer/policies/{policy_id}")
    assert page.status_code == 200
    assert "下一步" not in page.text
    form = await auditor.get(f"/insurer/policies/{policy_id}/upload")
    sent = await auditor.post(f"/insurer/policies/{policy_id}/name_provider", provider_name="安评公司")
    assert (form.status_code, sent.status_code) == (403, 403)
    assert "provider_named" not in await events(town, "policies", policy_id)


async def test_another_insurers_case_is_not_there(signed_in: SignedIn, policy_id: str) -> None:
    stranger = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN, second=True)
    for path in (f"/insurer/policies/{policy_id}", f"/insurer/policies/{policy_id}/upload"):
        assert (await stranger.get(path)).status_code == 404
    sent = await stranger.post(f"/insurer/policies/{policy_id}/name_provider", provider_name="安评公司")
    assert sent.status_code == 404


async def test_only_what_stands_in_the_tables_of_doors_can_be_done(handler: Person, policy_id: str) -> None:
    for update in ("adopt_calendar", "opened", "rate_service", "record_survey"):
        assert (await handler.post(f"/insurer/policies/{policy_id}/{update}")).status_code == 404


async def test_a_form_from_elsewhere_does_nothing(town: Town, handler: Person, policy_id: str) -> None:
    typed = {"_token": "guessed", "_once": "x", "provider_name": "安评公司"}
    answer = await handler.http.post(f"/insurer/policies/{policy_id}/name_provider", data=typed)
    assert answer.status_code == 403
    assert "provider_named" not in await events(town, "policies", policy_id)


async def test_the_second_person_of_a_payment_is_another_one_by_signing_in(
    town: Town, signed_in: SignedIn, worker: Worker
) -> None:
    claim_id, ref = await agreed(town.insurers[0])
    proposer = await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER, Post.INSURER_ADMIN)
    form = await proposer.get(f"/insurer/claims/{claim_id}/propose_payment")
    assert "by_user" not in form.text
    assert f'data-draft="{proposer.user_id}-act-{claim_id}-propose_payment"' in form.text
    kept = {
        name: "data-secret" not in rest
        for name, rest in re.findall(r'name="(lines.0.person|payee.ref|number)"([^>]*)>', form.text)
    }
    assert kept == {"lines.0.person": False, "payee.ref": False, "number": True}, "who was hurt stays in no browser"
    line = {"lines.0.head": "employee_disability", "lines.0.amount": "90000.00", "lines.0.person": ref,
            "lines.0.line": "L-1", "number": "P-9", "kind": "settlement"}  # fmt: skip
    proposed = await proposer.post(f"/insurer/claims/{claim_id}/propose_payment", **line, by_user="U1")
    assert proposed.status_code == 303, proposed.text
    assert (await town.insurers[0].get(f"/v1/claims/{claim_id}")).json()["payments"][0]["proposed"]["by_user"] == (
        f"U{proposer.user_id.hex}" if proposer.user_id else ""
    )
    approve = f"/insurer/claims/{claim_id}/approve_payment"
    own = await proposer.post(approve, number="P-9", by_user="U2")
    assert own.status_code == 409
    assert "以外的人" in own.text
    handler = await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)
    assert (await handler.post(approve, number="P-9")).status_code == 403
    second = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN)
    assert (await second.post(approve, number="P-9")).status_code == 303
    for page in (f"/insurer/claims/{claim_id}", f"/insurer/claims/{claim_id}/payments/P-9"):
        shown = (await second.get(page)).text
        assert proposer.user_id, "people have a number"
        assert proposer.user_id.hex not in shown, "the second person reads who the first one is"
        assert re.search(r"人员\d+", shown)


async def test_a_survey_may_leave_open_what_is_not_known(town: Town, handler: Person, worker: Worker) -> None:
    claim_id = await reported(town.insurers[0], await insured(town.insurers[0]))
    typed = {"facts_true": "true", "liability_clear": "", "note": "现场已勘查。"}
    assert (await handler.post(f"/insurer/claims/{claim_id}/record_survey", **typed)).status_code == 303
    view = (await town.insurers[0].get(f"/v1/claims/{claim_id}")).json()
    assert (view["facts_true"], view["liability_clear"]) == (True, None)


async def test_what_an_enterprise_asks_for_is_shown_and_answered(
    town: Town, handler: Person, policy_id: str, signed_in: SignedIn
) -> None:
    await named(town, policy_id)
    found = {"hazards.0.number": "H-1", "hazards.0.description": "通道堵塞", "hazards.0.grade": "ordinary"}
    visit = await handler.post(f"/insurer/policies/{policy_id}/record_visit", **VISIT, **found)
    assert visit.status_code == 303, visit.text
    hazard_id = (await town.insurers[0].get(f"/v1/policies/{policy_id}/hazards")).json()["items"][0]["id"]
    address = f"/insurer/hazards/{hazard_id}"
    objected = await handler.post(f"{address}/object", reason="通道不是疏散通道")
    assert objected.status_code == 303, objected.text
    assert "隐患异议" in (await handler.get("/insurer")).text
    assert "通道不是疏散通道" in (await handler.get(f"{address}/answer_objection")).text
    answered = await handler.post(f"{address}/answer_objection", upheld="true", note="复核属实")
    assert answered.status_code == 303, answered.text
    assert (await town.insurers[0].get(f"/v1/hazards/{hazard_id}")).json()["stage"] == "closed"


def error_of(answer: Response, field: str) -> str:
    found = re.search(rf'id="{field}-error"[^>]*>([^<]*)<', answer.text)
    return found[1] if found else ""
