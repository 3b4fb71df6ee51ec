"""Every page of every room, in Chinese and English, on a desk and on a phone: nothing is wrong with any of them."""

import asyncio
import re

import pytest

from api.desk.words import COOKIE, Language
from tests.browser.conftest import Site, enter_by_code
from tests.browser.inventory import DEAD_LINK, ROOMS, Cast, addresses, looks_at, routes, visits
from tests.browser.watching import Watch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
LINK = re.compile(r"/l/[A-Za-z0-9_-]{43}")


@pytest.fixture(scope="module")
async def cast(site: Site) -> Cast:
    late, planned, visited, major, served, mended, proposed = await asyncio.gather(
        site.story("signed", signed_ago=70),
        site.story("planned"),
        site.story("visited"),
        site.story("visited", major=True),
        site.story("served", signed_ago=40),
        site.story("mended"),
        site.story("proposed", signed_ago=60),
    )
    letter = await site.mail(visited.email, "隐患")
    link = LINK.search(letter)
    assert link is not None
    return Cast(late, planned, visited, major, served, mended, proposed, link[0])


def test_every_page_is_visited(cast: Cast) -> None:
    named = addresses(cast)
    unknown = {path for path in routes() if "{" in path and path not in named}
    assert unknown == set(), "a page nobody looks at: give it an address in tests/browser/inventory.py"
    assert set(named) <= routes(), "an address of a page that is gone"
    assert {path for path in routes() if looks_at(path) in ROOMS.values()}


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("who", [*ROOMS.values(), "auditor", "stranger"])
async def test_nothing_is_wrong_with_any_page(site: Site, cast: Cast, who: str, language: Language) -> None:
    async with site.context(who if who not in {"stranger", "enterprise"} else "") as context:
        page = await context.new_page()
        if who == "enterprise":
            await enter_by_code(page, site, cast.visited)
        await context.add_cookies([{"name": COOKIE, "value": language.value, "url": site.url}])
        watch = await Watch.over(page, site.url)
        for address in visits(cast, "admin" if who == "auditor" else who):
            await watch.look(site.url + address, 404 if address == DEAD_LINK else 200, address)
        assert watch.faults == [], "\n" + "\n".join(watch.faults)
