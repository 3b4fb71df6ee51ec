"""Mailed links over the real application: cases opened through the API, letters composed by the real postman."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from struct import pack
from uuid import UUID

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from activities.links import token
from activities.mailserver import SmtpSettings
from activities.postman import MailPostman
from api.insurer.doors import DOORS
from api.rows import ASKED_LETTERS, OUTBOX
from api.tools import Tools
from domain.codes import code_of
from models.contracts.mailroom import Compose
from models.contracts.vocabulary import CaseKind, NoticeKind, Role, Urgency
from runtime.embedded.ports import LOOPBACK, free_ports
from runtime.worker import library
from tests.api.conftest import Caller, admin, app, department, http, insurer, sample_file, terms, today, tools, worker
from tests.desk.matters import tell
from tests.runtime.waiting import until

__all__ = ["admin", "app", "http", "insurer", "tools", "worker"]
EXAMPLES = {(door.kind, door.path): door.example for door in DOORS}


@dataclass
class Letters:
    """What was told in one test, and the links that went with it."""

    insurer: Caller
    admin: AsyncEngine
    tools: Tools
    hazard_id: str = ""
    policy_id: str = ""

    async def open_hazard(self) -> None:
        """A policy with a filed plan and one hazard, its enterprise told by letter."""
        await sample_file(self.insurer)
        opened = await self.insurer.post("/v1/policies", terms())
        self.policy_id = opened.json()["id"]
        for path in ("upload", "provider", "plan"):
            await self.insurer.post(f"/v1/policies/{self.policy_id}/{path}", EXAMPLES[CaseKind.POLICY, path](today()))
        visit = EXAMPLES[CaseKind.POLICY, "visits"](today())
        answer = await self.insurer.post(f"/v1/policies/{self.policy_id}/visits", visit)
        assert answer.status_code == 200, answer.text
        listed = (await self.insurer.get(f"/v1/policies/{self.policy_id}/hazards")).json()["items"]
        self.hazard_id = listed[0]["id"]

    async def link(self, kind: NoticeKind, role: Role) -> str:
        """The path in the letter of this kind."""
        found = select(OUTBOX).where(OUTBOX.c.kind == kind, OUTBOX.c.to_role == role)
        async with self.admin.connect() as connection:
            notice = (await connection.execute(found.limit(1))).one()
        await self._compose(notice.recipient_id, notice.urgency)
        return f"/l/{token(self.tools.secret, notice.id, notice.recipient_id)}"

    async def _compose(self, recipient_id: UUID, urgency: Urgency) -> None:
        smtp = SmtpSettings(LOOPBACK, 25, "notice@anze.example")
        postman = MailPostman(self.tools.engine, library(), smtp, self.tools.secret, self.tools.base_url)
        await postman.compose(Compose(recipient_id=recipient_id, urgency=urgency, now=datetime.now(UTC)))

    async def tell_department(self) -> str:
        """A department that was told of the overdue upload; the path in its letter."""
        office = await department(self.insurer.http, self.admin, "341300", "宿州市应急管理局")
        waits = {"label": "完成服务", "status": "queued"}
        await tell(self.admin, office.id, UUID(self.policy_id), "service_completion", **waits)
        return await self.link(NoticeKind.DUTY_OVERDUE, Role.EMERGENCY)

    async def code(self) -> str:
        """The digits of the latest letter that was asked for."""
        latest = select(ASKED_LETTERS.c.id).order_by(ASKED_LETTERS.c.asked_at.desc()).limit(1)
        async with self.admin.connect() as connection:
            return code_of(self.tools.secret, (await connection.execute(latest)).scalar_one())

    async def stage(self) -> str:
        return (await self.insurer.get(f"/v1/hazards/{self.hazard_id}")).json()["stage"]

    async def count(self, table: str) -> int:
        async with self.admin.connect() as connection:
            return (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()


@pytest.fixture
async def letters(insurer: Caller, admin: AsyncEngine, tools: Tools, worker: Worker) -> Letters:
    letters = Letters(insurer, admin, tools)
    await letters.open_hazard()
    return letters


@pytest.fixture
async def site(app: FastAPI) -> AsyncIterator[str]:
    """The application on a real port, for a real browser."""
    [port] = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=port, log_level="warning", lifespan="on"))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield f"http://{LOOPBACK}:{port}"
    server.should_exit = True
    await serving


def picture() -> bytes:
    """A photograph of one grey pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    head = pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\x00\x80")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
