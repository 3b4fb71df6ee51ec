"""The link's page and a mail in a real browser, on a phone and on a desk."""

import os
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from activities.letters import Envelope, Letters
from activities.matters import matter
from models.contracts.vocabulary import NoticeKind, Role
from models.tables.outbox import OutboxNotice
from tests.activities.post_office import CITES, NOW, about_duty, matter_of
from tests.portal.conftest import Letters as Told
from tests.portal.conftest import picture
from tests.tables.rows import EMERGENCY, A, B, known

pytestmark = pytest.mark.browser
PHONE, DESK = {"width": 360, "height": 760}, {"width": 1200, "height": 900}
SHOTS = os.environ.get("ANZE_SCREENSHOTS")
"""A folder where somebody wants to look at the pages; nothing is kept otherwise."""


async def shoot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def is_wider_than_the_screen(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize("scripts", [True, False])
async def test_an_enterprise_claims_its_rectification_with_a_photograph_and_a_code(
    letters: Told, site: str, browser: Browser, scripts: bool
) -> None:
    name = "with" if scripts else "without"
    context = await browser.new_context(viewport=PHONE, java_script_enabled=scripts)  # pyright: ignore[reportArgumentType]
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    path = await letters.link(NoticeKind.HAZARD_NOTICE, Role.INSURED)
    await page.goto(site + path)
    await shoot(page, f"link-hazard-{name}")
    assert not await is_wider_than_the_screen(page)

    form = page.locator("#claim_rectification")
    await form.get_by_label("整改情况").fill("已更换报警器，检定合格")
    photograph = {"name": "现场.png", "mimeType": "image/png", "buffer": picture()}
    await form.get_by_label("从相册或者文件中选择").set_input_files([photograph])  # pyright: ignore[reportArgumentType]
    await form.get_by_role("button", name="申报整改完成").click()

    await page.get_by_text("验证码已发送到登记邮箱").wait_for()
    assert not await is_wider_than_the_screen(page)
    await shoot(page, f"link-code-{name}")
    await page.get_by_label("验证码").fill("12 34")
    await page.get_by_role("button", name="提交").click()
    await page.get_by_text("验证码不正确").wait_for()
    await page.get_by_label("验证码").fill(await letters.code())
    await page.get_by_role("button", name="提交").click()

    await page.get_by_text("已办理：申报整改完成").wait_for()
    await shoot(page, f"link-claimed-{name}")
    assert await letters.stage() == "claimed"
    assert [one for one in problems if "422" not in one] == []
    await context.close()


async def test_every_link_reads_well_on_a_telephone_and_a_desk(letters: Told, site: str, browser: Browser) -> None:
    paths = {
        "hazard": await letters.link(NoticeKind.HAZARD_NOTICE, Role.INSURED),
        "plan": await letters.link(NoticeKind.PLAN_CONFIRMATION, Role.INSURED),
        "rating": await letters.link(NoticeKind.SERVICE_RATING, Role.INSURED),
        "department": await letters.tell_department(),
        "dead": f"/l/{'A' * 43}",
    }
    for size, viewport in (("phone", PHONE), ("desk", DESK)):
        page = await browser.new_page(viewport=viewport)  # pyright: ignore[reportArgumentType]
        for name, path in paths.items():
            answer = await page.goto(site + path)
            assert answer is not None
            assert len(await answer.body()) < 60_000
            assert not await is_wider_than_the_screen(page), name
            await shoot(page, f"link-{name}-{size}")
        await page.close()


async def test_a_plan_is_confirmed_and_a_service_rated_by_keyboard_alone(
    letters: Told, site: str, browser: Browser
) -> None:
    page = await browser.new_page(viewport=PHONE)  # pyright: ignore[reportArgumentType]
    await page.goto(site + await letters.link(NoticeKind.SERVICE_RATING, Role.INSURED))
    for said in ("服务态度", "专业度", "及时性"):
        await page.get_by_role("group", name=said).get_by_label("3").focus()
        await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Tab")
    await page.keyboard.type("谢谢")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.get_by_text("已办理：评价服务").wait_for()
    await shoot(page, "link-rated-phone")
    assert await page.get_by_text("4 星").count() == 3
    await page.close()


async def test_a_department_takes_over_on_its_desk(letters: Told, site: str, browser: Browser) -> None:
    page = await browser.new_page(viewport=DESK)  # pyright: ignore[reportArgumentType]
    await page.goto(site + await letters.tell_department())
    await page.get_by_role("button", name="接手处理").click()
    await page.get_by_text("已办理：接手处理").wait_for()
    await page.close()


async def test_a_dead_link_has_one_button_that_helps(letters: Told, site: str, browser: Browser) -> None:
    page = await browser.new_page(viewport=PHONE)  # pyright: ignore[reportArgumentType]
    await page.goto(f"{site}/l/{'A' * 43}")
    await page.get_by_role("button", name="重新发送链接").click()
    await page.get_by_text("新的链接会发到登记邮箱").wait_for()
    await shoot(page, "link-asked-phone")
    await page.close()


@pytest.mark.parametrize(("name", "size"), [("phone", PHONE), ("desk", DESK)])
async def test_a_digest_reads_well_and_loads_nothing_from_elsewhere(
    browser: Browser, name: str, size: dict[str, int]
) -> None:
    page = await browser.new_page(viewport={"width": size["width"], "height": size["height"]})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.set_content(html_of(digest()))
    await shoot(page, f"mail-{name}")
    assert not await is_wider_than_the_screen(page)
    assert asked == []
    await page.close()


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def digest() -> EmailMessage:
    """A department's letter: two insurers, an overdue upload, a major hazard, a provisional date."""
    letters = Letters()
    rows = [
        _row(NoticeKind.DUTY_OVERDUE, A),
        _row(NoticeKind.MAJOR_HAZARD_REPORT, A, "hazard"),
        _row(NoticeKind.RENEWAL_REMINDER, B, effective="2024-03-31", due_at="2024-04-01T00:00:00+08:00"),
    ]
    link = "http://127.0.0.1:8080/l/" + "k" * 43
    pieces = [letters.piece(matter(row, NOW, link)) for row in rows]
    sender = "安责险工作流 <notice@anze.example>"
    return letters.message(Envelope("m-1", sender, "宿州市应急管理局", "a@b.example", NOW, grouped=True), pieces)


def _row(kind: NoticeKind, insurer: object, of: str = "policy", **about: object) -> OutboxNotice:
    owner = A if insurer == A else B
    return OutboxNotice.model_validate(
        {
            "id": known(owner, kind.value),
            "notice_key": kind.value,
            "insurer_id": owner,
            "case_id": known(owner, "case"),
            "seq": 1,
            "kind": kind,
            "to_role": Role.EMERGENCY,
            "recipient_id": EMERGENCY,
            "urgency": "digest",
            "at": NOW,
            "about": about_duty() | {"provisional": bool(about)} | about,
            "cites": CITES,
            "matter": matter_of(owner, of),
        }
    )
