"""What is looked for on every page: accessibility by axe, width, weight, errors in the console, other hosts."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Page, Request

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PHONE, DESK = {"width": 360, "height": 760}, {"width": 1200, "height": 900}
HEAVIEST = 100_000
"""Bytes of a page's HTML."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """
async rules => {
  const found = await axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']});
  const where = nodes => nodes.slice(0, 3).map(n => n.target.join(' ')).join(' | ');
  return found.violations.map(v => `${v.impact} ${v.id}: ${where(v.nodes)} — `
    + (v.nodes[0].any[0] || v.nodes[0].all[0] || v.nodes[0].none[0] || {message: ''}).message);
}
"""
VIOLATIONS = """
window.__refused = [];
document.addEventListener('securitypolicyviolation',
  e => window.__refused.push(e.violatedDirective + ' ' + e.blockedURI));
"""
WIDER = "document.scrollingElement.scrollWidth > window.innerWidth"
WIDE = """
() => [...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .ways, svg'))
  .slice(0, 3).map(e => e.tagName.toLowerCase() + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().right))
"""


@cache
def axe() -> str:
    return AXE.read_text(encoding="utf-8")


@dataclass
class Watch:
    """A page that is watched from its first request on; `faults` says what was wrong, in words."""

    page: Page
    host: str
    faults: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    """Title → the first address that had it."""
    where: str = ""
    silent: str = "\0"
    """What the console may say of this page: that it was answered as expected."""

    @classmethod
    async def over(cls, page: Page, url: str) -> "Watch":
        """Watch a page of the site at `url`."""
        watch = cls(page, urlsplit(url).netloc)
        page.on("console", watch._heard)
        page.on("pageerror", lambda error: watch.say(f"script: {error}"))
        page.on("request", watch._asked)
        await page.add_init_script(VIOLATIONS)
        return watch

    def say(self, fault: str) -> None:
        self.faults.append(f"{self.where}: {fault}")

    async def look(self, address: str, status: int = 200, name: str = "") -> None:
        """Open a page on a desk and on a phone and note everything that is wrong with it."""
        self.where, self.silent = name or urlsplit(address).path, f"status of {status}"
        await self.page.set_viewport_size(DESK)  # pyright: ignore[reportArgumentType] - a plain dictionary
        answer = await self.page.goto(address)
        assert answer is not None
        if answer.status != status:
            self.say(f"status {answer.status}")
        weight = len(await answer.body())
        if weight >= HEAVIEST:
            self.say(f"{weight} bytes")
        title = await self.page.title()
        if not title or title.startswith(" ") or title in self.titles:
            self.say(f"title “{title}” as {self.titles.get(title, 'nothing')}")
        self.titles.setdefault(title, self.where)
        await self._measure_both()
        refused: list[str] = await self.page.evaluate("window.__refused")
        self.faults += [f"{self.where}: policy refused {one}" for one in refused]

    async def here(self, name: str) -> None:
        """Axe and width of the page that stands there now, as the answer to a form."""
        self.where = name
        await self._measure_both()
        await self.page.set_viewport_size(DESK)  # pyright: ignore[reportArgumentType]

    async def _measure_both(self) -> None:
        await self.page.evaluate(axe())
        await self.measure("desk")
        await self.page.set_viewport_size(PHONE)  # pyright: ignore[reportArgumentType]
        await self.measure("phone")

    async def measure(self, size: str) -> None:
        """Axe at this width, and whether the page is wider than the screen; axe was loaded before."""
        for found in await self.page.evaluate(RUN, RULES):
            self.say(f"{size}: {found}")
        if await self.page.evaluate(WIDER):
            self.say(f"{size}: wider than the screen: {await self.page.evaluate(WIDE)}")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and self.silent not in message.text:
            self.say(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme.startswith("http") and parts.netloc != self.host:
            self.say(f"asked {request.url}")
