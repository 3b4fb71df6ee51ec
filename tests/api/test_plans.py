"""At twenty thousand policies every list is read by an index, and none sorts the whole table; no stopwatch is here."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from temporalio.worker import Worker

from api.desk.sessions import cookie_name
from api.keys import KeyFor, mint_key
from api.tools import Tools
from bench.crowd import led
from bench.multitude import multiply
from bench.pages import BASE, HOLDERS, session
from models.contracts.vocabulary import ActorKind
from models.tables import engine as opened
from runtime import samples
from runtime.settings import Settings
from tests.conftest import Database
from tests.statements import Seen, listening

MANY = 20_000
FEW = MANY // 4
"""Rows: what one department of six was told of may be sorted; reading or sorting more is reading the table."""
OWN, OWN_TERMS = "ix_cases_insurer_id_kind_opened_at_id", "ix_cases_own_terms"
ALL, TERMS = "ix_cases_kind_opened_at_id", "ix_cases_terms"
LISTS = (
    ("insurer", "/insurer/policies", OWN), ("insurer", "/insurer/policies?order=due", OWN_TERMS),
    ("insurer", "/insurer/policies?hand=mine", "ix_hands_user_id_case_id"),
    ("insurer", "/insurer/hazards", OWN), ("insurer", "/insurer/claims", OWN),
    ("insurer", "/insurer/hazards?grade=major", "ix_cases_own_major"),
    ("city", "/department/cases?kind=hazard&grade=major", "ix_cases_major"),
    ("insurer", "/insurer/policies?overdue=true&order=due", OWN_TERMS),
    ("insurer", "/insurer/due?overdue=true&order=due", OWN_TERMS),
    ("insurer", "/insurer/policies?rate_review=true", "ix_cases_own_rate_review"),
    ("city", "/department/cases?due_on=2029-12-01", TERMS),
    ("insurer", "/insurer/due?provisional=true", "ix_cases_own_provisional"),
    ("officer", "/department/cases?hand=mine", "ix_office_hands_user_id_case_id"),
    ("insurer", "/insurer/policies?q=宏远化工12", "pk_insured_names"),
    ("insurer", "/insurer/policies?q=ZB-00012", "ix_case_figures_numbers"),
    ("insurer", "/insurer/spending", "ix_case_figures_running"), ("insurer", "/insurer", "ix_case_figures_running"),
    ("city", "/department/cases", ALL), ("city", "/department/cases?order=due", TERMS),
    ("city", "/department/cases?overdue=true&order=due", TERMS),
    ("city", "/department/cases?q=宏远", "pk_insured_names"), ("city", "/department", "ix_matters_places"),
    ("city", "/department?q=宏远&sector=fishery", "ix_matters_places"),
    ("city", "/department/overview", "ix_case_figures_scope"),
    ("enterprise", "/enterprise", "ix_cases_insured_id_opened_at"), ("operator", "/operator/cases", ALL),
    ("operator", "/operator/cases?order=due", TERMS), ("operator", "/operator", "ix_cases_provisional"),
    ("operator", "/operator/cases?q=宏远", ALL), ("provider", "/provider", "ix_assignments_provider_id"),
    ("provider", "/provider/policies/{assigned}", "ix_cases_insurer_id_parent_id"),
    ("provider", "/provider?grade=major", "ix_cases_insurer_id_parent_id"),
    ("core", "/v1/policies?insured=宏远化工12", "pk_insured_names"),
)  # fmt: skip
"""Who reads which list, and the index that makes it quick however many cases there are."""
PLANNED = ("FROM cases", "FROM case_figures", "FROM matters", "FROM insured_names", "FROM assigned_cases",
           "FROM timeline", "FROM steps", "FROM recipients", "FROM hands", "FROM office_hands")  # fmt: skip
WHO = HOLDERS | {
    "provider": "SELECT 'user_id', id FROM users WHERE kind = 'provider' ORDER BY email LIMIT 1",
    "core": "SELECT 'insurer_id', CAST($1 AS uuid)",
}
ASSIGNED = """
INSERT INTO assignments (policy_id, insurer_id, provider_id)
SELECT c.id, c.insurer_id, CASE WHEN row_number() OVER (ORDER BY c.n) <= 40 THEN u.provider_id ELSE c.insured_id END
FROM (SELECT * FROM users WHERE kind = 'provider' ORDER BY email LIMIT 1) u JOIN bench_copies c USING (insurer_id)
ON CONFLICT (policy_id) DO UPDATE SET provider_id = excluded.provider_id
"""
"""Forty policies for one provider; each of the others names somebody else."""


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
    await admin.execute(ASSIGNED)
    await admin.execute("ANALYZE assignments")
    yield admin
    await admin.close()


async def test_every_list_is_read_by_its_index_and_without_it_that_is_seen(
    many: asyncpg.Connection, app: FastAPI, tools: Tools
) -> None:
    least = await many.fetchval("SELECT insurer_id FROM bench_copies GROUP BY 1 ORDER BY count(*) LIMIT 1")
    assigned = await many.fetchval(
        "SELECT policy_id FROM assignments JOIN bench_copies ON id = policy_id ORDER BY n LIMIT 1"
    )
    faults, read = list[str](), dict[str, tuple[Seen, str]]()
    for room, path, index in LISTS:
        holder = await many.fetchrow(WHO[room], *([least] if "$1" in WHO[room] else []))
        assert holder is not None
        async with AsyncClient(transport=ASGITransport(app), base_url=BASE, headers=await _as(tools, *holder)) as http:
            with listening(tools.engine) as seen:
                answer = await http.get(path.format(assigned=assigned))
        assert answer.status_code == 200, f"{room} {path}"
        read.setdefault(index, (seen, path))
        faults += [f"{room} {path}: {fault}" for fault in await wrong_with(tools, seen, index)]
    assert faults == [], "\n".join(faults)
    for index, (seen, path) in read.items():
        dropped, again = await taken_away(many, index)
        await many.execute(dropped)
        assert await wrong_with(tools, seen, index), f"{path} needs {index} no more"
        await many.execute(again)


async def _as(tools: Tools, holder: str, id_: Any) -> dict[str, str]:
    """What a request of this visitor carries: a cookie, or the key of a core system."""
    if holder == "insurer_id":
        async with tools.engine.begin() as connection:
            await opened.tenant(connection, id_)
            key = await mint_key(connection, KeyFor(ActorKind.INSURER, "核心系统", insurer_id=id_))
        return {"Authorization": f"Bearer {key.token}"}
    return {"Cookie": f"{cookie_name(tools)}={await session(tools, holder, id_)}"}


async def taken_away(admin: asyncpg.Connection, index: str) -> tuple[str, str]:
    """How to drop an index, and how to make it again; that of a key goes with its key."""
    key = await admin.fetchrow(
        "SELECT conrelid::regclass::text AS table, pg_get_constraintdef(oid) AS definition FROM pg_constraint"
        " WHERE conindid = $1::regclass AND contype = 'p'", index,
    )  # fmt: skip
    if key is None:
        return f"DROP INDEX {index}", str(await admin.fetchval("SELECT pg_get_indexdef($1::regclass)", index))
    changed = f"ALTER TABLE {key['table']}"
    return f"{changed} DROP CONSTRAINT {index}", f"{changed} ADD CONSTRAINT {index} {key['definition']}"


async def wrong_with(tools: Tools, seen: Seen, index: str) -> list[str]:
    """What is wrong with how PostgreSQL reads the cases for these statements, under the same settings."""
    found, used = list[str](), set[str | None]()
    async with tools.engine.begin() as connection:
        for statement, parameters in seen:
            if "set_config" in statement:
                await connection.exec_driver_sql(statement, parameters)
            elif any(table in statement for table in PLANNED) and statement.lstrip().startswith(("SELECT", "WITH")):
                explained = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
                told = (await connection.exec_driver_sql(explained, parameters)).scalar_one()
                plan = told[0] if isinstance(told, list) else json.loads(told)[0]
                found += [fault for node in nodes(plan["Plan"]) for fault in faults_of(node)]
                used |= {node.get("Index Name") for node in nodes(plan["Plan"])}
    return found if index in used else [*found, f"{index} is not used"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def faults_of(node: dict[str, Any]) -> Iterator[str]:
    rows = node["Actual Rows"] * node["Actual Loops"]
    read = rows + node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in {"cases", "outbox", "matters"} and read > FEW:
        yield f"reads {read} rows of {node['Relation Name']} for {rows}"
    if node["Node Type"] in {"Sort", "Incremental Sort"} and rows > FEW:
        yield f"sorts {rows} rows by {node['Sort Key']}"
