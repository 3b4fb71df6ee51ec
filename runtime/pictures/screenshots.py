"""Takes the screenshots of the documents, on an isolated stack with the samples; needs chromium and Chinese fonts."""

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
from playwright.async_api import Browser, Page, async_playwright
from temporalio.client import Client

from api.keys import TOKEN
from api.portfolio.parcels import Parcel
from domain.calendar import local_date
from models.contracts.ids import policy_workflow_id
from runtime.embedded.mail import CaughtMail
from runtime.pictures.rooms import PORTFOLIO, take_rooms
from runtime.portfolio import importing
from runtime.settings import PROJECT_ROOT
from runtime.stack import Stack, StackOptions
from workflows.search import DUE_AT, KIND, NEXT_DUTY, PLACE, STAGE

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
FOLDER = PROJECT_ROOT / "docs" / "pictures"
OPENED = 24
"""Policies of the sample portfolio that are opened: one screen of the list."""
SHOWN = ("YS", "YS-2026-000008")
"""The policy whose life is shown: a builder of water works in 宿州."""
REPORTED = ("YS", "YS-2026-000017")
"""A smelter in 浙江, where a major hazard is reported on finding it."""
CASES = f"{KIND.name} IS NOT NULL"
"""What the list is asked for: cases, not mailrooms."""
MAIL_WITHIN = 60.0  # seconds
SETTLES = 2.5  # seconds the Temporal UI takes to draw what it has; details lie in a frame of their own


async def take() -> list[Path]:
    """Write every PNG again and say which."""
    FOLDER.mkdir(exist_ok=True)
    options = StackOptions(ui=True, worker="process", web="process", samples=True)
    async with Stack(options) as stack, async_playwright() as playwright:
        await _story(stack, local_date(datetime.now(UTC)))
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, "--lang=zh-CN"])
        try:
            rooms = await take_rooms(stack, browser, FOLDER / "rooms")
            return [*rooms, *await _engine(stack, browser), *await _letters(stack, browser)]
        finally:
            await browser.close()


async def _story(stack: Stack, today: date) -> None:
    """Some policies opened, one led as far as its first visit, hazards found."""
    keys = {name.split()[0]: token for name, token in stack.credentials.items() if TOKEN.fullmatch(token)}
    parcels = importing.load(PORTFOLIO, today, keys).parcels[:OPENED]
    async with httpx.AsyncClient(base_url=stack.api_url, trust_env=False, timeout=30) as http:
        ids = {parcel.number: await _open(http, keys, parcel) for parcel in parcels}
        for (insurer, number), body in ((SHOWN, _visit(today, "ordinary")), (REPORTED, _visit(today, "major"))):
            case = f"/v1/policies/{ids[number]}"
            await _post(http, keys[insurer], f"{case}/provider", {"provider_name": "皖北安全技术服务有限公司（样例）"})
            await _post(http, keys[insurer], f"{case}/plan", _plan())
            await _post(http, keys[insurer], f"{case}/plan/confirmation", {})
            await _post(http, keys[insurer], f"{case}/visits", body)


async def _open(http: httpx.AsyncClient, keys: Mapping[str, str], parcel: Parcel) -> str:
    return (await _post(http, keys[parcel.insurer], "/v1/policies", parcel.body))["id"]


async def _post(http: httpx.AsyncClient, key: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"screenshot-{uuid4()}"}
    answer = await http.post(path, json=body, headers=headers)
    if answer.is_error:
        raise RuntimeError(f"{path}: {answer.text}")
    return answer.json()


def _plan() -> dict[str, Any]:
    items = ["hazard_inspection", "training"]
    return {"items": items, "services_per_year": 2, "goals": "全年两次隐患排查，一次全员培训。"}


def _visit(today: date, grade: str) -> dict[str, Any]:
    major = grade == "major"
    hazard = {
        "number": "H-001",
        "description": "金属熔融炉冷却水系统未设温度、流量监测报警" if major else "基坑临边防护栏杆缺失约十二米",
        "grade": grade,
        "place": "一号熔炼车间" if major else "三号泵站基坑",
        **({"criterion": "工贸企业重大事故隐患判定标准"} if major else {}),
    }
    return {
        "number": "V-001",
        "on": str(today),
        "items": ["hazard_inspection"],
        "place": hazard["place"],
        "staff_count": 2,
        "summary": "现场排查，发现隐患一处。",
        "hazards": [hazard],
    }


async def _engine(stack: Stack, browser: Browser) -> list[Path]:
    """The Temporal UI: the list of cases, and what it says of one policy."""
    base = f"http://127.0.0.1:{stack.settings.temporal_ui_port}/namespaces/{stack.settings.temporal_namespace}"
    client = await Client.connect(stack.temporal_address)
    workflow_id = policy_workflow_id(*SHOWN)
    run_id = (await client.get_workflow_handle(workflow_id).describe()).run_id
    page = await browser.new_page(viewport={"width": 1400, "height": 1000}, locale="zh-CN", timezone_id="Asia/Shanghai")
    await page.add_init_script(f"localStorage.setItem('namespace-workflow-table-columns', {json.dumps(_columns())})")
    case = f"{base}/workflows/{quote(workflow_id, safe='')}/{run_id}"
    return [
        await _shot(page, f"{base}/workflows?query={quote(CASES)}", "temporal-list", SHOWN[1]),
        await _shot(page, f"{case}/user-metadata", "temporal-policy", "Current Details"),
        await _shot(page, f"{case}/timeline", "temporal-timeline", "记入台账"),
    ]


def _columns() -> str:
    """The list shows what an operator looks for; anybody can choose the same columns at its foot."""
    shown = ("Workflow ID", PLACE.name, STAGE.name, NEXT_DUTY.name, DUE_AT.name)
    return json.dumps({"default": [{"label": label} for label in shown]})


async def _shot(page: Page, address: str, name: str, says: str) -> Path:
    await page.goto(address)
    await page.get_by_text(says).first.wait_for()
    await asyncio.sleep(SETTLES)
    path = FOLDER / f"{name}.png"
    await page.screenshot(path=path)
    return path


async def _letters(stack: Stack, browser: Browser) -> list[Path]:
    """A report to a department, a hazard's notice to an enterprise, and the page behind its link, on a phone."""
    report = await _mail(stack, "【重大隐患】")
    notice = await _mail(stack, SHOWN[1], "隐患")
    desk = await browser.new_page(viewport={"width": 700, "height": 400}, locale="zh-CN")
    phone = await browser.new_page(viewport={"width": 360, "height": 720}, locale="zh-CN")
    await desk.set_content(report.body("html"))
    taken = FOLDER / "letter.png"
    await desk.screenshot(path=taken, full_page=True)
    link = re.search(r"http\S+/l/\S+", notice.body())
    assert link is not None
    await phone.goto(link[0])
    page = FOLDER / "portal.png"
    await phone.screenshot(path=page, full_page=True)
    return [taken, page]


async def _mail(stack: Stack, *words: str) -> CaughtMail:
    """The first mail whose subject has all the words. Raises TimeoutError."""
    async with asyncio.timeout(MAIL_WITHIN):
        while True:
            for mail in stack.mail:
                if all(word in mail.subject for word in words):
                    return mail
            await asyncio.sleep(0.5)
