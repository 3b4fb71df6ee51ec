"""What Temporal keeps sealed is readable in its UI to an operator who is signed in here, and to nobody else."""

import asyncio
import json
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page

from runtime.pictures.leading import Story
from tests.browser.conftest import Site

pytestmark = pytest.mark.browser
READ = "SELECT count(*) FROM audit WHERE what = 'payloads_read'"
LAST = "SELECT said::text FROM audit WHERE what = 'payloads_read' ORDER BY number DESC LIMIT 1"
PATIENCE = 60_000  # milliseconds; the UI is large and the machine is shared
INSIDE = "insurer_name"
"""A word of the workflow's input."""
SEALED = "Codec Server could not connect"
SIZE = {"width": 1280, "height": 1000}


async def looking(context: BrowserContext, site: Site, story: Story) -> Page:
    """A workflow's page in a browser that was told, as the guide says, to send its cookies to the codec server."""
    kept = {
        "endpoint": f"{site.url}/codec",
        "includeCredentials": True,
        "overrideRemoteCodecConfiguration": True,
    }
    sets = (f"localStorage.setItem({json.dumps(name)}, {json.dumps(json.dumps(told))})" for name, told in kept.items())
    await context.add_init_script(";".join(sets))
    workflow = await site.value("SELECT workflow_id FROM cases WHERE id = $1", story.policy_id)
    page = await context.new_page()
    ui = f"http://127.0.0.1:{site.stack.settings.temporal_ui_port}/namespaces/default/workflows"
    await page.goto(f"{ui}/{workflow.replace('/', '%2F')}")
    return page


async def shows(page: Page, words: str) -> None:
    """Somewhere on the page, where it can be seen; its policy lets no script of ours look."""
    async with asyncio.timeout(PATIENCE / 1000):
        while words not in await page.inner_text("body"):
            await asyncio.sleep(0.2)


async def test_an_operator_who_is_signed_in_reads_and_is_on_record(site: Site, tmp_path: Path) -> None:
    story = await site.story("signed")
    before = int(await site.value(READ))
    async with site.context("operator", viewport=SIZE) as context:
        page = await looking(context, site, story)
        await shows(page, INSIDE)
        await page.screenshot(path=tmp_path / "readable.png")
    assert int(await site.value(READ)) > before
    assert set(json.loads(await site.value(LAST))) == {"payloads", "opened"}


async def test_whoever_is_not_signed_in_or_no_operator_sees_that_it_is_sealed(site: Site, tmp_path: Path) -> None:
    story = await site.story("signed")
    before = int(await site.value(READ))
    for who in ("", "handler"):
        async with site.context(who, viewport=SIZE) as context:
            page = await looking(context, site, story)
            await shows(page, SEALED)
            assert INSIDE not in await page.content()
            await page.screenshot(path=tmp_path / f"sealed-{who}.png")
    assert int(await site.value(READ)) == before
