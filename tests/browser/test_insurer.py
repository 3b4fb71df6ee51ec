"""An insurer's day: a new policy by form, its upload, a visit with a hazard, a workbook, a payment of two people."""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from openpyxl import load_workbook
from playwright.async_api import Page

from api.insurer.doors import SAMPLE_FILE
from bench.cast import credit_code
from domain.calendar import local_date
from tests.browser.conftest import PEOPLE, Site, sign_in
from tests.browser.watching import DESK, Watch

pytestmark = pytest.mark.browser
NUMBER = "BR-2026-9001"
TODAY = local_date(datetime.now(UTC))


def ago(days: int) -> str:
    return str(TODAY - timedelta(days=days))


TYPED = {
    "terms.number": NUMBER,
    "terms.region": "宿州市",
    "terms.signed_at": f"{ago(6)}T09:30",
    "terms.effective_on": ago(5),
    "terms.expires_on": ago(-359),
    "terms.premium_total": "86000.00",
    "terms.headcount": "128",
    "terms.insured_headcount": "128",
    "terms.limit_per_person": "600000.00",
    "terms.services_per_year": "2",
    "insured.name": "宿州汴河机械有限公司",
    "insured.email": "anquan@bianhe.example",
}
PDF = {"name": "电子保单.pdf", "mimeType": "application/pdf", "buffer": SAMPLE_FILE}


async def fill(page: Page, typed: dict[str, str]) -> None:
    for name, value in typed.items():
        await page.locator(f'[name="{name}"]').fill(value)


async def test_a_handler_opens_a_policy_by_form_uploads_it_and_records_a_visit(site: Site) -> None:
    async with site.context(viewport=DESK) as context:
        page = await context.new_page()
        await sign_in(page, site.url, PEOPLE["handler"])
        watch = await Watch.over(page, site.url)
        await page.goto(f"{site.url}/insurer/new")
        await fill(page, TYPED | {"insured.credit_code": "913413000000000000"})
        await page.locator('[name="terms.sector"]').select_option("hazardous_chemicals")
        await page.locator('[name="terms.size"]').select_option("medium")
        for box in ("hazard_inspection", "training"):
            await page.locator(f'[name="terms.service_items"][value="{box}"]').check()
        watch.silent = "status of 422"
        await page.get_by_role("button", name="建档").click()
        wrong = page.locator('[name="insured.credit_code"]')
        assert await wrong.get_attribute("aria-invalid") == "true", "the error stands beside its field"
        assert await page.locator('[name="terms.number"]').input_value() == NUMBER, "nothing is typed twice"

        await wrong.fill(credit_code(820_001))
        await page.get_by_role("button", name="建档").click()
        await page.get_by_text("已建档").first.wait_for()
        await page.locator(".acting").get_by_role("link", name="上传电子保单").click()
        await page.locator('input[type="file"]').set_input_files([PDF])  # pyright: ignore[reportArgumentType]
        await page.get_by_role("button", name="上传电子保单").click()
        await page.get_by_text("已办理：上传电子保单").wait_for()

        agreed = await site.story("agreed")
        act = f"/insurer/policies/{agreed.policy_id}/record_visit"
        await page.goto(site.url + act)
        await page.get_by_role("button", name="再加一行").click()
        visited = {"number": "V-001", "on": ago(1), "place": "机加工车间", "staff_count": "2",
                   "summary": "现场排查，发现隐患一处。", "hazards.0.number": "H-001",
                   "hazards.0.description": "可燃气体报警器未按期检定"}  # fmt: skip
        await fill(page, visited)
        await page.locator('[name="items"][value="hazard_inspection"]').check()
        await page.locator('[name="hazards.0.grade"]').select_option("ordinary")
        await _lose_the_session_over_it(page, site, act)
        await page.get_by_role("button", name="再加一行").click()
        for name, value in visited.items():
            assert await page.locator(f'[name="{name}"]').input_value() == value, "nothing is typed twice"
        await page.get_by_role("button", name="记录一次服务").click()
        assert await page.locator(".error").all_inner_texts() == []
        await page.get_by_text("已办理：记录一次服务").wait_for()
        assert await page.evaluate("Object.keys(localStorage).filter((one) => one.includes('record_visit'))") == []
        assert await page.get_by_role("link", name="H-001").count() > 0
        assert watch.faults == []


async def _lose_the_session_over_it(page: Page, site: Site, act: str) -> None:
    """The session is gone when the form is sent; whoever comes in again is led back to it."""
    held = [dict(one) for one in await page.context.cookies()]
    await page.context.clear_cookies()
    await page.get_by_role("button", name="记录一次服务").click()
    await page.wait_for_url(f"{site.url}/enter?**")
    assert parse_qs(urlsplit(page.url).query) == {"next": [act]}
    await page.context.add_cookies(held)  # pyright: ignore[reportArgumentType]
    await page.goto(site.url + act)
    await page.get_by_text("已恢复上次没有提交的内容").wait_for()


async def test_a_workbook_is_checked_first_then_imported_and_given_back_with_a_status(
    site: Site, tmp_path: Path
) -> None:
    async with site.context("handler", viewport=DESK) as context:
        page = await context.new_page()
        watch = await Watch.over(page, site.url)
        await page.goto(f"{site.url}/insurer/import")
        async with page.expect_download() as template:
            await page.get_by_role("link", name="下载空白模板").click()
        filled = tmp_path / "保单.xlsx"
        _fill_in(await (await template.value).path(), filled)
        await page.locator("#file").set_input_files(filled)
        await page.get_by_role("button", name="上传并检查").click()
        await page.get_by_text("检查完毕，还没有建档").wait_for()
        await page.get_by_role("button", name=re.compile("导入检查通过的")).click()
        await page.get_by_text("导入完毕").wait_for()
        async with page.expect_download() as result:
            await page.get_by_role("link", name="下载带结果的文件").click()
        given = load_workbook(BytesIO((await (await result.value).path()).read_bytes())).worksheets[0]
        assert any("已建档" in str(cell.value) for row in given for cell in row)
        await watch.look(page.url)
        assert watch.faults == []


def _fill_in(template: Path, filled: Path) -> None:
    """One row under the headings of the blank template."""
    row = {
        "保单号": "BR-2026-9100", "地区代码": "341300", "行业": "危险化学品", "规模": "中型", "类型": "一年期",
        "签署时间": f"{ago(4)} 10:00", "生效日期": ago(3), "届满日期": ago(-361), "保费总额": "58800.00",
        "从业人数": "120", "投保人数": "120", "每人限额": "600000.00", "服务项目": "生产安全事故隐患排查",
        "年服务次数": "2",
        "投保单位": "宿州古汴化工有限公司", "统一社会信用代码": credit_code(820_100), "邮箱": "anquan@gubian.example",
    }  # fmt: skip
    book = load_workbook(BytesIO(template.read_bytes()))
    sheet = book.worksheets[0]
    for column, cell in enumerate(sheet[1], 1):
        heading = str(cell.value or "").strip().rstrip("*＊")
        if heading in row:
            sheet.cell(2, column, row[heading])
    book.save(filled)


async def test_a_payment_is_approved_by_the_administrator_and_by_nobody_who_only_handles(site: Site) -> None:
    story = await site.story("proposed", signed_ago=60)
    payment = f"{site.url}/insurer/claims/{story.claim_id}/payments/FK-{story.number}"
    async with site.context("handler", viewport=DESK) as context:
        page = await context.new_page()
        await page.goto(payment)
        await page.get_by_text("须由机构管理员审批").wait_for()
        assert await page.get_by_role("button", name=re.compile("同意付款")).count() == 0
    async with site.context("admin", viewport=DESK) as context:
        page = await context.new_page()
        await page.goto(payment)
        await page.get_by_role("button", name=re.compile("同意付款")).click()
        await page.get_by_text("已办理：审批付款").wait_for()
    asked = "SELECT view->'payments'->0->>'status' FROM cases WHERE id = $1"
    assert await site.value(asked, story.claim_id) != "proposed"


async def test_an_auditor_reads_everything_and_is_offered_no_act(site: Site) -> None:
    story = await site.story("mended")
    async with site.context("auditor", viewport=DESK) as context:
        page = await context.new_page()
        await page.goto(f"{site.url}/insurer/hazards/{story.hazard_id}")
        assert "H-001" in await page.locator("main").inner_text()
        assert await page.locator("main form").count() == 0
        answer = await page.goto(f"{site.url}/insurer/hazards/{story.hazard_id}/recheck")
        assert answer is not None
        assert answer.status == 403
