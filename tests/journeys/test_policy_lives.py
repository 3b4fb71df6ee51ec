"""Lives of policies from HTTP to mail: overdue day by day, entered late, ended early, under a new calendar."""

from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from uuid import uuid4

import pytest

from domain.calendar import local_date
from models.contracts.base import Actor, Given
from models.contracts.calendar import CalendarYear, WorkCalendar
from models.contracts.case import AdoptCalendar
from models.contracts.policy_state import PolicyView
from models.contracts.vocabulary import ActorKind
from runtime.embedded.mail import CaughtMail
from tests.journeys.conftest import DAY, Journey

DESK = "fuwu@panshi-insurance.example"
EMERGENCY, FINANCIAL = "yingji@suzhou-ah.example", "jianguan@suzhou-ah.example"


def sent_on(mail: CaughtMail) -> date:
    return local_date(parsedate_to_datetime(str(mail.message["Date"])))


@pytest.mark.obligation("SZ-20", "SZ-35", "SZ-37")
async def test_a_policy_not_uploaded_is_told_to_the_insurer_then_the_department_then_the_regulator(
    journey: Journey,
) -> None:
    policy = await journey.policy(size="small")
    due = await journey.due(policy, "policy_upload")
    await journey.until(journey.office_day(due + 9 * DAY))
    reminders, reports, last = (journey.letters(to, "上传电子保单") for to in (DESK, EMERGENCY, FINANCIAL))
    reminders = [mail for mail in reminders if "【提醒】" in mail.subject + mail.body()]
    assert sent_on(reminders[0]) == journey.office_day(due - 2 * DAY)
    assert [sent_on(mail) for mail in reports] == [journey.office_day(due + DAY)]
    assert [sent_on(mail) for mail in last] == [journey.office_day(due + 8 * DAY)]
    assert "应急监二〔2023〕84号 二(五)" in reports[0].body()


@pytest.mark.obligation("SZ-20")
async def test_a_policy_uploaded_in_time_is_told_to_nobody(journey: Journey) -> None:
    policy = await journey.policy(size="small")
    due = await journey.due(policy, "policy_upload")
    await policy.command("upload", file=await journey.file())
    await journey.until(journey.office_day(due + 9 * DAY))
    assert not journey.letters(EMERGENCY, policy.number)
    assert not journey.letters(FINANCIAL, policy.number)


async def test_a_department_takes_over_one_matter_of_a_digest_and_only_that_ladder_stops(journey: Journey) -> None:
    left, taken = await journey.policy(size="small"), await journey.policy(size="small")
    due = await journey.due(taken, "policy_upload")
    await journey.until(journey.office_day(due + DAY))
    assert len(journey.letters(EMERGENCY, left.number)) == len(journey.letters(EMERGENCY, taken.number)) == 1
    await journey.reader(EMERGENCY).act(taken, "take_over", "由本局督办")
    await journey.until(journey.office_day(due + 9 * DAY))
    assert len(journey.letters(FINANCIAL, left.number)) == 1
    assert not journey.letters(FINANCIAL, taken.number)
    assert "duty_taken_over" in await journey.events(f"policies/{taken.id}")


async def test_a_department_passes_a_matter_on_with_the_code_from_its_mail_and_the_other_is_told(
    journey: Journey,
) -> None:
    policy = await journey.policy(size="small")
    due = await journey.due(policy, "policy_upload")
    await journey.until(journey.office_day(due + DAY))
    await journey.reader(EMERGENCY).act(policy, "pass_on", "由区局督办", to="341302|应急管理局")
    await journey.until(journey.office_day(due + 3 * DAY))
    assert len(journey.letters("yingji@yongqiao.example", policy.number)) == 1
    assert "duty_passed_on" in await journey.events(f"policies/{policy.id}")


async def test_a_link_that_expired_is_answered_by_a_fresh_one_to_the_registered_address(journey: Journey) -> None:
    policy = await journey.policy(size="small")
    await journey.ready(policy)
    await policy.visit()
    await journey.until(journey.office_day(journey.town.today + 40 * DAY))
    stars = {"attitude": "5", "professionalism": "4", "timeliness": "5"}
    await journey.reader(policy.email).act(policy, "rate_service", about="事故预防服务", **stars)
    assert len(journey.letters(policy.email, "【新的办理链接】")) == 1
    assert "service_rated" in await journey.events(f"policies/{policy.id}")


async def test_a_policy_entered_late_is_told_once_for_each_duty_that_stands_open(journey: Journey) -> None:
    today = journey.town.today
    signed, begins = today - timedelta(days=100), today - timedelta(days=99)
    terms = {
        "signed_at": f"{signed}T09:30:00+08:00",
        "effective_on": str(begins),
        "expires_on": str(begins + timedelta(days=364)),
    }
    policy = await journey.policy([{"event": "provider_named", "on": str(signed + 10 * DAY)}], size="small", **terms)
    await journey.until(journey.office_day(today + 12 * DAY))
    assert len(journey.letters(EMERGENCY, "上传电子保单")) == 1
    assert len(journey.letters(FINANCIAL, "上传电子保单")) == 1
    assert not journey.letters(DESK, "「确定服务机构或专家」")
    assert len(journey.letters(DESK, "「完成事故预防技术服务」")) == 1
    assert "rung_passed_over" in await journey.events(f"policies/{policy.id}")


async def test_surrender_stops_every_clock(journey: Journey) -> None:
    policy = await journey.policy(size="small")
    evidence = await journey.file()
    today = str(journey.town.today)
    await policy.command("surrender", reason="fully_stopped", on=today, note="企业注销", evidence=evidence)
    await journey.until(journey.town.today + 60 * DAY)
    assert not [mail for mail in journey.mailbox.messages if "【逾期】" in mail.subject + mail.body()]
    assert (await journey.insurer.get(f"/v1/policies/{policy.id}"))["stage"] == "surrendered"


@pytest.mark.obligation("XM-14")
async def test_xiamen_does_not_let_a_policy_go_for_a_lower_price(journey: Journey) -> None:
    policy = await journey.policy(region="350200")
    evidence = await journey.file()
    body = {"reason": "other", "on": str(journey.town.today), "note": "别家更便宜", "evidence": evidence}
    answer = await policy.attempt("surrender", **body)
    assert (answer.status_code, answer.json()["code"]) == (409, "surrender_not_lawful")
    assert "厦应急规〔2022〕2号" in answer.json()["clause"]


async def test_a_calendar_that_is_adopted_moves_what_depended_on_it_and_says_so(journey: Journey) -> None:
    policy = await journey.policy(size="small")
    due = await journey.due(policy, "service_completion")
    known = [year for year in journey.town.calendar.years if year.year != due.year]
    published = CalendarYear(year=due.year, notice="放假通知（样例）", off=frozenset({due}), work=frozenset())
    command = AdoptCalendar(calendar=WorkCalendar(years=(*known, published)))
    given = Given(
        command_id=str(uuid4()),
        actor=Actor(kind=ActorKind.OPERATOR, id="operator"),
        fingerprint="calendar",
        command=command,
    )
    handle = journey.town.traveller.client.get_workflow_handle(policy.workflow_id)
    await handle.execute_update("adopt_calendar", given, result_type=PolicyView)
    assert await journey.due(policy, "service_completion") > due
    assert "calendar_adopted" in await journey.events(f"policies/{policy.id}")
    await journey.until(journey.office_day(journey.town.today + DAY))
    assert journey.letters(DESK, "放假通知") or journey.letters(DESK, "改为")
