"""Who has a case in hand: taken, given, given back, handed over whole; once, on record, by no other organisation."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.rows import HANDS, OFFICE_HANDS
from models.contracts.vocabulary import ActorKind, CaseKind, Post
from tests.api.conftest import sample_file, today
from tests.desk.conftest import Person, SignedIn, Town, disable
from tests.desk.matters import EXAMPLES, open_policy, tell

DUTY = "service_completion"
SEEN = re.compile(r'name="seen" value="([^"]*)"')


async def noted(admin: AsyncEngine) -> list[dict[str, Any]]:
    """What the trail says of hands, in its order."""
    async with admin.connect() as connection:
        rows = await connection.execute(text("SELECT chain, said FROM audit WHERE what = 'handed' ORDER BY at"))
        return [{"chain": row.chain, **row.said} for row in rows]


async def holder(admin: AsyncEngine, case_id: UUID, table: Any = HANDS) -> UUID | None:
    async with admin.connect() as connection:
        return (await connection.execute(select(table.c.user_id).where(table.c.case_id == case_id))).scalar()


@pytest.fixture
async def handler(signed_in: SignedIn) -> Person:
    return await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)


@pytest.fixture
async def colleague(signed_in: SignedIn) -> Person:
    return await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)


@pytest.fixture
async def chief(signed_in: SignedIn) -> Person:
    return await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN)


async def test_a_case_is_taken_given_and_given_back_once_each_and_on_record(
    town: Town, handler: Person, colleague: Person, admin: AsyncEngine, worker: Worker
) -> None:
    case_id = await open_policy(town.insurers[0])
    page = f"/insurer/policies/{case_id}"
    assert "还没有人经办" in (await handler.get(page)).text
    for _ in range(2):
        answer = await handler.post(f"{page}/hand", once="taking", act="take", seen="")
        assert answer.headers["location"] == f"{page}?done=hand#hand"
    shown = (await handler.get(f"{page}?done=hand")).text
    assert "经办人已更改" in shown
    assert "您自己" in shown
    assert SEEN.findall(shown) == [str(handler.user_id)]
    in_hand = (await town.insurers[0].get(f"/v1/policies/{case_id}")).json()["in_hand"]
    assert f"<b>{in_hand or '?'}</b>" in shown, "its core systems read the same"
    giving = {"act": "give", "to": str(colleague.user_id), "seen": str(handler.user_id)}
    assert (await handler.post(f"{page}/hand", **giving)).status_code == 303
    assert (await colleague.post(f"{page}/hand", act="back", seen=str(colleague.user_id))).status_code == 303
    assert (await handler.post(f"{page}/hand", **giving)).status_code == 409, "an old page gives nothing away again"
    assert await holder(admin, case_id) is None
    assert (await town.insurers[0].get(f"/v1/policies/{case_id}")).json()["in_hand"] == ""
    said = [(one["hand_before"], one["hand"]) for one in await noted(admin)]
    me, other = str(handler.user_id), str(colleague.user_id)
    assert said == [("", me), (me, other), (other, "")]
    assert {one["chain"] for one in await noted(admin)} == {town.insurers[0].id}
    async with admin.connect() as connection:
        assert (await connection.execute(text("SELECT seq FROM cases"))).scalars().all() == [1], "no step of the case"


async def test_it_is_given_to_nobody_who_may_not_act_here(
    town: Town, handler: Person, signed_in: SignedIn, admin: AsyncEngine, worker: Worker
) -> None:
    case_id = await open_policy(town.insurers[0])
    gone = await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)
    await disable(admin, gone)
    auditor = await signed_in(ActorKind.INSURER, Post.INSURER_AUDITOR)
    rival = await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER, second=True)
    assessor, officer = await signed_in(ActorKind.PROVIDER), await signed_in(ActorKind.DEPARTMENT)
    wrong = [one.user_id for one in (gone, auditor, rival, assessor, officer)] + [uuid4(), "x", ""]
    for to in wrong:
        answer = await handler.post(f"/insurer/policies/{case_id}/hand", act="give", to=str(to), seen="")
        assert answer.status_code == 422, to
    for person, status in ((auditor, 403), (rival, 404), (assessor, 403), (officer, 403)):
        assert (await person.post(f"/insurer/policies/{case_id}/hand", act="take", seen="")).status_code == status
    assert (await handler.post("/insurer/nothing/" + str(case_id) + "/hand", act="take")).status_code == 404
    assert "由我经办" not in (await auditor.get(f"/insurer/policies/{case_id}")).text
    assert await holder(admin, case_id) is None
    assert await noted(admin) == []


async def test_lists_show_the_hand_and_narrow_to_it_by_their_address(
    town: Town, handler: Person, colleague: Person, chief: Person, admin: AsyncEngine, worker: Worker
) -> None:
    mine, theirs = [await open_policy(town.insurers[0], number) for number in ("PA-1", "PA-2")]
    for person, case_id in ((handler, mine), (colleague, theirs)):
        await person.post(f"/insurer/policies/{case_id}/hand", act="take", seen="")
    whole = (await handler.get("/insurer/policies")).text
    assert "PA-1" in whole
    assert "PA-2" in whole
    for address in ("/insurer/policies?hand=mine", "/insurer/policies?hand=mine&order=due", "/insurer/due?hand=mine"):
        page = (await handler.get(address)).text
        assert "<b>PA-1</b>" in page, address
        assert "<b>PA-2</b>" not in page, address
    assert str(colleague.user_id) not in whole, "a handler is offered his own"
    page = (await chief.get(f"/insurer/policies?hand={colleague.user_id}")).text
    assert f'<option value="{colleague.user_id}" selected>' in page
    assert "<b>PA-2</b>" in page
    assert "<b>PA-1</b>" not in page
    await disable(admin, colleague)
    assert "还没有人经办" in (await chief.get(f"/insurer/policies/{theirs}")).text, "nobody is shown who is gone"
    assert await holder(admin, theirs) == colleague.user_id, "and nothing is lost"


async def test_all_running_cases_of_one_user_go_to_another_after_their_number_was_shown(
    town: Town,
    handler: Person,
    colleague: Person,
    chief: Person,
    signed_in: SignedIn,
    admin: AsyncEngine,
    worker: Worker,
) -> None:
    cases = [await open_policy(town.insurers[0], f"PA-{number}") for number in range(3)]
    for case_id in cases:
        await handler.post(f"/insurer/policies/{case_id}/hand", act="take", seen="")
    await sample_file(town.insurers[0])
    surrender = EXAMPLES[CaseKind.POLICY, "surrender"](today())
    ended = await town.insurers[0].post(f"/v1/policies/{cases[2]}/surrender", surrender)
    assert ended.status_code == 200, ended.text
    await disable(admin, handler)
    between = {"giver": str(handler.user_id), "taker": str(colleague.user_id)}
    page = (await chief.get("/insurer/people/hands", params=between)).text
    assert re.search(r"<dt>保单</dt><dd>2</dd>", page)
    assert "全部交接" in page
    assert await holder(admin, cases[0]) == handler.user_id, "looking gives nothing away"
    for moved in (2, 0):
        answer = await chief.post("/insurer/people/hands", **between)
        assert answer.headers["location"] == f"/insurer/people/hands?moved={moved}"
    assert [await holder(admin, one) for one in cases] == [colleague.user_id, colleague.user_id, handler.user_id]
    whole = [one for one in await noted(admin) if "cases" in one]
    assert [(one["hand_before"], one["hand"], one["cases"]) for one in whole] == [(*between.values(), 2)]
    rival = await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER, second=True)
    for giver, taker in ((handler, handler), (handler, rival), (rival, colleague), (colleague, handler)):
        given = {"giver": str(giver.user_id), "taker": str(taker.user_id)}
        assert (await chief.post("/insurer/people/hands", **given)).status_code == 422
    alone = await chief.get("/insurer/people/hands", params={"giver": between["taker"], "taker": between["taker"]})
    assert (alone.status_code, "请选择另一个人接手" in alone.text) == (422, True)
    assert (await colleague.get("/insurer/people/hands")).status_code == 403


async def test_a_department_keeps_its_own_hands_that_no_insurer_and_no_other_department_sees(
    town: Town, handler: Person, signed_in: SignedIn, admin: AsyncEngine, worker: Worker
) -> None:
    told, untold = [await open_policy(town.insurers[0], number) for number in ("PA-1", "PA-2")]
    for case_id in (told, untold):
        await tell(admin, town.departments[0], case_id, DUTY)
    officer, second = [await signed_in(ActorKind.DEPARTMENT) for _ in range(2)]
    contact = await signed_in(ActorKind.DEPARTMENT, by_code=True)
    elsewhere = await signed_in(ActorKind.DEPARTMENT, second=True)
    page = f"/department/cases/{told}"
    answer = await officer.post(f"{page}/hand", act="take", seen="", back="/department?unread=true")
    assert answer.headers["location"] == f"{page}?back=%2Fdepartment%3Funread%3Dtrue&done=hand#hand"
    inbox = (await officer.get("/department?hand=mine")).text
    assert "PA-1" in inbox
    assert "PA-2" not in inbox
    assert "PA-1" in (await second.get(f"/department?hand={officer.user_id}")).text
    assert "PA-1" not in (await second.get("/department/cases?hand=mine")).text
    for person, status in ((contact, 403), (elsewhere, 404), (handler, 403)):
        assert (await person.post(f"{page}/hand", act="take", seen="")).status_code == status
    answer = await officer.post(f"{page}/hand", act="give", to=str(elsewhere.user_id), seen=str(officer.user_id))
    assert answer.status_code == 422
    given = {"giver": str(officer.user_id), "taker": str(second.user_id)}
    assert (await second.post("/department/hands", **given)).headers["location"].endswith("?moved=1")
    assert await holder(admin, told, OFFICE_HANDS) == second.user_id
    assert await holder(admin, told) is None
    assert "还没有人经办" in (await handler.get(f"/insurer/policies/{told}")).text
    assert town.insurers[0].id not in {one["chain"] for one in await noted(admin)}
