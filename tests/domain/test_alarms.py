"""What the timer of a case says is what happens when it fires: of policies, hazards and claims alike."""

from datetime import timedelta

import pytest

from domain import alarms, duties
from domain.claim import life as claims
from domain.claim.wording import ARCHIVED
from domain.hazard import life as hazards
from domain.policy import life as policies
from models.contracts.claim import CloseClaim
from models.contracts.policy import RenewPolicy, UploadPolicy
from models.contracts.vocabulary import Event
from tests.domain.claim_lives import DENIED, SURVEYED, Claim
from tests.domain.lives import FILE, SUZHOU, ZHEJIANG, Danger, Life
from tests.domain.test_claim_life import REFUSAL, UPLOAD

TURNS = {Event.POLICY_YEAR_STARTED.label, Event.POLICY_EXPIRED.label, ARCHIVED}
RANG = {Event.RUNG_FIRED, Event.RECTIFICATION_OVERDUE}


def test_a_timer_names_the_rung_that_rings_its_duty_and_who_is_told() -> None:
    life = Life.opened()
    assert policies.awaits(life.state) == "履职提醒（第 1 级，共 3 级）：上传电子保单 → 保险机构"
    life.until("2024-03-06")
    assert policies.awaits(life.state) == "逾期通知（第 2 级，共 3 级）：上传电子保单 → 保险机构、应急管理部门"


def test_a_timer_names_what_rings_though_another_duty_falls_due_first() -> None:
    life = Life.opened().until("2024-03-09")
    coming = duties.coming(life.state)
    assert coming
    assert coming.label == "上传电子保单", "it is overdue, and stays the first of the open duties"
    assert policies.awaits(life.state).endswith("确定服务机构或专家 → 保险机构")
    assert coming.rings == policies.awaits(life.state)
    assert coming.rings_at == policies.next_alarm(life.state)


def test_what_rings_at_one_instant_is_named_or_counted() -> None:
    first = alarms.first(Life.opened().state)
    assert alarms.said(()) == ""
    assert alarms.said(first * 2) == "；".join([alarms.said(first)] * 2)
    assert alarms.said(first * 5) == "；".join([alarms.said(first)] * 2) + "；另有 3 项"


@pytest.mark.parametrize("region", [SUZHOU, ZHEJIANG])
def test_whatever_the_timer_of_a_policy_said_then_happens_until_nothing_is_awaited(region: str) -> None:
    life = Life.opened(region=region)
    life.act(UploadPolicy(file=FILE))
    said: list[str] = []
    while alarm := policies.next_alarm(life.state):
        if alarm.year > 2024 and Event.POLICY_RENEWED not in life.state.facts:
            life.now = alarm - timedelta(hours=1)
            life.act(RenewPolicy(next_number="P-2"))
            continue
        awaited = policies.awaits(life.state)
        happened = life.ring(alarm).happened
        said.append(awaited)
        fired = [one for one in happened if one.event in RANG]
        assert any(turn in awaited for turn in TURNS) or any(
            one.said.partition(" → ")[0] in awaited for one in fired
        ), (awaited, happened)
    assert any(Event.POLICY_EXPIRED.label in one for one in said)
    assert len(set(said)) > len(TURNS)
    assert policies.awaits(life.state) == ""


def test_the_timer_of_a_hazard_says_whom_it_tells_next_and_nothing_once_it_has_ended() -> None:
    danger = Danger.found()
    assert hazards.awaits(danger.state)
    danger.until("2024-04-16")
    assert hazards.awaits(danger.state).startswith("逾期通知（第 2 级，共 2 级）：整改隐患 → 投保单位、保险机构")
    stopped = hazards.stop(danger.state, "保单退保", danger.now)
    assert hazards.awaits(stopped.state) == ""


def test_the_timer_of_a_closed_claim_waits_for_the_end_of_reopening() -> None:
    claim = Claim.reported()
    assert "核定" in claims.awaits(claim.state)
    claim.act(SURVEYED, DENIED, REFUSAL, UPLOAD, CloseClaim())
    assert claims.awaits(claim.state) == ARCHIVED
    claim.until(claim.now + timedelta(days=732))
    assert claims.awaits(claim.state) == ""
