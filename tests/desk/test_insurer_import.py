"""A workbook is checked on a page, imported beside the requests, and given back with what is wrong at its cell."""

import asyncio
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from openpyxl import Workbook, load_workbook
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.portfolio.parcels import planned
from api.portfolio.reading import portfolio_of
from api.rows import USERS
from models.contracts.vocabulary import ActorKind, Post
from tests.api.conftest import terms
from tests.desk.conftest import Person, SignedIn, Town, disable
from tests.runtime.waiting import PATIENCE

HEADINGS = (
    *("保单号", "地区代码", "行业", "规模", "签署时间", "生效日期", "届满日期", "保费总额", "从业人数", "投保人数"),
    *("每人限额", "服务项目", "年服务次数", "备案条款", "投保单位", "统一社会信用代码", "邮箱", "保险机构代码"),
)
GOOD = terms()


@pytest.fixture
async def handler(signed_in: SignedIn) -> Person:
    return await signed_in(ActorKind.INSURER, Post.INSURER_HANDLER)


def row(number: str, **changed: Any) -> list[Any]:
    given, insured = {**GOOD["terms"], **changed}, GOOD["insured"]
    return [
        number, given["region"], "危险化学品", "中型", given["signed_at"], given["effective_on"], given["expires_on"],
        given["premium_total"], given["headcount"], given["insured_headcount"], given["limit_per_person"],
        "生产安全事故隐患排查", 2, given["filed_clause"], insured["name"], insured["credit_code"], insured["email"],
        changed.get("insurer", ""),
    ]  # fmt: skip


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADINGS)
    for one in rows:
        sheet.append(one)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


async def uploaded(person: Person, content: bytes, name: str = "保单.xlsx") -> Response:
    return await person.post("/insurer/import", files={"file": (name, content)})


async def checked(person: Person, content: bytes) -> str:
    """The address of a job whose rows were all looked at."""
    answer = await uploaded(person, content)
    assert answer.status_code == 303, answer.text
    await settled(person, answer.headers["location"], "检查完毕")
    return answer.headers["location"]


async def settled(person: Person, address: str, words: str) -> str:
    async with asyncio.timeout(PATIENCE):
        while words not in (page := (await person.get(address)).text):
            await asyncio.sleep(0.05)
    return page


async def numbers(town: Town, second: bool = False) -> list[str]:
    listed = (await town.insurers[second].get("/v1/policies")).json()["items"]
    return sorted(one["number"] for one in listed)


async def test_nothing_is_opened_before_somebody_has_seen_what_is_wrong(town: Town, handler: Person) -> None:
    address = await checked(handler, workbook(row("I-1"), row("I-2", premium_total="很多"), row("I-3", insurer="别家")))
    page = (await handler.get(address)).text
    assert "导入检查通过的 1 行" in page
    assert "保费总额</span>：<span>不是有效的金额，以元为单位，最多两位小数，例如 1200.50</span>" in page
    assert "不是本机构的保单" in page
    assert await numbers(town) == []


async def test_what_passed_is_opened_and_the_file_comes_back_with_comments(
    town: Town, handler: Person, worker: Worker
) -> None:
    address = await checked(handler, workbook(row("I-1"), row("I-2", premium_total="很多"), row("I-4")))
    assert (await handler.post(address)).status_code == 303
    await settled(handler, address, "导入完毕")
    assert await numbers(town) == ["I-1", "I-4"]
    sheet = load_workbook(BytesIO((await handler.get(f"{address}/result.xlsx")).content)).worksheets[0]
    assert [sheet.cell(line, len(HEADINGS) + 1).value for line in (2, 3, 4)] == ["已建档", "未通过", "已建档"]
    blamed = sheet.cell(3, HEADINGS.index("保费总额") + 1)
    assert blamed.comment is not None
    assert blamed.comment.text == "不是有效的金额，以元为单位，最多两位小数，例如 1200.50"


async def test_a_repeat_opens_nothing_twice(town: Town, handler: Person, worker: Worker) -> None:
    content = workbook(row("I-1"), row("I-2"))
    for said in ("已建档", "此前已导入"):
        address = await checked(handler, content)
        await handler.post(address)
        page = await settled(handler, address, "导入完毕")
        assert re.search(rf"<b>2</b>{said}", page)
    assert await numbers(town) == ["I-1", "I-2"]


async def test_a_row_that_came_by_the_command_is_known_on_the_page(town: Town, handler: Person, worker: Worker) -> None:
    caller, content = town.insurers[0], workbook(row("I-1"))
    plan = planned(portfolio_of(Path("保单.xlsx"), content), lambda _: (caller.code, ()))
    opened = await caller.post("/v1/policies", plan.parcels[0].body, key=plan.parcels[0].key)
    assert opened.status_code == 201, opened.text
    address = await checked(handler, content)
    await handler.post(address)
    assert re.search(r"<b>1</b>此前已导入", await settled(handler, address, "导入完毕"))


async def test_what_is_no_portfolio_is_refused_at_once(handler: Person) -> None:
    for content in (b"", b"not a workbook", workbook()[:200]):
        answer = await uploaded(handler, content)
        assert answer.status_code == 422
        assert 'class="told late"' in answer.text


async def test_another_insurer_does_not_find_the_job(handler: Person, signed_in: SignedIn) -> None:
    address = await checked(handler, workbook(row("I-1")))
    stranger = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN, second=True)
    auditor = await signed_in(ActorKind.INSURER, Post.INSURER_AUDITOR)
    for path in (address, f"{address}/result.xlsx"):
        assert (await stranger.get(path)).status_code == 404
        assert (await auditor.get(path)).status_code == 403
    assert (await stranger.get("/insurer/import/..%2F..%2Fsecret")).status_code == 404


async def test_whoever_was_disabled_imports_nothing_more(
    town: Town, handler: Person, admin: AsyncEngine, worker: Worker, signed_in: SignedIn
) -> None:
    address = await checked(handler, workbook(*(row(f"I-{number}") for number in range(40))))
    await handler.post(address)
    await disable(admin, handler)
    watcher = await signed_in(ActorKind.INSURER, Post.INSURER_ADMIN)
    page = await settled(watcher, address, "不再有权办理")
    assert len(await numbers(town)) < 40
    assert "再次开始" in page


async def test_whoever_lost_the_post_imports_nothing(
    town: Town, handler: Person, admin: AsyncEngine, worker: Worker
) -> None:
    address = await checked(handler, workbook(row("I-1")))
    async with admin.begin() as connection:
        await connection.execute(update(USERS).where(USERS.c.id == handler.user_id).values(posts=["insurer_auditor"]))
    assert (await handler.post(address)).status_code == 403
    assert await numbers(town) == []
