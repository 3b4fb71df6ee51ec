"""What a service provider's transaction reads: the narrower rows of its cases, and nothing else of its insurer."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from api.desk.audience import SAID_TO
from models.contracts.hazard import HazardView
from models.contracts.policy_state import PolicyView
from models.contracts.policy_terms import Terms
from models.contracts.vocabulary import ActorKind, Event
from models.tables import engine as settings
from models.tables.providers import SHOWN, SHOWN_OF_TERMS, SHOWN_OF_VIEW
from runtime.settings import sqlalchemy_url
from tests.conftest import Database
from tests.tables.rows import AT, A, B, known, seed

MINE = known(A, "case")
HAZARD = """
INSERT INTO cases SELECT (jsonb_populate_record(c, jsonb_build_object('id', CAST(:id AS text), 'kind', CAST(:kind AS
    text), 'parent_id', c.id, 'workflow_id', CAST(:id AS text)))).* FROM cases c WHERE id = :of
"""
LINE = """
INSERT INTO timeline (case_id, seq, line, insurer_id, event, at, duty_key, said, data)
VALUES (:case, 1, :line, :insurer, :event, CAST(CAST(:at AS text) AS timestamptz), '', '', '{}')
"""
SEEN = {"assigned_cases": 2, "assignments": 1, "timeline": 1, "recipients": 3, "files": 1, "insurers": 2}
"""Rows by table, where the case has a hazard and one line that is heard: its contact, the department, the operators."""


@pytest.fixture
async def above(database: Database) -> AsyncIterator[AsyncConnection]:
    """The owner of everything, in a transaction that leaves nothing; `as_provider` makes it a provider's."""
    await seed(database)
    engine = create_async_engine(sqlalchemy_url(database.admin))
    async with engine.connect() as connection:
        yield connection
        await connection.rollback()
    await engine.dispose()


async def as_provider(connection: AsyncConnection, provider: UUID) -> None:
    await connection.execute(text("SET LOCAL ROLE anze_app"))
    await settings.provider(connection, provider)


async def child(connection: AsyncConnection, kind: str) -> UUID:
    """A hazard or a claim of the policy that names the provider."""
    made = uuid4()
    await connection.execute(text(HAZARD), {"id": str(made), "kind": kind, "of": MINE})
    return made


async def heard(connection: AsyncConnection, *events: Event) -> None:
    for line, event in enumerate(events, start=2):
        row = {"case": MINE, "line": line, "insurer": A, "event": event.value, "at": AT}
        await connection.execute(text(LINE), row)


async def shows(connection: AsyncConnection, case: UUID, view: dict[str, Any]) -> None:
    """No figures are kept of it: its values are the names of its keys."""
    await connection.execute(text("SET LOCAL session_replication_role = replica"))
    shown = text("UPDATE cases SET view = CAST(:view AS jsonb) WHERE id = :id")
    await connection.execute(shown, {"id": case, "view": to_json(view).decode()})


def whole(*contracts: Any) -> dict[str, Any]:
    """A view with every key there is."""
    return {name: name for contract in contracts for name in contract.model_fields}


async def test_of_a_whole_policy_and_a_whole_hazard_it_reads_what_is_listed_and_no_key_more(
    above: AsyncConnection,
) -> None:
    """What a case learns to tell tomorrow is no provider's until somebody adds it to the list."""
    hazard = await child(above, "hazard")
    await shows(above, MINE, whole(PolicyView) | {"terms": whole(Terms)})
    await shows(above, hazard, whole(HazardView))
    await as_provider(above, known(A, "provider"))
    found = await above.execute(text("SELECT id, view FROM assigned_cases"))
    seen: dict[UUID, dict[str, Any]] = {row.id: row.view for row in found}
    assert set(seen) == {MINE, hazard}
    assert seen[MINE]["terms"] == {name: name for name in SHOWN_OF_TERMS}
    assert set(seen[MINE]) == {"duties", "terms"}
    assert set(seen[MINE]) | set(seen[hazard]) == set(SHOWN_OF_VIEW)


async def test_it_reads_no_row_of_cases_and_the_narrow_ones_have_the_listed_columns(above: AsyncConnection) -> None:
    await as_provider(above, known(A, "provider"))
    assert (await above.execute(text("SELECT id FROM cases"))).all() == []
    found = await above.execute(text("SELECT * FROM assigned_cases"))
    assert set(found.keys()) == set(SHOWN)
    assert [row.id for row in found] == [MINE]
    with pytest.raises(DBAPIError, match="permission denied"):
        await above.execute(text("UPDATE assigned_cases SET stage = 'x'"))


async def test_it_hears_of_the_events_it_is_told_in_words_and_of_no_other(above: AsyncConnection) -> None:
    """Of spending, ratings and endorsements the sentences say sums and stars."""
    await heard(above, *Event)
    await as_provider(above, known(A, "provider"))
    events = set((await above.execute(text("SELECT event FROM timeline"))).scalars())
    assert events == {one.value for one in SAID_TO[ActorKind.PROVIDER] | {Event.POLICY_SURRENDERED}}


async def test_nothing_else_of_its_insurer_is_seen_and_nothing_at_all_without_an_assignment(
    above: AsyncConnection,
) -> None:
    await child(above, "hazard")
    await child(above, "claim")
    await heard(above, Event.PLAN_FILED)
    listed = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = 'public'::regnamespace"
    tables = set((await above.execute(text(listed))).scalars()) - {"alembic_version"}
    await as_provider(above, known(A, "provider"))
    assert await counted(above, tables) == SEEN
    contact = await above.execute(text("SELECT insured_id FROM recipients WHERE insurer_id IS NOT NULL"))
    assert contact.scalars().all() == [known(A, "insured")]
    for nobody in (uuid4(), known(A, "case")):
        await settings.provider(above, nobody)
        assert await counted(above, tables) == {"insurers": 2, "recipients": 2}


async def test_it_brings_files_to_its_own_insurer_and_to_no_other(above: AsyncConnection) -> None:
    brought = text("INSERT INTO files (digest, insurer_id, name, media_type, size) VALUES ('e', :insurer, 'x', 'y', 1)")
    await as_provider(above, known(A, "provider"))
    await above.execute(brought, {"insurer": A})
    assert set((await above.execute(text("SELECT insurer_id FROM files"))).scalars()) == {A}
    with pytest.raises(DBAPIError, match="row-level security"):
        await above.execute(brought, {"insurer": B})


async def counted(connection: AsyncConnection, tables: set[str]) -> dict[str, int]:
    """Tables with at least one visible row."""
    counts = {one: (await connection.execute(text(f"SELECT count(*) FROM {one}"))).scalar_one() for one in tables}
    return {one: count for one, count in counts.items() if count}
