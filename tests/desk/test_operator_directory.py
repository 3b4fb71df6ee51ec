"""The address book and the packs for operators: gaps, who would be told, corrections, what a newer pack changes."""

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.operator.registering import place_of, prefix_of
from api.tools import Tools
from models.contracts.vocabulary import ActorKind
from tests.api.conftest import today
from tests.desk.conftest import SignedIn, Town
from tests.desk.matters import open_policy

WHY = "对方来函告知"


async def rows(admin: AsyncEngine, query: str, **values: Any) -> list[Any]:
    async with admin.connect() as connection:
        return list(await connection.execute(text(query), values))


async def test_gaps_are_said_and_close_when_the_office_is_registered(signed_in: SignedIn, town: Town):
    person = await signed_in(ActorKind.OPERATOR)
    page = (await person.get("/operator/directory?place=宿州市")).text
    assert "无人登记" in page
    assert "经信局" in page
    assert "宿州市应急管理局" in page
    office = {"region": "341300", "department": "经信局", "role": "industry", "name": "宿州市经济和信息化局"}
    office |= {"email": "jingxin@suzhou.example", "reason": WHY, "places": "宿州市", "sectors": "civil_explosives"}
    made = await person.post("/operator/directory/new", **office)
    assert made.status_code == 303
    page = (await person.get("/operator/directory?place=341300")).text
    assert "宿州市经济和信息化局" in page
    below = (await person.get("/operator/directory?place=341302")).text
    assert "上级代收：宿州市" in below


async def test_the_same_seat_is_not_registered_twice(signed_in: SignedIn, admin: AsyncEngine, town: Town):
    person = await signed_in(ActorKind.OPERATOR)
    office = {"region": "341300", "department": "经信局", "role": "industry", "name": "宿州市经济和信息化局"}
    office |= {"email": "jingxin@suzhou.example", "reason": WHY}
    for _ in range(2):
        assert (await person.post("/operator/directory/new", **office)).status_code == 303
    assert len(await rows(admin, "SELECT 1 FROM audit WHERE said->>'act' = 'register'")) == 1
    other = await person.post("/operator/directory/new", **office | {"email": "someone@else.example"})
    assert other.status_code == 422
    assert "已经登记" in other.text
    assert "someone@else.example" in other.text


@pytest.mark.parametrize(
    ("field", "value"),
    [("region", "乌有市"), ("email", "no address"), ("name", ""), ("role", "insurer"), ("reason", ""), ("places", "x"),
     ("region", "吉林"), ("places", "宿州、吉林")],
)  # fmt: skip
async def test_what_is_wrong_is_said_beside_its_field(signed_in: SignedIn, admin: AsyncEngine, field: str, value: str):
    person = await signed_in(ActorKind.OPERATOR)
    office = {"region": "341300", "department": "经信局", "role": "industry", "name": "宿州市经济和信息化局"}
    office |= {"email": "jingxin@suzhou.example", "reason": WHY} | {field: value}
    answer = await person.post("/operator/directory/new", **office)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert ("吉林省、吉林省吉林市" in answer.text) == ("吉林" in value), "which places it may mean"
    assert await rows(admin, "SELECT 1 FROM recipients WHERE department = '经信局'") == []


async def test_a_correction_is_on_record_with_what_changed_and_not_with_the_address(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    person, page = await signed_in(ActorKind.OPERATOR), f"/operator/directory/{town.departments[0]}"
    form = (await person.get(page)).text
    assert "宿州市应急管理局" in form
    given = {"name": "宿州市应急管理局", "role": "emergency", "email": "new@gov.example", "reason": WHY}
    given |= {"places": "宿州市、砀山县", "sectors": "fireworks"}
    assert (await person.post(page, **given)).status_code == 303
    assert (await person.post(page, **given)).status_code == 303
    ((said,),) = await rows(admin, "SELECT said FROM audit WHERE said->>'act' = 'correct'")
    assert said["changed"] == ["email", "scopes"]
    assert said["scopes_before"] == ["3413 *"]
    assert "new@gov.example" not in str(said)
    scopes = await rows(admin, "SELECT prefix FROM department_scopes WHERE recipient_id = :id", id=town.departments[0])
    assert {row.prefix for row in scopes} == {"3413", "341321"}


@pytest.mark.parametrize(("code", "prefix"), [("000000", ""), ("340000", "34"), ("500000", "50"), ("341300", "3413"),
                                              ("341302", "341302"), ("341000", "3410")])  # fmt: skip
def test_a_place_and_its_leading_digits_are_each_others_inverse(code: str, prefix: str):
    assert prefix_of(code) == prefix
    assert place_of(prefix) == code


async def test_the_dry_run_names_each_rung_with_its_clause_and_sends_nothing(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
):
    person = await signed_in(ActorKind.OPERATOR)
    asked = "/operator/directory/try?region=泗县&sector=civil_explosives"
    page = (await person.get(asked)).text
    assert "泗县经信局" in page
    assert "应急监二〔2023〕84号" in page
    assert "宿州市应急管理局" in page
    assert "上级代收" in page
    one = (await person.get(f"{asked}&duty=policy_upload")).text
    assert one.count('<details class="card') == 1
    assert (await person.get("/operator/directory/try?region=乌有&sector=fishery")).status_code == 200
    assert await rows(admin, "SELECT 1 FROM outbox") == []


async def test_packs_are_shown_with_digests_questions_and_what_a_newer_one_changes(signed_in: SignedIn, tools: Tools):
    person = await signed_in(ActorKind.OPERATOR)
    page = (await person.get("/operator/packs")).text
    assert page.count("与登记相符") == len(tools.rules.packs())
    assert "与登记不符" not in page
    older = next(one for one in tools.rules.packs() if one.ref.in_force_on == date(2020, 2, 1))
    shown = (await person.get(f"/operator/packs/{older.ref.digest[:16]}")).text
    assert older.ref.digest in shown
    assert "已有新版" in shown
    assert all(question.reading in shown for question in older.pack.open_questions)
    assert (await person.get("/operator/packs/0123456789abcdef")).status_code == 404


async def test_a_published_year_is_foreseen_and_adopted_once_with_a_log(
    signed_in: SignedIn, tools: Tools, app: Any, town: Town, admin: AsyncEngine, worker: Worker, tmp_path: Path
):
    policy_id = await open_policy(town.insurers[0], signed_at=f"{today()}T00:00:00+08:00", effective_on=str(today()))
    last = max(year.year for year in tools.rules.calendar().years)
    await forget_calendar(admin, policy_id, last - 1)
    person = await signed_in(ActorKind.OPERATOR)
    assert f"/operator/calendars/{last}" in (await person.get("/operator")).text
    page = (await person.get(f"/operator/calendars/{last}")).text
    assert "全部采用（1）" in page
    for _ in range(2):
        answer = await person.post(f"/operator/calendars/{last}", once="same", reason="放假安排已公布")
        assert answer.status_code == 303
    await app.state.calendar_batches[last].task
    done = (await person.get(f"/operator/calendars/{last}")).text
    assert "1 / 1" in done
    acts = await rows(admin, "SELECT said FROM audit WHERE what = 'operator_act' ORDER BY number")
    assert [row.said["act"] for row in acts][:2] == ["adopt_calendar", "adopted_calendar"]
    assert "reason" in acts[0].said


async def test_a_year_whose_adoption_failed_half_way_can_be_adopted_again(
    signed_in: SignedIn, tools: Tools, app: Any, town: Town, admin: AsyncEngine, worker: Worker, monkeypatch: Any
):
    policy_id = await open_policy(town.insurers[0], signed_at=f"{today()}T00:00:00+08:00", effective_on=str(today()))
    last = max(year.year for year in tools.rules.calendar().years)
    await forget_calendar(admin, policy_id, last - 1)
    person, address = await signed_in(ActorKind.OPERATOR), f"/operator/calendars/{last}"

    async def lost(*_: Any) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr("api.operator.adopting.record", lost)
        assert (await person.post(address, reason="放假安排已公布")).status_code == 503
    assert (await person.post(address, reason="放假安排已公布")).status_code == 303
    await app.state.calendar_batches[last].task
    assert "1 / 1" in (await person.get(address)).text


async def forget_calendar(admin: AsyncEngine, case_id: UUID, through: int) -> None:
    """The row of a case as it stood before the last year was published."""
    async with admin.begin() as connection:
        statement = "UPDATE cases SET provisional = true, calendar_through = :through WHERE id = :id"
        await connection.execute(text(statement), {"through": through, "id": case_id})


async def test_the_trail_shows_the_common_chain_and_no_insurers_rows(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
):
    await open_policy(town.insurers[0])
    person = await signed_in(ActorKind.OPERATOR)
    office = {"region": "341300", "department": "经信局", "role": "industry", "name": "宿州市经济和信息化局"}
    await person.post("/operator/directory/new", email="jingxin@suzhou.example", reason=WHY, **office)
    page = (await person.get("/operator/audit")).text
    assert WHY in page
    assert "登记部门" in page
    assert "PA-1" not in page, "a step stands in its insurer's chain"
    assert "甲保险公司" in page, "the head of its chain is nobody's secret among operators"
    none = (await person.get("/operator/audit?what=key_made&since=2026-01-01&until=2026-01-02")).text
    assert WHY not in none
    assert (await person.get("/operator/audit?before=x&since=never&what=nonsense")).status_code == 200
