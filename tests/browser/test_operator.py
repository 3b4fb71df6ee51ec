"""An operator's day: mail that came back is sent again, who would be told is tried out, everything is in the trail."""

import pytest

from tests.browser.conftest import PEOPLE, Site, sign_in
from tests.browser.watching import DESK, Watch

pytestmark = pytest.mark.browser
WRONG, RIGHT = "xiecuo@huishui.example", "gaihao@huishui.example"


async def test_an_operator_corrects_an_address_tries_the_directory_and_finds_both_in_the_trail(site: Site) -> None:
    assert site.stack.mailbox is not None
    site.stack.mailbox.refused[WRONG] = "550 5.1.1 no such user"
    story = await site.story("visited", email=WRONG, enterprise="宿州退信电镀厂")
    await site.until(
        "SELECT t.id FROM tasks t JOIN recipients r ON r.id = t.recipient_id WHERE r.name = '宿州退信电镀厂'"
    )
    async with site.context(viewport=DESK) as context:
        page = await context.new_page()
        await sign_in(page, site.url, PEOPLE["operator"])
        watch = await Watch.over(page, site.url)
        row = page.locator("tr").filter(has_text=story.enterprise)
        await row.get_by_role("link").last.click()
        await page.get_by_label("正确的邮箱").fill(RIGHT)
        await page.get_by_label("原因").fill("已电话核对，对方换了邮箱。")
        await page.get_by_role("button", name="改好并补发").click()
        await page.get_by_text("已改好并重新发出").wait_for()
        assert "隐患" in await site.mail(RIGHT)

        await page.get_by_role("link", name="部门通讯录").click()
        await page.goto(f"{site.url}/operator/directory/try?region=341300&sector=hazardous_chemicals&size=medium")
        assert "宿州市应急管理局" in (await page.locator("main").text_content() or "")

        await page.get_by_role("link", name="审计").click()
        assert "已电话核对" in await page.locator("main").inner_text()
        await page.goto(f"{site.url}/operator/cases/{story.policy_id}")
        seen = await page.locator("main").inner_text()
        assert story.number in seen
        assert WRONG not in seen, "an operator sees metadata, not addresses of persons"
        assert watch.faults == []
