"""What `anze doctor` finds in PostgreSQL and in the files of rules, each brought about there."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import time_machine
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.anchoring import Signer, anchor
from models.tables.engine import make_engine
from runtime.auditing import Fault
from runtime.checkup.database import ordering
from runtime.checkup.trail import Trail
from runtime.migrate import newest
from runtime.settings import PROJECT_ROOT, Settings
from tests.conftest import Database
from tests.runtime.examining import examining
from tests.tables.rows import seed

AHEAD = "29990101_1"
SEEDED = (
    f"UPDATE alembic_version SET version_num = '{AHEAD}'",
    "UPDATE cases SET next_alarm_at = now() - interval '20 minutes', provisional = true, calendar_through = 2023,"
    ' packs = \'[{"region": "341300", "digest": "feedfeedfeedfeed"}]\'',
    "INSERT INTO mails (id, recipient_id, message_id, urgency, composed_at)"
    " SELECT gen_random_uuid(), id, '<late@anze.example>', 'now', now() - interval '3 hours' FROM recipients LIMIT 1",
    "CREATE SCHEMA ahead",
    "CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
    " AS $$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$",
    "GRANT USAGE ON SCHEMA ahead TO anze_backup",
)
WRITE = "SELECT write_audit(jsonb_populate_record(NULL::audit, $1::jsonb))"
ENTRY = '{"chain": "00000000-0000-0000-0000-000000000000", "what": "operator_act", "result": "done"}'
UNSEEN = "SET session_replication_role = replica"
"""What a superuser does to pass by triggers."""
SIGNER = Signer.of(b"a-secret-of-the-tests-0123456789")


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine("postgresql+asyncpg://" + database.app.partition("://")[2], 1)
    yield engine
    await engine.dispose()


async def test_whatever_is_wrong_in_the_database_is_told_in_one_look(
    settings: Settings, database: Database, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seed(database)
    strong = f"{database.name}_strong"
    for statement in SEEDED:
        await admin.execute(statement)
    setting = f'ALTER ROLE anze_backup IN DATABASE "{database.name}" SET search_path = ahead, pg_catalog, public'
    await admin.execute(setting)
    await admin.execute(f'CREATE ROLE "{strong}" CREATEROLE')
    await admin.execute("SELECT pg_create_physical_replication_slot($1, true)", strong)
    told = settings.model_copy(update={"database_url": SecretStr(f"postgresql://{strong}@127.0.0.1/{database.name}")})
    try:
        code, found = await examining(monkeypatch, told)()
    finally:
        await admin.execute("SELECT pg_drop_replication_slot($1)", strong)
        await admin.execute(f'DROP ROLE "{strong}"')
    assert code == 1
    bad = {"结构版本", "应用角色", "时钟", "到期未办", "待发邮件", "案卷的规则包", "WAL 流"}
    assert {about: found[about][0] for about in bad} == dict.fromkeys(bad, "bad")
    assert {about: found[about][0] for about in ("待人处理", "放假安排")} == {"待人处理": "note", "放假安排": "note"}
    assert f"{AHEAD}，比这个程序（{newest()}）新" in found["结构版本"][1]
    assert "341300 feedfeedfeed" in found["案卷的规则包"][1]
    assert strong in found["WAL 流"][1]
    assert 3500 < int("".join(filter(str.isdigit, found["时钟"][1]))) < 3700


@pytest.mark.parametrize(
    ("provider", "locale", "state"),
    [("b", "C.UTF-8", "good"), ("c", "C", "good"), ("c", "zh_CN.UTF-8", "bad"), ("i", "zh-Hans", "bad")],
)
async def test_a_database_that_sorts_by_a_language_is_a_fault_because_names_would_not_be_found(
    provider: str, locale: str, state: str
) -> None:
    """Not brought about: the server of the tests is built without languages, and the machine has none."""
    assert ordering(provider, locale).state.value == state


async def test_a_trail_whose_end_is_cut_off_and_anchors_that_are_late_or_not_true_are_faults(
    database: Database, admin: asyncpg.Connection, engine: AsyncEngine, tmp_path: Path
) -> None:
    @asynccontextmanager
    async def connecting() -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(database.backup)
        yield connection
        await connection.close()

    async def told(signer: str | None = SIGNER.public) -> dict[str, tuple[str, str]]:
        looked = await Trail(connecting, tmp_path, signer).look()
        return {one.about: (one.state.value, one.says) for one in looked}

    now = datetime.now(UTC)
    assert await told() == {"审计链": ("good", "各链链头与最后一条相符"), "存证": ("good", "还没有要存证的记录")}
    for _ in range(3):
        await admin.fetchval(WRITE, ENTRY)
    assert (await told())["存证"] == ("good", "还没有第一份")
    await admin.execute(UNSEEN)
    await admin.execute("UPDATE audit SET at = at - interval '3 days'")
    assert (await told())["存证"] == ("bad", "还没有第一份，已过 36 小时")
    await anchor(engine, tmp_path, SIGNER, now - timedelta(days=2))
    assert (await told())["存证"][0] == "bad"
    last = await anchor(engine, tmp_path, SIGNER, now)
    assert {state for state, _ in (await told()).values()} == {"good"}
    await admin.execute("DELETE FROM audit WHERE number = 3")
    assert await told() == {
        "审计链": ("bad", "1 条链的链头与最后一条不符：anze audit verify"),
        "存证": ("bad", f"{last.path.name}：{Fault.ANCHOR_GONE.label}"),
    }
    other = Signer.of(b"another-secret-of-the-tests-0123").public
    assert (await told(other))["存证"] == ("bad", f"{last.path.name}：{Fault.ANCHOR_UNSIGNED.label}")
    assert (await told(None))["存证"][0] == "note"


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The rules of this version, where a test may change them."""
    copy = tmp_path / "rules"
    shutil.copytree(PROJECT_ROOT / "rules", copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    monkeypatch.setattr("runtime.commands.doctor.RULES", copy)
    return copy


async def test_released_files_that_were_changed_or_are_gone_drafts_and_years_without_holidays_are_told(
    settings: Settings, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examined = examining(monkeypatch, settings)
    well = (await examined())[1]
    assert (well["已发布的规则包"][0], "规则包草案" in well) == ("good", False)
    with next((rules / "packs" / "220000_jilin").glob("2*.yaml")).open("a", encoding="utf-8") as changed:
        changed.write("# 一字之改\n")
    shutil.rmtree(rules / "packs" / "350200_xiamen")
    shutil.copytree(rules / "packs" / "340000_anhui", rules / "packs" / "340100_hefei")
    for path in (rules / "calendars").glob("*.yaml"):
        if int(path.stem) >= datetime.now(UTC).year:
            path.unlink()
    code, found = await examined()
    gone = sum(line.startswith("packs/350200") for line in (rules / "packs.lock").read_text().splitlines())
    assert code == 1
    assert found["已发布的规则包"] == ("bad", f"{gone + 1} 份与 packs.lock 不符：anze rules check")
    assert found["规则包草案"][0] == "note"
    last = max(int(path.stem) for path in (rules / "calendars").glob("*.yaml"))
    assert found["下一年"] == ("note", f"{last + 1} 年的放假安排还没有登记")


async def test_rules_that_cannot_be_read_are_a_fault_and_the_rest_is_still_looked_at(
    settings: Settings, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rules / "calendars" / "2026.yaml").write_text("off: [", encoding="utf-8")
    code, found = await examining(monkeypatch, settings)()
    assert (code, found["规则文件"][0], found["结构版本"][0]) == (1, "bad", "good")


async def test_in_december_next_years_holidays_are_asked_for_and_a_host_whose_clock_is_wrong_is_a_fault(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    years = sorted(int(path.stem) for path in (PROJECT_ROOT / "rules" / "calendars").glob("*.yaml"))
    with time_machine.travel(datetime(years[-1], 12, 5, tzinfo=UTC)):
        found = (await examining(monkeypatch, settings)())[1]
    assert found["下一年"] == ("note", f"{years[-1] + 1} 年的放假安排还没有登记")
    assert found["时钟"][0] == "bad"
