"""An enterprise on its phone, from its letter: rectified, objected, more time, rated; without scripts or mouse too."""

import re

import pytest
from playwright.async_api import Locator, Page

from runtime.pictures.leading import Story
from tests.browser.conftest import Site, code_for, enter_by_code
from tests.browser.watching import PHONE, Watch
from tests.portal.conftest import picture

pytestmark = pytest.mark.browser
LINK = re.compile(r"http\S+/l/[A-Za-z0-9_-]{43}")
PHOTOGRAPH = {"name": "现场.png", "mimeType": "image/png", "buffer": picture()}


async def stage_of(site: Site, story: Story) -> str:
    return await site.value("SELECT stage FROM cases WHERE id = $1", story.hazard_id)


async def letter_opened(page: Page, site: Site, story: Story, *words: str) -> None:
    """The page behind the link in the letter that speaks of this."""
    link = LINK.search(await site.mail(story.email, *words, "/l/"))
    assert link is not None
    await page.goto(link[0])


async def with_code(page: Page, site: Site, story: Story, before: int) -> None:
    """The code from the mail, where an act needs one."""
    await page.locator("#code").fill(await code_for(site, story.email, before))
    await page.get_by_role("button", name="提交").click()


def form_of(page: Page, deed: str) -> Locator:
    return page.locator("form").filter(has=page.locator(f'input[name="deed"][value="{deed}"]'))


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_rectification_is_claimed_with_a_photograph_and_the_code_from_the_mail(
    site: Site, scripts: bool
) -> None:
    story = await site.story("visited")
    async with site.context(viewport=PHONE, java_script_enabled=scripts) as context:
        page = await context.new_page()
        watch = await Watch.over(page, site.url)
        await letter_opened(page, site, story, "现书面告知")
        form, before = form_of(page, "claim_rectification"), len(site.stack.mail)
        await form.get_by_label("整改情况").fill("已更换报警器，检定合格。")
        await form.get_by_label("从相册或者文件中选择").set_input_files([PHOTOGRAPH])  # pyright: ignore[reportArgumentType]
        await form.get_by_role("button", name="申报整改完成").click()

        await page.get_by_role("heading", name="输入验证码").wait_for()
        assert "已更换报警器，检定合格。" in await page.locator("main").inner_text(), "what was typed is kept"
        await with_code(page, site, story, before)
        await page.get_by_text("已办理：申报整改完成").wait_for()
        assert await stage_of(site, story) == "claimed"
        assert watch.faults == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_an_objection_and_a_request_for_time_are_sent_from_its_own_room(site: Site, scripts: bool) -> None:
    story = await site.story("visited")
    async with site.context(viewport=PHONE, java_script_enabled=scripts) as context:
        page = await context.new_page()
        watch = await Watch.over(page, site.url)
        await enter_by_code(page, site, story)
        await page.get_by_role("link", name=re.compile("去整改")).click()
        await page.locator("summary", has_text="申请延期").click()
        form = form_of(page, "ask_more_time")
        await form.locator('input[name="days"]').first.check()
        await form.get_by_label("申请的理由").fill("备件到货延迟")
        await form.get_by_role("button", name="申请延期").click()
        await page.get_by_text("已申请延期，等待保险机构答复").wait_for()

        await page.locator("summary", has_text="提出异议").click()
        form = form_of(page, "object")
        await form.get_by_label("异议的理由").fill("该设备已停用，不再构成隐患")
        await form.get_by_role("button", name="提出异议").click()
        await page.get_by_text("已提出异议，等待保险机构答复").wait_for()
        view = await site.value("SELECT view::text FROM cases WHERE id = $1", story.hazard_id)
        assert "备件到货延迟" in view
        assert "该设备已停用" in view
        assert watch.faults == []


async def test_a_plan_is_agreed_to_and_a_service_rated_once(site: Site) -> None:
    planned, served = await site.story("planned"), await site.story("served", signed_ago=40)
    async with site.context(viewport=PHONE) as context:
        page = await context.new_page()
        await enter_by_code(page, site, planned)
        await page.get_by_role("link", name=re.compile("去确认")).click()
        await form_of(page, "confirm_plan").get_by_role("button", name="同意服务计划").click()
        await page.get_by_text("已经提交").wait_for()
        assert await stage_of_policy(site, planned) == "plan_confirmed"
    async with site.context(viewport=PHONE) as context:
        page = await context.new_page()
        await enter_by_code(page, site, served)
        await page.get_by_role("link", name=re.compile("去评价")).click()
        form = form_of(page, "rate_service")
        for stars in await form.locator(".stars").all():
            await stars.locator("input").nth(3).check()
        await form.get_by_role("button", name="评价服务").click()
        await page.get_by_text("已经提交").wait_for()
        await page.goto(f"{site.url}/enterprise/policies/{served.policy_id}/visits/V-001")
        assert await form_of(page, "rate_service").count() == 0, "a service is rated once"


async def stage_of_policy(site: Site, story: Story) -> str:
    return await site.value("SELECT stage FROM cases WHERE id = $1", story.policy_id)


async def test_the_three_acts_are_done_by_keyboard_alone(site: Site) -> None:
    story = await site.story("visited")
    async with site.context(viewport=PHONE) as context:
        page = await context.new_page()
        await enter_by_code(page, site, story)
        await reach(page, "去整改")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", level=1, name=re.compile("H-001")).wait_for()

        await reach(page, "申请延期")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await page.keyboard.press("Tab")
        await page.keyboard.type("备件到货延迟")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_text("已申请延期，等待保险机构答复").wait_for()

        await reach(page, "提出异议")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.type("该设备已停用，不再构成隐患")
        await reach(page, "提出异议")
        await page.keyboard.press("Enter")
        await page.get_by_text("已提出异议，等待保险机构答复").wait_for()

        form = form_of(page, "claim_rectification")
        await form.get_by_label("从相册或者文件中选择").set_input_files([PHOTOGRAPH])  # pyright: ignore[reportArgumentType] - a file dialogue is the browser's own
        await reach(page, "申报整改完成")
        await page.keyboard.press("Enter")
        await page.get_by_text("已申报整改完成，等待保险机构复核").wait_for()
        assert await stage_of(site, story) == "claimed"


FOCUSED = """() => {
  const e = document.activeElement, s = getComputedStyle(e);
  const words = (e.getAttribute('aria-label') || e.innerText || '').trim();
  return [words, e.tagName, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0];
}"""


async def reach(page: Page, name: str, most: int = 60) -> None:
    """Press Tab until something of this name has the focus, and see that it is marked."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        words, kind, marked = await page.evaluate(FOCUSED)
        if name in words and kind in {"A", "BUTTON", "SUMMARY"}:
            assert marked, f"{name} has the focus, and nobody sees it"
            return
    raise AssertionError(f"{name} is not reached by keyboard")
