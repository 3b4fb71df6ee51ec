"""A visitor who goes from page to page by chance and types what no person types; for `make fuzz`, no test."""

import asyncio
import re
from dataclasses import dataclass, field
from random import Random
from urllib.parse import parse_qsl, urlencode, urlsplit

from httpx import Response

from api.authorization import Visitor
from tests.hostile.test_pages import CONTROLS, ENDING, FOREIGN, HUGE, TOKENLESS, WORDS, Form, Reader, Visit, pages_of
from tests.hostile.test_pages import is_a_problem_in_chinese as refused_in_chinese

ROOMS = tuple(one.value for one in Visitor if one is not Visitor.ANYBODY and not one.value.endswith("_key"))
"""Everybody who comes by a page; whoever holds a letter also goes where anybody may go."""
ASKED_FOR = re.compile(r'\sname="(\w[\w.]*)"')
FINE = (200, 204, 302, 303, 304)
NEAR = ("0", "1", "2026-02-30", "2026-11-23", "9999-12-31", "0.01", "100.00", "341300", "true", "ordinary", "是", "\t")
"""What might be taken, or is one step beside it."""
LONG = 600  # characters of a filter, of which four fit into an address, at nine bytes each
NOT_HERE = "/enter/oidc"
"""Nobody vouches for anybody in the world of the tests, and this page says so with 503."""
LEFT_ALONE = (*ENDING, *TOKENLESS)
"""Whoever has left finds nothing to fill in; and refusals are read for Chinese."""


@dataclass
class Wanderer:
    """One visitor, what was asked so far, and what was answered wrongly."""

    visit: Visit
    chance: Random
    asked: int = 0
    wrong: list[str] = field(default_factory=list)

    async def wander(self, seconds: float) -> None:
        """For so many seconds: a page with an odd query, then one of its forms with odd words in it."""
        clock, pages = (
            asyncio.get_running_loop().time,
            sorted(pages_of(self.visit.world, self.visit.actor) - {NOT_HERE}),
        )
        names, ends = {page: ["page"] for page in pages}, clock() + seconds
        while clock() < ends:
            page = self.chance.choice(pages)
            shown = await self._look(page, names[page])
            names[page] = sorted({*names[page], *ASKED_FOR.findall(shown), *_queried(shown)})
            for form in self.chance.sample(forms := _forms(page, shown), min(2, len(forms))):
                if form.action not in LEFT_ALONE:
                    typed = self._typed(form)
                    self._judge(f"POST {form.action} {typed!s:.400}", await self.visit.send(form, typed))

    async def _look(self, page: str, names: list[str]) -> str:
        """The page as it is, or asked for with what its own filters are called."""
        odd = self.chance.random() < 0.6
        asked = self.chance.sample(names, self.chance.randint(1, min(4, len(names)))) if odd else []
        query = urlencode([(name, self._word()[:LONG].encode("utf-8", "replace")) for name in asked])
        answer = await self.visit.actor.ask("GET", f"{page}?{query}" if query else page)
        self._judge(f"GET {page}?{query[:400]}", answer)
        return answer.text if "text/html" in answer.headers.get("content-type", "") else ""

    def _typed(self, form: Form) -> dict[str, list[str]]:
        """Half as the page shows it, the rest odd, twice or left out."""
        typed = {name: [value] for name, value in (*form.fields, *form.buttons) if not name.startswith("_")}
        for name in form.what_is_typed:
            die = self.chance.random()
            if die < 0.4:
                typed[name] = [self._word()]
            elif die < 0.45:
                typed[name] = [self._word(), self._word()]
            elif die < 0.5:
                typed.pop(name, None)
        return typed

    def _word(self) -> str:
        ids = self.visit.world.holdings[self.chance.choice(("own", "foreign", "random"))].ids
        kinds = (WORDS, NEAR, (HUGE, CONTROLS, FOREIGN), tuple(ids.values()))
        word = self.chance.choice(self.chance.choice(kinds))
        at = self.chance.randrange(len(word) + 1)
        return word if self.chance.random() < 0.7 else word[:at] + chr(self.chance.randrange(0x20, 0xD800)) + word[at:]

    def _judge(self, what: str, answer: Response) -> None:
        self.asked += 1
        if answer.status_code not in FINE and not refused_in_chinese(answer):
            self.wrong.append(f"{self.visit.actor.name} {what}: {answer.status_code} {answer.text[:120]!r}")


def _forms(page: str, shown: str) -> list[Form]:
    reader = Reader(page)
    reader.feed(shown)
    return reader.forms


def _queried(shown: str) -> set[str]:
    """By what its own links ask."""
    found = re.findall(r'href="(/[^"#]*\?[^"#]*)"', shown)
    return {name for link in found for name, _ in parse_qsl(urlsplit(link.replace("&amp;", "&")).query)}
