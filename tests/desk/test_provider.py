"""The provider's room: what is to be served by its day, a visit with hazards and pictures, the report; the register."""

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.insurer.doors import DOORS, SAMPLE_DIGEST, SAMPLE_FILE
from api.provider.acting import OWN
from api.rows import STEPS
from api.tools import Tools
from domain.serving import ITS_OWN
from models.contracts.vocabulary import ActorKind, CaseKind, Post
from tests.api.conftest import sample_file, terms, today
from tests.desk.conftest import PROVIDERS_OF_TOWN, Person, SignedIn, Town
from tests.desk.matters import change
from tests.desk.shown import address_in, listed, way_of
from tests.desk.test_enterprise import photograph
from tests.statements import listening

EXAMPLES = {(door.kind, door.path): door.example for door in DOORS}
PICTURE = ("现场.jpg", photograph(), "image/jpeg")
REPORT = ("服务报告.pdf", SAMPLE_FILE, "application/pdf")
FOUND = {
    "hazards.0.description": "可燃气体报警器超期未检定",
    "hazards.0.grade": "ordinary",
    "hazards.0.place": "罐区",
    "hazards.3.description": "未设置紧急切断装置",
    "hazards.3.grade": "major",
    "hazards.3.criterion": "判定标准（试行）第五条",
}


@pytest.fixture
async def policy(town: Town, worker: Worker) -> str:
    """A policy that names the first provider by its credit code, with a plan the insured has agreed to."""
    insurer = town.insurers[0]
    await sample_file(insurer)
    answer = await insurer.post("/v1/policies", terms())
    policy = answer.json()["id"]
    for path in ("upload", "provider", "plan", "plan/confirmation"):
        body = EXAMPLES[CaseKind.POLICY, path](today())
        body |= {"provider_code": PROVIDERS_OF_TOWN[0]} if path == "provider" else {}
        answer = await insurer.post(f"/v1/policies/{policy}/{path}", body)
        assert answer.status_code == 200, answer.text
    return policy


@pytest.fixture
async def assessor(signed_in: SignedIn) -> Person:
    return await signed_in(ActorKind.PROVIDER)


def visit(**more: Any) -> dict[str, Any]:
    plain = {"number": "F-1", "on": str(today()), "items": "hazard_inspection", "place": "厂区", "staff_count": "2"}
    return plain | {"summary": "检查罐区与仓库。"} | more


def test_the_room_has_a_form_for_each_thing_a_provider_may_do_and_for_nothing_else():
    assert set(OWN.values()) == ITS_OWN


async def test_what_is_to_be_served_stands_with_its_day_and_says_where_to_go_and_by_which_plan(
    assessor: Person, policy: str
):
    board = (await assessor.get("/provider")).text
    assert f'href="/provider/policies/{policy}"' in board
    assert "还剩" in board
    page = unescape((await assessor.get(f"/provider/policies/{policy}")).text)
    for said in ("宿州皖北精细化工有限公司", "危险化学品", "@", "全年两次隐患排查", "投保单位已同意", "为什么是这一天"):
        assert said in page, said
    for secret in ("86000", "86,000", "保费", "限额", "理赔", "从业人员"):
        assert secret not in page, secret


async def test_assignments_come_a_page_at_a_time_counted_on_top_and_are_found_by_what_is_asked(
    assessor: Person, town: Town, policy: str, admin: AsyncEngine
):
    insurer = town.insurers[0]
    other = (await insurer.post("/v1/policies", terms(number="P-BEYOND"))).json()["id"]
    named = {"provider_name": "皖安", "provider_code": PROVIDERS_OF_TOWN[0]}
    assert (await insurer.post(f"/v1/policies/{other}/provider", named)).status_code == 200
    ended = (await insurer.post("/v1/policies", terms(number="P-ENDED"))).json()["id"]
    assert (await insurer.post(f"/v1/policies/{ended}/provider", named)).status_code == 200
    await change(admin, UUID(ended), ended_at=datetime(2026, 2, 1, tzinfo=UTC))
    everyone, page, query = {policy, other, ended}, "", "limit=1"
    for at in range(3):
        page = unescape((await assessor.get(f"/provider?{query}")).text)
        counts = re.findall(r"<b>(\d+)</b>", page.partition('id="piles"')[2].partition("</ul>")[0])
        assert counts == ["2", "0", "0", "1"], "whatever the page shows"
        [shown] = listed(page, everyone)
        assert at < 2 or shown == ended, "what has ended comes last"
        everyone -= {shown}
        following = page.partition('class="following"')[2].partition("cursor=")[2].partition('"')[0]
        query = f"limit=1&cursor={following}"
    assert (everyone, 'class="following"' in page) == (set(), False)
    found = {"q=P-BEY": {other}, "q=nothing": set[str](), "q=皖北精细": {policy, other, ended}, "pile=ended": {ended},
             "region=宿州": {policy, other, ended}, "region=吉林": set[str](), "sector=fishery": set[str](),
             "overdue=true": set[str](), "overdue=false&pile=due": {policy, other},
             "grade=major": {policy}}  # fmt: skip
    visited = await assessor.post(f"/provider/policies/{policy}/visit", **visit(**FOUND))
    assert visited.status_code == 303
    for asked, expected in found.items():
        page = unescape((await assessor.get(f"/provider?{asked}")).text)
        assert listed(page, {policy, other, ended}) == expected, asked
    assert "吉林省、吉林省吉林市" in (await assessor.get("/provider?region=吉林")).text
    assert way_of((await assessor.get(address_in(page, policy))).text) == "/provider?grade=major"
    assert way_of((await assessor.get(f"/provider/policies/{policy}?back=//e.example")).text) == "/provider"


async def test_a_visit_with_hazards_and_a_picture_is_recorded_once_and_everybody_sees_who_did_it(
    assessor: Person, town: Town, policy: str, signed_in: SignedIn, admin: AsyncEngine
):
    path = f"/provider/policies/{policy}/visit"
    files = {"hazards.0.photographs": PICTURE}
    for _ in range(2):
        answer = await assessor.post(path, once="pressed-twice", files=files, **visit(**FOUND))
        assert (answer.status_code, answer.headers.get("location")) == (
            303,
            f"/provider/policies/{policy}?done=record_visit",
        ), unescape(answer.text)
    hazards = (await town.insurers[0].get(f"/v1/policies/{policy}/hazards")).json()["items"]
    assert sorted(one["number"] for one in hazards) == ["F-1-H1", "F-1-H2"]
    ordinary = next(one["id"] for one in hazards if one["number"] == "F-1-H1")
    for person, room in ((assessor, "provider"), (await signed_in(ActorKind.ENTERPRISE), "enterprise")):
        page = unescape((await person.get(f"/{room}/hazards/{ordinary}")).text)
        assert "可燃气体报警器超期未检定" in page
        [address] = {part.split("?")[0] for part in page.split('src="/evidence/')[1:]}
        assert (await person.get(f"/evidence/{address}")).headers["content-type"] == "image/jpeg"
    timeline = (await town.insurers[0].get(f"/v1/policies/{policy}/timeline")).json()
    assert [one["by"] for one in timeline if one["event"] == "visit_recorded"] == ["服务机构J"]
    async with admin.connect() as connection:
        found = select(STEPS.c.actor_kind, STEPS.c.actor_id).where(STEPS.c.command_name == "RecordVisit")
        assert [tuple(row) for row in await connection.execute(found)] == [("provider", str(assessor.user_id))]


async def test_nothing_the_room_does_opens_the_rows_of_the_insurer(assessor: Person, policy: str, tools: Tools):
    """Not for the file of a visit, nor for the insured's address: the wall of the database is up all the way."""
    pages = ["/provider", *(f"/provider/policies/{policy}{part}" for part in ("", "/visit", "/report"))]
    with listening(tools.engine) as seen:
        sent = await assessor.post(pages[2], files={"hazards.0.photographs": PICTURE}, **visit(**FOUND))
        assert sent.status_code == 303
        read = [unescape((await assessor.get(page)).text) for page in pages]
        found = set(re.findall(r"/provider/hazards/[0-9a-f-]{36}", read[1]))
        hazards = "".join([unescape((await assessor.get(page)).text) for page in found])
        [file, *_] = re.findall(r'src="(/evidence/[^"?]+)', hazards)
        assert (await assessor.get(file)).status_code == 200
    set_ = {parameters[0] for statement, parameters in seen if "set_config" in statement}
    assert "anze.provider" in set_
    assert "anze.tenant" not in set_


async def test_a_form_that_lacks_something_comes_back_with_what_was_typed_and_the_pictures_it_had(
    assessor: Person, policy: str
):
    path = f"/provider/policies/{policy}/visit"
    typed = visit(**FOUND) | {"hazards.3.criterion": ""}
    answer = await assessor.post(path, files={"hazards.0.photographs": PICTURE}, **typed)
    page = unescape(answer.text)
    assert answer.status_code == 422
    parts = page.split('<details class="group" id="hazards-')[1:]
    beside = [at for at, part in enumerate(parts) if "重大事故隐患须注明判定标准" in part]
    assert (len(parts), beside) == (6, [1]), "beside its hazard, the second that was filled in"
    assert "可燃气体报警器超期未检定" in page
    carried = dict(re.findall(r'name="(kept|hazards\.0\.photographs\.kept)" value="([^"]+)"', answer.text))
    again = {name: unescape(value) for name, value in carried.items()}
    mended = typed | again | {"hazards.1.description": "未设置紧急切断装置", "hazards.1.grade": "ordinary"}
    mended = {name: value for name, value in mended.items() if not name.startswith("hazards.3")}
    assert (await assessor.post(path, **mended)).status_code == 303


async def test_nobody_names_a_file_they_do_not_hold(assessor: Person, policy: str):
    """The electronic policy lies with the insurer under a digest; a provider's form that names it names nothing."""
    named = f'{{"digest": "{SAMPLE_DIGEST}", "name": "x.pdf", "media_type": "application/pdf"}}'
    typed = visit() | {"record.kept": named}
    assert (await assessor.post(f"/provider/policies/{policy}/visit", **typed)).status_code == 303
    assert (await assessor.get(f"/evidence/{policy}/{SAMPLE_DIGEST}")).status_code == 404


async def test_the_report_completes_the_service_and_none_without_a_file(assessor: Person, town: Town, policy: str):
    path = f"/provider/policies/{policy}"
    assert (await assessor.post(f"{path}/visit", **visit())).status_code == 303
    missing = await assessor.post(f"{path}/report", on=str(today()), confirmed_by_insured="true")
    assert (missing.status_code, "请至少附一张照片或者一份文件" in missing.text) == (422, True)
    files = {"report": REPORT}
    unconfirmed = await assessor.post(f"{path}/report", files=files, on=str(today()))
    assert unconfirmed.status_code in {409, 422}
    done = await assessor.post(f"{path}/report", files=files, on=str(today()), confirmed_by_insured="true")
    assert done.status_code == 303, unescape(done.text)
    assert (await town.insurers[0].get(f"/v1/policies/{policy}")).json()["stage"] == "served"
    assert "上传服务报告" not in (await assessor.get(path)).text


async def test_another_provider_and_whoever_is_named_no_more_find_nothing(
    assessor: Person, town: Town, policy: str, signed_in: SignedIn
):
    other, path = await signed_in(ActorKind.PROVIDER, second=True), f"/provider/policies/{policy}"
    for address in (path, f"{path}/visit", f"{path}/report"):
        assert [(await one.get(address)).status_code for one in (assessor, other)] == [200, 404], address
    named = {"provider_name": "另一家", "provider_code": PROVIDERS_OF_TOWN[1]}
    assert (await town.insurers[0].post(f"/v1/policies/{policy}/provider", named)).status_code == 200
    assert [(await one.get(path)).status_code for one in (assessor, other)] == [404, 200]
    assert (await assessor.post(f"{path}/visit", **visit())).status_code == 404
    by_name = {"provider_name": "又一家"}
    assert (await town.insurers[0].post(f"/v1/policies/{policy}/provider", by_name)).status_code == 200
    assert (await other.get(path)).status_code == 404


async def test_an_administrator_registers_a_provider_and_its_people_and_names_it_by_a_click(
    town: Town, policy: str, signed_in: SignedIn
):
    boss, handler = [await signed_in(ActorKind.INSURER, post) for post in (Post.INSURER_ADMIN, Post.INSURER_HANDLER)]
    new = {"name": "浍河安评", "credit_code": PROVIDERS_OF_TOWN[1], "email": "a@huihe.example"}
    assert (await boss.post("/insurer/providers", **new | {"credit_code": "91341300MA2NXQ6R70"})).status_code == 422
    assert (await handler.post("/insurer/providers", **new)).status_code == 403
    assert [(await boss.post("/insurer/providers", **new)).status_code for _ in range(2)] == [303, 409]
    page = (await boss.get("/insurer/providers")).text
    [at] = re.findall(r'action="/insurer/providers/([0-9a-f-]{36})/people"', page)
    person = {"name": "韩工", "email": "han@huihe.example"}
    statuses = [(await boss.post(f"/insurer/providers/{at}/people", **person)).status_code for _ in range(2)]
    assert statuses == [303, 409]
    changed = await boss.post(f"/insurer/providers/{at}", name="浍河安全评价", email="b@huihe.example")
    assert changed.status_code == 303
    assert "已更正。" in (await boss.get(changed.headers["location"])).text
    shown = unescape((await handler.get("/insurer/providers")).text)
    assert "浍河安全评价" in shown
    assert "han@huihe.example" in shown
    assert "登记服务机构" not in shown
    form = (await handler.get(f"/insurer/policies/{policy}/name_provider?provider={PROVIDERS_OF_TOWN[1]}")).text
    assert 'value="浍河安全评价"' in form
    assert f'value="{PROVIDERS_OF_TOWN[1]}"' in form
    assert "韩工" not in (await boss.get("/insurer/people")).text


async def test_another_insurers_register_is_nobodys_here(
    town: Town, signed_in: SignedIn, assessor: Person, worker: Worker
):
    rival = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN, second=True)
    assert "服务机构J" not in (await rival.get("/insurer/providers")).text
    path = f"/insurer/providers/{assessor.provider_id}"
    assert (await rival.post(f"{path}/people", name="某", email="x@y.example")).status_code == 404
    assert (await rival.post(f"{path}/people/{assessor.user_id}", act="disable")).status_code == 404


async def test_whoever_of_a_provider_is_disabled_is_out_with_the_next_request(
    signed_in: SignedIn, assessor: Person, worker: Worker
):
    boss = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN)
    assert (await assessor.get("/provider")).status_code == 200
    path = f"/insurer/providers/{assessor.provider_id}/people/{assessor.user_id}"
    assert (await boss.post(path, act="disable")).status_code == 303
    assert (await assessor.get("/provider")).status_code == 303
    colleague = f"/insurer/providers/{assessor.provider_id}/people/{boss.user_id}"
    assert (await boss.post(colleague, act="disable")).status_code == 404, "the insurer's own people are not here"


async def test_an_address_is_refused_where_the_provider_has_it_already_and_nowhere_else(
    signed_in: SignedIn, assessor: Person, worker: Worker
):
    boss = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN)
    rival = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN, second=True)
    path = f"/insurer/providers/{assessor.provider_id}/people"
    assert (await rival.post("/insurer/people", name="对手", email="dui@rival.example")).status_code == 303
    for email in ("han@own.example", "dui@rival.example"):
        assert (await boss.post(path, name="某", email=email)).status_code == 303
        answer = await boss.post(path, name="某", email=email)
        assert answer.status_code == 409
        assert "这个邮箱在这家服务机构已经登记过" in answer.text
