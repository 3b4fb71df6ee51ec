"""Lives of hazards from a visit to the departments' mail: each place's trigger, rechecks, acknowledgement."""

from datetime import timedelta

import pytest

from models.contracts.ids import hazard_id
from runtime.demo.people import Policy
from tests.journeys.conftest import DAY, Journey

REPORT = "【重大隐患】"
WATER = "shuili@suzhou-ah.example"


async def stage(journey: Journey, policy: Policy) -> str:
    view = await journey.insurer.get(f"/v1/hazards/{hazard_id(policy.id, policy.hazards[-1])}")
    return view["stage"]


@pytest.mark.obligation("XM-28a", "XM-34")
async def test_xiamen_reports_a_refused_major_hazard_to_the_department_of_its_sector(journey: Journey) -> None:
    policy = await journey.policy(region="350200", sector="road_transport")
    await journey.ready(policy)
    await journey.major_hazard(policy)
    await journey.town.post()
    assert not journey.letters("jiaotong@xiamen.example", REPORT)
    await policy.hazard("refusal", note="拒不整改")
    await journey.town.post()
    assert len(journey.letters("jiaotong@xiamen.example", REPORT)) == 1
    assert not journey.letters("yingji@xiamen.example", REPORT)


@pytest.mark.obligation("XM-38", "XM-41")
async def test_xiamen_names_nobody_for_civil_explosives_so_a_person_decides(journey: Journey) -> None:
    policy = await journey.policy(region="350200", sector="civil_explosives")
    await journey.ready(policy)
    await journey.major_hazard(policy)
    await policy.hazard("refusal", note="拒不整改")
    await journey.town.post()
    assert len(journey.letters("yunying@anze.example", REPORT)) == 1


@pytest.mark.obligation("JL-17b")
async def test_jilin_reports_a_refusal_to_emergency_management_and_to_the_industry_side(journey: Journey) -> None:
    policy = await journey.policy(region="220100", sector="hazardous_chemicals", size="large")
    await journey.ready(policy)
    await journey.major_hazard(policy)
    await policy.hazard("refusal", note="拒不整改")
    await journey.town.post()
    assert len(journey.letters("yingji@changchun.example", REPORT)) == 1
    assert len(journey.letters("yunying@anze.example", REPORT)) == 1


@pytest.mark.obligation("ZJ-27")
async def test_zhejiang_tells_the_department_as_soon_as_a_major_hazard_is_found(journey: Journey) -> None:
    policy = await journey.policy(region="330100", sector="metal_smelting")
    await journey.ready(policy)
    await journey.major_hazard(policy)
    await journey.town.post()
    assert len(journey.letters("yingji@hangzhou.example", REPORT)) == 1


@pytest.mark.obligation("SZ-26a", "SZ-26b")
async def test_suzhou_reports_an_overdue_major_hazard_and_repeats_until_the_department_has_heard(
    journey: Journey,
) -> None:
    policy = await journey.policy(sector="water_works_construction")
    await journey.ready(policy)
    await journey.major_hazard(policy, days=3)
    found = journey.town.today
    await journey.until(journey.office_day(found + 6 * DAY))
    assert len(journey.letters(WATER, REPORT)) == 1
    await journey.reader(WATER).act(policy, "acknowledge", "已收悉", "H-001")
    await journey.until(journey.office_day(found + timedelta(days=40)))
    assert len([mail for mail in journey.letters(WATER, policy.number) if "【提醒】" in mail.subject]) <= 1
    assert "duty_acknowledged" in await journey.events(f"hazards/{hazard_id(policy.id, 'H-001')}")


@pytest.mark.obligation("SZ-24b", "SZ-25a", "SZ-25b")
async def test_a_failed_recheck_sends_the_hazard_round_again_until_it_is_closed(journey: Journey) -> None:
    policy = await journey.policy(size="small")
    await journey.ready(policy)
    await policy.visit(grade="ordinary", description="报警器未检定")
    await journey.town.post()
    enterprise = journey.reader(policy.email)
    await enterprise.act(policy, "claim_rectification", "已送检", "H-001")
    await policy.hazard("recheck", passed=False, note="仍有一台未检定")
    assert await stage(journey, policy) == "failed"
    await journey.until(journey.office_day(journey.town.today + DAY))
    await enterprise.act(policy, "claim_rectification", "全部检定", "H-001")
    await policy.hazard("recheck", passed=True, note="复核合格")
    assert await stage(journey, policy) == "closed"
    await journey.until(journey.office_day(journey.town.today + 30 * DAY))
    assert not [mail for mail in journey.letters(policy.email, "H-001") if "【逾期】" in mail.subject]


async def test_a_refused_address_hands_its_letter_to_the_fallback(journey: Journey) -> None:
    journey.mailbox.refused["jianguan@suzhou-ah.example"] = "550 5.1.1 no such mailbox"
    policy = await journey.policy(size="small")
    due = await journey.due(policy, "policy_upload")
    await journey.until(journey.office_day(due + 9 * DAY))
    assert len(journey.letters("jianguan@ah-province.example", policy.number)) == 1
