"""Every form of every room, filled in as no person would: told in Chinese, never 5xx, and not a row more."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
from httpx import Response

from api.authorization import Visitor, load
from api.claims.doors import DOORS as CLAIM_DOORS
from api.doors import SHELVES
from api.insurer.doors import DOORS as INSURER_DOORS
from tests.authorization.test_cross_product import address
from tests.authorization.world import PAGES, Actor, World

NO_PAGES = ("/v1/", "/health", "/static", "/openapi", "/version", "/docs", "/problems", "/evidence")
TOKENLESS = ("/language",)
"""Whoever changes the language changes nothing but a cookie; a form of another site is refused there too."""
ENDING = ("/leave",)
"""Whoever has left has no form to fill in."""
FEWEST = {"insurer_admin": 50, "department_officer": 5, "enterprise": 6, "operator": 8, "provider": 2, "link_holder": 5}
"""How many forms a person finds at least; fewer would mean that the search itself is broken."""
DOORS = (*INSURER_DOORS, *CLAIM_DOORS)
PEOPLE = ("insurer_admin", "department_officer", "enterprise", "operator", "provider", "link_holder")
"""Somebody of each room with every form of it, and somebody with a letter and no account."""
HUGE, CONTROLS, FOREIGN = "长" * 3000, "a\x00\x1bb", "\u202e\u200b\ufeff３４"
WORDS = (HUGE, CONTROLS, FOREIGN, "-1", "9" * 40, "NaN", "no_such_word", "<script>alert(1)</script>", "' OR 1=1 --")
CHINESE = re.compile(r"[\u4e00-\u9fff]{2}")


@dataclass(frozen=True)
class Form:
    """A form as a page shows it: where it goes, and what every field was filled with."""

    page: str
    action: str
    fields: tuple[tuple[str, str], ...]
    buttons: tuple[tuple[str, str], ...] = ()

    @property
    def what_it_carries(self) -> dict[str, str]:
        """The hidden fields: tokens, and what the page keeps for itself."""
        return {name: value for name, value in self.fields if name.startswith("_")}

    @property
    def what_is_typed(self) -> list[str]:
        return sorted({name for name, _ in (*self.fields, *self.buttons) if not name.startswith("_")})


class Reader(HTMLParser):
    """Finds the forms of a page that change something, and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms, self.links = page, list[Form](), set[str]()
        self._open: tuple[str, list[tuple[str, str]]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href", "").startswith("/"):
            self.links.add(given["href"].partition("#")[0])
        if tag == "form" and given.get("method", "").lower() == "post":
            self._open = given.get("action") or self.page.partition("?")[0], []
        if self._open and tag in ("input", "select", "textarea", "button") and given.get("name"):
            self._open[1].append((given["name"], given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._open:
            self.forms.append(Form(self.page, self._open[0], tuple(self._open[1])))
            self._open = None


@dataclass
class Visit:
    """One person going through the rooms, form by form."""

    world: World
    actor: Actor

    async def forms(self) -> list[Form]:
        """Of every page this person may see, one of each kind."""
        found: dict[tuple[str, ...], Form] = {}
        for page in sorted(pages_of(self.world, self.actor)):
            answer = await self.actor.ask("GET", page)
            if answer.status_code == 200 and "text/html" in answer.headers["content-type"]:
                reader = Reader(page)
                reader.feed(answer.text)
                for form in reader.forms:
                    found.setdefault((PLACE_OF.sub("{}", form.action), *form.what_is_typed), form)
        return list(found.values())

    async def send(self, form: Form, typed: dict[str, list[str]], **headers: str) -> Response:
        """The form with these fields, and what the page itself put into it, unless that is typed over."""
        carried = {name: [value] for name, value in form.what_it_carries.items()}
        sent = PAGES | headers | ({"Cookie": self.actor.cookie} if self.actor.cookie else {})
        return await self.world.http.post(form.action, data={**carried, **typed}, headers=sent)


PLACE_OF = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|\d+")


def pages_of(world: World, actor: Actor) -> set[str]:
    """The addresses of every page a visitor of this kind may ask for, with ids of its own; each act has its page."""
    ids, found = world.holdings["own"].ids, set[str]()
    mine = {Visitor.ANYBODY, Visitor.LINK_HOLDER} if actor.name == "link_holder" else {Visitor(actor.name)}
    for name, rule in load().items():
        path = address(name, ids)
        if not rule.visitors & mine or not name.startswith("GET /") or path is None or path.startswith(NO_PAGES):
            continue
        found.add(path)
    if actor.name.startswith("insurer"):
        found |= {f"/insurer/{SHELVES[one.kind][0]}/{ids[one.kind.value]}/{one.update}" for one in DOORS}
    return found


def is_a_problem_in_chinese(answer: Response) -> bool:
    refused = 400 <= answer.status_code < 500 and "text/html" in answer.headers["content-type"]
    return refused and bool(CHINESE.search(answer.text)) and "Traceback" not in answer.text


def never(form: Form, actor: Actor) -> list[tuple[str, dict[str, list[str]], dict[str, str]]]:
    """What can never be taken, by name: fields and headers."""
    own = form.what_is_typed
    odd = [("control characters", {**{name: [CONTROLS] for name in own}, "more": [CONTROLS]}, {})]
    odd.append(
        (
            "another site",
            {name: ["1"] for name in own},
            {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        )
    )
    many = {f"field{number}": ["1"] for number in range(300)}
    odd.append(("too many fields", {name: ["1"] for name in own} | many, {}))
    if actor.form_token and form.action not in TOKENLESS:
        odd.append(("no token", {"_token": []}, {}))
        odd.append(("another's token", {"_token": ["0" * 32]}, {}))
        odd.append(("two tokens", {"_token": ["0" * 32, actor.form_token]}, {}))
        odd.append(("a token twice", {"_token": [actor.form_token] * 2}, {}))
    return odd


def oddly(fields: list[str]) -> Iterator[dict[str, list[str]]]:
    """Nothing at all, then every field with another odd word each time, then every field twice."""
    yield {name: [""] for name in fields}
    for first in range(0, len(WORDS), 3):
        yield {name: [WORDS[(first + place) % len(WORDS)]] for place, name in enumerate(fields)}
    yield {name: ["1", HUGE] for name in fields}
    yield {name: ["1"] for name in fields} | {"_more": [f"{name}.0.x" for name in fields][-1:]}


@pytest.mark.parametrize("name", PEOPLE)
async def test_no_form_takes_what_no_person_sends(world: World, name: str) -> None:
    visit = Visit(world, world.actors[name])
    forms = await visit.forms()
    before, wrong = await world.rows(), []
    for form in forms:
        for what, typed, headers in never(form, visit.actor):
            answer = await visit.send(form, typed, **headers)
            if not is_a_problem_in_chinese(answer):
                wrong.append(f"{form.action} {what}: {answer.status_code} {answer.text[:80]!r}")
    assert wrong == []
    assert await world.rows() == before
    assert len(forms) >= FEWEST[name], [form.action for form in forms]


@pytest.mark.parametrize("name", PEOPLE)
async def test_no_form_breaks_over_what_is_typed(world: World, name: str) -> None:
    """Some of it may be text like any other; this world may be changed by it."""
    visit, wrong = Visit(world, world.actors[name]), []
    for form in await visit.forms():
        if form.action in ENDING:
            continue
        for typed in oddly(form.what_is_typed):
            answer = await visit.send(form, typed)
            if answer.status_code not in (200, 303) and not is_a_problem_in_chinese(answer):
                wrong.append(f"{form.action} {str(typed)[:99]}: {answer.status_code} {answer.text[:80]!r}")
    assert wrong == []
