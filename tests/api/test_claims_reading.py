"""What a reader of one claim learns: why this path, amount and date, who signed, which clause, what prevention did."""

from datetime import timedelta

import pytest

from api.claims.doors import losses, payment
from api.claims.rules import figures
from api.words import Scope
from tests.api.claiming import agreed, done, instructed, insured, reported, tried, trusted, until, victim
from tests.api.conftest import Caller, sample_file, today

pytestmark = pytest.mark.usefixtures("worker")


async def small_and_fast(insurer: Caller, admin) -> tuple[str, str]:
    """A claim whose facts fit the insurer's figures, up to the assessed loss."""
    chief = await trusted(insurer, admin, Scope.CLAIM_RULES_WRITE)
    await chief.http.put("/v1/claim-rules", json=figures(today()), headers=chief.headers)
    await sample_file(insurer)
    claim_id = await reported(insurer, await insured(insurer, claim_terms=None))
    ref = await victim(insurer, claim_id)
    await done(insurer, claim_id, "survey")
    await done(insurer, claim_id, "assessment", {"lines": losses(ref)})
    return claim_id, ref


@pytest.mark.obligation("XM-19", "XM-20", "SZ-18")
async def test_the_explanation_says_why_this_path_amount_date_and_who_signed(insurer: Caller, admin) -> None:
    claim_id, ref = await small_and_fast(insurer, admin)
    await done(insurer, claim_id, "determination")
    await instructed(insurer, claim_id, ref)
    said = (await insurer.get(f"/v1/claims/{claim_id}/explanation")).json()
    assert said["path"]["answer"].startswith("小额快付")
    assert "责任明确" in "".join(said["path"]["because"])
    assert "理赔管理办法第八条" in said["path"]["clause"]
    assert said["former_paths"][0]["answer"].startswith("普通理赔")
    assert {one["question"]: one["answer"] for one in said["figures"]}["小额快付的金额上限"] == "120,000.00 元"
    assert {one["clause"] for one in said["figures"] if one["answer"] != "未设定"} >= {"理赔管理办法第十五条"}
    assert said["amount"]["answer"] == "102,000.00 元"
    assert said["grade"]["answer"] == "一般事故"
    dates = {one["question"]: one for one in said["dates"]}
    assert any("第二十三条" in one["clause"] for one in dates.values())
    assert any("理赔管理办法第八条" in one["clause"] and "合同约定" in one["clause"] for one in dates.values())
    assert all(one["because"] for one in dates.values())
    paid = said["payments"][0]
    assert "提出人 U1001" in "".join(paid["because"])
    assert "审批人 U1002" in "".join(paid["because"])
    assert paid["clause"]


async def test_a_figure_that_is_not_agreed_is_shown_as_such(insurer: Caller) -> None:
    claim_id = await reported(insurer, await insured(insurer))
    said = (await insurer.get(f"/v1/claims/{claim_id}/explanation")).json()
    assert {one["question"]: one["answer"] for one in said["figures"]}["小额快付的金额上限"] == "未设定"
    fast = next(one for one in said["other_paths"] if one["question"] == "小额快付")
    assert fast["answer"] == "条件不具备"
    assert any("均未设定" in reason for reason in fast["because"])


async def test_duties_of_a_claim_are_told_day_by_day_with_the_law(insurer: Caller) -> None:
    claim_id = await reported(insurer, await insured(insurer))
    duties = {one["key"]: one for one in (await insurer.get(f"/v1/claims/{claim_id}/duties")).json()["items"]}
    assert "保险法" in duties["claim_determination"]["cites"]["number"]
    assert duties["claim_determination"]["by"]["within"] == "law"
    assert duties["claim_determination"]["counting"]
    assert duties["minimum_prepayment"]["ladder"]


async def test_the_ledger_keeps_an_advance_on_its_own_line_until_it_is_set_off(insurer: Caller, admin) -> None:
    core = await trusted(insurer, admin, Scope.PAYMENTS_CONFIRM)
    claim_id, ref = await small_and_fast(insurer, admin)
    line = {"head": "medical", "amount": "12000.00", "person": ref, "line": "L-2"}
    advance = {"number": "D-1", "kind": "advance", "purpose": "medical", "lines": [line], "by_user": "U1"}
    await done(insurer, claim_id, "path", {"path": "emergency_advance", "reason": "医院催缴"})
    await done(insurer, claim_id, "payments", advance)
    await done(insurer, claim_id, "payments/approval", {"number": "D-1", "by_user": "U2"})
    await until(insurer, claim_id, "D-1", "instructed")
    said = {"result": "confirmed", "reference": "BK-D1"}
    await core.post(f"/v1/claims/{claim_id}/payments/D-1/confirmation", said)
    totals = (await insurer.get(f"/v1/claims/{claim_id}/ledger")).json()["totals"]
    assert (totals["advanced"], totals["paid"], totals["open"]) == ("12000.00", "0.00", "90000.00")
    await done(insurer, claim_id, "determination")
    too_much = await tried(insurer, claim_id, "payments", {**payment(ref), "number": "P-1"})
    assert too_much.status_code == 409
    rest = {**payment(ref), "number": "P-2"}
    rest["lines"] = rest["lines"][:1]
    await done(insurer, claim_id, "payments", rest)
    await done(insurer, claim_id, "payments/approval", {"number": "P-2", "by_user": "U2"})
    await until(insurer, claim_id, "P-2", "instructed")
    await done(insurer, claim_id, "payments/returns", {"number": "D-1", "how": "set_off", "amount": "12000.00"})
    paid = await core.post(f"/v1/claims/{claim_id}/payments/P-2/confirmation", {**said, "reference": "BK-P2"})
    assert paid.json()["stage"] == "completed", paid.text
    ledger = (await insurer.get(f"/v1/claims/{claim_id}/ledger")).json()
    assert {check["holds"] for check in ledger["checks"]} == {True}
    assert (ledger["totals"]["advanced"], ledger["totals"]["set_off"]) == ("12000.00", "12000.00")


async def test_a_claim_shows_the_hazards_and_services_before_its_accident(insurer: Caller) -> None:
    await sample_file(insurer)
    policy_id = await insured(insurer)
    await insurer.post(f"/v1/policies/{policy_id}/provider", {"provider_name": "安徽安全技术服务有限公司"})
    plan = {"items": ["hazard_inspection"], "services_per_year": 2, "goals": "全年两次隐患排查。"}
    await insurer.post(f"/v1/policies/{policy_id}/plan", plan)
    await insurer.post(f"/v1/policies/{policy_id}/plan/confirmation", {})
    found = {"number": "H-001", "description": "可燃气体报警器未按期检定", "grade": "ordinary", "place": "二号仓库"}
    visit = {
        "number": "V-1", "on": str(today() - timedelta(days=2)), "items": ["hazard_inspection"], "place": "一号车间",
        "staff_count": 2, "summary": "检查反应釜区。", "hazards": [found],
    }  # fmt: skip
    answer = await insurer.post(f"/v1/policies/{policy_id}/visits", visit)
    assert answer.status_code == 200, answer.text
    claim_id = await reported(insurer, policy_id)
    before = (await insurer.get(f"/v1/claims/{claim_id}/prevention")).json()
    assert [(one["number"], one["open_at_accident"]) for one in before["hazards"]] == [("H-001", True)]
    assert before["open_at_accident"] == 1
    assert len(before["services"]) == 1
    assert (await insurer.get(f"/v1/claims/{claim_id}")).json()["before"]["says"] == before["says"]
    bare = await reported(insurer, await insured(insurer, "PA-2"), "C-2")
    assert (await insurer.get(f"/v1/claims/{bare}/prevention")).json()["says"] == "事故前没有隐患和服务的记录。"


async def test_lists_filter_by_policy_stage_path_grade_and_page_without_gaps(insurer: Caller) -> None:
    policy_id = await insured(insurer)
    ids = [await reported(insurer, policy_id, f"C-{number}") for number in range(5)]
    dead = {"at": f"{today() - timedelta(days=1)}T10:00:00+08:00", "place": "车间", "happened": "爆炸", "deaths": 3}
    grave = await reported(insurer, await insured(insurer, "PA-2"), "C-9", accident=dead)

    async def listed(query: str) -> list[str]:
        answer = await insurer.get(f"/v1/claims?{query}")
        assert answer.status_code == 200, answer.text
        return [line["id"] for line in answer.json()["items"]]

    assert set(await listed(f"policy={policy_id}")) == set(ids)
    assert await listed("grade=relatively_serious") == [grave]
    assert await listed("path=small_fast") == []
    assert set(await listed("stage=reported&path=ordinary")) == {*ids, grave}
    assert await listed("overdue=true") == []
    assert set(await listed("insured=宿州皖北")) == {*ids, grave}
    assert len(await listed(f"due_before={today() + timedelta(days=400)}")) == 6
    seen, cursor = [], ""
    while True:
        page = (await insurer.get(f"/v1/claims?limit=2{cursor}")).json()
        seen += [line["id"] for line in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == [grave, *reversed(ids)]
    broken = await insurer.get("/v1/claims?limit=2&cursor=abc")
    assert (broken.status_code, broken.json()["code"]) == (422, "bad_cursor")
    assert (await insurer.get("/v1/claims?path=fastest")).status_code == 422


async def test_the_timeline_and_notices_tell_what_happened(insurer: Caller) -> None:
    claim_id, _ = await agreed(insurer)
    events = [one["event"] for one in (await insurer.get(f"/v1/claims/{claim_id}/timeline")).json()]
    assert events[0] == "claim_reported"
    assert {"loss_assessed", "claim_determined", "settlement_agreed"} <= set(events)
    told = (await insurer.get(f"/v1/claims/{claim_id}/notices")).json()
    assert "claim_opened" in {one["kind"] for one in told}
