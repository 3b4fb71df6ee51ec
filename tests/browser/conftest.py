"""A system as `make up` starts it, filled by the API, and browsers in it: people sign in as people do."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, StorageState

from api.insurer.doors import SAMPLE_FILE
from bench.cast import credit_code
from domain.calendar import local_date
from models.contracts.vocabulary import Sector
from runtime.pictures.leading import Story, Until, lead
from runtime.stack import Stack, StackOptions
from tests.runtime.waiting import PATIENCE

PEOPLE = {
    "officer": "liu@suzhou-ah.example",
    "admin": "guanli@panshi-insurance.example",
    "handler": "jingban1@panshi-insurance.example",
    "auditor": "shenji@panshi-insurance.example",
    "operator": "gao@anze.example",
    "assessor": "song@wanan-safety.example",
    "of two insurers": "han@huihe-safety.example",
}
"""Who signs in by the identity provider, by their address in samples/directory.yaml."""
INSURER = "PS"
CODE = re.compile(r"^ +(\d{3} ?\d{3})$", re.MULTILINE)
_enterprises, _keys = count(1), count(1)


@dataclass
class Site:
    """The running system; `signed` keeps how a browser looks once somebody has signed in."""

    stack: Stack
    browser: Browser
    admin: asyncpg.Connection
    insurer_id: UUID
    signed: dict[str, StorageState] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.stack.api_url

    async def post(self, path: str, body: Mapping[str, Any] | bytes) -> dict[str, Any]:
        """What the insurer's core system sends."""
        content, kind = (body, "application/pdf") if isinstance(body, bytes) else (json.dumps(body), "application/json")
        token = next(key for name, key in self.stack.credentials.items() if name.startswith(INSURER))
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"browser-{next(_keys)}"}
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=PATIENCE) as http:
            sending = partial(http.post, path, content=content, headers=headers | {"Content-Type": kind})
            while (answer := await sending()).status_code == httpx.codes.SERVICE_UNAVAILABLE:  # as every caller must
                await asyncio.sleep(float(answer.headers["Retry-After"]))
        assert not answer.is_error, f"{path}: {answer.text}"
        return answer.json()

    async def story(self, until: Until, **told: Any) -> Story:
        """A new policy of an enterprise of its own, led so far."""
        number = next(_enterprises)
        usual = {"region": "341300", "sector": Sector.HAZARDOUS_CHEMICALS, "enterprise": f"宿州浍水{number}号化工厂"}
        usual["email"] = f"anquan{number}@huishui.example"
        story = Story(
            insurer_id=self.insurer_id,
            number=f"BR-2026-{number:04d}",
            credit_code=credit_code(810_000 + number),
            until=until,
            **usual | told,
        )
        return await lead(self.post, story, local_date(datetime.now(UTC)))

    async def value(self, asked: str, *given: object) -> str:
        """One value of the database, as text."""
        return str(await self.admin.fetchval(asked, *given))

    async def until(self, asked: str, *given: object) -> str:
        """The value as soon as there is one. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while (found := await self.admin.fetchval(asked, *given)) is None:
                await asyncio.sleep(0.1)
        return str(found)

    async def heard(self, department: str, story: Story, duty: str) -> None:
        """Until a department was told of a policy's duty. Raises TimeoutError."""
        told = "SELECT 1 FROM matters m JOIN recipients r ON r.id = m.recipient_id"
        await self.until(
            f"{told} WHERE r.name = $1 AND case_id = $2 AND duty_key = $3", department, story.policy_id, duty
        )

    async def mail(self, to: str, *words: str, within: float = PATIENCE) -> str:
        """The latest mail to an address whose subject or text has all the words. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while True:
                for mail in reversed(self.stack.mail):
                    text = mail.subject + "\n" + mail.body().replace("\r\n", "\n")
                    if to in mail.recipients and all(word in text for word in words):
                        return text
                await asyncio.sleep(0.1)

    @asynccontextmanager
    async def context(self, who: str = "", **options: Any) -> AsyncIterator[BrowserContext]:
        """A browser of its own; with `who`, somebody who has signed in before."""
        state = await self.entered(who) if who else None
        context = await self.browser.new_context(storage_state=state, locale="zh-CN", **options)
        try:
            yield context
        finally:
            await context.close()

    async def entered(self, who: str) -> StorageState:
        """How the browser of this person looks after signing in, once."""
        if who not in self.signed:
            async with self.context() as context:
                page = await context.new_page()
                await sign_in(page, self.url, PEOPLE[who])
                self.signed[who] = await context.storage_state()
        return self.signed[who]


async def sign_in(page: Page, url: str, email: str) -> None:
    """From the front door by the identity provider into the room."""
    await page.goto(f"{url}/enter")
    await page.locator("a.door").first.click()
    await page.get_by_role("button").filter(has_text=email).click()
    await page.get_by_role("navigation").wait_for()


async def enter_by_code(page: Page, site: Site, story: Story) -> None:
    """An enterprise: its credit code, the code from its mail, its room."""
    await page.goto(f"{site.url}/enter/code")
    form = page.locator("form").filter(has=page.locator("#credit_code"))
    await form.locator("#insurer").select_option(INSURER)
    await form.locator("#credit_code").fill(story.credit_code)
    before = len(site.stack.mail)
    await form.get_by_role("button").click()
    await page.locator("#code").fill(await code_for(site, story.email, before))
    await page.locator("main form").get_by_role("button").click()
    await page.get_by_role("navigation").wait_for()


async def code_for(site: Site, email: str, after: int) -> str:
    """The digits in the next mail to this address that carries some; `after` is how many mails there were."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for mail in site.stack.mail[after:]:
                found = CODE.search(mail.body().replace("\r\n", "\n"))
                if email in mail.recipients and found:
                    return found[1].replace(" ", "")
            await asyncio.sleep(0.05)


@pytest.fixture(scope="session")
async def site(browser: Browser) -> AsyncIterator[Site]:
    """Servers, worker, web, identity provider and samples, as `make up` starts them; once for the whole tier."""
    wanted = StackOptions(worker="process", web="process", samples=True, ui=True, sealed=True, answer_within=PATIENCE)
    async with Stack(wanted) as stack:
        assert stack.postgres is not None
        admin = await asyncpg.connect(stack.postgres.url("admin"))
        insurer_id = await admin.fetchval("SELECT id FROM insurers WHERE code = $1", INSURER)
        site = Site(stack, browser, admin, insurer_id)
        await site.post("/v1/files", SAMPLE_FILE)
        yield site
        await admin.close()
