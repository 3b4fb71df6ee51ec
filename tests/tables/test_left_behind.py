"""A ledger that an older version left: migrated, no row of it is lost, and its cases begin again here and go on."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.client import Client

from api.app import create_app
from api.keys import KeyFor, mint_key
from api.tools import Tools
from api.words import Scope
from models.contracts.ids import claim_id
from models.contracts.vocabulary import ActorKind
from runtime.auditing import Verifier
from runtime.embedded.postgres import PostgresServer
from runtime.migrate import _config, upgrade
from runtime.recovery import reopening
from runtime.recovery.reopening import Reopener
from runtime.roles import Roles, ensure_roles
from runtime.settings import Settings, sqlalchemy_url
from runtime.web import open_tools
from runtime.worker import library, make_worker
from tests.api.conftest import Caller
from tests.conftest import Database
from tests.faults.invariants import Look, broken
from tests.runtime.waiting import PATIENCE

NAME = "test_left_behind"
LEFT = Path(__file__).resolve().parent / "left" / "20261122_23.sql.gz"
"""Everything version b1d6449 had on record after a policy with a hazard, three more, two claims (an order sent and not
answered; documents asked for), letters told and untold, links used and unused, and people signed in, by its own API."""
WITHOUT_A_ROW = {"assignments", "insurer_claim_rules", "key_witnesses", "restorations", "tasks"}
"""Tables of then that none of it wrote to."""
OPEN = 7
"""Four policies, a hazard and two claims; one policy was surrendered."""
GOES_ON = (
    ("C-1", "payments/Z-1/confirmation", {"result": "confirmed", "reference": "BK-1"}),
    ("C-2", "documents", {"complete": True, "documents": ["医疗费用票据"]}),
)
"""What waits for others, and may be heard however long after."""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"


@pytest.fixture
async def left(postgres: PostgresServer) -> AsyncIterator[Database]:
    """The database as that version left it, at its own revision."""
    urls = Database.of(postgres, NAME)
    await ensure_roles(postgres.url("admin", "postgres"), Roles(urls.owner, urls.app, urls.backup))
    await asyncio.to_thread(command.upgrade, _config(urls.owner), LEFT.name.partition(".")[0])
    admin = await asyncpg.connect(urls.admin)
    await admin.execute("SET session_replication_role = replica")  # rows come in the order of their tables' names
    tables = ", ".join(row["tablename"] for row in await admin.fetch(TABLES))
    await admin.execute(f"TRUNCATE {tables}")
    await admin.execute(gzip.decompress(LEFT.read_bytes()).decode())
    await admin.close()
    yield urls
    admin = await asyncpg.connect(postgres.url("admin", "postgres"))
    await admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    await admin.close()


@pytest.fixture
def here(settings: Settings, left: Database, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """This version's settings over that database; nobody waits here, and the machine may be slow."""
    monkeypatch.setattr(reopening, "ANSWERED_WITHIN", timedelta(seconds=PATIENCE))
    urls = {"database_url": left.app, "database_owner_url": left.owner, "database_backup_url": left.backup}
    told = {name: SecretStr(url) for name, url in urls.items()}
    return settings.model_copy(update={**told, "answer_within": PATIENCE})


async def test_what_an_older_version_left_is_kept_whole_begins_again_and_goes_on(
    left: Database, here: Settings, temporal: Client
) -> None:
    before = await counted(left)
    assert {table for table, rows in before.items() if not rows} <= WITHOUT_A_ROW
    await upgrade(left.owner)
    after = await counted(left)
    assert {table: after[table] for table in before} == before
    assert await wrong(left) == []

    async with open_tools(here) as tools, make_worker(temporal, tools.engine, here, library()):
        begun = await Reopener(tools.engine, temporal, here.task_queue, here.base_url).run()
        assert len(begun) == OPEN
        assert [one for one in begun if one.held] == [], "each is led again to where it stood, under the rules it had"
        async with core_system(left, tools) as caller:
            for number, path, body in GOES_ON:
                answer = await caller.post(f"/v1/claims/{claim_id(caller.id, number)}/{path}", body, f"today-{number}")
                assert answer.status_code == 200, answer.text
    assert await wrong(left) == []


async def counted(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    admin = await asyncpg.connect(database.admin)
    tables = [row["tablename"] for row in await admin.fetch(TABLES)]
    found = {table: await admin.fetchval(f"SELECT count(*) FROM {table}") for table in tables}
    await admin.close()
    return found


async def wrong(database: Database) -> list[str]:
    """What the books themselves contradict, and where the audit trail does not hold."""
    admin = await asyncpg.connect(database.admin)
    verifier = Verifier(admin)
    found = (await verifier.run(await verifier.chains())).findings
    await admin.close()
    return [*map(str, found), *await broken(Look(database.admin, database.backup))]


@asynccontextmanager
async def core_system(database: Database, tools: Tools) -> AsyncIterator[Caller]:
    """The insurer of those claims, with a key made today."""
    admin = create_async_engine(sqlalchemy_url(database.admin))
    async with admin.begin() as connection:
        of = text("SELECT i.id, i.code FROM insurers i WHERE id = (SELECT insurer_id FROM cases WHERE number = 'C-1')")
        insurer = (await connection.execute(of)).one()
        holder = KeyFor(ActorKind.INSURER, "核心系统", insurer_id=insurer.id, scopes=(Scope.PAYMENTS_CONFIRM,))
        minted = await mint_key(connection, holder)
    await admin.dispose()
    async with AsyncClient(transport=ASGITransport(create_app(tools)), base_url="http://anze.test") as http:
        yield Caller(http, minted.token, insurer.id, insurer.code)
