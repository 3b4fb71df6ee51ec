"""An officer, an insurer's two persons and an operator do their work by keyboard alone, and without scripts."""

import asyncio
import re
from datetime import UTC, date, datetime

import pytest
from playwright.async_api import Page, expect

from domain.calendar import local_date
from models.contracts.vocabulary import Sector
from tests.browser.conftest import PEOPLE, Site
from tests.browser.hands import Hands, Way, hands_of
from tests.browser.test_enterprise import LINK
from tests.browser.watching import Watch
from tests.runtime.waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("way", list(Way))]
NO_FILE = {"name": "说明.pdf", "mimeType": "application/pdf", "buffer": b"no file of any kind"}
PAYMENT = """
SELECT view->'payments'->0->>'status' || ' ' || (view->'payments'->0->'proposed'->>'by_user' <>
    coalesce(view->'payments'->0->'approved'->>'by_user', '')) FROM cases WHERE id = $1
"""
DONE = "SELECT string_agg(event, ' ' ORDER BY seq, line) FROM timeline WHERE case_id = $1 AND event = ANY($2)"
BOUNCED = """
SELECT t.id FROM tasks t JOIN recipients r ON r.id = t.recipient_id JOIN outbox o ON o.id = t.notice_id
WHERE r.name = $1 AND o.kind = 'hazard_notice' AND t.done_at IS NULL
"""
DIGESTS = "SELECT string_agg(one->>'digest', ' ') FROM cases, jsonb_array_elements(packs) one WHERE id = $1"
SECTORS = {Way.KEYBOARD: Sector.ROAD_TRANSPORT, Way.PLAIN: Sector.FISHERY}
"""Whose cases turn in which way, so that neither meets the other's."""
BEFORE_2025 = date(2025, 3, 10)
"""A day on which the national document of 2020 was in force; the one after it came on 29 March."""


async def said(page: Page) -> str:
    return await page.locator("main").inner_text()


async def watched(hands: Hands, site: Site) -> Watch:
    """What axe finds on the pages on the way counts where there are scripts."""
    return await Watch.over(hands.page, site.url)


async def test_an_officer_comes_in_finds_a_matter_acknowledges_answers_and_takes_it_in_hand(
    site: Site, way: Way
) -> None:
    late = await site.story("signed", signed_ago=70)
    await site.heard("宿州市应急管理局", late, "policy_upload")
    async with hands_of(site, way) as hands:
        page = hands.page
        await page.goto(f"{site.url}/enter")
        await hands.follow("用单位的统一身份认证登录")
        await hands.press(PEOPLE["officer"])
        watch = await watched(hands, site)
        await hands.skip()
        await page.goto(f"{site.url}/department?region=乌有")
        assert "没有这个地区" in await said(page)
        await look(watch, hands, "an unknown place")
        await page.goto(f"{site.url}/department")
        await hands.write("编号或单位名称", late.number)
        await hands.narrow(f"q={late.number}")
        await expect(page.locator("#letters tbody tr").filter(has_not_text=late.number)).to_have_count(0)
        await page.goto(page.url)  # a fresh page: what the list shows stands in its address
        await hands.follow("上传电子保单")
        await hands.tour()
        await hands.unfold("签收")
        await hands.press("签收")
        await page.get_by_text("已办理：签收").wait_for()
        await hands.unfold("答复处理情况")
        await hands.write("处理情况", "已约谈该保险机构，要求三日内上传。")
        await page.locator("input[type=file]:visible").set_input_files([NO_FILE])  # pyright: ignore[reportArgumentType]
        watch.silent = "status of 422"
        await hands.press("答复处理情况")
        assert await page.locator("#matters .error").count() == 1
        await look(watch, hands, "an answer with what is no file")
        await hands.press("答复处理情况")
        await page.get_by_text("已办理：答复").wait_for()
        await hands.press("由我经办")
        await page.get_by_text("经办人已更改").wait_for()
        assert watch.faults == []
    acts = ["duty_acknowledged", "department_answered"]
    assert await site.value(DONE, late.policy_id, acts) == " ".join(acts)
    assert await site.value("SELECT count(*) FROM office_hands WHERE case_id = $1", late.policy_id) == "1"


async def finished(hands: Hands) -> None:
    """The batch: the page says so by itself where there are scripts, and is asked anew where there are none."""
    done = hands.page.get_by_role("heading", name="已办完")
    if not hands.by_keyboard:
        async with asyncio.timeout(PATIENCE):
            while await done.count() == 0:
                await hands.follow("刷新")
    await done.wait_for()
    await hands.page.locator("#chosen").filter(has_text="0").wait_for()


async def look(watch: Watch, hands: Hands, name: str) -> None:
    if hands.by_keyboard:
        await watch.here(name)
        await hands.page.evaluate("document.activeElement.blur()")


async def test_a_handler_proposes_a_payment_and_only_the_administrator_can_approve_it(site: Site, way: Way) -> None:
    story = await site.story("settled", signed_ago=60)
    claim = f"/insurer/claims/{story.claim_id}"
    async with hands_of(site, way, "handler") as hands:
        page, watch = hands.page, await watched(hands, site)
        await page.goto(f"{site.url}{claim}")
        await hands.follow("提出付款")
        await hands.tour()
        await hands.pick("付款种类", "赔款")
        await hands.write("金额", "999999.00")
        watch.silent = "status of 409"
        await hands.press("提出付款")
        assert await page.get_by_role("alert").count() > 0
        await look(watch, hands, "a payment of too much")
        await hands.write("金额", "90000.00")
        await hands.press("提出付款")
        await page.get_by_text("已办理：提出付款").wait_for()
        await hands.follow(f"{story.claim_number}-P1")
        assert "须由另一人审批" in await said(page)
        assert await page.get_by_role("button", name="同意付款").count() == 0
        assert watch.faults == []
    assert await site.value(PAYMENT, story.claim_id) == "proposed true"
    async with hands_of(site, way, "admin") as hands:
        page = hands.page
        await page.goto(f"{site.url}/insurer")
        await hands.follow(f"{story.claim_number}-P1")
        await hands.tour()
        await hands.press("同意付款")
        await page.get_by_text("已办理：审批付款").wait_for()
    status, two_people = (await site.value(PAYMENT, story.claim_id)).split()
    assert (status != "proposed", two_people) == (True, "true")


async def test_an_operator_corrects_an_address_and_the_link_in_the_letter_sent_anew_works(site: Site, way: Way) -> None:
    wrong, right = (f"{word}-{way.name.lower()}@huishui.example" for word in ("xiecuo", "gaihao"))
    assert site.stack.mailbox is not None
    site.stack.mailbox.refused[wrong] = "550 5.1.1 no such user"
    story = await site.story("visited", email=wrong)
    task = await site.until(BOUNCED, story.enterprise)
    async with hands_of(site, way, "operator") as hands:
        page, watch = hands.page, await watched(hands, site)
        await page.goto(f"{site.url}/operator")
        await hands.follow(f"改邮箱并补发 {story.enterprise}")
        await hands.tour()
        await hands.write("正确的邮箱", "gaihao@huishui")
        await hands.write("原因", "已电话核对，对方换了邮箱。")
        watch.silent = "status of 422"
        await hands.press("改好并补发")
        assert await page.locator("#email-error").count() == 1
        await look(watch, hands, "an address that is none")
        await hands.write("正确的邮箱", right)
        await hands.press("改好并补发")
        await page.get_by_text("已改好并重新发出").wait_for()
        await hands.follow("审计")
        row = page.locator("#trail tr").filter(has_text="已电话核对").first
        assert "高工" in await row.inner_text(), "who did it is named"
        await page.goto(f"{site.url}/operator/directory/try?region=341300&sector=hazardous_chemicals&size=medium")
        assert "宿州市应急管理局" in (await page.locator("main").text_content() or "")
        await page.goto(f"{site.url}/operator/cases/{story.policy_id}")
        seen = await said(page)
        assert story.number in seen
        assert wrong not in seen, "an operator sees metadata, not addresses of persons"
        assert watch.faults == []
    assert await site.value("SELECT done_at IS NOT NULL FROM tasks WHERE id::text = $1", task) == "True"
    link = LINK.search(await site.mail(right, "现书面告知", "/l/"))
    assert link is not None
    async with hands_of(site, way) as hands:
        await hands.page.goto(link[0])
        await hands.tour()
        await hands.unfold("申请延期")
        await hands.tick("天")
        await hands.write("申请的理由", "备件到货延迟")
        await hands.press("申请延期")
        await hands.page.get_by_text("等待保险机构答复").wait_for()
    assert "备件到货延迟" in await site.value("SELECT view::text FROM cases WHERE id = $1", story.hazard_id)


async def test_an_operator_lets_running_cases_take_a_newer_document(site: Site, way: Way) -> None:
    today = local_date(datetime.now(UTC))
    ago, years = (today - BEFORE_2025).days, today.year - BEFORE_2025.year + 2
    story = await site.story("signed", sector=SECTORS[way], signed_ago=ago, years=years)
    before = await site.value(DIGESTS, story.policy_id)
    async with hands_of(site, way, "operator") as hands:
        page, watch = hands.page, await watched(hands, site)
        await page.goto(f"{site.url}/operator/packs")
        await hands.follow("AQ 9010-2019")
        await hands.follow("看在办案卷会怎样变")
        await hands.write("地区名称或六位代码", "宿洲市")
        watch.silent = "status of 422"
        await hands.press("筛选")
        assert await page.locator("#place-error").count() == 1
        await look(watch, hands, "a trial of a place that is none")
        await hands.write("地区名称或六位代码", "宿州市")
        await hands.pick("行业", SECTORS[way].label)
        await hands.press("筛选")
        assert story.number in await said(page)
        await hands.tour()
        await look(watch, hands, "a trial with cases")
        await hands.write("原因", f"省厅要求在办保单一并执行（{way}）。")
        await hands.press("改用新版（1）")
        await finished(hands)
        await look(watch, hands, "a batch that is done")
        await hands.follow("审计")
        row = page.locator("#trail tr").filter(has_text=f"（{way}）").first
        assert re.search("改用新版规则：开始.*高工", await row.inner_text(), re.DOTALL), "what was done, and by whom"
        await page.goto(f"{site.url}/operator/cases/{story.policy_id}")
        assert "2025年3月29日" in await said(page), "since when what it obeys is in force"
        assert watch.faults == []
    after = await site.value(DIGESTS, story.policy_id)
    assert len(after.split()) == len(before.split())
    assert len(set(after.split()) - set(before.split())) == 1
