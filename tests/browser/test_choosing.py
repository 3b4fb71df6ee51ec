"""Somebody who serves two insurers: one sign-in, a page to choose on, and back to it; also without scripts."""

import pytest
from playwright.async_api import Page

from api.desk.words import COOKIE, Language
from tests.browser.conftest import PEOPLE, Site
from tests.browser.watching import PHONE, Watch

pytestmark = pytest.mark.browser
FIRST, SECOND = "磐石财险（样例）", "清源财险（样例）"


async def arrived(page: Page, site: Site) -> None:
    """At the page where an organisation is chosen."""
    await page.goto(f"{site.url}/enter")
    await page.locator("a.door").first.click()
    await page.get_by_role("button").filter(has_text=PEOPLE["of two insurers"]).click()
    await page.locator("button.door").first.wait_for()


async def test_an_assessor_of_two_insurers_chooses_with_a_thumb_and_changes_without_signing_in_again(
    site: Site,
) -> None:
    async with site.context(viewport=PHONE, has_touch=True, java_script_enabled=False) as context:
        page = await context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await arrived(page, site)
        await page.get_by_role("button", name=FIRST).click()
        await page.wait_for_url(f"{site.url}/provider")
        asked.clear()
        await page.get_by_role("button", name="换一个机构").click()
        await page.get_by_role("button", name=SECOND).click()
        await page.wait_for_url(f"{site.url}/provider")
        assert SECOND in await page.locator(".who .name").inner_text()
        assert {url for url in asked if not url.startswith(site.url)} == set()
        held = "SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.email = $1"
        of = " AND s.revoked_at IS NULL AND u.insurer_id = (SELECT id FROM insurers WHERE name = $2)"
        for insurer, number in ((FIRST, "0"), (SECOND, "1")):
            assert await site.value(held + of, PEOPLE["of two insurers"], insurer) == number


async def test_nothing_is_wrong_with_the_page_of_choosing_nor_with_the_room_behind_it(site: Site) -> None:
    async with site.context() as context:
        page = await context.new_page()
        await arrived(page, site)
        watch = await Watch.over(page, site.url)
        for language in Language:
            await context.add_cookies([{"name": COOKIE, "value": language.value, "url": site.url}])
            await watch.look(f"{site.url}/enter/choose", name=f"choosing, {language.name}")
        await page.get_by_role("button", name=SECOND).click()
        for language in Language:
            await context.add_cookies([{"name": COOKIE, "value": language.value, "url": site.url}])
            await watch.look(f"{site.url}/provider", name=f"the room, {language.name}")
        assert watch.faults == [], "\n" + "\n".join(watch.faults)
