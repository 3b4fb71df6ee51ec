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


@pytest.mark.parametrize(("name", "size"), [("phone", PHONE), ("desk", DESK)])
async def test_an_enterprise_claims_its_rectification_with_a_photograph(
    letters: Told, site: str, browser: Browser, name: str, size: dict[str, int]
) -> None:
    page = await browser.new_page(viewport={"width": size["width"], "height": size["height"]})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    path = await letters.link(NoticeKind.HAZARD_NOTICE, Role.INSURED)
    await page.goto(site + path)
    await shoot(page, f"hazard-{name}")
    assert not await is_wider_than_the_screen(page)

    form = page.locator("form", has=page.get_by_role("heading", name="申报整改完成"))
    await form.get_by_label("整改情况").fill("已更换报警器，检定合格")
    photograph = {"name": "现场.png", "mimeType": "image/png", "buffer": picture()}
    await form.get_by_label("照片或者文件").set_input_files([photograph])  # pyright: ignore[reportArgumentType]
    await form.get_by_role("button", name="申报整改完成").click()

    await page.get_by_text("已办理：申报整改完成").wait_for()
    await shoot(page, f"claimed-{name}")
    assert await letters.stage() == "claimed"
    assert problems == []
    await page.close()


async def test_a_department_takes_over_on_its_desk(letters: Told, site: str, browser: Browser) -> None:
    page = await browser.new_page(viewport={"width": 1200, "height": 900})
    await page.goto(site + await letters.tell_department())
    await shoot(page, "department-desk")
    await page.get_by_role("button", name="接手处理").click()
    await page.get_by_text("已办理：接手处理").wait_for()
    await page.close()


async def test_a_dead_link_says_where_to_turn(letters: Told, site: str, browser: Browser) -> None:
    page = await browser.new_page(viewport={"width": 360, "height": 760})
    await page.goto(f"{site}/l/{'A' * 43}")
    await page.get_by_role("heading", name="链接不能使用").wait_for()
    await shoot(page, "dead-phone")
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
