"""Pictures of the rooms, as a desk and as a phone see them; what stands in them is led by the API, as people would."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from PIL import Image
from playwright.async_api import Browser, Page
from stdnum.cn import uscc

from api.insurer.doors import SAMPLE_FILE
from domain.calendar import local_date
from models.contracts.vocabulary import Sector
from runtime.pictures.leading import Story, Until, lead
from runtime.settings import PROJECT_ROOT
from runtime.stack import Stack

DESK, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 760}
COLOURS = 96
TALLEST = 1500
"""Pixels of a page that a picture shows, from its top."""
INSURER, OTHERS = "PS", "YS"
IMPORT = "/insurer/import"
PORTFOLIO = PROJECT_ROOT / "samples" / "portfolio.csv"
CODE = re.compile(r"^ +(\d{3} ?\d{3})$", re.MULTILINE)
CODE_WITHIN = 60.0  # seconds
PEOPLE = {
    "insurer": "guanli@panshi-insurance.example",
    "department": "liu@suzhou-ah.example",
    "operator": "gao@anze.example",
    "provider": "song@wanan-safety.example",
}
TOLD: tuple[tuple[str, Until, int, Sector, bool], ...] = (
    ("宿州市磬云化工有限公司（样例）", "signed", 70, Sector.HAZARDOUS_CHEMICALS, False),
    ("宿州市拂晓烟花有限公司（样例）", "planned", 12, Sector.FIREWORKS, False),
    ("宿州市涉故台铸造有限公司（样例）", "visited", 25, Sector.METAL_SMELTING, True),
    ("宿州市汴水化工有限公司（样例）", "visited", 22, Sector.HAZARDOUS_CHEMICALS, False),
    ("宿州市隋堤运输有限公司（样例）", "mended", 35, Sector.ROAD_TRANSPORT, False),
    ("宿州市大泽乡矿业有限公司（样例）", "served", 44, Sector.NON_COAL_MINING, False),
    ("宿州市灵璧石业有限公司（样例）", "proposed", 60, Sector.NON_COAL_MINING, False),
    ("宿州市新汴河建设有限公司（样例）", "uploaded", 6, Sector.HOUSING_CONSTRUCTION, False),
)
"""Enterprise, how far its policy is led, days since signing, sector, whether its hazard is a major one."""
_keys = count(1)


async def take_rooms(stack: Stack, browser: Browser, folder: Path) -> list[Path]:
    """Every room on a desk and on a phone; the stack has samples, worker, web and an identity service."""
    folder.mkdir(parents=True, exist_ok=True)
    stories = await _told(stack)
    late, _, major, open_, _, _, claimed, _ = stories
    views: Mapping[str, tuple[tuple[str, str], ...]] = {
        "insurer": (
            ("workbench", "/insurer"),
            ("policy", f"/insurer/policies/{open_.policy_id}"),
            ("payment", f"/insurer/claims/{claimed.claim_id}/payments/FK-{claimed.number}"),
            ("new", "/insurer/new"),
            ("policies", "/insurer/policies"),
            ("import", IMPORT),
        ),
        "department": (
            ("inbox", "/department"),
            ("case", f"/department/cases/{late.policy_id}"),
            ("overview", "/department/overview"),
        ),
        "operator": (
            ("stuck", "/operator"),
            ("directory", "/operator/directory?place=340000"),
            ("packs", "/operator/packs"),
        ),
        "provider": (
            ("todo", "/provider"),
            ("policy", f"/provider/policies/{open_.policy_id}"),
            ("visit", f"/provider/policies/{open_.policy_id}/visit"),
        ),
        "enterprise": (
            ("todo", "/enterprise"),
            ("hazard", f"/enterprise/hazards/{major.hazard_id}"),
        ),
    }
    taken: list[Path] = []
    for room, pages in views.items():
        async with _entered(stack, browser, room, major) as page:
            for name, asked in pages:
                address = await _checked(page, stack) if asked == IMPORT else asked
                taken += [
                    await _shoot(page, stack.api_url + address, folder / f"{room}-{name}", size)
                    for size in (DESK, PHONE)
                ]
    return taken


async def sign_in(page: Page, url: str, email: str) -> None:
    """From the front door by the development identity service into the room."""
    await page.goto(f"{url}/enter")
    await page.locator("a.door").first.click()
    await page.get_by_role("button").filter(has_text=email).click()
    await page.get_by_role("navigation").wait_for()


@asynccontextmanager
async def _entered(stack: Stack, browser: Browser, room: str, firm: Story) -> AsyncIterator[Page]:
    context = await browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    page = await context.new_page()
    if room in PEOPLE:
        await sign_in(page, stack.api_url, PEOPLE[room])
    else:
        await enter_by_code(page, stack, firm)
    try:
        yield page
    finally:
        await context.close()


async def enter_by_code(page: Page, stack: Stack, firm: Story) -> None:
    """An enterprise: its credit code, the code from its mail, its room."""
    await page.goto(f"{stack.api_url}/enter/code")
    form = page.locator("form").filter(has=page.locator("#credit_code"))
    await form.locator("#insurer").select_option(INSURER)
    await form.locator("#credit_code").fill(firm.credit_code)
    before = len(stack.mail)
    await form.get_by_role("button").click()
    await page.locator("#code").fill(await code_for(stack, firm.email, before))
    await page.locator("main form").get_by_role("button").click()
    await page.get_by_role("navigation").wait_for()


async def code_for(stack: Stack, email: str, after: int) -> str:
    """The digits in the next mail to this address that carries some; `after` is how many mails there were."""
    async with asyncio.timeout(CODE_WITHIN):
        while True:
            for mail in stack.mail[after:]:
                found = CODE.search(mail.body().replace("\r\n", "\n"))
                if email in mail.recipients and found:
                    return found[1].replace(" ", "")
            await asyncio.sleep(0.05)


async def _checked(page: Page, stack: Stack) -> str:
    """Where a file of policies stands that was handed in and looked through; one line of it is another insurer's."""
    heading, *lines = PORTFOLIO.read_text("utf-8-sig").splitlines()
    others = next(line for line in lines if line.startswith(OTHERS))
    own = [line for line in lines if line.startswith(INSURER)][:12]
    table = "\n".join((heading, *own, others)).encode()
    await page.goto(stack.api_url + IMPORT)
    handed_in: Any = {"name": "本月新保单.csv", "mimeType": "text/csv", "buffer": table}
    await page.locator("#file").set_input_files([handed_in])
    await page.get_by_role("button", name="上传并检查").click()
    await page.get_by_text("检查完毕").wait_for()
    return page.url.removeprefix(stack.api_url)


async def _told(stack: Stack) -> list[Story]:
    """The policies of TOLD, led by the key of their insurer."""
    token = next(key for name, key in stack.credentials.items() if name.startswith(INSURER))

    async def post(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await _sent(http, token, path, json.dumps(body).encode(), "application/json")

    async with httpx.AsyncClient(base_url=stack.api_url, trust_env=False, timeout=30) as http:
        await _sent(http, token, "/v1/files", SAMPLE_FILE, "application/pdf")
        me = await http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        insurer_id = UUID(me.json()["id"])
        today = local_date(datetime.now(UTC))
        stories = [_story(insurer_id, number, told) for number, told in enumerate(TOLD, 1)]
        return [await lead(post, story, today) for story in stories]


def _story(insurer_id: UUID, number: int, told: tuple[str, Until, int, Sector, bool]) -> Story:
    name, until, ago, sector, major = told
    code = f"91341300{840_000 + number:09d}"
    return Story(
        insurer_id=insurer_id,
        number=f"PS-2026-7{number:05d}",
        region="341300",
        sector=sector,
        enterprise=name,
        credit_code=code + uscc.calc_check_digit(code),
        email=f"anquan{number}@tupian.example",
        until=until,
        signed_ago=ago,
        major=major,
    )


async def _sent(http: httpx.AsyncClient, token: str, path: str, content: bytes, kind: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"picture-{next(_keys)}", "Content-Type": kind}
    answer = await http.post(path, content=content, headers=headers)
    if answer.is_error:
        raise RuntimeError(f"{path}: {answer.text}")
    return answer.json()


async def _shoot(page: Page, address: str, path: Path, size: Mapping[str, int]) -> Path:
    """The top of the page in few colours: such a picture is small and still sharp."""
    await page.set_viewport_size(size)  # pyright: ignore[reportArgumentType] - a plain dictionary
    await page.goto(address)
    raw = await page.screenshot(full_page=True)
    picture = Image.open(io.BytesIO(raw)).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, TALLEST)))
    taken = path.with_name(f"{path.name}-{'desk' if size is DESK else 'phone'}.png")
    # a median cut would make rare red brown, and without the means the ground of a page takes a tint
    few = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    few.save(taken, optimize=True)
    return taken
