"""How dates, money, terms and cases are put into Chinese."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from domain import details, wording
from domain.places import NAMES, full_region_name, region_name
from models.contracts.clock import Clock, Projection
from models.contracts.policy_state import Birth, HazardBrief, PolicyState
from models.contracts.policy_terms import Terms
from models.contracts.vocabulary import By, Event, HazardGrade, HazardStage, PolicyStage, Sector, Size
from tests.makers import calendar as years
from tests.makers import citation, duty, rulebook

SIGNED = date(2024, 1, 2)
ID = UUID("aaaaaaaa-0000-4000-8000-000000000001")


def ends(nominal: str, effective: str | None = None, *, provisional: bool = False) -> Projection:
    day = date.fromisoformat(nominal)
    last = date.fromisoformat(effective) if effective else day
    return Projection(nominal=day, effective=last, provisional=provisional)


def test_a_term_that_ends_at_midnight_ends_at_24_of_the_day_before() -> None:
    assert wording.instant(datetime(2024, 2, 18, 16, tzinfo=UTC)) == "2024年2月18日 24:00"
    assert wording.instant(datetime(2024, 12, 31, 16, tzinfo=UTC)) == "2024年12月31日 24:00"
    assert wording.instant(datetime(2024, 2, 18, 15, 59, tzinfo=UTC)) == "2024年2月18日 23:59"


def test_a_term_of_days_ends_at_24_and_a_term_in_hours_at_its_minute() -> None:
    eighth = date(2024, 3, 8)
    end_of_it, afternoon = datetime(2024, 3, 8, 16, tzinfo=UTC), datetime(2024, 3, 8, 6, 30, tzinfo=UTC)
    assert wording.last_moment(eighth, end_of_it) == "2024年3月8日（周五）24:00"
    assert wording.last_moment(eighth, afternoon) == "2024年3月8日（周五）14:30"
    assert wording.last_moment(None, None) == ""
    assert (wording.last_hour(end_of_it), wording.last_hour(afternoon), wording.last_hour(None)) == (
        "24:00",
        "14:30",
        "24:00",
    )


def test_a_list_of_terms_says_when_each_ends_and_which_may_still_move() -> None:
    ends_at = datetime(2024, 3, 8, 16, tzinfo=UTC)
    assert wording.until_line("上传电子保单", date(2024, 3, 8), ends_at) == "上传电子保单：2024年3月8日（周五）24:00前"
    moving = wording.until_line("整改隐患", date(2027, 1, 4), datetime(2027, 1, 4, 16, tzinfo=UTC), provisional=True)
    assert moving == "整改隐患：2027年1月4日（周一）24:00前（暂定）"


def test_days_money_and_shares_read_as_people_write_them() -> None:
    assert wording.day(date(2024, 2, 18)) == "2024年2月18日（周日）"
    assert wording.short_day(date(2024, 2, 18)) == "2月18日"
    assert wording.money(Decimal("12000")) == "12,000.00 元"
    assert [wording.share(value) for value in ("0.12", "0.2", "1", "0.0125")] == ["12 %", "20 %", "100 %", "1.25 %"]


@pytest.mark.parametrize(
    ("of", "until", "said"),
    [
        (
            duty(45),
            ends("2024-02-16", "2024-02-18"),
            "自2024年1月2日签署次日起算45日，末日2月16日为休息日，顺延至2月18日（调休上班日）",
        ),
        (duty(7), ends("2024-01-09"), "自2024年1月2日签署次日起算7日，末日为2024年1月9日"),
        (
            duty(7, first_day="included"),
            ends("2024-01-08"),
            "自2024年1月2日签署当日起算7日，末日为2024年1月8日",
        ),
        (
            duty(5, "working_day"),
            ends("2024-01-09"),
            "自2024年1月2日签署次日起算5个工作日，末日为2024年1月9日",
        ),
        (
            duty(363),
            ends("2024-12-30", "2025-01-02"),
            "自2024年1月2日签署次日起算363日，末日2024年12月30日为休息日，顺延至2025年1月2日",
        ),
        (
            duty(365, until_expiry=True),
            ends("2024-06-30"),
            "自2024年1月2日签署次日起算365日，以保险期间届满为限，末日为2024年6月30日",
        ),
        (duty(15, given_by="due"), ends("2024-01-31"), "期限由记录人设定，末日为2024年1月31日"),
        (duty(15, given_by="due"), ends("2024-01-17"), "自2024年1月2日签署次日起算15日，末日为2024年1月17日"),
        (duty(24, "hour"), ends("2024-01-03"), "自2024年1月2日签署起 24 小时，连续计算，遇休息日不顺延"),
        (duty(7), Projection(), "自2024年1月2日签署起计；计时已中止，恢复后重新推算到期日"),
    ],
)
def test_how_a_due_day_was_counted_is_one_sentence(of, until: Projection, said: str) -> None:
    assert wording.counting(of, SIGNED, until) == said


def test_suspended_and_granted_days_are_said() -> None:
    said = wording.counting(duty(7), SIGNED, ends("2024-01-22"), 10, 3)
    assert said == "自2024年1月2日签署次日起算7日，扣除中止 10 日，延期 3 日，末日为2024年1月22日"


def test_our_own_choice_is_never_shown_as_law() -> None:
    assert wording.by_line(citation()) == "应急监二〔2023〕84号 二(五)（法规规定）"
    assert wording.by_line(citation(by=By.PRODUCT)).endswith("（系统约定）")


def test_time_left_is_told_in_days_and_on_the_last_day_in_hours() -> None:
    due = datetime(2024, 3, 8, 16, tzinfo=UTC)
    assert wording.left(due, due - timedelta(days=3, hours=5)) == "还剩 3 天"
    assert wording.left(due, due - timedelta(hours=5)) == "还剩 5 小时"
    assert wording.left(due, due - timedelta(minutes=5)) == "还剩 不足 1 小时"
    assert wording.left(None, due) == wording.SUSPENDED


def test_overdue_days_are_what_one_gets_by_subtracting_the_dates() -> None:
    end_of_the_eighth = datetime(2024, 3, 8, 16, tzinfo=UTC)
    assert wording.left(end_of_the_eighth, end_of_the_eighth) == "已逾期 1 天"
    assert wording.left(end_of_the_eighth, end_of_the_eighth + timedelta(hours=23)) == "已逾期 1 天"
    assert wording.left(end_of_the_eighth, end_of_the_eighth + timedelta(days=2, hours=5)) == "已逾期 3 天"
    at_noon = datetime(2024, 3, 8, 4, tzinfo=UTC)
    assert wording.left(at_noon, at_noon + timedelta(hours=5)) == "已逾期 5 小时"
    assert wording.left(at_noon, at_noon + timedelta(days=2)) == "已逾期 2 天"


def test_places_are_named_and_unknown_ones_by_their_nearest_level() -> None:
    assert (region_name("341300"), full_region_name("341302")) == ("宿州市", "安徽省宿州市埇桥区")
    assert region_name("341399") == "宿州市（341399）"
    assert (region_name("999999"), full_region_name("999999")) == ("999999", "999999")
    assert full_region_name("000000") == "全国"
    assert all(len(code) == 6 and code.isdigit() for code in NAMES)
    assert wording.place_line("350200", Sector.FISHERY, Size.SMALL) == "福建省厦门市 · 渔业生产 · 小型"


def policy(**more: object) -> PolicyState:
    terms = Terms.model_validate(
        {
            "number": "PA-001",
            "region": "341300",
            "sector": "hazardous_chemicals",
            "size": "medium",
            "signed_at": "2024-01-02T10:00:00+08:00",
            "effective_on": "2024-01-03",
            "expires_on": "2025-01-02",
            "premium_total": "86000.00",
            "headcount": 10,
            "insured_headcount": 10,
        }
    )
    birth = Birth(case_id=ID, insurer_id=ID, insurer_code="jia", insurer_name="甲保险", workflow_id="policy/jia/PA-001")
    plain = {
        "birth": birth,
        "terms": terms,
        "insured_id": ID,
        "insured_name": "甲化工",
        "opened_at": datetime(2024, 1, 2, tzinfo=UTC),
        "rulebook": rulebook(duty()),
        "calendar": years(),
        "clock": Clock(),
    }
    return PolicyState.model_validate(plain | more)


def test_the_temporal_ui_tells_stage_next_duty_open_hazards_and_money() -> None:
    hazards = (
        HazardBrief(hazard_id=ID, number="H-1", grade=HazardGrade.MAJOR, stage=HazardStage.TOLD, found_on=SIGNED),
        HazardBrief(hazard_id=ID, number="H-2", grade=HazardGrade.ORDINARY, stage=HazardStage.CLOSED, found_on=SIGNED),
    )
    facts = {Event.POLICY_SIGNED: SIGNED, Event.POLICY_UPLOADED: SIGNED}
    state = policy(
        stage=PolicyStage.UPLOADED, facts=facts, hazards=hazards, spent=Decimal("1000.00"), last_notice="履职提醒"
    )
    coming = details.Coming(
        "完成服务", date(2024, 2, 18), citation(), "履职提醒：上传电子保单", datetime(2024, 2, 15, 16, tzinfo=UTC), True
    )
    told = details.policy_details(state, coming, Decimal("10320.00"))
    for said in (
        "● 已签署 ─ **◉ 已上传** ─ ○ 已定服务机构",
        "应于2024年2月18日（周日） 24:00 前完成",
        "应急监二〔2023〕84号 二(五)，法规规定",
        "下次提醒：2024年2月15日 24:00，履职提醒：上传电子保单",
        "暂定",
        "未销号隐患 1 项：H-1（重大事故隐患，已告知）",
        "1,000.00 元 / 下限 10,320.00 元（还差 9,320.00 元）",
        "最近通知：履职提醒",
    ):
        assert said in told
    assert "H-2" not in told


def test_a_stage_that_was_never_done_is_not_shown_as_done() -> None:
    facts = {Event.POLICY_SIGNED: SIGNED, Event.PROVIDER_NAMED: SIGNED}
    told = details.policy_details(policy(stage=PolicyStage.PROVIDER_NAMED, facts=facts), None)
    assert "● 已签署 ─ ◌ 已上传 ─ **◉ 已定服务机构**" in told


def test_free_text_cannot_become_markdown() -> None:
    told = details.policy_details(policy(insured_name="**甲** [链接](http://x) # <b>"), None)
    assert r"\*\*甲\*\* \[链接\](http://x) \# \<b\>" in told
    assert "没有在计的期限" in told


def test_a_mailroom_tells_what_waits_and_until_when() -> None:
    opens = datetime(2024, 3, 11, 1, tzinfo=UTC)
    told = details.mailroom_details(12, 3, opens)
    assert "待汇总 12 件" in told
    assert "2024年3月11日 09:00" in told
    assert details.mailroom_details(0, 3, None).startswith("没有待发通知")
