"""A service provider on the spot, with a phone: a visit typed without a network, sent with a picture, seen by all."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Site, enter_by_code
from tests.browser.watching import PHONE, Watch
from tests.portal.conftest import picture

pytestmark = pytest.mark.browser
PHOTOGRAPH = {"name": "现场.png", "mimeType": "image/png", "buffer": picture()}
SAID = "氯气罐区围堰有裂缝"


async def filled(page: Page) -> None:
    """What is seen on the spot, typed with a thumb."""
    await page.get_by_label("地点").first.fill("氯气罐区")
    await page.get_by_label("服务情况").fill("检查罐区与仓库，提出一项整改。")
    hazard = page.locator("#hazards-0")
    await hazard.get_by_label("隐患情况").fill(SAID)
    await hazard.get_by_label("等级").select_option("ordinary")
    await hazard.get_by_label("所在位置").fill("东侧围堰")
    await hazard.get_by_label("从相册选择").set_input_files([PHOTOGRAPH])  # pyright: ignore[reportArgumentType]
    await hazard.get_by_role("button", name="移除").wait_for()


async def test_a_visit_survives_a_lost_network_and_is_seen_by_the_insurer_and_the_insured(site: Site) -> None:
    story = await site.story("agreed")
    async with site.context("assessor", viewport=PHONE, has_touch=True) as context:
        page = await context.new_page()
        watch = await Watch.over(page, site.url)
        await page.goto(f"{site.url}/provider")
        await page.get_by_role("link", name=f"去服务：{story.enterprise}").click()
        await page.get_by_role("link", name="记录一次服务").click()
        await filled(page)
        await context.set_offline(True)
        await page.get_by_role("button", name="提交服务记录").click()
        await page.get_by_text("现在没有网络").wait_for()
        await context.set_offline(False)
        await page.reload()
        await expect(page.locator("#hazards-0").get_by_label("隐患情况")).to_have_value(SAID)
        await page.locator("#hazards-0").get_by_role("button", name="移除").wait_for()
        await page.get_by_role("button", name="提交服务记录").click()
        await page.get_by_text("服务已经记录").wait_for()
        await page.locator(".lines").get_by_role("link", name="隐患 F-").click()
        await page.get_by_text(SAID).first.wait_for()
        assert await page.locator(".photos img").count() == 1
        assert watch.faults == []
    found = "SELECT id FROM cases WHERE parent_id = $1"
    hazard = await site.value(found, story.policy_id)
    async with site.context("handler") as context:
        page = await context.new_page()
        await page.goto(f"{site.url}/insurer/hazards/{hazard}")
        assert SAID in await page.locator("main").inner_text()
        await page.goto(f"{site.url}/insurer/policies/{story.policy_id}")
        assert "安徽皖安安全技术服务有限公司" in await page.locator("main").inner_text()
    async with site.context(viewport=PHONE) as context:
        page = await context.new_page()
        await enter_by_code(page, site, story)
        await page.goto(f"{site.url}/enterprise/hazards/{hazard}")
        assert SAID in await page.locator("main").inner_text()
        assert await page.locator(".photos img").count() == 1


async def test_a_visit_is_recorded_without_scripts(site: Site) -> None:
    story = await site.story("agreed")
    async with site.context("assessor", viewport=PHONE, java_script_enabled=False) as context:
        page = await context.new_page()
        await page.goto(f"{site.url}/provider/policies/{story.policy_id}/visit")
        await page.get_by_label("地点").first.fill("厂区")
        await page.get_by_label("服务情况").fill("全员安全培训，未发现隐患。")
        await page.get_by_role("button", name="提交服务记录").click()
        await page.get_by_text("服务已经记录").wait_for()
