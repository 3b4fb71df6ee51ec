"""Two ways to use a page that nobody may be shut out of: by keyboard alone, and by plain forms without scripts."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, takewhile

from playwright.async_api import Page

from tests.browser.conftest import Site
from tests.browser.watching import DESK

MOST = 250
"""How often Tab is pressed before something counts as out of reach."""
FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const label = (e.labels || [])[0], box = (label && e.type === 'file' ? label : e).getBoundingClientRect();
  const drawn = one => getComputedStyle(one);
  const ring = one => drawn(one).outlineStyle !== 'none' && parseFloat(drawn(one).outlineWidth) > 0;
  const said = [e.getAttribute('aria-label'), label && label.innerText, e.innerText, e.value];
  return {
    kind: e.localName, at: (window.__stops || []).indexOf(e),
    words: (said.find(one => one && one.trim()) || '').trim().replace(/\\s+/g, ' '),
    marked: ring(e) || (!!label && ring(label)),
    seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""
STOPS = """() => {
  const some = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  const groups = new Set();
  window.__stops = [...document.querySelectorAll(some)].filter(one => {
    if (one.disabled || !one.checkVisibility({visibilityProperty: true})) return false;
    if (one.type !== 'radio') return true;
    const group = (one.form ? [...document.forms].indexOf(one.form) : '') + ' ' + one.name;
    const chosen = document.querySelectorAll(`input[type=radio][name="${CSS.escape(one.name)}"]:checked`);
    const first = chosen.length ? [...chosen].some(other => other === one) : !groups.has(group);
    groups.add(group);
    return first;
  });
  return window.__stops.map(one => one.outerHTML.slice(0, 120));
}"""
"""What Tab must come by, in the order it is to come by it; of a group of radio buttons one."""
REMEMBER = f"""() => {{
  const focused = {FOCUSED};
  window.__came = [];
  addEventListener('keydown', () => window.__came.push(focused()));
}}"""
"""Whoever had the focus when the next key was pressed."""
PARTS = 7
"""Of a date, which Tab comes by one after the other."""


class Way(StrEnum):
    KEYBOARD = "by keyboard alone"
    PLAIN = "without scripts"


@dataclass
class Hands:
    """Somebody at a page; what is asked for is found by the words it has, as people find it."""

    page: Page
    way: Way

    @property
    def by_keyboard(self) -> bool:
        return self.way is Way.KEYBOARD

    async def follow(self, name: str) -> None:
        """A link to another page."""
        await self._enter("a", name)

    async def press(self, name: str) -> None:
        """A button that sends a form."""
        await self._enter("button", name)

    async def unfold(self, name: str) -> None:
        """What stands folded under this name."""
        await self._use("summary", name)

    async def narrow(self, asked: str) -> None:
        """Send the filters of a list; with scripts it follows on its own as well, so only the address tells."""
        await self._use("button", "筛选")
        await self.page.wait_for_url(re.compile(re.escape(asked)))

    async def write(self, label: str, words: str) -> None:
        """Into the next field of this label, in the place of what stands in it."""
        if self.by_keyboard:
            await self._reach("input", label, "textarea")
            await self.page.keyboard.press("Control+a")
            await self.page.keyboard.type(words)
        else:
            field = self.page.locator("input:visible, textarea:visible").and_(self.page.get_by_label(label))
            await field.first.fill(words)

    async def pick(self, label: str, option: str) -> None:
        """One of the options of the next list of this label."""
        if not self.by_keyboard:
            field = self.page.locator("select:visible").and_(self.page.get_by_label(label))
            await field.first.select_option(label=option)
            return
        await self._reach("select", label)
        await self.page.keyboard.press("Home")
        for _ in range(MOST):
            if await self.page.evaluate("document.activeElement.selectedOptions[0].label") == option:
                return
            await self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{option} is not among {label}")

    async def tick(self, label: str) -> None:
        """A box, or the first of a group of which none is chosen yet."""
        if self.by_keyboard:
            await self._reach("input", label)
            await self.page.keyboard.press("Space")
        else:
            await self.page.locator("input:visible").and_(self.page.get_by_label(label)).first.check()

    async def tour(self) -> None:
        """From the top of a fresh page to its end by Tab: every stop in its order, each seen and marked, no trap."""
        if not self.by_keyboard:
            return
        await self.page.reload()
        stops: list[str] = await self.page.evaluate(STOPS)
        await self.page.evaluate(REMEMBER)
        for _ in range(len(stops) + 2 + PARTS * await self.page.locator("input[type^=date]").count()):
            await self.page.keyboard.press("Tab")
        came = list(takewhile(bool, (await self.page.evaluate("window.__came"))[1:]))
        unmarked = [one for one in came if not (one["marked"] and one["seen"])]
        assert unmarked == [], "nobody sees that these have the focus"
        order = [at for at, _ in groupby(one["at"] for one in came if one["at"] >= 0)]
        assert order[: len(stops)] == list(range(len(stops))), f"Tab comes by otherwise than one reads: {stops}"

    async def skip(self) -> None:
        """The first stop of a fresh page leads past everything that is on each page."""
        if not self.by_keyboard:
            return
        await self.page.reload()
        await self.page.keyboard.press("Tab")
        focus = await self.page.evaluate(FOCUSED)
        assert (focus["words"], focus["marked"], focus["seen"]) == ("跳到正文", True, True)
        await self.page.keyboard.press("Enter")
        await self.page.keyboard.press("Tab")
        assert await self.page.evaluate("document.activeElement.closest('main') !== null")

    async def _enter(self, kind: str, name: str) -> None:
        async with self.page.expect_navigation():
            await self._use(kind, name)

    async def _use(self, kind: str, name: str) -> None:
        if self.by_keyboard:
            await self._reach(kind, name)
            await self.page.keyboard.press("Enter")
        else:
            await self.page.locator(kind).filter(has_text=name, visible=True).first.click()

    async def _reach(self, kind: str, name: str, *kinds: str) -> None:
        """Press Tab until something of this name has the focus, and see that it is marked."""
        for _ in range(MOST):
            await self.page.keyboard.press("Tab")
            focus = await self.page.evaluate(FOCUSED)
            if focus and name in focus["words"] and focus["kind"] in (kind, *kinds):
                assert (focus["marked"], focus["seen"]) == (True, True), f"{name} has the focus, and nobody sees it"
                return
        raise AssertionError(f"{name} is not reached by keyboard")


@asynccontextmanager
async def hands_of(site: Site, way: Way, who: str = "") -> AsyncIterator[Hands]:
    """A browser for one way, with scripts only where the keyboard is used; signed in where `who` says as whom."""
    async with site.context(who, viewport=DESK, java_script_enabled=way is Way.KEYBOARD) as context:
        yield Hands(await context.new_page(), way)
