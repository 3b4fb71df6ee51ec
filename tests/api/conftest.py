"""The API over real PostgreSQL and Temporal, with a worker where writes are tried, and callers of every kind."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from temporalio.client import Client
from temporalio.worker import Worker

from api.app import create_app
from api.insurer.doors import SAMPLE_FILE, application
from api.keys import KeyFor, mint_key
from api.rows import INSURERS, RECIPIENTS
from api.tools import Budgets, Tools
from domain.calendar import local_date
from models.contracts.vocabulary import ActorKind, Role
from models.tables.engine import make_engine
from runtime.settings import Settings, sqlalchemy_url
from runtime.worker import library, make_worker
from tests.conftest import Database
from tests.faults.invariants import Look
from tests.runtime.waiting import PATIENCE

_codes, _keys = count(1), count(1)
SECRET = b"a-secret-of-the-tests-0123456789"


@dataclass
class Caller:
    """Somebody with a key, and the sentences they speak."""

    http: AsyncClient
    token: str
    id: UUID
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.token}"}

    async def get(self, path: str, **more: Any) -> Response:
        return await self.http.get(path, headers=self.headers, **more)

    async def post(self, path: str, body: Any, key: str | None = None) -> Response:
        return await self.http.post(path, json=body, headers={**self.headers, "Idempotency-Key": key or fresh_key()})

    async def raw(self, path: str, content: bytes, **headers: str) -> Response:
        sent = {**self.headers, "Idempotency-Key": fresh_key(), "Content-Type": "application/json"}
        return await self.http.post(path, content=content, headers={**sent, **headers})


def fresh_key() -> str:
    return f"key-{next(_keys)}"


def today() -> Any:
    return local_date(datetime.now(UTC))


def terms(number: str = "PA-1", **changed: Any) -> dict[str, Any]:
    """The example application under another number, with changed terms."""
    body = application(today())
    return {**body, "terms": {**body["terms"], "number": number, **changed}}


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[AsyncEngine]:
    """Sees every row: for preparing and for looking."""
    engine = create_async_engine(sqlalchemy_url(database.admin))
    yield engine
    await engine.dispose()


@pytest.fixture
async def tools(settings: Settings, temporal: Client) -> AsyncIterator[Tools]:
    engine = make_engine(settings.database, 5)
    yield Tools(
        temporal=temporal,
        engine=engine,
        task_queue=settings.task_queue,
        rules=library(),
        files=settings.var / "files",
        secret=SECRET,
        sealing=settings.sealing,
        base_url=settings.base_url,
        budgets=Budgets(answer_within=PATIENCE),  # how soon an answer must come is another test's business
    )
    await engine.dispose()


@pytest.fixture
def app(tools: Tools) -> FastAPI:
    return create_app(tools)


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://anze.test") as client:
        yield client


async def _insurer(http: AsyncClient, admin: AsyncEngine, name: str) -> Caller:
    insurer_id, code = uuid4(), f"t{next(_codes)}-{uuid4().hex[:6]}"
    async with admin.begin() as connection:
        await connection.execute(insert(INSURERS).values(id=insurer_id, code=code, name=name))
        desk = {"role": Role.INSURER, "insurer_id": insurer_id, "name": name, "email": f"desk@{code}.example"}
        await connection.execute(insert(RECIPIENTS).values(id=uuid4(), **desk))
        minted = await mint_key(connection, KeyFor(ActorKind.INSURER, "核心系统", insurer_id=insurer_id))
    return Caller(http, minted.token, insurer_id, code)


@pytest.fixture
async def insurer(http: AsyncClient, admin: AsyncEngine) -> Caller:
    return await _insurer(http, admin, "甲保险公司")


@pytest.fixture
async def other(http: AsyncClient, admin: AsyncEngine) -> Caller:
    """Another insurer, with policies of the same numbers."""
    return await _insurer(http, admin, "乙保险公司")


@pytest.fixture
def look(look: Look, http: AsyncClient, insurer: Caller) -> Look:
    """What the insurer is told is kept from now on."""
    http.event_hooks["response"].append(partial(look.history.heard, insurer.code, insurer.id))
    return look


async def department(http: AsyncClient, admin: AsyncEngine, region: str, name: str) -> Caller:
    """A registered department with a key."""
    recipient_id = uuid4()
    async with admin.begin() as connection:
        row = {"region": region, "department": name, "name": name, "email": f"d{next(_codes)}@gov.example"}
        await connection.execute(insert(RECIPIENTS).values(id=recipient_id, role=Role.EMERGENCY, **row))
        minted = await mint_key(connection, KeyFor(ActorKind.DEPARTMENT, name, recipient_id=recipient_id))
    return Caller(http, minted.token, recipient_id)


@pytest.fixture
async def worker(settings: Settings, temporal: Client) -> AsyncIterator[Worker]:
    """Carries commands out; without it they wait."""
    engine = make_engine(settings.database, 5)
    async with make_worker(temporal, engine, settings, library()) as running:
        yield running
    await engine.dispose()


async def counted(admin: AsyncEngine, *tables: str) -> dict[str, int]:
    """How many rows there are, seen from above row-level security."""
    async with admin.connect() as connection:
        return {
            table: (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() for table in tables
        }


async def sample_file(caller: Caller) -> str:
    """The file the examples refer to, handed in; its digest."""
    answer = await caller.raw("/v1/files?name=样张.pdf", SAMPLE_FILE, **{"Content-Type": "application/pdf"})
    assert answer.status_code == 201, answer.text
    return answer.json()["digest"]
