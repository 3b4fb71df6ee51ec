"""What a department or an enterprise sees of random portfolios is what a naive model says: the wall and the reader."""

from collections.abc import AsyncIterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from api.callers import Entry
from api.department.scope import scopes, within
from api.rows import ASSIGNED_CASES, CASES, DEPARTMENT_SCOPES, STEPS
from models.contracts.vocabulary import CaseKind, Sector
from models.tables import engine as opened
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.tables.rows import AT, EMERGENCY, A, B, known, seed

REGIONS = ("341300", "341302", "341321", "341200", "340000", "350200", "350203", "330100", "130000")
PREFIXES = ("", "34", "3413", "341302", "3412", "35", "3502", "33", "13", "3")
SECTORS = ("*", "hazardous_chemicals", "fireworks", "housing_construction")
CASE = st.tuples(
    st.sampled_from(list(CaseKind)),
    st.sampled_from(REGIONS),
    st.sampled_from([Sector(one) for one in SECTORS[1:]]),
    st.sampled_from((A, B)),
)
SCOPE = st.tuples(st.sampled_from(PREFIXES), st.sampled_from(SECTORS))
COPY = text("""
INSERT INTO cases SELECT (jsonb_populate_record(c, jsonb_build_object('id', CAST(:id AS text), 'kind', CAST(:kind AS
    text), 'region', CAST(:region AS text), 'sector', CAST(:sector AS text), 'number', CAST(:id AS text),
    'workflow_id', CAST(:id AS text)))).* FROM cases c WHERE id = :like
""")
Case = tuple[CaseKind, str, Sector, UUID]


@pytest.fixture
async def above(database: Database) -> AsyncIterator[AsyncEngine]:
    """The only cases are those a test makes, and the two they are copied from."""
    await seed(database)
    engine = create_async_engine(sqlalchemy_url(database.admin))
    yield engine
    await engine.dispose()


async def portfolio(connection: AsyncConnection, cases: list[Case]) -> dict[UUID, Case]:
    made = {uuid4(): one for one in cases}
    for case_id, (kind, region, sector, insurer) in made.items():
        row = {"id": str(case_id), "kind": kind.value, "region": region, "sector": sector.value}
        await connection.execute(COPY, row | {"like": known(insurer, "case")})
    return made


def covered(case: Case, mine: set[tuple[str, str]]) -> bool:
    """The naive model: a policy or a hazard, below the place, of the sector."""
    kind, region, sector, _ = case
    fits = any(region.startswith(prefix) and one in ("*", sector) for prefix, one in mine)
    return fits and kind in (CaseKind.POLICY, CaseKind.HAZARD)


async def ids(connection: AsyncConnection, found: Any, among: dict[UUID, Case]) -> set[UUID]:
    return set((await connection.execute(found)).scalars()) & set(among)


async def as_application(connection: AsyncConnection) -> None:
    """The rest of the transaction is bound as the application is."""
    await connection.execute(text("SET LOCAL ROLE anze_app"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cases=st.lists(CASE, max_size=12), mine=st.sets(SCOPE, max_size=4), then=st.sets(SCOPE, max_size=2))
async def test_a_department_sees_its_places_and_sectors_and_follows_every_change_of_them(
    above: AsyncEngine, cases: list[Case], mine: set[tuple[str, str]], then: set[tuple[str, str]]
) -> None:
    async with above.connect() as connection:
        made = await portfolio(connection, cases)
        for now in (mine, then):
            await connection.execute(DEPARTMENT_SCOPES.delete())
            for prefix, sector in now:
                row = {"recipient_id": EMERGENCY, "prefix": prefix, "sector": sector}
                await connection.execute(insert(DEPARTMENT_SCOPES).values(row))
            wanted = {case_id for case_id, one in made.items() if covered(one, now)}
            caller = SimpleNamespace(recipient_id=EMERGENCY)
            reader = cast(Entry, SimpleNamespace(connection=connection, caller=caller))
            asked = select(CASES.c.id).where(within(await scopes(reader)))
            assert await ids(connection, asked, made) == wanted, "as the pages ask, without any wall"
            await as_application(connection)
            await opened.office(connection, EMERGENCY)
            assert await ids(connection, select(CASES.c.id), made) == wanted, "the wall alone"
            await connection.execute(text("RESET ROLE"))
        await connection.rollback()


async def test_a_case_that_moves_to_another_place_changes_hands_with_it(above: AsyncEngine) -> None:
    async with above.connect() as connection:
        made = await portfolio(connection, [(CaseKind.HAZARD, "341302", Sector.FIREWORKS, A)])
        mine = {"recipient_id": EMERGENCY, "prefix": "3413", "sector": "*"}
        await connection.execute(insert(DEPARTMENT_SCOPES).values(mine))
        await opened.office(connection, EMERGENCY)
        seen = []
        for region in ("341302", "341202", "341300"):
            await connection.execute(text("RESET ROLE"))
            await connection.execute(CASES.update().where(CASES.c.id.in_(made)).values(region=region))
            await as_application(connection)
            seen.append(len(await ids(connection, select(CASES.c.id), made)))
        assert seen == [1, 0, 1]
        await connection.rollback()


async def test_an_office_alone_shows_no_claim_and_nothing_but_cases_and_their_record(above: AsyncEngine) -> None:
    """And an enterprise alone the cases of itself, as one insurer knows it."""
    of_cases = {"cases", "steps", "timeline", "case_figures", "insured_names"}
    shown = of_cases | {"recipients", "department_scopes", "insurers"}
    async with above.connect() as connection:
        made = await portfolio(connection, [(kind, "341300", Sector.FIREWORKS, A) for kind in CaseKind])
        mine = {"recipient_id": EMERGENCY, "prefix": "", "sector": "*"}
        await connection.execute(insert(DEPARTMENT_SCOPES).values(mine))
        listed = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        tables = set((await connection.execute(listed)).scalars())
        await as_application(connection)
        await opened.office(connection, EMERGENCY)
        kinds = set((await connection.execute(select(CASES.c.kind).where(CASES.c.id.in_(made)))).scalars())
        assert kinds == {CaseKind.POLICY, CaseKind.HAZARD}
        assert await filled(connection, tables) <= shown
        await opened.office(connection, uuid4())
        assert await filled(connection, tables) <= shown - of_cases
        await opened.insured(connection, known(A, "insured"))
        insurers = set((await connection.execute(select(CASES.c.insurer_id))).scalars())
        assert insurers == {A}
        assert await filled(connection, tables) <= shown
        await connection.rollback()


async def test_a_provider_reads_the_steps_of_its_work_and_not_what_the_policy_was_opened_with(
    above: AsyncEngine,
) -> None:
    case, work = known(A, "case"), ["RecordVisit", "FilePlan", "ConfirmPlan", "CompleteService"]
    async with above.connect() as connection:
        for seq, name in enumerate(("NameProvider", "RecordSpending", *work), start=2):
            row = {"case_id": case, "seq": seq, "insurer_id": A, "at": datetime.fromisoformat(AT), "command_name": name}
            await connection.execute(insert(STEPS).values(row))
        await as_application(connection)
        await opened.provider(connection, known(A, "provider"))
        assert (await connection.execute(select(ASSIGNED_CASES.c.id))).scalars().all() == [case]
        assert (await connection.execute(select(STEPS.c.command_name).order_by(STEPS.c.seq))).scalars().all() == work
        await connection.rollback()


async def filled(connection: AsyncConnection, tables: set[str]) -> set[str]:
    """Tables with at least one visible row."""
    found = set()
    for table in sorted(tables):
        if (await connection.execute(text(f"SELECT EXISTS (SELECT 1 FROM {table})"))).scalar_one():
            found.add(table)
    return found
