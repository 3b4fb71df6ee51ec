"""What a department is answered, how departments stand side by side, and how a matter is passed on, over HTTP."""

import asyncio

import pytest
from sqlalchemy import text

from api.department.doors import DOORS
from api.insurer.doors import visit
from models.contracts.vocabulary import CaseKind
from tests.api.conftest import Caller, counted, department, fresh_key, sample_file, terms, today
from tests.api.test_tenancy import told
from tests.api.test_writing import opened
from tests.runtime.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("worker")
DUTY = {"duty": "policy_upload"}
EXAMPLES = {door.path: door.example for door in DOORS if door.kind is CaseKind.POLICY}


async def heard(insurer: Caller, http, admin) -> tuple[str, Caller]:
    """A policy, and a department that was told of its overdue upload."""
    policy_id = await opened(insurer)
    bureau = await department(http, admin, "341300", "应急管理局")
    await told(admin, policy_id, bureau)
    return f"/v1/policies/{policy_id}", bureau


async def test_a_department_is_answered_with_one_duty_and_nothing_of_the_contract(insurer: Caller, http, admin) -> None:
    url, bureau = await heard(insurer, http, admin)
    for path in ("acknowledgements", "takeovers", "answers"):
        answer = await bureau.post(f"{url}/{path}", EXAMPLES[path](today()))
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"id", "kind", "number", "stage", "stage_label", "duty"}
        assert (answer.json()["number"], answer.json()["stage_label"]) == ("PA-1", "已签署")
        assert answer.json()["duty"]["key"] == "policy_upload"


async def test_a_repeated_command_is_answered_as_shortly(insurer: Caller, http, admin) -> None:
    url, bureau = await heard(insurer, http, admin)
    key = fresh_key()
    first, again = [await bureau.post(f"{url}/acknowledgements", DUTY, key) for _ in range(2)]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status_code, again.text) == (200, first.text)
    assert set(again.json()) == {"id", "kind", "number", "stage", "stage_label", "duty"}


async def test_it_speaks_in_the_roles_in_which_it_was_told(insurer: Caller, http, admin) -> None:
    url, bureau = await heard(insurer, http, admin)
    await bureau.post(f"{url}/acknowledgements", DUTY)
    async with admin.connect() as connection:
        clock = (await connection.execute(text("SELECT clock FROM cases"))).scalar_one()
    (hush,) = next(one["hushes"] for one in clock["duties"] if one["key"] == "policy_upload")
    assert hush["roles"] == ["emergency"]
    assert hush["by"]["office"]["department"] == "应急管理局"


async def test_the_department_it_is_passed_on_to_is_told_and_may_answer(insurer: Caller, http, admin) -> None:
    url, bureau = await heard(insurer, http, admin)
    district = await department(http, admin, "341302", "应急管理局")
    assert (await district.post(f"{url}/answers", {**DUTY, "answer": "已约谈"})).status_code == 404
    passed = await bureau.post(f"{url}/handovers", EXAMPLES["handovers"](today()))
    assert passed.status_code == 200, passed.text
    assert passed.json()["duty"]["passed_on_to"] == "应急管理局"
    (notice,) = (await district.get("/v1/department/notices")).json()["items"]
    assert notice["number"] == "PA-1"
    answer = await district.post(f"{url}/answers", {**DUTY, "answer": "已约谈"})
    assert answer.status_code == 200, answer.text
    timeline = (await insurer.get(f"{url}/timeline")).json()
    assert "应急管理局将“上传电子保单”转" in next(one["said"] for one in timeline if one["event"] == "duty_passed_on")


async def test_a_department_nobody_registered_goes_to_the_operators(insurer: Caller, http, admin) -> None:
    url, bureau = await heard(insurer, http, admin)
    before = await counted(admin, "tasks")
    named = {**DUTY, "to_region": "341302", "to_department": "交通运输局", "reason": "属道路运输"}
    assert (await bureau.post(f"{url}/handovers", named)).status_code == 200
    assert (await counted(admin, "tasks"))["tasks"] == before["tasks"] + 1
    async with admin.connect() as connection:
        said = (await connection.execute(text("SELECT said FROM tasks ORDER BY created_at DESC LIMIT 1"))).scalar_one()
    assert said == "交通运输局"


async def test_after_a_report_it_is_answered_with_what_it_owes_and_a_repeat_says_the_same_later(
    insurer: Caller, http, admin
) -> None:
    await sample_file(insurer)
    url = f"/v1/policies/{(await insurer.post('/v1/policies', terms(region='330100'))).json()['id']}"
    found = visit(today())
    major = {**found["hazards"][0], "grade": "major", "criterion": "重大隐患判定标准第三条"}
    for path, body in (
        ("provider", {"provider_name": "甲机构"}),
        ("plan", {"items": ["hazard_inspection"], "goals": "目标"}),
        ("plan/confirmation", {}),
        ("visits", {**found, "hazards": [major]}),
    ):
        answer = await insurer.post(f"{url}/{path}", body)
        assert answer.status_code == 200, answer.text
    hazard_id = answer.json()["hazards"][0]["hazard_id"]
    bureau = await department(http, admin, "330100", "应急管理局")
    async with asyncio.timeout(PATIENCE):
        while (await insurer.get(f"/v1/hazards/{hazard_id}")).status_code == 404:
            await asyncio.sleep(0.1)
    await told(admin, hazard_id, bureau, "major_hazard_report")
    url, key = f"/v1/hazards/{hazard_id}", fresh_key()
    heard = await bureau.post(f"{url}/acknowledgements", {"duty": "major_hazard_report"}, key)
    assert heard.json()["duty"]["key"] == "department_answer", heard.text
    done = await bureau.post(f"{url}/answers", {"duty": "major_hazard_report", "answer": "已责令停产整改"})
    assert (done.status_code, done.json()["duty"]) == (200, None)
    again = await bureau.post(f"{url}/acknowledgements", {"duty": "major_hazard_report"}, key)
    assert again.text == heard.text


async def test_it_is_not_passed_on_to_oneself(insurer: Caller, http, admin) -> None:
    url, bureau = await heard(insurer, http, admin)
    named = {**DUTY, "to_region": "341300", "to_department": "应急管理局", "reason": "转"}
    answer = await bureau.post(f"{url}/handovers", named)
    assert (answer.status_code, answer.json()["code"]) == (409, "same_department")
