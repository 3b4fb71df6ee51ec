"""What a link lets its holder do: objections, more time, ratings, handing on; codes before what has legal effect."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from api import gateway
from api.portal import pages
from api.portal.codes import TRIES
from api.problems import try_later
from api.tools import Tools
from api.words import ProblemCode
from domain import wording
from models.contracts.vocabulary import AskedFor, CaseKind, LinkPurpose, NoticeKind, Role
from tests.api.conftest import department, today
from tests.portal.conftest import EXAMPLES, Letters, picture
from tests.portal.test_links import HAZARD, SAME, begin_claim, claim, deed, legal, parts, plain


async def events(letters: Letters, of: str) -> list[str]:
    return [one["event"] for one in (await letters.insurer.get(f"/v1/{of}/timeline")).json()]


async def test_an_objection_takes_a_code_and_more_time_takes_none(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(*HAZARD)
    assert (await deed(http, path, "ask_more_time", "等待配件", days="3")).status_code == 303
    assert (await legal(letters, http, path, "object", "上月已检定")).status_code == 303
    page = (await http.get(path)).text
    assert "已申请延期" in page
    assert "已提出异议" in page
    happened = await events(letters, f"hazards/{letters.hazard_id}")
    assert {"more_time_asked", "hazard_objected"} <= set(happened)
    assert await letters.stage() == "told"


async def test_a_refusal_of_the_case_is_told_beside_the_form_with_its_clause_and_what_was_typed_stays(
    letters: Letters, http: AsyncClient
) -> None:
    path = await letters.link(*HAZARD)
    page = await deed(http, path, "ask_more_time", "等待配件很久", days="60")
    assert page.status_code == 422
    told = page.text.partition("最多还可延期")[2].partition("</p>")[0]
    assert re.search(r'<span class="source">.+</span>', told), told
    assert "等待配件很久" in page.text
    assert (await deed(http, path, "ask_more_time", "等待配件", days="3")).status_code == 303


async def test_a_service_is_rated_once_by_the_link_in_its_letter(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(NoticeKind.SERVICE_RATING, Role.INSURED)
    assert (await http.get(path)).text.count('type="radio"') == 15
    stars = {"attitude": "5", "professionalism": "4", "timeliness": "5"}
    assert (await deed(http, path, "rate_service", attitude="6")).status_code == 422
    for _ in range(2):
        assert (await deed(http, path, "rate_service", "很好", **stars)).status_code == 303
    assert (await events(letters, f"policies/{letters.policy_id}")).count("service_rated") == 1
    assert "本单位的评价" in (await http.get(path)).text


async def test_a_department_hands_the_matter_on_to_another_one(letters: Letters, http: AsyncClient) -> None:
    other = await department(http, letters.admin, "341302", "埇桥区应急管理局")
    path = await letters.tell_department()
    assert "埇桥区应急管理局" in (await http.get(path)).text
    assert (await deed(http, path, "pass_on", "按属地办理")).status_code == 422
    answer = await legal(letters, http, path, "pass_on", "按属地办理", to="341302|埇桥区应急管理局")
    assert answer.status_code == 303
    assert "duty_passed_on" in await events(letters, f"policies/{letters.policy_id}")
    assert other.id


async def test_the_code_is_asked_for_once_and_what_was_handed_in_is_kept(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(*HAZARD)
    asked = await begin_claim(http, path, "已更换")
    assert "验证码已发送到登记邮箱" in asked.text
    assert "✓ 现场.png" in asked.text
    again = await http.post(path, data=parts(asked.text), headers=SAME)
    assert "验证码已经发送" in again.text
    assert await letters.count("asked_letters") == 1
    anew = await http.post(path, data=parts(asked.text) | {"again": "1"}, headers=SAME)
    assert "✓ 现场.png" in anew.text
    assert await letters.count("asked_letters") == 2
    assert await letters.stage() == "found"
    done = await http.post(path, data=parts(anew.text) | {"code": await letters.code()}, headers=SAME)
    assert done.status_code == 303
    assert await letters.stage() == "claimed"


async def test_guessing_codes_ends_after_a_few_tries(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(*HAZARD)
    sent, right = parts((await begin_claim(http, path)).text), await letters.code()
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    for _ in range(TRIES):
        answer = await http.post(path, data=sent | {"code": wrong}, headers=SAME)
        assert (answer.status_code, "验证码不正确" in answer.text) == (422, True)
    assert (await http.post(path, data=sent | {"code": right}, headers=SAME)).status_code == 422
    assert await letters.stage() == "found"


async def test_the_code_of_one_link_opens_no_other(letters: Letters, http: AsyncClient) -> None:
    path, plan = await letters.link(*HAZARD), await letters.link(NoticeKind.PLAN_CONFIRMATION, Role.INSURED)
    sent = parts((await begin_claim(http, path)).text)
    assert (await http.post(plan, data=sent | {"code": await letters.code()}, headers=SAME)).status_code == 409
    async with letters.admin.begin() as connection:
        await connection.execute(
            text("UPDATE asked_letters SET link_id = (SELECT id FROM links WHERE purpose = 'plan')")
        )
    assert (await http.post(path, data=sent | {"code": await letters.code()}, headers=SAME)).status_code == 422
    assert await letters.stage() == "found"


async def test_files_of_another_link_cannot_be_named(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(*HAZARD)
    kept = parts((await begin_claim(http, path)).text)["kept"]
    body = {"deed": "object", "note": "见照片", "kept": kept}
    assert "✓ 现场.png" in (await http.post(path, data=body, headers=SAME)).text
    for forged in (kept[:-4] + "AAAA", kept[:10], "x", "图"):
        answer = await http.post(path, data=body | {"kept": forged}, headers=SAME)
        assert "✓" not in answer.text
    office = await letters.tell_department()
    answer = await http.post(office, data={"deed": "answer", "note": "见", "kept": kept}, headers=SAME)
    assert "✓" not in answer.text


async def test_what_is_no_picture_is_named_and_nothing_of_it_is_kept(letters: Letters, http: AsyncClient) -> None:
    path, before = await letters.link(*HAZARD), await letters.count("files")
    whole = picture()
    strange = {
        "网页.jpg": b"<html><script>alert(1)</script></html>",
        "图.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "两样.jpg": b"\xff\xd8\xff\xe0<html><script>alert(1)</script>" + b"\xff\xd9",
        "断.png": whole[: len(whole) // 2],
        "包.ofd": b"PK\x03\x04" + b"\0" * 400,
        "太大.pdf": b"%PDF-1.7" + b" " * (21 * 1024 * 1024) + b"%%EOF",
    }
    for name, content in strange.items():
        files = [("files", (name, content, "image/jpeg" if name.endswith("jpg") else ""))]
        answer = await http.post(path, data={"deed": "claim_rectification", "note": "好"}, files=files, headers=SAME)
        assert (answer.status_code, f"{name}：" in answer.text) == (422, True), name
        assert "<script>alert" not in answer.text
    polyglot = ("files", ("夹带.png", whole + b"PK\x03\x04<script>SECRET</script>", "image/png"))
    answer = await http.post(path, data={"deed": "claim_rectification", "note": "好"}, files=[polyglot], headers=SAME)
    assert answer.status_code == 200
    assert await letters.count("files") == before + 1
    for kept in letters.tools.files.rglob("*"):
        assert kept.is_dir() or b"SECRET" not in kept.read_bytes()
    assert await letters.stage() == "found"


async def test_pictures_are_given_out_by_the_link_of_their_case_alone(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(*HAZARD)
    await claim(letters, http, path)
    page = (await http.get(path)).text
    addresses = re.findall(rf'href="({path}/evidence/[0-9a-f]{{64}})"><img', page)
    assert len(addresses) == 1
    answer = await http.get(addresses[0])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-disposition"].startswith("attachment;"), "the page itself shows it small"
    assert (await http.get(f"{addresses[0]}?small")).headers["content-type"] == "image/jpeg"
    digest = addresses[0][-64:]
    office = await letters.tell_department()
    for other in (f"/l/{'A' * 43}/evidence/{digest}", f"{office}/evidence/{digest}", f"{path}/evidence/{'0' * 64}",
                  f"{path[:-1]}/evidence/{digest}"):  # fmt: skip
        assert (await http.get(other)).status_code == 404, other


async def test_a_thousand_scanners_do_nothing_and_then_the_first_post_counts(
    letters: Letters, http: AsyncClient
) -> None:
    path = await letters.link(*HAZARD)
    before = await letters.count("steps")
    for _ in range(500):
        await http.head(path)
        await http.options(path)
    for _ in range(20):
        await http.get(path)
    assert (await letters.count("steps"), await letters.count("link_uses")) == (before, 0)
    assert await letters.count("asked_letters") == 0
    assert (await deed(http, path, "confirm_told")).status_code == 303
    assert await letters.count("steps") == before + 1


async def test_a_dead_link_has_a_fresh_one_mailed_and_says_the_same_to_everybody(
    letters: Letters, http: AsyncClient
) -> None:
    path = await letters.link(*HAZARD)
    async with letters.admin.begin() as connection:
        await connection.execute(text("UPDATE links SET expires_at = :at"), {"at": datetime.now(UTC) - timedelta(1)})
    assert "重新发送链接" in (await http.get(path)).text
    answers = [await deed(http, one, "fresh") for one in (path, path, "/l/" + "A" * 43, path[:-1], path.swapcase())]
    assert {answer.status_code for answer in answers} <= {200, 404}
    assert [answer.status_code for answer in answers[:4]] == [200] * 4
    said = {plain(answer) for answer in answers[:4]}
    assert len(said) == 1
    async with letters.admin.connect() as connection:
        asked = (await connection.execute(text("SELECT asked_for FROM asked_letters"))).scalars().all()
    assert asked == [AskedFor.FRESH_LINK]


async def test_from_one_matter_a_code_leads_to_all_of_them(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(*HAZARD)
    asked = await deed(http, path, "room")
    assert (asked.status_code, asked.headers["location"]) == (303, "/enter/code/check")
    typed = {"code": await letters.code()}
    came = await http.post("/enter/code/check", data=typed, headers=SAME)
    assert (came.status_code, came.headers["location"]) == (303, "/enterprise")
    page = await http.get("/enterprise")
    assert page.status_code == 200
    assert "H-001" in page.text


@pytest.mark.parametrize("purpose", LinkPurpose)
async def test_one_link_offers_the_acts_of_its_purpose_and_no_other(
    letters: Letters, http: AsyncClient, purpose: LinkPurpose
) -> None:
    kinds = {
        LinkPurpose.RECTIFICATION: (HAZARD, {"claim_rectification", "object", "ask_more_time", "confirm_told"}),
        LinkPurpose.PLAN: ((NoticeKind.PLAN_CONFIRMATION, Role.INSURED), {"confirm_plan"}),
        LinkPurpose.RATING: ((NoticeKind.SERVICE_RATING, Role.INSURED), {"rate_service"}),
        LinkPurpose.DEPARTMENT: (None, {"acknowledge", "take_over", "answer", "pass_on"}),
    }
    told, offered = kinds[purpose]
    path = await letters.link(*told) if told else await letters.tell_department()
    page = (await http.get(path)).text
    assert set(re.findall(r'name="deed" value="([a-z_]+)"', page)) == offered | {"room"}
    everything = set().union(*(acts for _, acts in kinds.values()))
    for act in sorted(everything - offered):
        files = [("files", ("现场.png", picture(), "image/png"))]
        answer = await http.post(path, data={"deed": act, "note": "越权"}, files=files, headers=SAME)
        assert answer.status_code == 409, act
    assert await letters.count("link_uses") == 0


async def test_after_the_recheck_the_new_letter_offers_it_again(letters: Letters, http: AsyncClient) -> None:
    await claim(letters, http, await letters.link(*HAZARD))
    recheck = EXAMPLES[CaseKind.HAZARD, "recheck"](today()) | {"passed": False, "note": "仍有泄漏"}
    assert (await letters.insurer.post(f"/v1/hazards/{letters.hazard_id}/recheck", recheck)).status_code == 200
    path = await letters.link(NoticeKind.RECHECK_RESULT, Role.INSURED)
    page = (await http.get(path)).text
    assert "仍有泄漏" in page
    assert 'value="claim_rectification"' in page


async def test_an_act_whose_answer_was_lost_has_used_its_link_and_a_fresh_one_is_for_the_next_round(
    letters: Letters, http: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await letters.link(*HAZARD)

    async def lost(tools: Tools, *asked: Any) -> None:
        await gateway.act(tools, *asked)
        raise try_later(ProblemCode.OUTCOME_UNKNOWN, 1)

    monkeypatch.setattr(pages, "act", lost)
    assert (await claim(letters, http, path)).status_code == 503
    monkeypatch.undo()
    assert (await letters.stage(), await letters.count("link_uses")) == ("claimed", 0)
    recheck = EXAMPLES[CaseKind.HAZARD, "recheck"](today()) | {"passed": False, "note": "仍有泄漏"}
    assert (await letters.insurer.post(f"/v1/hazards/{letters.hazard_id}/recheck", recheck)).status_code == 200
    page = (await http.get(path)).text
    async with letters.admin.connect() as connection:
        at = (await connection.execute(text("SELECT at FROM commands WHERE command_id LIKE 'link:%'"))).scalar_one()
        used = "SELECT notice_id FROM links JOIN link_uses ON id = link_id"
        told = (await connection.execute(text(f"SELECT * FROM outbox WHERE id = ({used})"))).one()
    assert f"申报整改完成（{wording.instant(at)}）" in page
    assert 'value="claim_rectification"' not in page
    assert (told.status, told.acknowledged_at) == ("acknowledged", at)
    assert "重新发送链接" in page
    assert (await deed(http, path, "fresh")).status_code == 200
    assert await letters.count("asked_letters WHERE asked_for = 'fresh_link'") == 1
    fresh = await letters.link(NoticeKind.RECHECK_RESULT, Role.INSURED)
    assert (await claim(letters, http, fresh)).status_code == 303
    assert await letters.stage() == "claimed"
