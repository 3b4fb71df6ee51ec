"""The people of a story: insurers by the API, enterprises and departments by the links in their mails, as people do."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx

from api.insurer.doors import SAMPLE_FILE
from models.contracts.ids import hazard_id, hazard_workflow_id, policy_workflow_id
from runtime.demo.town import Town
from runtime.embedded.mail import CaughtMail, MailCatcher

RULE = re.compile(r"^-{10,}$", re.MULTILINE)
LINK = re.compile(r"/l/[A-Za-z0-9_-]{43}")
PHOTOGRAPH = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xfc\xcf\xc0P\x0f\x00\x04\x85\x01\x80\x84\xa9\x8c!\x00\x00\x00\x00IEND\xaeB`\x82"
)
"""One pixel: what an enterprise attaches."""


class NotDone(Exception):
    """Somebody was not let do what the story has them do; the text says who and why."""


@dataclass
class Insurer:
    """An insurer's core system with its key."""

    town: Town
    code: str
    token: str
    digest: str = ""

    async def post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid4())}
        return await self.town.http.post(path, json=body, headers=headers)

    async def get(self, path: str) -> Any:
        answer = await self.town.http.get(path, headers={"Authorization": f"Bearer {self.token}"})
        return answer.raise_for_status().json()

    async def file(self, name: str) -> dict[str, str]:
        """An attachment that was handed in before."""
        if not self.digest:
            headers = {
                "Authorization": f"Bearer {self.token}",
                "Idempotency-Key": str(uuid4()),
                "Content-Type": "application/pdf",
            }
            answer = await self.town.http.post("/v1/files", content=SAMPLE_FILE, headers=headers)
            self.digest = answer.raise_for_status().json()["digest"]
        return {"digest": self.digest, "name": name, "media_type": "application/pdf"}


@dataclass
class Policy:
    """A policy as the people around it know it."""

    insurer: Insurer
    id: UUID
    number: str
    email: str
    story: str = ""
    name: str = ""
    region: str = ""
    visits: int = 0
    hazards: list[str] = field(default_factory=list)

    @property
    def workflow_id(self) -> str:
        return policy_workflow_id(self.insurer.code, self.number)

    def hazard_workflow(self, number: str) -> str:
        return hazard_workflow_id(self.insurer.code, self.number, number)

    async def command(self, path: str, **body: Any) -> dict[str, Any]:
        """The insurer acts on the policy, today. Raises NotDone."""
        return await self._send(f"/v1/policies/{self.id}/{path}", body)

    async def hazard(self, path: str, **body: Any) -> dict[str, Any]:
        """The insurer acts on the latest hazard, today. Raises NotDone."""
        return await self._send(f"/v1/hazards/{hazard_id(self.id, self.hazards[-1])}/{path}", body)

    async def attempt(self, path: str, **body: Any) -> httpx.Response:
        """Try something that may be refused."""
        await self.insurer.town.traveller.arrive(self.workflow_id)
        return await self.insurer.post(f"/v1/policies/{self.id}/{path}", body)

    async def visit(self, **found: Any) -> dict[str, Any]:
        """A service at the premises; with `found`, one hazard."""
        self.visits += 1
        hazards: list[dict[str, Any]] = []
        if found:
            self.hazards.append(f"H-{len(self.hazards) + 1:03d}")
            hazards.append({"number": self.hazards[-1], **found})
        body = {
            "number": f"V-{self.visits:03d}",
            "on": str(self.insurer.town.today),
            "items": ["hazard_inspection"],
            "place": "生产现场",
            "staff_count": 2,
            "summary": "按服务计划开展事故隐患排查。",
            "hazards": hazards,
        }
        return await self.command("visits", **body)

    async def _send(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        await self.insurer.town.traveller.arrive(self.workflow_id)
        answer = await self.insurer.post(path, body)
        if answer.is_error:
            raise NotDone(f"{self.number} {path.rpartition('/')[2]}：{answer.status_code} {answer.text}")
        return answer.json()


@dataclass
class Reader:
    """Somebody with a mailbox, who opens links and sends forms."""

    town: Town
    mailbox: MailCatcher
    address: str

    async def act(self, policy: Policy, deed: str, note: str = "", about: str = "") -> None:
        """Open the latest link that speaks of the policy (and of `about`), and send the form. Raises NotDone."""
        await self.town.traveller.arrive(policy.workflow_id)
        page = await self.open(policy.number, about)
        await self.send(page, deed, note)

    async def open(self, number: str, about: str = "") -> "Page":
        """The page behind the latest fitting link. Raises NotDone."""
        link = latest_link(self.mailbox.to(self.address), number, about)
        if link is None:
            raise NotDone(f"{self.address} 没有收到关于 {number} {about} 的链接")
        answer = await self.town.http.get(link)
        if answer.status_code != httpx.codes.OK:
            raise NotDone(f"{self.address} 打不开链接：{answer.status_code}")
        return Page(link, forms(answer.text))

    async def send(self, page: "Page", deed: str, note: str) -> None:
        """As a browser does: the form of this page, from this page, with a photograph where one is asked for."""
        if deed not in page.forms:
            raise NotDone(f"{self.address} 的页面上没有“{deed}”，只有 {sorted(page.forms)}")
        files = [("files", ("整改照片.png", PHOTOGRAPH, "image/png"))] if page.forms[deed] else []
        parts: list[tuple[str, Any]] = [("deed", (None, deed)), ("note", (None, note)), *files]
        origin = str(self.town.http.base_url).rstrip("/")
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        answer = await self.town.http.post(page.link, files=parts, headers=headers)
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise NotDone(f"{self.address} 办理“{deed}”没有成功：{answer.status_code}")


@dataclass(frozen=True)
class Page:
    """A link's page: which forms it offers, and whether each must carry files."""

    link: str
    forms: Mapping[str, bool]


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


def forms(html: str) -> dict[str, bool]:
    """Deed → whether files are required, of every form on a page."""
    parser = _Forms()
    parser.feed(html)
    return parser.found


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, bool] = {}
        self._deed = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "input" and named.get("name") == "deed":
            self._deed = named.get("value") or ""
            self.found[self._deed] = False
        if tag == "input" and named.get("type") == "file" and "required" in named:
            self.found[self._deed] = True
