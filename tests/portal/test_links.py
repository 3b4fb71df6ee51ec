"""The page behind a mailed link, over HTTP: GET shows, POST acts once, dead links tell nothing."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import text

from api.denials import SPELT_OUT
from models.contracts.vocabulary import CaseKind, NoticeKind, Role
from tests.alike import steady
from tests.api.conftest import today
from tests.portal.conftest import EXAMPLES, Letters, picture

HAZARD = (NoticeKind.HAZARD_NOTICE, Role.INSURED)
SAME = {"Sec-Fetch-Site": "same-origin"}


def parts(page: str) -> dict[str, str]:
    """The hidden fields of the page's form, as a browser sends them back."""
    found = _Hidden()
    found.feed(page)
    return found.fields


class _Hidden(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "input" and named.get("type") == "hidden" and named["name"] not in {"next", "_token"}:
            self.fields[str(named["name"])] = named.get("value") or ""


def plain(answer: Response) -> str:
    """A page without what differs between any two, and without the address that was asked for."""
    return steady(answer.text).replace(str(answer.request.url.path), "")


async def begin_claim(http: AsyncClient, path: str, note: str = "已更换报警器并检定") -> Response:
    """The first of two steps: the form itself. The answer asks for the code."""
    files = [("files", ("现场.png", picture(), "image/png"))]
    return await http.post(path, data={"deed": "claim_rectification", "note": note}, files=files, headers=SAME)


async def claim(letters: Letters, http: AsyncClient, path: str) -> Response:
    """Both steps: the form, then the code that was mailed."""
    asked = await begin_claim(http, path)
    assert asked.status_code == 200, asked.text
    return await http.post(path, data=parts(asked.text) | {"code": await letters.code()}, headers=SAME)


async def deed(http: AsyncClient, path: str, name: str, note: str = "", **more: str) -> Response:
    return await http.post(path, data={"deed": name, "note": note, **more}, headers=SAME)


async def legal(letters: Letters, http: AsyncClient, path: str, name: str, note: str, **more: str) -> Response:
    """An act with legal effect, its code typed."""
    asked = await deed(http, path, name, note, **more)
    assert asked.status_code == 200, asked.text
    return await http.post(path, data=parts(asked.text) | {"code": await letters.code()}, headers=SAME)


async def test_the_enterprise_reads_what_where_until_when_and_by_which_clause(
    letters: Letters, http: AsyncClient
) -> None:
    page = await http.get(await letters.link(*HAZARD))
    assert page.status_code == 200
    for said in ("H-001", "宿州皖北精细化工有限公司", "甲保险公司", "安徽省宿州市", "24:00 前", "还剩", "申报整改完成"):
        assert said in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]


@pytest.mark.parametrize("ends", ["24:00", "14:30"])
async def test_a_settled_matter_is_told_with_the_hour_its_term_ended(
    letters: Letters, http: AsyncClient, ends: str
) -> None:
    due_at = {"24:00": "2024-03-09T00:00:00+08:00", "14:30": "2024-03-08T14:30:00+08:00"}[ends]
    path = await letters.tell_department()
    about = {"duty_key": "met", "effective": "2024-03-08", "due_at": due_at}
    settle = text("UPDATE outbox SET about = about || CAST(:about AS jsonb) WHERE to_role = 'emergency'")
    async with letters.admin.begin() as connection:
        await connection.execute(settle, {"about": json.dumps(about)})
        await connection.execute(text("UPDATE links SET duty_key = 'met'"))
    page = (await http.get(path)).text
    assert "该事项已经办结" in page
    assert f"2024年3月8日（周五）{ends} 前" in page


async def test_looking_a_hundred_times_changes_nothing(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(*HAZARD)
    before = await letters.count("steps")
    for _ in range(50):
        await http.get(path, headers={"Sec-Purpose": "prefetch"})
        assert (await http.head(path)).content == b""
    assert await letters.count("steps") == before
    assert await letters.count("link_uses") == 0
    assert await letters.stage() == "found"


async def test_a_case_whose_rule_file_is_missing_is_told_as_such_and_nothing_is_done(
    letters: Letters, http: AsyncClient
) -> None:
    paths = [await letters.link(*HAZARD), await letters.tell_department()]
    lost = json.dumps([{"region": "341300", "in_force_on": "2024-01-01", "digest": "0badc0ffee00d"}])
    async with letters.admin.begin() as connection:
        await connection.execute(text("UPDATE cases SET packs = CAST(:lost AS jsonb)"), {"lost": lost})
    for path in paths:
        answers = (await http.get(path), await http.post(path, data={"deed": "acknowledge"}, headers=SAME))
        for page in answers:
            assert (page.status_code, page.headers["retry-after"]) == (503, "300"), path
            assert "341300 · 2024-01-01 · 0badc0ffee00…" in page.text
            assert page.headers["referrer-policy"] == "no-referrer"
    assert await letters.count("link_uses") == 0


async def test_a_claimed_rectification_reaches_the_case_with_its_photograph(
    letters: Letters, http: AsyncClient
) -> None:
    path = await letters.link(*HAZARD)
    answer = await claim(letters, http, path)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert await letters.stage() == "claimed"
    page = (await http.get(path)).text
    assert "已办理：申报整改完成" in page
    assert 'value="claim_rectification"' not in page
    timeline = (await letters.insurer.get(f"/v1/hazards/{letters.hazard_id}/timeline")).json()
    [line] = [line for line in timeline if line["event"] == "rectification_claimed"]
    assert line["by"] == "宿州皖北精细化工有限公司"


async def test_of_fifty_posts_at_once_one_counts_and_all_see_that_it_is_done(
    letters: Letters, http: AsyncClient
) -> None:
    path = await letters.link(*HAZARD)
    asked = parts((await begin_claim(http, path)).text) | {"code": await letters.code()}
    before = await letters.count("steps")
    answers = await asyncio.gather(*(http.post(path, data=asked, headers=SAME) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {303}
    assert await letters.count("link_uses") == 1
    assert await letters.count("steps") == before + 1
    assert await letters.count("files") == 2


async def test_told_is_confirmed_once_and_the_notice_counts_as_acknowledged(
    letters: Letters, http: AsyncClient
) -> None:
    path = await letters.link(*HAZARD)
    for _ in range(2):
        assert (await deed(http, path, "confirm_told")).status_code == 303
    assert await letters.stage() == "told"
    async with letters.admin.connect() as connection:
        found = await connection.execute(text("SELECT status FROM outbox WHERE kind = 'hazard_notice'"))
    assert "acknowledged" in {row.status for row in found}


async def test_the_enterprise_confirms_the_plan(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(NoticeKind.PLAN_CONFIRMATION, Role.INSURED)
    assert (await deed(http, path, "confirm_plan", "同意")).status_code == 303
    read = await letters.insurer.get(f"/v1/policies/{letters.policy_id}/timeline")
    assert "plan_confirmed" in {line["event"] for line in read.json()}


async def test_a_department_acknowledges_takes_over_and_answers(letters: Letters, http: AsyncClient) -> None:
    path = await letters.tell_department()
    assert "接手处理" in (await http.get(path)).text
    for name in ("acknowledge", "take_over"):
        assert (await deed(http, path, name)).status_code == 303, name
    assert (await legal(letters, http, path, "answer", "已约谈")).status_code == 303
    events = (await letters.insurer.get(f"/v1/policies/{letters.policy_id}/timeline")).json()
    heard = {"duty_acknowledged", "duty_taken_over", "department_answered"}
    assert heard <= {line["event"] for line in events}
    assert {line["by"] for line in events if line["event"] in heard} == {"宿州市应急管理局"}


async def test_every_dead_link_gets_the_same_page(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(*HAZARD)
    never = await http.get("/l/" + "A" * 43)
    odd = [await http.get(f"/l/{written}") for written in ("x", path[3:-1], path[3:].swapcase(), path[3:] + "A")]
    async with letters.admin.begin() as connection:
        await connection.execute(text("UPDATE links SET expires_at = :at"), {"at": datetime.now(UTC) - timedelta(1)})
    expired = [await http.get(path), await begin_claim(http, path)]
    for page in (never, *odd, *expired):
        assert page.status_code == 404
        assert plain(page) == plain(never)
    assert await letters.stage() == "found"
    flood = [await http.get("/l/" + "B" * 43) for _ in range(20)]
    assert {page.status_code for page in flood} == {404}
    async with letters.admin.connect() as connection:
        tried = await connection.execute(text("SELECT object_id FROM audit WHERE what = 'link_opened_dead'"))
    assert sha256(b"A" * 43).hexdigest()[:16] in (ids := tried.scalars().all())
    assert len(ids) == SPELT_OUT, "the rest of a flood is counted, not spelt out"


async def test_a_link_dies_with_its_hazard(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(*HAZARD)
    await claim(letters, http, path)
    recheck = EXAMPLES[CaseKind.HAZARD, "recheck"](today())
    assert (await letters.insurer.post(f"/v1/hazards/{letters.hazard_id}/recheck", recheck)).status_code == 200
    assert (await http.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("site", "origin", "status"),
    [
        ("cross-site", None, 403),
        ("same-site", None, 403),
        (None, "https://evil.example", 403),
        (None, None, 303),
        (None, "http://anze.test", 303),
    ],
)
async def test_only_our_own_page_may_post(
    letters: Letters, http: AsyncClient, site: str | None, origin: str | None, status: int
) -> None:
    sent = {"Sec-Fetch-Site": site, "Origin": origin}
    headers = {name: value for name, value in sent.items() if value}
    path = await letters.link(*HAZARD)
    answer = await http.post(path, data={"deed": "confirm_told"}, headers=headers)
    assert answer.status_code == status


async def test_bad_forms_are_refused_in_chinese_and_change_nothing(letters: Letters, http: AsyncClient) -> None:
    path = await letters.link(*HAZARD)
    page = ("files", ("x.html", b"<script>alert(1)</script>", "image/png"))
    tries = {
        "no file": (422, {"data": {"deed": "claim_rectification", "note": "好了"}}),
        "no note": (422, {"data": {"deed": "claim_rectification"}, "files": [("files", ("a.png", picture(), ""))]}),
        "not a picture": (422, {"data": {"deed": "claim_rectification", "note": "好了"}, "files": [page]}),
        "unknown deed": (400, {"data": {"deed": "pay"}}),
        "no deed": (400, {"data": {}}),
        "not offered": (409, {"data": {"deed": "take_over"}}),
        "too many files": (400, {"data": {"deed": "claim_rectification", "note": "好"}, "files": [page] * 20}),
        "broken form": (400, {"content": b"\x00", "headers": {"Content-Type": "multipart/form-data"}}),
    }
    for name, (status, sent) in tries.items():
        headers = SAME | dict(sent.pop("headers", {}))
        answer = await http.post(path, headers=headers, **sent)
        assert answer.status_code == status, (name, answer.text)
        assert 'lang="zh-CN"' in answer.text
        assert "<script>alert" not in answer.text
    assert await letters.stage() == "found"
    assert await letters.count("link_uses") == 0
