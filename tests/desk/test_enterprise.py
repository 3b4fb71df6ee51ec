"""The enterprise's room: what is open by its day, the three acts, plans, ratings, history; nothing of anybody else."""

import asyncio
import io
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.insurer.doors import DOORS
from models.contracts.vocabulary import ActorKind, CaseKind, ServiceDimension
from tests.api.claiming import TERMS, done, losses, reported, victim
from tests.api.conftest import Caller, sample_file, terms, today
from tests.desk.conftest import Person, SignedIn, Town

EXAMPLES = {(door.kind, door.path): door.example for door in DOORS}


def photograph(colour: str = "olive", size: tuple[int, int] = (640, 480)) -> bytes:
    """A picture as a telephone takes it, with where it was."""
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).ellipse((200, 120, 440, 360), fill="orange")
    exif = Image.Exif()
    exif[0x0110] = "SECRET-CAMERA"
    exif.get_ifd(0x8825)[2] = (33.0, 38.0, 47.0)
    written = io.BytesIO()
    image.save(written, "JPEG", exif=exif)
    return written.getvalue()


@dataclass
class Works:
    """A policy with a plan, a visit and two hazards, as its insurer entered them."""

    insurer: Caller
    policy: str
    ordinary: str
    major: str
    visit: str

    async def hazard(self, case_id: str) -> dict[str, Any]:
        return (await self.insurer.get(f"/v1/hazards/{case_id}")).json()

    async def events(self, path: str) -> list[str]:
        return [one["event"] for one in (await self.insurer.get(f"/v1/{path}/timeline")).json()]


@pytest.fixture
async def works(town: Town, worker: Worker) -> Works:
    insurer = town.insurers[0]
    await sample_file(insurer)
    photo = await insurer.raw("/v1/files?name=现场.jpg", photograph("gray"), **{"Content-Type": "image/jpeg"})
    opened = await insurer.post("/v1/policies", terms(**TERMS))
    policy = opened.json()["id"]
    for path in ("upload", "provider", "plan"):
        answer = await insurer.post(f"/v1/policies/{policy}/{path}", EXAMPLES[CaseKind.POLICY, path](today()))
        assert answer.status_code == 200, answer.text
    visit = EXAMPLES[CaseKind.POLICY, "visits"](today())
    seen = {"digest": photo.json()["digest"], "name": "现场.jpg", "media_type": "image/jpeg"}
    plain = {"number": "H-1", "description": "可燃气体报警器超期未检定", "grade": "ordinary", "place": "罐区"}
    grave = {
        "number": "H-2",
        "description": "未设置紧急切断装置",
        "grade": "major",
        "criterion": "判定标准（试行）第五条",
    }
    visit["hazards"] = [plain | {"photographs": [seen]}, grave]
    answer = await insurer.post(f"/v1/policies/{policy}/visits", visit)
    assert answer.status_code == 200, answer.text
    listed = (await insurer.get(f"/v1/policies/{policy}/hazards")).json()["items"]
    ids = {one["number"]: one["id"] for one in listed}
    return Works(insurer, policy, ids["H-1"], ids["H-2"], visit["number"])


@pytest.fixture
async def enterprise(signed_in: SignedIn, works: Works) -> Person:
    return await signed_in(ActorKind.ENTERPRISE)


def jpeg(name: str = "现场.jpg", colour: str = "green") -> tuple[str, tuple[str, bytes, str]]:
    return "files", (name, photograph(colour), "image/jpeg")


async def test_what_is_open_stands_in_the_order_of_its_days_with_one_button_each(enterprise: Person, works: Works):
    page = await enterprise.get("/enterprise")
    assert page.status_code == 200
    for address in (f"hazards/{works.ordinary}", f"hazards/{works.major}", f"policies/{works.policy}/plan",
                    f"policies/{works.policy}/visits/{works.visit}"):  # fmt: skip
        assert page.text.count('class="button') >= 4
        assert f'href="/enterprise/{address}"' in page.text, address
    assert "还剩" in page.text
    assert "可燃气体报警器超期未检定" in page.text


async def test_a_hazard_shows_its_day_with_reasons_its_clause_and_its_photographs(enterprise: Person, works: Works):
    page = (await enterprise.get(f"/enterprise/hazards/{works.ordinary}")).text
    for said in ("可燃气体报警器超期未检定", "为什么是这一天", "<svg", "罐区", "申报整改完成", "提出异议", "依据"):
        assert said in page, said
    [address] = {part.split("?")[0] for part in page.split('src="/evidence/')[1:]}
    picture = await enterprise.get(f"/evidence/{address}")
    small = await enterprise.get(f"/evidence/{address}?small")
    assert picture.headers["content-type"] == small.headers["content-type"] == "image/jpeg"
    assert picture.headers["content-disposition"].startswith("attachment;"), "a whole file is saved, never opened"
    assert small.headers["content-disposition"] == "inline"
    assert "sandbox" in picture.headers["content-security-policy"]
    assert b"SECRET" not in picture.content
    assert len(small.content) <= 30 * 1024


async def test_rectification_is_claimed_with_photographs_once_however_often_it_is_sent(
    enterprise: Person, works: Works, admin: AsyncEngine
):
    path = f"/enterprise/hazards/{works.ordinary}"
    sent = {"deed": "claim_rectification", "note": "已更换并检定", "once": "pressed-twice"}
    for _ in range(2):
        answer = await enterprise.post(path, files=[jpeg(), jpeg("又一张.jpg", "teal")], **sent)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=claim_rectification")
    assert (await works.hazard(works.ordinary))["stage"] == "claimed"
    assert (await works.events(f"hazards/{works.ordinary}")).count("rectification_claimed") == 1
    page = (await enterprise.get(f"{path}?done=claim_rectification")).text
    assert "已经提交" in page
    assert "等待保险机构复核" in page
    assert 'value="claim_rectification"' not in page
    async with admin.connect() as connection:
        steps = await connection.execute(text("SELECT actor_id FROM steps WHERE command_name = 'ClaimRectification'"))
        assert list(steps.scalars()) == [str(enterprise.recipient_id)]


async def test_an_objection_and_a_request_for_time_wait_for_the_insurer(enterprise: Person, works: Works):
    path = f"/enterprise/hazards/{works.ordinary}"
    asked = await enterprise.post(path, deed="ask_more_time", days="3", note="等待配件到货")
    objected = await enterprise.post(path, deed="object", note="该报警器上月已检定")
    assert (asked.status_code, objected.status_code) == (303, 303)
    page = (await enterprise.get(path)).text
    assert "已申请延期" in page
    assert "已提出异议" in page
    assert "申报整改完成" in page
    hazard = await works.hazard(works.ordinary)
    assert hazard["more_time"]["days"] == 3
    assert hazard["objection"]["reason"] == "该报警器上月已检定"


async def test_a_form_that_lacks_something_comes_back_with_its_words_and_its_files(enterprise: Person, works: Works):
    path = f"/enterprise/hazards/{works.ordinary}"
    page = await enterprise.post(path, files=[jpeg("整改后.jpg")], deed="claim_rectification", note="")
    assert page.status_code == 422
    assert "✓ 整改后.jpg" in page.text
    kept = page.text.split('name="kept" value="')[1].split('"')[0]
    again = await enterprise.post(path, deed="claim_rectification", note="补写说明", kept=kept)
    assert again.status_code == 303
    forged = await enterprise.post(
        f"/enterprise/hazards/{works.major}", deed="claim_rectification", note="伪造", kept=kept[:-8] + "AAAAAAAA"
    )
    assert forged.status_code == 422


async def test_a_bad_file_is_named_and_the_good_one_is_kept(enterprise: Person, works: Works):
    bad = ("files", ("坏.jpg", photograph()[:900], "image/jpeg"))
    page = await enterprise.post(
        f"/enterprise/hazards/{works.ordinary}", files=[jpeg("好.jpg"), bad], deed="claim_rectification", note="好了"
    )
    assert page.status_code == 422
    assert "✓ 好.jpg" in page.text
    assert "坏.jpg：" in page.text
    assert "无法读取" in page.text
    assert (await works.hazard(works.ordinary))["stage"] == "found"


async def test_the_plan_is_confirmed_and_the_service_rated_once(enterprise: Person, works: Works):
    plan, visit = (
        f"/enterprise/policies/{works.policy}/plan",
        f"/enterprise/policies/{works.policy}/visits/{works.visit}",
    )
    assert (await enterprise.post(plan, deed="confirm_plan", note="")).status_code == 303
    assert "已同意这份计划" in (await enterprise.get(plan)).text
    stars = {"attitude": "5", "professionalism": "4", "timeliness": "3"}
    half = await enterprise.post(visit, deed="rate_service", attitude="5")
    assert half.status_code == 422
    assert (await enterprise.post(visit, deed="rate_service", note="很认真", **stars)).status_code == 303
    twice = await enterprise.post(visit, deed="rate_service", **stars)
    assert twice.status_code == 422
    page = (await enterprise.get(visit)).text
    assert "★★★☆☆" in page
    order = [[text.index(f">{one.label}</") for one in ServiceDimension] for text in (half.text, page)]
    assert order == [sorted(one) for one in order], "the result in the order of the form"
    assert "很认真" in page
    board = (await enterprise.get("/enterprise")).text
    assert "评价服务" not in board
    assert "确认服务计划" not in board


async def test_the_history_tells_what_was_done_page_by_page(enterprise: Person, works: Works):
    await enterprise.post(f"/enterprise/policies/{works.policy}/plan", deed="confirm_plan")
    await enterprise.post(f"/enterprise/hazards/{works.major}", deed="confirm_told")
    first = (await enterprise.get("/enterprise/history?limit=1")).text
    assert "书面告知投保单位" in first
    following = first.split("cursor=")[1].split('"')[0]
    second = (await enterprise.get(f"/enterprise/history?limit=1&cursor={following}")).text
    assert "投保单位确认计划" in second
    assert "书面告知投保单位" not in second


async def test_a_claim_shows_how_far_it_is_and_nobody_who_was_hurt(enterprise: Person, works: Works):
    claim_id = await reported(works.insurer, works.policy)
    ref = await victim(works.insurer, claim_id)
    await done(works.insurer, claim_id, "survey")
    await done(works.insurer, claim_id, "assessment", {"lines": losses(ref)})
    page = (await enterprise.get("/enterprise")).text
    assert "C-1" in page
    assert "尚未核定" in page
    assert "张某" not in page
    await done(works.insurer, claim_id, "determination")
    assert "102,000.00 元" in (await enterprise.get("/enterprise")).text
    assert (await enterprise.get(f"/evidence/{claim_id}/{await sample_file(works.insurer)}")).status_code == 404


async def test_another_enterprise_sees_and_does_nothing_here(
    signed_in: SignedIn, enterprise: Person, works: Works, admin: AsyncEngine
):
    stranger = await signed_in(ActorKind.ENTERPRISE, second=True)
    assert "目前没有要办的事项" in (await stranger.get("/enterprise")).text
    page = (await enterprise.get(f"/enterprise/hazards/{works.ordinary}")).text
    photo = page.split('src="/evidence/')[1].split("?")[0]
    absent = "00000000-0000-0000-0000-000000000001"
    for path in (f"/enterprise/hazards/{works.ordinary}", f"/enterprise/policies/{works.policy}/plan",
                 f"/enterprise/policies/{works.policy}/visits/{works.visit}", f"/evidence/{photo}",
                 f"/enterprise/hazards/{works.policy}", f"/enterprise/hazards/{absent}"):  # fmt: skip
        assert (await stranger.get(path)).status_code == 404, path
    before = await works.events(f"hazards/{works.ordinary}")
    for deed in ("claim_rectification", "object", "confirm_told"):
        answer = await stranger.post(
            f"/enterprise/hazards/{works.ordinary}", files=[jpeg()], deed=deed, note="不是我的"
        )
        assert answer.status_code == 404
    assert await works.events(f"hazards/{works.ordinary}") == before
    async with admin.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM files"))).scalar_one() == 2


async def test_files_of_a_case_go_to_whom_the_case_is_shown_and_as_documents_to_be_saved(
    signed_in: SignedIn, enterprise: Person, works: Works
):
    digest = await sample_file(works.insurer)
    for kind, second, status in (
        (ActorKind.INSURER, False, 200), (ActorKind.INSURER, True, 404), (ActorKind.DEPARTMENT, False, 200),
        (ActorKind.DEPARTMENT, True, 404), (ActorKind.ENTERPRISE, False, 200), (ActorKind.ENTERPRISE, True, 404),
        (ActorKind.OPERATOR, False, 403),
    ):  # fmt: skip
        person = await signed_in(kind, second=second)
        answer = await person.get(f"/evidence/{works.policy}/{digest}")
        assert answer.status_code == status, (kind, second)
        if status == 200:
            assert answer.headers["content-disposition"].startswith("attachment")
        for address in (f"{works.policy}/{'0' * 64}", f"{works.ordinary}/{digest}"):
            assert (await person.get(f"/evidence/{address}")).status_code in {404, status}, (kind, second)
            assert (await person.get(f"/evidence/{address}")).status_code != 200


async def test_nobody_acts_without_a_session_or_from_another_site(enterprise: Person, works: Works, stranger: Any):
    path = f"/enterprise/hazards/{works.ordinary}"
    assert (await stranger.get(path)).headers["location"].startswith("/enter?next=")
    assert (await stranger.post(path, data={"deed": "confirm_told"})).status_code == 303
    foreign = await enterprise.http.post(path, data={"deed": "confirm_told", "_token": enterprise.form_token},
                                         headers={"Sec-Fetch-Site": "cross-site"})  # fmt: skip
    unsigned = await enterprise.http.post(path, data={"deed": "confirm_told"})
    assert (foreign.status_code, unsigned.status_code) == (403, 403)
    for deed in ("acknowledge", "confirm_plan", "pay", ""):
        assert (await enterprise.post(path, deed=deed)).status_code == 400
    assert (await works.hazard(works.ordinary))["stage"] == "found"


async def test_two_browsers_at_once_count_as_one(enterprise: Person, works: Works):
    path = f"/enterprise/hazards/{works.ordinary}"
    answers = await asyncio.gather(
        *(
            enterprise.post(path, files=[jpeg()], deed="claim_rectification", note="好了", once=f"k{n}")
            for n in range(4)
        )
    )
    assert sorted(answer.status_code for answer in answers)[0] == 303
    assert {answer.status_code for answer in answers} <= {303, 422}
    assert (await works.events(f"hazards/{works.ordinary}")).count("rectification_claimed") == 1
