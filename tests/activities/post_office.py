"""A post office for tests: seeded parties, notices put straight into the outbox, readings past row-level security."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from openpyxl import load_workbook
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.mailserver import SmtpSettings
from activities.postman import MailPostman
from models.contracts.calendar import WorkCalendar
from models.contracts.mailroom import Compose, Delivery
from models.contracts.ports import Send
from models.contracts.vocabulary import NoticeKind, Role, Urgency
from models.tables.engine import make_engine
from runtime.embedded.mail import CaughtMail
from runtime.embedded.ports import LOOPBACK
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.faults.invariants import Look, broken
from tests.makers import calendar
from tests.runtime.waiting import PATIENCE
from tests.tables.rows import A, known, seed

NOW = datetime(2024, 3, 11, 2, 0, tzinfo=UTC)
"""A Monday, 10:00 in Shanghai."""
# pragma: allowlist nextline secret
SECRET = b"0123456789abcdef0123456789abcdef"
BASE = "http://127.0.0.1:8080"
OPERATORS = UUID("6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c00")


class Shelf:
    """A library that knows one calendar."""

    def calendar(self) -> WorkCalendar:
        return calendar()


@dataclass
class PostOffice:
    """The postman with his rows."""

    database: Database
    engine: AsyncEngine
    postman: MailPostman

    async def sql(self, statement: str, *values: Any) -> list[Any]:
        connection = await asyncpg.connect(self.database.admin)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def until(self, query: str) -> None:
        """There is such a row."""
        async with asyncio.timeout(PATIENCE):
            while not await self.sql(query):
                await asyncio.sleep(0.01)

    async def put(
        self, to: UUID, kind: NoticeKind, role: Role, urgency: Urgency = Urgency.NOW, insurer: UUID = A, **about: Any
    ) -> UUID:
        """One notice of the seeded policy into the outbox."""
        notice = uuid4()
        facts = about_duty() | about
        await self.sql(
            "INSERT INTO outbox (id, notice_key, insurer_id, case_id, seq, kind, to_role, recipient_id, urgency, at,"
            " about, cites, matter) VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11, $12)",
            notice, str(notice), insurer, known(insurer, "case"), kind, role, to, urgency, NOW,
            json(facts), json(CITES), json(matter_of(insurer)),
        )  # fmt: skip
        return notice

    async def copies(self, number: int) -> None:
        """Of the one notice in the outbox, as many more, each with a key of its own."""
        kept = "seq, kind, to_role, recipient_id, urgency, at, about, cites, matter"
        await self.sql(
            f"INSERT INTO outbox (id, notice_key, insurer_id, case_id, {kept}) SELECT gen_random_uuid(), 'copy-' || n,"
            f" insurer_id, case_id, {kept} FROM outbox, generate_series(1, $1) n",
            number,
        )

    async def compose(self, to: UUID, urgency: Urgency = Urgency.NOW) -> tuple[UUID, ...]:
        return (await self.postman.compose(Compose(recipient_id=to, urgency=urgency, now=NOW))).mails

    async def send(self, to: UUID, mail: UUID) -> Delivery:
        return await self.postman.send(Send(recipient_id=to, mail_id=mail, now=NOW))

    async def broken(self, arrived: Sequence[CaughtMail], *also: str) -> list[str]:
        """What of the invariants may be asked where parties are planted and no case lives: that every notice is told
        once (I2) and lies in a mail that arrived, or with a person (I5); I9 too, where no mail is left waiting."""
        look = Look(self.database.admin, self.database.backup, mails=arrived)
        return await broken(look, "I2", "I5", *also)

    async def attempts(self, mail: UUID) -> list[tuple[str, int | None]]:
        rows = await self.sql("SELECT outcome, code FROM attempts WHERE mail_id = $1 ORDER BY number", mail)
        return [(row["outcome"], row["code"]) for row in rows]


CITES = {"region": "341300", "number": "应急监二〔2023〕84号", "clause": "二(五)", "by": "law"}


def about_duty() -> dict[str, Any]:
    return {
        "duty": "policy_upload",
        "duty_key": "policy_upload",
        "label": "上传电子保单",
        "owed_by": "insurer",
        "effective": "2024-03-08",
        "due_at": "2024-03-09T00:00:00+08:00",
        "counting": "自2024年3月1日签署次日起算7日，末日为2024年3月8日",
    }


def matter_of(insurer: UUID, kind: str = "policy") -> dict[str, Any]:
    facts = {
        "kind": kind,
        "number": "P-1",
        "region": "341300",
        "sector": "fireworks",
        "size": "small",
        "insured_name": "企业",
        "insurer_name": "甲保险" if insurer == A else "乙保险",
        "expires_on": "2025-03-01",
        "view": {},
    }
    hazard = {
        "policy_number": "P-1",
        "description": "围墙开裂",
        "grade": "major",
        "place": "库房",
        "criterion": "标准一",
    }
    return facts | ({"number": "H-1", "view": hazard} if kind == "hazard" else {})


def json(value: object) -> str:
    return to_json(value).decode()


def post_office(database: Database, engine: AsyncEngine, port: int, patience: float = PATIENCE) -> PostOffice:
    smtp = SmtpSettings(LOOPBACK, port, "安责险 <notice@anze.example>", timeout=PATIENCE, data_timeout=patience)
    return PostOffice(database, engine, MailPostman(engine, Shelf(), smtp, SECRET, BASE))


@asynccontextmanager
async def emptied(database: Database, port: int) -> AsyncIterator[PostOffice]:
    """A post office whose parties are known and to whom nothing was written yet; its server listens on the port."""
    await seed(database)
    engine = make_engine(sqlalchemy_url(database.app))
    office = post_office(database, engine, port)
    for table in ("link_uses", "links", "tasks", "matters", "outbox"):
        await office.sql(f"DELETE FROM {table}")
    yield office
    await engine.dispose()


async def stalling_server() -> asyncio.Server:
    """A mail server that takes the letter and never says that it has."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            if line == b".\r\n":
                continue
            if line[:4].upper() == b"DATA":
                writer.write(b"354 go on\r\n")
                while (await reader.readline()) not in (b".\r\n", b""):
                    pass
                continue
            writer.write(b"250 fine\r\n")
        writer.close()

    return await asyncio.start_server(serve, LOOPBACK, 0)


@dataclass
class SlowServer:
    """A mail server that has the whole letter and answers when it is let; its post office writes through it."""

    office: PostOffice
    reached: asyncio.Event
    answer: asyncio.Event


@asynccontextmanager
async def slow_server(office: PostOffice, hangs_up: bool = False) -> AsyncIterator[SlowServer]:
    """`hangs_up`: instead of answering when it is let."""
    reached, answer = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            if line[:4].upper() == b"DATA":
                writer.write(b"354 go on\r\n")
                while (await reader.readline()) not in (b".\r\n", b""):
                    pass
                reached.set()
                await answer.wait()
                if hangs_up:
                    break
            writer.write(b"250 fine\r\n")
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    yield SlowServer(post_office(office.database, office.engine, port), reached, answer)
    server.close()


def rows_in(workbook: bytes) -> list[list[str]]:
    """The lines of the second sheet, with its headings."""
    sheet = load_workbook(BytesIO(workbook), read_only=True).worksheets[1]
    return [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]
