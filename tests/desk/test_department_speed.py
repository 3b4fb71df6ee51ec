"""The department's pages read by index and count narrow rows, whatever the number of cases; no stopwatch is here."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.tools import Tools
from models.contracts.vocabulary import ActorKind
from models.tables import engine as settings
from tests.desk.conftest import SignedIn, Town
from tests.statements import Seen, listening

MANY = 12_000
FILL = """
INSERT INTO cases (id, kind, insurer_id, workflow_id, number, region, sector, size, stage, insured_id, insured_name,
    signed_on, effective_on, expires_on, provisional, rate_review, open_hazards, packs, calendar_through, clock, view,
    seq, opened_at, changed_at, next_due_at)
SELECT gen_random_uuid(), 'policy', :insurer, 'w' || n, 'P-' || n,
    (ARRAY['341302', '341321', '350203', '330100', '220100'])[1 + n % 5],
    (ARRAY['fireworks', 'fishery', 'housing_construction', 'other'])[1 + n % 4], 'small', 'signed', :insured, '企业',
    '2026-01-01', '2026-01-01', '2026-12-31', false, false, 0, '[]', 2026, '{}',
    jsonb_build_object('duties', '[]'::jsonb, 'pad', repeat(md5(n::text), 30)), 1, now() - n * interval '1 minute',
    now(), now() + interval '3 days'
FROM generate_series(1, CAST(:many AS int)) n
"""


@pytest.fixture
async def many(admin: AsyncEngine, town: Town) -> None:
    async with admin.begin() as connection:
        values = {"insurer": town.insurers[0].id, "insured": town.insureds[0], "many": MANY}
        await connection.execute(text(FILL), values)
    async with admin.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("VACUUM ANALYZE cases, case_figures"))


async def plans(tools: Tools, town: Town, seen: Seen, of: str) -> list[str]:
    """How PostgreSQL carries these statements out for the department, under row-level security."""
    found: list[str] = []
    async with tools.engine.begin() as connection:
        await settings.office(connection, town.departments[0])
        for statement, parameters in seen:
            if f"FROM {of}" in statement:
                lines = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
                found.append("\n".join(row[0] for row in lines))
    return found


async def test_a_list_takes_its_first_page_from_an_index(signed_in: SignedIn, tools: Tools, town: Town, many: None):
    officer = await signed_in(ActorKind.DEPARTMENT)
    with listening(tools.engine) as seen:
        assert (await officer.get("/department/cases")).status_code == 200
    listed = [plan for plan in await plans(tools, town, seen, "cases") if "Sort Key" in plan or "Limit" in plan]
    assert listed
    assert any("ix_cases_kind_opened_at_id" in plan for plan in listed)
    assert all("SubPlan" not in plan or "hashed SubPlan" in plan for plan in listed if "insurer" not in plan)


async def test_the_overview_reads_narrow_rows_and_works_the_scope_out_once(
    signed_in: SignedIn, tools: Tools, town: Town, many: None
):
    officer = await signed_in(ActorKind.DEPARTMENT)
    with listening(tools.engine) as seen:
        assert (await officer.get("/department/overview")).status_code == 200
    counted = await plans(tools, town, seen, "case_figures")
    assert len(counted) == 2
    assert await plans(tools, town, seen, "cases") == []
    for plan in counted:
        assert "ix_case_figures_scope" in plan, plan
        assert "SubPlan" not in plan, plan
        assert "InitPlan" in plan, plan
