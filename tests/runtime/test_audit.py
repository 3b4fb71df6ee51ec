"""The audit trail cannot be changed without being found out: chains under load, every kind of tampering, anchors."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from activities.anchoring import Signer, anchor, anchor_of_the_day
from domain.standing import standing
from models.contracts.vocabulary import AuditEvent
from models.tables.audit import COMMON_CHAIN
from models.tables.engine import make_engine
from runtime.anchoring import compare
from runtime.auditing import Fault, Finding, Verdict, Verifier
from runtime.commands.audit import app
from runtime.settings import Settings, sqlalchemy_url
from tests.activities.steps import CASE, register, step
from tests.conftest import Database
from tests.tables.rows import A, B

NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
SIGNER = Signer.of(b"a-secret-of-the-tests-0123456789")
WRITE = "SELECT write_audit(jsonb_populate_record(NULL::audit, $1::text::jsonb))"
STEPS = 4
UNSEEN = "SET LOCAL session_replication_role = replica"
"""What a superuser does to pass by triggers and foreign keys."""

Tamper = tuple[str, Fault, int | None]
TAMPERINGS: dict[str, Tamper] = {
    "a row says something else": (
        "UPDATE audit SET who_name = '别人' WHERE chain = '{A}' AND number = 2", Fault.EDITED, 2),
    "a row says something else, with a hash that fits": (
        "UPDATE audit a SET who_name = '别人', hash = audit_hash(jsonb_populate_record(a, '{{\"who_name\":\"别人\"}}'))"
        " WHERE chain = '{A}' AND number = 2", Fault.EXCHANGED, 2),
    "a row is gone": ("DELETE FROM audit WHERE chain = '{A}' AND number = 3", Fault.MISSING, 3),
    "the first row is gone": ("DELETE FROM audit WHERE chain = '{A}' AND number = 1", Fault.MISSING, 1),
    "the last row is gone": ("DELETE FROM audit WHERE chain = '{A}' AND number = 4", Fault.HEAD_DIFFERS, 4),
    "a row was added at the end": (
        "INSERT INTO audit SELECT chain, 5, at, 'denied', who_kind, who_id, who_name, object_kind, object_id, result,"
        " NULL, NULL, '', ip, request_id, said, hash, hash FROM audit WHERE chain = '{A}' AND number = 4",
        Fault.HEAD_DIFFERS, 5),
    "the head was moved back": (
        "UPDATE audit_heads SET number = 3 WHERE chain = '{A}'", Fault.HEAD_DIFFERS, 4),
    "the head has another hash": (
        "UPDATE audit_heads SET hash = repeat('0', 64) WHERE chain = '{A}'", Fault.HEAD_DIFFERS, 4),
    "the head is gone": ("DELETE FROM audit_heads WHERE chain = '{A}'", Fault.HEAD_DIFFERS, 4),
    "a step was done by somebody else": (
        "UPDATE steps SET actor_name = '别人' WHERE seq = 2", Fault.STEP_CHANGED, 2),
    "a step has another cause": (
        "UPDATE steps SET cause = '{{\"kind\":\"alarm\",\"key\":\"x\"}}' WHERE seq = 2", Fault.STEP_CHANGED, 2),
    "a line of the timeline says something else": (
        "UPDATE timeline SET data = '{{}}' WHERE seq = 2", Fault.STEP_CHANGED, 2),
    "a line was added to a step": (
        "INSERT INTO timeline SELECT case_id, seq, 2, insurer_id, event, at, duty_key, said, data FROM timeline"
        " WHERE seq = 2", Fault.STEP_CHANGED, 2),
    "a step is gone": ("DELETE FROM steps WHERE seq = 4", Fault.STEP_GONE, 4),
    "a step came in by the back door": (
        "INSERT INTO steps SELECT case_id, 5, insurer_id, at FROM steps WHERE seq = 1", Fault.STEP_UNRECORDED, None),
}  # fmt: skip


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The backup role, which verification uses."""
    connection = await asyncpg.connect(database.backup)
    yield connection
    await connection.close()


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    """The application's: with the operators' view it sees every head, and of insurers nothing more."""
    engine = make_engine(sqlalchemy_url(database.app), 1)
    yield engine
    await engine.dispose()


@pytest.fixture
async def lived(database: Database) -> Database:
    """A case of four steps, some by command and some by alarm, under the first insurer."""
    await register(database)
    connection = await asyncpg.connect(database.app)
    try:
        for seq in range(1, STEPS + 1):
            await record(connection, seq)
    finally:
        await connection.close()
    return database


async def record(connection: asyncpg.Connection, seq: int) -> None:
    taken = step(seq, command=f"k-{seq}" if seq % 2 else None)
    given = taken.model_dump_json(), to_json(standing(taken)).decode()
    await connection.fetchval("SELECT record_step($1::text::jsonb, '{}', '{}', $2::text::jsonb)", *given)


async def verified(reader: asyncpg.Connection, insurer: str | None = None) -> Verdict:
    verifier = Verifier(reader)
    return await verifier.run(await verifier.chains(insurer), insurer)


async def test_every_step_is_in_the_chain_of_its_insurer(lived: Database, reader: asyncpg.Connection) -> None:
    verdict = await verified(reader)
    assert (verdict.findings, verdict.rows, verdict.steps) == ([], STEPS, STEPS)
    rows = await reader.fetch("SELECT * FROM audit ORDER BY number")
    assert [(row["chain"], row["number"], row["case_id"], row["seq"]) for row in rows] == [
        (A, number, CASE, number) for number in range(1, STEPS + 1)
    ]
    assert [row["who_kind"] for row in rows] == ["insurer", "system", "insurer", "system"]
    assert {row["object_id"] for row in rows} == {"policy/a/P-1"}


async def test_a_step_told_twice_or_rolled_back_leaves_no_second_row(
    lived: Database, reader: asyncpg.Connection
) -> None:
    connection = await asyncpg.connect(lived.app)
    try:
        await record(connection, STEPS)
        transaction = connection.transaction()
        await transaction.start()
        await record(connection, STEPS + 1)
        await transaction.rollback()
        with pytest.raises(asyncpg.PostgresError):
            await record(connection, STEPS + 2)
    finally:
        await connection.close()
    verdict = await verified(reader)
    assert (verdict.findings, verdict.rows) == ([], STEPS)


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_tampering_by_a_superuser_is_found_and_named(
    name: str, lived: Database, admin: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    statement, fault, number = TAMPERINGS[name]
    async with admin.transaction():
        await admin.execute(UNSEEN)
        assert await admin.execute(statement.format(A=A)) in {"UPDATE 1", "DELETE 1", "INSERT 0 1"}
    verdict = await verified(reader)
    assert (number, fault) in [(one.number, one.fault) for one in verdict.findings]
    assert {(one.chain, one.code) for one in verdict.findings} == {(A, "a")}


async def test_the_application_can_neither_change_nor_take_back_a_row(lived: Database) -> None:
    connection = await asyncpg.connect(lived.app)
    try:
        for statement in ("UPDATE audit SET who_name = ''", "DELETE FROM audit", "TRUNCATE audit",
                          "DELETE FROM audit_heads", "TRUNCATE audit_heads"):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_two_thousand_rows_from_eight_connections_make_unbroken_chains(
    database: Database, reader: asyncpg.Connection
) -> None:
    """Three chains, so that connections meet at one head and pass each other at the others (promises.md rule 12)."""
    chains = (A, B, COMMON_CHAIN)

    async def write(connection: asyncpg.Connection, chain: UUID, times: int) -> None:
        for number in range(times):
            async with connection.transaction():
                await connection.execute("SELECT set_config('anze.tenant', $1, true)", str(chain))
                said = {"一": number, "quoted": "\"'\\\n\x1f\x7f"}
                row = {"chain": str(chain), "what": "operator_act", "result": "done", "said": said}
                await connection.execute(WRITE, json.dumps(row))

    crew = [await asyncpg.connect(database.app) for _ in range(8)]
    try:
        await asyncio.gather(*(write(one, chains[n % 3], 90) for n, one in enumerate(crew)))
        await asyncio.gather(*(write(one, A, 175) for one in crew))
    finally:
        await asyncio.gather(*(one.close() for one in crew))
    verdict = await verified(reader)
    assert (verdict.findings, verdict.rows) == ([], 8 * 90 + 8 * 175)
    heads = {row["chain"]: row["number"] for row in await reader.fetch("SELECT * FROM audit_heads")}
    assert heads == {A: 270 + 1400, B: 270, COMMON_CHAIN: 180}


async def test_a_shortened_or_rewritten_chain_is_found_by_its_anchors(
    lived: Database, admin: asyncpg.Connection, reader: asyncpg.Connection, engine: AsyncEngine, tmp_path: Path
) -> None:
    await anchor(engine, tmp_path, SIGNER, NOW)
    assert await compare(reader, tmp_path, [SIGNER.public]) == (1, [])
    async with admin.transaction():
        await admin.execute(UNSEEN)
        await admin.execute("DELETE FROM audit WHERE number = $1", STEPS)
        await admin.execute("DELETE FROM steps WHERE seq = $1", STEPS)
        await admin.execute(
            "UPDATE audit_heads h SET number = a.number, hash = a.hash FROM audit a WHERE a.number = $1", STEPS - 1
        )
    assert (await verified(reader)).holds  # the chain agrees with itself: only the anchor knows
    _, found = await compare(reader, tmp_path, [SIGNER.public])
    assert [(one.code, one.number, one.fault) for one in found] == [("a", STEPS, Fault.ANCHOR_GONE)]
    connection = await asyncpg.connect(lived.app)
    await connection.execute("SELECT set_config('anze.tenant', $1, false)", str(A))
    await connection.execute(WRITE, json.dumps({"chain": str(A), "what": "operator_act", "result": "done"}))
    await connection.close()
    assert (await verified(reader)).holds
    _, found = await compare(reader, tmp_path, [SIGNER.public])
    assert [(one.code, one.number, one.fault) for one in found] == [("a", STEPS, Fault.ANCHOR_DIFFERS)]


def _forge(path: Path) -> None:
    path.chmod(0o644)
    path.write_text(path.read_text().replace('"number": 4', '"number": 3'))


@pytest.mark.parametrize(
    ("tampering", "faults"),
    [
        (_forge, [Fault.ANCHOR_UNSIGNED, Fault.ANCHOR_MISSING]),
        (lambda path: path.unlink(), [Fault.ANCHOR_MISSING]),
    ],
    ids=["edited", "taken away"],
)
async def test_an_anchor_that_was_edited_or_taken_away_is_missed(
    tampering: Callable[[Path], None],
    faults: list[Fault],
    lived: Database,
    reader: asyncpg.Connection,
    engine: AsyncEngine,
    tmp_path: Path,
) -> None:
    first = await anchor(engine, tmp_path, SIGNER, NOW)
    await anchor(engine, tmp_path, SIGNER, NOW + timedelta(days=1))
    assert await compare(reader, tmp_path, [SIGNER.public]) == (2, [])
    tampering(first.path)
    _, found = await compare(reader, tmp_path, [SIGNER.public])
    assert [one.fault for one in found] == faults


async def test_an_anchor_of_somebody_elses_key_is_not_believed(
    lived: Database, reader: asyncpg.Connection, engine: AsyncEngine, tmp_path: Path
) -> None:
    stranger = Signer.of(b"another-secret")
    await anchor(engine, tmp_path, stranger, NOW)
    _, found = await compare(reader, tmp_path, [SIGNER.public])
    assert [one.fault for one in found] == [Fault.ANCHOR_UNSIGNED]
    assert await compare(reader, tmp_path, [SIGNER.public, stranger.public]) == (1, [])


async def test_one_anchor_a_day_however_often_it_is_asked_for(
    lived: Database, reader: asyncpg.Connection, engine: AsyncEngine, tmp_path: Path
) -> None:
    assert await anchor_of_the_day(engine, tmp_path, SIGNER, NOW)
    assert await anchor_of_the_day(engine, tmp_path, SIGNER, NOW + timedelta(hours=2)) is None
    assert await anchor_of_the_day(engine, tmp_path, SIGNER, NOW + timedelta(days=1))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.fixture
def said(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """Runs a command as a process with these settings would; its loop is its own, so it runs in a thread."""
    monkeypatch.setattr("runtime.commands.audit.Settings", lambda: settings)

    async def run(*words: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, list(words))

    return run


async def test_the_command_says_what_is_wrong_and_exits_with_one(
    said: Any, lived: Database, admin: asyncpg.Connection
) -> None:
    assert (await said("anchor")).exit_code == 0
    good = await said("verify", "--json")
    assert (good.exit_code, json.loads(good.stdout)["holds"], json.loads(good.stdout)["anchors"]) == (0, True, 1)
    assert (await said("verify", "--insurer", "nobody")).exit_code == 2
    await admin.execute("UPDATE steps SET actor_name = '别人' WHERE seq = 2")
    bad = await said("verify", "--insurer", "a", "--json")
    assert bad.exit_code == 1
    (finding,) = json.loads(bad.stdout)["findings"]
    assert (finding["chain"], finding["number"], finding["fault"]) == (str(A), 2, "step_changed")
    shown = await said("verify")
    assert shown.exit_code == 1
    assert Fault.STEP_CHANGED.label[:8] in shown.stdout
    on_record = await admin.fetch("SELECT * FROM audit WHERE what = 'verified' ORDER BY chain, number")
    found = [(row["object_id"], json.loads(row["said"])["findings"]) for row in on_record if row["chain"] != A]
    assert found == [("", 0), ("a", 1), ("", 1)], "whose chains, and how much was wrong"
    own = [json.loads(row["said"]) for row in on_record if row["chain"] == A]
    told = [(one["up_to"], one["findings"]) for one in own]
    assert told == [(STEPS, 0), (STEPS + 1, 1), (STEPS + 2, 1)], "the insurer reads in its own chain how far it held"
    await admin.execute("DELETE FROM audit_heads WHERE chain = $1", A)
    assert (await said("verify")).exit_code == 1
    ends = await admin.fetchval("SELECT max(number) FROM audit WHERE chain = $1", A)
    assert ends == STEPS + 3, "nothing is added to a chain whose end is in doubt"
    assert all(len(row["digest"]) == 64 for row in on_record)


async def test_reading_an_insurers_trail_is_itself_on_record(said: Any, lived: Database) -> None:
    async def listed(*words: str) -> list[Any]:
        answer = await said("list", *words, "--json")
        assert answer.exit_code == 0, repr(answer.exception)
        return json.loads(answer.stdout)

    assert [row["number"] for row in await listed("--insurer", "a", "--about", "P-1")] == [4, 3, 2, 1]
    assert [row["number"] for row in await listed("--insurer", "a", "--who", "key-1")] == [3, 1]
    assert [row["what"] for row in await listed("--insurer", "a", "--what", "exported")] == ["exported", "exported"]
    assert await listed() == []
    assert AuditEvent.STEP.label in (await said("list", "--insurer", "a", "--since", "2024-01-01")).stdout


def test_a_finding_is_readable_by_programs() -> None:
    finding = Finding(A, "a", 2, Fault.EDITED)
    assert json.loads(json.dumps(finding.as_document()))["says"] == Fault.EDITED.label
