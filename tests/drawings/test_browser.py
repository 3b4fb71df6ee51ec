"""The drawings in a real browser: one sheet at a time, letters of twelve pixels, nothing wider than the page."""

import pytest
from playwright.async_api import Browser

from tests.drawings.showcase import page

SEEN = """() => [...document.querySelectorAll('.drawing svg, svg.drawing')]
  .filter(svg => svg.getBoundingClientRect().width > 0).map(svg => ({
    id: svg.querySelector('title').id,
    right: svg.getBoundingClientRect().right,
    least: Math.min(...[...svg.querySelectorAll('text')].map(text =>
      parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)),
    spilt: [...svg.querySelectorAll('text')].filter(text =>
      text.getBoundingClientRect().right > svg.getBoundingClientRect().right + 4).map(text => text.textContent),
  }))"""
SMALL_TARGETS = """() => [...document.querySelectorAll('.drawing a')].map(link => link.getBoundingClientRect())
  .filter(box => box.width > 0 && (box.height < 16 || box.width < 16)).length"""
TRUE_12 = 11.9  # pixels: twelve, less what rounding takes


@pytest.mark.browser
@pytest.mark.parametrize(("width", "kind"), [(360, "narrow"), (740, "narrow"), (760, "wide"), (1100, "wide")])
async def test_every_drawing_can_be_read_on_a_phone_and_on_a_desk(browser: Browser, width: int, kind: str) -> None:
    tab = await browser.new_page(viewport={"width": width, "height": 800})
    try:
        await tab.set_content(page())
        seen = await tab.evaluate(SEEN)
        assert len(seen) == 13
        assert {one["id"].split("-")[1] for one in seen} <= {kind, "title"}
        assert [one for one in seen if one["least"] < TRUE_12 or one["right"] > width or one["spilt"]] == []
        assert await tab.evaluate(SMALL_TARGETS) == 0
    finally:
        await tab.close()


@pytest.mark.browser
async def test_paper_gets_the_wide_sheet(browser: Browser) -> None:
    tab = await browser.new_page(viewport={"width": 500, "height": 800})
    try:
        await tab.set_content(page())
        await tab.emulate_media(media="print")
        assert {one["id"].split("-")[1] for one in await tab.evaluate(SEEN)} == {"wide", "title"}
    finally:
        await tab.close()
