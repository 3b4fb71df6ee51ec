"""The pages on which a person reads the caught mails, on 127.0.0.1; they show the files of the mail catcher."""

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import uvicorn
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from runtime.embedded.guest import Guest
from runtime.embedded.ports import LOOPBACK, require_free
from runtime.settings import PROJECT_ROOT

SHOWN = 300  # newest mails on the page
NAME = re.compile(r"[\w.@+-]+\.eml")
PLACE = ZoneInfo("Asia/Shanghai")
OURS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'",
        "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}  # fmt: skip
# A mail is somebody else's HTML: no script, nothing fetched, no access to the page around it.
THEIRS = {**OURS, "Content-Security-Policy": "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
          "style-src 'unsafe-inline'; img-src data:"}  # fmt: skip


@dataclass(frozen=True)
class Letter:
    """A mail as the pages show it."""

    name: str
    at: str
    to: str
    sender: str
    subject: str
    message_id: str
    text: str
    html: str


class MailPage:
    """A small web server in our own event loop."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self.port = folder, port
        templates = FileSystemLoader(PROJECT_ROOT / "templates")
        self._templates = Environment(loader=templates, autoescape=True, trim_blocks=True)
        self._server: Guest | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await require_free(self.port, "收信箱页面", "ANZE_MAIL_PAGE_PORT")
        routes = [Route("/", self._list), Route("/{name}", self._letter), Route("/{name}/html", self._html)]
        config = uvicorn.Config(
            Starlette(routes=routes), host=LOOPBACK, port=self.port, log_config=None, access_log=False, lifespan="off"
        )
        self._server = Guest(config)
        self._serving = asyncio.create_task(self._server.serve(), name="mail-page")

    async def stop(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await asyncio.wait([self._serving], timeout=2)

    async def _list(self, request: Request) -> Response:
        names = sorted((path.name for path in self._folder.glob("*.eml")), reverse=True)
        letters = [self._read(name) for name in names[:SHOWN]]
        return self._page("list", letters=letters, total=len(names))

    async def _letter(self, request: Request) -> Response:
        return self._page("letter", letter=self._read(request.path_params["name"]))

    async def _html(self, request: Request) -> Response:
        return HTMLResponse(self._read(request.path_params["name"]).html, headers=THEIRS)

    def _page(self, template: str, **values: object) -> Response:
        return HTMLResponse(self._templates.get_template(f"mailbox/{template}.html.j2").render(values), headers=OURS)

    def _read(self, name: str) -> Letter:
        path = self._folder / name
        if NAME.fullmatch(name) is None or not path.is_file():
            raise HTTPException(404)
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone(PLACE)
        return Letter(
            name=name,
            at=f"{at:%Y-%m-%d %H:%M:%S}",
            to=str(message["To"] or ""),
            sender=str(message["From"] or ""),
            subject=str(message["Subject"] or ""),
            message_id=str(message["Message-ID"] or ""),
            text=_part(message, "plain"),
            html=_part(message, "html"),
        )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
