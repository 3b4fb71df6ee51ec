"""At twenty thousand policies every list is read by an index, and none sorts the whole table; no stopwatch is here."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import event
from temporalio.worker import Worker

from api.desk.sessions import cookie_name
from api.tools import Tools
from bench.crowd import led
from bench.multitude import multiply
from bench.pages import BASE, HOLDERS, session
from runtime import samples
from runtime.settings import Settings
from tests.conftest import Database

MANY = 20_000
FEW = MANY // 4
"""Rows: what one department of six was told of may be sorted; reading or sorting more is reading the table."""
LISTS = (
    ("insurer", "/insurer/policies"), ("insurer", "/insurer/policies?order=due"), ("insurer", "/insurer/hazards"),
    ("insurer", "/insurer/claims"), ("insurer", "/insurer/policies?overdue=true&order=due"),
    ("city", "/department/cases"), ("city", "/department/cases?order=due"), ("city", "/department"),
    ("enterprise", "/enterprise"), ("operator", "/operator/cases"), ("operator", "/operator/cases?order=due"),
)  # fmt: skip
Seen = list[tuple[str, Any]]


@pytest.fixture
async def many(
    settings: Settings, database: Database, app: FastAPI, worker: Worker
) -> AsyncIterator[asyncpg.Connection]:
    keys = await samples.load_directory(settings)
    admin = await asyncpg.connect(database.admin)
    first = await admin.fetchval("SELECT id FROM insurers WHERE code = 'PS'")
    token = next(key for name, key in keys.items() if name.startswith("PS "))
    async with AsyncClient(transport=ASGITransport(app), base_url=BASE) as http:
        await led(http, token, first, areas=1)
    rest = await admin.fetch("SELECT id FROM insurers WHERE id <> $1 ORDER BY code", first)
    await multiply(admin, MANY, [first, *(row["id"] for row in rest)])
    yield admin
    await admin.close()


@contextmanager
def listening(tools: Tools) -> Iterator[Seen]:
    """Every statement that is sent meanwhile, with its parameters."""
    seen: Seen = []

    def heard(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        seen.append((statement, parameters))

    event.listen(tools.engine.sync_engine, "before_cursor_execute", heard)
    yield seen
    event.remove(tools.engine.sync_engine, "before_cursor_execute", heard)


async def test_every_list_is_read_by_an_index(many: asyncpg.Connection, app: FastAPI, tools: Tools) -> None:
    first, faults = await many.fetchval("SELECT id FROM insurers WHERE code = 'PS'"), list[str]()
    for room, path in LISTS:
        holder = await many.fetchrow(HOLDERS[room], *([first] if "$1" in HOLDERS[room] else []))
        assert holder is not None
        cookies = {cookie_name(tools): await session(tools, holder[0], holder[1])}
        async with AsyncClient(transport=ASGITransport(app), base_url=BASE, cookies=cookies) as http:
            with listening(tools) as seen:
                answer = await http.get(path)
        assert answer.status_code == 200, f"{room} {path}"
        faults += [f"{room} {path}: {fault}" for fault in await wrong_with(tools, seen)]
    assert faults == [], "\n".join(faults)


async def wrong_with(tools: Tools, seen: Seen) -> list[str]:
    """What is wrong with how PostgreSQL reads the cases for these statements, under the same settings."""
    found: list[str] = []
    async with tools.engine.begin() as connection:
        for statement, parameters in seen:
            if "set_config" in statement:
                await connection.exec_driver_sql(statement, parameters)
            elif "FROM cases" in statement and statement.lstrip().startswith(("SELECT", "WITH")):
                explained = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
                told = (await connection.exec_driver_sql(explained, parameters)).scalar_one()
                plan = told[0] if isinstance(told, list) else json.loads(told)[0]
                found += [fault for node in nodes(plan["Plan"]) for fault in faults_of(node)]
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def faults_of(node: dict[str, Any]) -> Iterator[str]:
    rows = node["Actual Rows"] * node["Actual Loops"]
    read = rows + node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in {"cases", "outbox"} and read > FEW:
        yield f"reads {read} rows of {node['Relation Name']} for {rows}"
    if node["Node Type"] in {"Sort", "Incremental Sort"} and rows > FEW:
        yield f"sorts {rows} rows by {node['Sort Key']}"
