"""A department officer's day: the inbox, a matter, why it is due that day, acknowledged, answered, a list to take."""

import re
from io import BytesIO

import pytest
from openpyxl import load_workbook

from tests.browser.conftest import PEOPLE, Site, sign_in
from tests.browser.watching import DESK, Watch

pytestmark = pytest.mark.browser
HIDDEN_ON_PAPER = (".ways", ".who", ".acts-of", "form.filters")
"""What nobody needs on paper: the ways to other pages, the way out, forms."""


async def test_an_officer_comes_in_reads_acknowledges_answers_and_takes_a_list_along(site: Site) -> None:
    late = await site.story("signed", signed_ago=70)
    await site.heard("宿州市应急管理局", late, "policy_upload")
    async with site.context(viewport=DESK) as context:
        page = await context.new_page()
        await sign_in(page, site.url, PEOPLE["officer"])
        watch = await Watch.over(page, site.url)
        await page.get_by_label("编号或单位名称").fill(late.number)
        await page.get_by_role("button", name="筛选").click()
        await page.wait_for_url(re.compile("q=" + late.number))
        for language, tag in (("English", "en"), ("中文", "zh-CN")):
            await page.get_by_role("button", name=language).click()
            await page.locator(f'html[lang="{tag}"]').wait_for()
            assert late.number in page.url, "the list stays filtered"
        row = page.locator("#letters tbody tr").first
        assert late.number in await row.inner_text()
        await row.get_by_role("link").first.click()

        duty = page.locator("details").filter(has_text="为什么是这一天").first
        await duty.locator("summary").first.click()
        assert await duty.locator("svg:visible").count() > 0, "the days are drawn"

        matter = page.locator(".matter").first
        await matter.locator("summary", has_text="签收").click()
        await matter.get_by_role("button", name="签收").click()
        await page.get_by_text("已办理：签收").wait_for()
        matter = page.locator(".matter").first
        await matter.locator("summary", has_text="答复").click()
        await matter.get_by_role("textbox", name="处理情况").fill("已约谈该保险机构，要求三日内上传。")
        await matter.get_by_role("button", name="答复处理情况").click()
        await page.get_by_text("已办理：答复").wait_for()
        assert "已约谈该保险机构" in await page.locator("main").inner_text()
        await page.get_by_role("button", name="由我经办").click()
        await page.get_by_text("经办人已更改").wait_for()

        await page.locator(".way").get_by_role("link", name="收件箱").click()
        await page.wait_for_url(re.compile(r"/department\?.*q=" + late.number))
        await page.get_by_label("地区（含下级）").fill("吉林")
        await page.get_by_label("行业").focus()
        await page.locator("#f-region-said", has_text="吉林省、吉林省吉林市").wait_for()
        assert await page.locator("#letters tbody tr").count() == 0, "nothing lies where nobody knows"
        assert await page.get_by_label("地区（含下级）").input_value() == "吉林"
        assert await page.locator("#piles b").all_inner_texts() == ["0"] * 4

        await page.get_by_role("link", name="辖区案卷").click()
        async with page.expect_download() as download:
            await page.get_by_role("link", name="导出 Excel").click()
        sheet = load_workbook(BytesIO((await (await download.value).path()).read_bytes()))
        assert any(late.number in str(cell.value) for row in sheet.worksheets[-1] for cell in row)
        assert watch.faults == []


async def test_a_case_on_paper_has_no_navigation_and_keeps_its_dates(site: Site) -> None:
    late = await site.story("signed", signed_ago=70)
    async with site.context("officer", viewport=DESK) as context:
        page = await context.new_page()
        await page.goto(f"{site.url}/department/cases/{late.policy_id}")
        await page.emulate_media(media="print")
        for name in HIDDEN_ON_PAPER:
            assert await page.locator(f"{name}:visible").count() == 0, f"{name} is printed"
        assert late.number in await page.locator("main").inner_text()
        assert (await page.pdf(format="A4")).startswith(b"%PDF")
