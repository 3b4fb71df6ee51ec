"""Enterprises and departments of a story: they read their mail, open links, send forms, type codes, as people do."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx

from runtime.demo.people import NotDone, Policy
from runtime.demo.town import Town
from runtime.embedded.mail import CaughtMail, MailCatcher

RULE = re.compile(r"^-{10,}$", re.MULTILINE)
LINK = re.compile(r"/l/[A-Za-z0-9_-]{43}")
CODE = re.compile(r"^ {4}(\d{6})$", re.MULTILINE)
"""The six digits as they stand in their letter, on a line of their own."""
FRESH_LINK = re.compile(r"^https?://\S+(/l/[A-Za-z0-9_-]{43})$", re.MULTILINE)
"""A link that was asked for, on a line of its own as well."""
PHOTOGRAPH = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xfc\xcf\xc0P\x0f\x00\x04\x85\x01\x80\x84\xa9\x8c!\x00\x00\x00\x00IEND\xaeB`\x82"
)
"""One pixel: what an enterprise attaches."""
ASKED_ANEW = "fresh"
"""The one form of a dead link's page."""


@dataclass
class Form:
    """A form of a page: what it says without being filled in, and whether it has a place for photographs."""

    fields: dict[str, str] = field(default_factory=dict)
    wants_photographs: bool = False


@dataclass(frozen=True)
class Page:
    """A link's page: its forms, by what they do."""

    link: str
    forms: Mapping[str, Form]


@dataclass
class Reader:
    """Somebody with a mailbox, who opens links and sends forms."""

    town: Town
    mailbox: MailCatcher
    address: str

    async def act(self, policy: Policy, deed: str, note: str = "", about: str = "", **filled: str) -> None:
        """Open the latest link that speaks of the policy (and of `about`), and send the form. Raises NotDone."""
        await self.town.traveller.arrive(policy.workflow_id)
        async with self.town.reading(self.address):
            page = await self.open(policy.number, about)
            await self.send(page, deed, {"note": note, **filled})

    async def open(self, number: str, about: str = "") -> Page:
        """The page behind the latest fitting link; where it is dead, behind a fresh one. Raises NotDone."""
        link = latest_link(self.mailbox.to(self.address), number, about)
        if link is None:
            raise NotDone(f"{self.address} 没有收到关于 {number} {about} 的链接")
        page = await self._look(link)
        if ASKED_ANEW not in page.forms:
            return page
        seen = len(self.mailbox.to(self.address))
        await self._post(page, page.forms[ASKED_ANEW], {})
        return await self._look(await self._mailed(FRESH_LINK, seen))

    async def send(self, page: Page, deed: str, filled: Mapping[str, str]) -> None:
        """The form of this page, from this page; where a code is asked for, the one in the letter that comes."""
        if deed not in page.forms:
            raise NotDone(f"{self.address} 的页面上没有“{deed}”，只有 {sorted(page.forms)}")
        seen = len(self.mailbox.to(self.address))
        answer = await self._post(page, page.forms[deed], filled)
        asking = forms(answer.text).get(deed) if answer.status_code == httpx.codes.OK else None
        if asking is not None:
            answer = await self._post(page, asking, {"code": await self._mailed(CODE, seen)})
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise NotDone(f"{self.address} 办理“{deed}”没有成功：{answer.status_code}")

    async def _look(self, link: str) -> Page:
        answer = await self.town.http.get(link)
        page = Page(link, forms(answer.text))
        if answer.status_code != httpx.codes.OK and ASKED_ANEW not in page.forms:
            raise NotDone(f"{self.address} 打不开链接：{answer.status_code}")
        return page

    async def _post(self, page: Page, form: Form, filled: Mapping[str, str]) -> httpx.Response:
        """As a browser does it, with a photograph where there is a place for one."""
        parts: list[tuple[str, tuple[str | None, str | bytes] | tuple[str, bytes, str]]] = [
            (name, (None, value)) for name, value in {**form.fields, **filled}.items()
        ]
        if form.wants_photographs:
            parts.append(("files", ("整改照片.png", PHOTOGRAPH, "image/png")))
        origin = str(self.town.http.base_url).rstrip("/")
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        return await self.town.http.post(page.link, files=parts, headers=headers)

    async def _mailed(self, wanted: re.Pattern[str], seen: int) -> str:
        """What stands in the letter that was just asked for; `seen` letters came before it. Raises PostStuck."""

        def look() -> str | None:
            bodies = (mail.body().replace("\r\n", "\n") for mail in self.mailbox.to(self.address)[seen:])
            return next((found[1] for found in map(wanted.search, bodies) if found), None)

        return await self.town.delivered(look)


def latest_link(mails: Iterable[CaughtMail], number: str, about: str = "") -> str | None:
    """The path of the last link that stands with this policy number, and with `about`, in a letter or a digest."""
    found: str | None = None
    for mail in mails:
        for piece in RULE.split(mail.body().replace("\r\n", "\n")):
            link = LINK.search(piece)
            lines = {line.strip() for line in piece.splitlines()}
            if link and f"保单：{number}" in lines and about in piece:
                found = urlsplit(link[0]).path
    return found


def forms(html: str) -> dict[str, Form]:
    """Every form of a page, by what it does."""
    parser = _Forms()
    parser.feed(html)
    return {form.fields["deed"]: form for form in parser.found if "deed" in form.fields}


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "form":
            self.found.append(Form())
        if tag == "input" and self.found:
            form = self.found[-1]
            if named.get("type") == "hidden":
                form.fields[named.get("name") or ""] = named.get("value") or ""
            form.wants_photographs |= "capture" in named
