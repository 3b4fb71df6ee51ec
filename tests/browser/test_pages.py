"""Every page of every room, in Chinese and English, on a desk and on a phone: nothing is wrong with any of them."""

import asyncio
import re
from datetime import UTC, date, datetime

import pytest

from api.desk.words import COOKIE, Language
from api.operator.packs import SHORT
from models.contracts.vocabulary import Sector
from rules.library import Library
from tests.browser.conftest import Site, enter_by_code
from tests.browser.inventory import DEAD_LINK, ROOMS, Cast, addresses, looks_at, routes, visits
from tests.browser.watching import Watch

pytestmark = pytest.mark.browser
LINK = re.compile(r"/l/[A-Za-z0-9_-]{43}")


RETURNED = "tuihui@huishui.example"
BOOK = """
INSERT INTO tasks (id, kind, insurer_id, case_id, said)
SELECT gen_random_uuid(), 'payment_unknown', insurer_id, id, '付款结果不明' FROM cases WHERE id = $1 RETURNING id
"""


@pytest.fixture(scope="module")
async def cast(site: Site) -> Cast:
    assert site.stack.mailbox is not None
    site.stack.mailbox.refused[RETURNED] = "550 5.1.1 no such user"
    late, planned, visited, major, served, mended, proposed, _, _ = await asyncio.gather(
        site.story("signed", signed_ago=70),
        site.story("planned"),
        site.story("visited"),
        site.story("visited", major=True),
        site.story("served", signed_ago=40),
        site.story("mended"),
        site.story("proposed", signed_ago=60),
        site.story("visited", email=RETURNED),
        site.story("visited", major=True, region="330100", sector=Sector.CIVIL_EXPLOSIVES),
    )
    link = LINK.search(await site.mail(visited.email, "隐患"))
    assert link is not None
    return Cast(
        late, planned, visited, major, served, mended, proposed, link[0],
        returned=await site.until("SELECT recipient_id FROM tasks WHERE kind IN ('bounced', 'undelivered')"),
        unaddressed=await site.until("SELECT id FROM tasks WHERE kind IN ('no_route', 'no_address')"),
        book=await site.value(BOOK, proposed.claim_id),
        mail=await site.until("SELECT id FROM mails WHERE sent_at IS NOT NULL"),
        department=await site.value("SELECT id FROM recipients WHERE region = '341300' AND role = 'emergency'"),
        pack=Library().known()[0].ref.digest[:SHORT], older=older(), year=datetime.now(UTC).year + 1,
    )  # fmt: skip


def older() -> str:
    """The national document of 2020, which has a newer version."""
    return next(one for one in Library().packs() if one.ref.in_force_on == date(2020, 2, 1)).ref.digest[:SHORT]


def test_every_page_is_visited(cast: Cast) -> None:
    named = addresses(cast)
    unknown = {path for path in routes() if "{" in path and path not in named}
    assert unknown == set(), "a page nobody looks at: give it an address in tests/browser/inventory.py"
    assert set(named) <= routes(), "an address of a page that is gone"
    assert {path for path in routes() if looks_at(path) in ROOMS.values()}


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("who", [*ROOMS.values(), "stranger"])
async def test_nothing_is_wrong_with_any_page(site: Site, cast: Cast, who: str, language: Language) -> None:
    async with site.context(who if who not in {"stranger", "enterprise"} else "") as context:
        page = await context.new_page()
        if who == "enterprise":
            await enter_by_code(page, site, cast.visited)
        await context.add_cookies([{"name": COOKIE, "value": language.value, "url": site.url}])
        watch = await Watch.over(page, site.url)
        for address in visits(cast, who):
            await watch.look(site.url + address, 404 if address == DEAD_LINK else 200, address)
        assert watch.faults == [], "\n" + "\n".join(watch.faults)


PAPER = """() => {
  const shown = one => one.checkVisibility() && one.getClientRects().length > 0;
  const some = chosen => [...document.querySelectorAll(chosen)].filter(shown).map(one => one.outerHTML.slice(0, 80));
  const ink = [...document.querySelectorAll("main *, .printed *")].filter(one => !one.closest("svg") && shown(one));
  return {
    head: document.querySelector(".printed").innerText,
    repeated: getComputedStyle(document.querySelector(".printed")).display,
    left: some("nav, header, button, input, select, textarea, .button, a[href^='?']:not(svg a, .figures a)"),
    folded: [...document.querySelectorAll("main details > :not(summary)")].filter(one => !one.getClientRects().length)
      .filter(one => getComputedStyle(one).display !== "none").map(one => one.outerHTML.slice(0, 80)),
    pale: ink.filter(one => getComputedStyle(one).color === "rgb(255, 255, 255)").map(one => one.className),
    wide: document.documentElement.scrollWidth - innerWidth,
  };
}"""


async def test_paper_has_the_case_on_every_sheet_and_nothing_that_only_a_screen_can_do(site: Site, cast: Cast) -> None:
    pages = {
        "admin": (f"/insurer/policies/{cast.late.policy_id}", f"/insurer/claims/{cast.proposed.claim_id}"),
        "officer": (f"/department/cases/{cast.visited.policy_id}", "/department", "/department/overview"),
        "operator": ("/operator/audit",),
        "assessor": (f"/provider/policies/{cast.visited.policy_id}",),
    }
    for who, addresses_of in pages.items():
        async with site.context(who, viewport={"width": 718, "height": 1010}) as context:
            page = await context.new_page()
            await page.emulate_media(media="print")
            for address in addresses_of:
                await page.goto(site.url + address)
                told = await page.evaluate(PAPER)
                number = address.count("/") > 2 and (await page.title()).partition(" · ")[0]
                assert number is False or number in told["head"], address
                assert "按此刻计算" in told["head"]
                assert told["repeated"] == "table-header-group"
                assert [told[one] for one in ("left", "folded", "pale")] == [[], [], []], address
                assert told["wide"] <= 0, address
