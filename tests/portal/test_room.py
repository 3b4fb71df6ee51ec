"""The enterprise's room in a real browser, on a telephone and a desk, with scripts and without; drafts kept."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from api.desk.sessions import cookie_name
from api.tools import Tools
from models.contracts.vocabulary import ActorKind
from tests.desk.conftest import Person, SignedIn, admin, app, http, insurer, other, signed_in, tools, town, worker
from tests.desk.test_enterprise import Works, photograph, works
from tests.portal.conftest import site
from tests.portal.test_browser import is_wider_than_the_screen

__all__ = ["admin", "app", "http", "insurer", "other", "signed_in", "site", "tools", "town", "worker", "works"]
pytestmark = pytest.mark.browser
PHONE, DESK = {"width": 360, "height": 760}, {"width": 1100, "height": 900}
SHOTS = os.environ.get("ANZE_SCREENSHOTS")


@pytest.fixture
async def person(signed_in: SignedIn, works: Works) -> Person:
    return await signed_in(ActorKind.ENTERPRISE)


async def context(browser: Browser, site: str, tools: Tools, person: Person, **how: Any) -> BrowserContext:
    made = await browser.new_context(**how)
    await made.add_cookies([{"name": cookie_name(tools), "value": person.token, "url": site}])
    return made


@pytest.fixture
async def phone(browser: Browser, site: str, tools: Tools, person: Person) -> AsyncIterator[Page]:
    made = await context(browser, site, tools, person, viewport=PHONE, has_touch=True)
    yield await made.new_page()
    await made.close()


async def looked_at(page: Page, name: str) -> None:
    """No page is wider than its screen; where somebody wants to look, a picture is kept."""
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
    assert not await is_wider_than_the_screen(page), name


def shot(name: str, colour: str = "green") -> Any:
    return {"name": name, "mimeType": "image/jpeg", "buffer": photograph(colour, (1600, 1200))}


async def test_every_page_fits_a_telephone_and_a_desk(
    browser: Browser, site: str, tools: Tools, person: Person, works: Works
) -> None:
    pages = {
        "todo": "/enterprise",
        "hazard": f"/enterprise/hazards/{works.ordinary}",
        "major": f"/enterprise/hazards/{works.major}",
        "plan": f"/enterprise/policies/{works.policy}/plan",
        "visit": f"/enterprise/policies/{works.policy}/visits/{works.visit}",
        "policy": f"/enterprise/policies/{works.policy}",
        "history": "/enterprise/history",
    }
    problems: list[str] = []
    for size, viewport in (("phone", PHONE), ("desk", DESK)):
        made = await context(browser, site, tools, person, viewport=viewport)
        page = await made.new_page()
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        for name, path in pages.items():
            answer = await page.goto(site + path)
            assert answer
            assert answer.status == 200
            assert len(await answer.body()) < 100_000
            await looked_at(page, f"{name}-{size}")
            for summary in await page.locator("details:not([open]) > summary").all():
                if await summary.is_visible():
                    await summary.click()
            await looked_at(page, f"{name}-{size}-open")
        await made.close()
    assert problems == []


async def test_with_scripts_photographs_are_seen_taken_away_and_sent(phone: Page, site: str, works: Works) -> None:
    await phone.goto(f"{site}/enterprise")
    await phone.get_by_role("link", name="去整改：H-1").click()
    form = phone.locator("#claim_rectification")
    await form.get_by_label("拍照").set_input_files([shot("一.jpg")])
    await form.get_by_label("从相册或者文件中选择").set_input_files([shot("二.jpg", "teal"), shot("三.jpg", "navy")])
    await phone.locator(".tray img").nth(2).wait_for()
    await form.get_by_role("button", name="移除 三.jpg").click()
    await looked_at(phone, "photographs-phone")
    await phone.reload()
    await phone.locator(".tray img").nth(1).wait_for()
    await form.get_by_role("button", name="申报整改完成").click()
    await phone.get_by_text("等待保险机构复核").wait_for()
    await looked_at(phone, "claimed-phone")
    assert await phone.locator(".photos img").count() == 3
    assert (await works.hazard(works.ordinary))["stage"] == "claimed"
    await phone.goto(f"{site}/enterprise/hazards/{works.major}")
    assert await phone.locator(".tray img").count() == 0


async def test_what_was_typed_survives_a_lost_network_and_a_closed_page(phone: Page, site: str, works: Works) -> None:
    path = f"{site}/enterprise/hazards/{works.ordinary}"
    await phone.goto(path)
    form = phone.locator("#claim_rectification")
    await form.get_by_label("整改情况").fill("已在罐区更换三台报警器")
    await form.get_by_label("拍照").set_input_files([shot("一.jpg")])
    await phone.locator(".tray img").first.wait_for()
    await phone.context.set_offline(True)
    await form.get_by_role("button", name="申报整改完成").click()
    await form.get_by_text("现在没有网络").wait_for()
    await looked_at(phone, "offline-phone")
    await phone.context.set_offline(False)
    await phone.goto(f"{site}/enterprise")
    await phone.goto(path)
    assert await form.get_by_label("整改情况").input_value() == "已在罐区更换三台报警器"
    await phone.locator(".tray img").first.wait_for()
    await form.get_by_role("button", name="申报整改完成").click()
    await phone.get_by_text("已经提交").wait_for()
    await phone.goto(f"{site}/enterprise/hazards/{works.major}")
    assert "三台报警器" not in await phone.content()


async def test_without_scripts_all_three_acts_are_plain_forms(
    browser: Browser, site: str, tools: Tools, person: Person, works: Works
) -> None:
    made = await context(browser, site, tools, person, viewport=PHONE, java_script_enabled=False)
    page = await made.new_page()
    path = f"{site}/enterprise/hazards/{works.ordinary}"
    await page.goto(path)
    await page.get_by_text("申请延期", exact=True).first.click()
    await page.locator("#ask_more_time").get_by_label("7 天").check()
    await page.locator("#ask_more_time").get_by_label("申请的理由").fill("等待配件")
    await page.locator("#ask_more_time").get_by_role("button", name="申请延期").click()
    await page.get_by_text("已申请延期，等待保险机构答复").wait_for()
    await page.get_by_text("提出异议", exact=True).first.click()
    await page.locator("#object").get_by_label("异议的理由").fill("上月已检定")
    await page.locator("#object").get_by_role("button", name="提出异议").click()
    await page.get_by_text("已提出异议，等待保险机构答复").wait_for()
    claim = page.locator("#claim_rectification")
    await claim.get_by_role("button", name="申报整改完成").click()
    await page.get_by_text("请至少附一张照片").wait_for()
    await looked_at(page, "mend-phone")
    await claim.get_by_label("从相册或者文件中选择").set_input_files([shot("一.jpg"), shot("二.jpg", "teal")])
    await claim.get_by_role("button", name="申报整改完成").click()
    await page.get_by_text("等待保险机构复核").wait_for()
    assert (await works.hazard(works.ordinary))["stage"] == "claimed"
    await made.close()
