"""`anze doctor` finds a well system well and each fault by its name; `anze replay` finds code that does otherwise."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.service import RPCError
from typer.testing import CliRunner

from models.contracts.ids import reconciling_id
from models.tables.engine import make_engine
from models.tables.sealed import new_key
from runtime.cli import app
from runtime.codec import converter
from runtime.schedules import anchoring_id, ensure_schedules
from runtime.settings import Settings
from runtime.worker import library, make_worker
from tests.conftest import Database
from tests.runtime.examining import examining
from tests.runtime.waiting import PATIENCE
from tests.tables.rows import seed
from tests.workflows.cases import Office, working
from tests.workflows.otherwise import OtherPolicyWorkflow


@pytest.fixture
async def well(settings: Settings) -> AsyncIterator[Settings]:
    """A system with a worker and its daily schedules."""
    told = settings.model_copy(update={"payload_keys": SecretStr(f"k1:{new_key()}")})
    client = await Client.connect(str(told.temporal_address), data_converter=converter(told))
    engine = make_engine(told.database, 2)
    await ensure_schedules(client, told.task_queue)
    async with make_worker(client, engine, told, library()):
        yield told
    for name in (reconciling_id(told.task_queue), anchoring_id(told.task_queue)):
        with suppress(RPCError):  # a test may have taken it away
            await client.get_schedule_handle(name).delete()
    await engine.dispose()


async def test_a_well_system_is_well(well: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    code, found = await examining(monkeypatch, well)()
    assert code == 0, {about: told for about, told in found.items() if told[0] == "bad"}
    assert {
        "结构版本",
        "机构隔离",
        "排序规则",
        "应用角色",
        "时钟",
        "办理进程",
        "搜索属性",
        "每日对账",
        "载荷加密",
        "邮件服务器",
    } <= set(found)


async def test_every_fault_is_found_by_its_name(
    well: Settings, database: Database, temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await asyncpg.connect(database.admin)
    await admin.execute("ALTER TABLE outbox NO FORCE ROW LEVEL SECURITY")
    await admin.execute("ALTER VIEW assigned_cases OWNER TO CURRENT_USER")
    await admin.execute("UPDATE alembic_version SET version_num = '20261122_1'")
    await admin.execute("CREATE TABLE mine (id int)")
    await admin.execute("ALTER TABLE mine OWNER TO anze_app")
    await admin.close()
    await temporal.get_schedule_handle(anchoring_id(well.task_queue)).delete()
    nobody_there = well.model_copy(update={"smtp_port": 1, "task_queue": well.task_queue + "-other"})
    code, found = await examining(monkeypatch, nobody_there)()
    bad = {about for about, (state, _) in found.items() if state == "bad"}
    assert code == 1
    assert bad == {"结构版本", "机构隔离", "应用角色", "办理进程", "每日对账", "每日存证", "邮件服务器"}
    assert {"outbox", "assigned_cases"} <= set(found["机构隔离"][1].partition("：")[2].split("、"))


async def test_a_daily_work_that_somebody_paused_is_noted(well: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await Client.connect(str(well.temporal_address), data_converter=converter(well))
    await client.get_schedule_handle(anchoring_id(well.task_queue)).pause()
    code, found = await examining(monkeypatch, well)()
    assert (code, found["每日存证"], found["每日对账"][0]) == (0, ("note", "已被暂停"), "good")


async def test_a_part_that_is_away_is_a_finding_and_the_others_are_still_looked_at(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = settings.model_copy(update={"database_backup_url": SecretStr("postgresql://anze_backup@127.0.0.1:1/anze")})
    code, found = await examining(monkeypatch, away)()
    assert (code, found["数据库"][0]) == (1, "bad")
    assert found["邮件服务器"][0] == "good"


async def test_running_lives_are_replayed_before_a_deploy_and_other_code_is_found_out(
    settings: Settings, temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.commands.replay.Settings", lambda: settings)

    async def replayed() -> tuple[int, list[Any]]:
        answer = await asyncio.to_thread(CliRunner().invoke, app, ["replay", "--most", "5", "--json"])
        return answer.exit_code, json.loads(answer.stdout)

    async with working(Office(temporal, settings.task_queue)) as office:
        policy = await office.opened()
        async with asyncio.timeout(PATIENCE):  # visibility follows in a moment
            while not (found := await replayed())[1]:
                await asyncio.sleep(0.1)
        assert found[0] == 0
        assert [(one["kind"], one["failure"]) for one in found[1]] == [("保单", "")]
        assert found[1][0]["workflow_id"] == policy.handle.id
        monkeypatch.setattr("runtime.replaying.WORKFLOWS", (OtherPolicyWorkflow,))
        code, (one,) = await replayed()
        assert code == 1
        assert "Nondeterminism" in one["failure"]


@pytest.mark.parametrize("patience", [10, 30])
async def test_a_case_that_did_not_ring_is_a_fault_from_the_bound_on_that_operators_have_set(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, patience: int
) -> None:
    await seed(database)
    admin = await asyncpg.connect(database.admin)
    await admin.execute("UPDATE cases SET next_alarm_at = now() - interval '20 minutes'")
    await admin.close()
    told = settings.model_copy(update={"late_alarm": patience})
    state, says = (await examining(monkeypatch, told)())[1]["到期未办"]
    assert state == ("bad" if patience == 10 else "good"), says


async def test_what_a_restore_stopped_is_noted_until_it_is_released(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.commands.recover.Settings", lambda: settings)
    monkeypatch.setattr("runtime.operating.Settings", lambda: settings)
    await seed(database)  # two orders of 5 yuan that no core system has been sent
    examined = examining(monkeypatch, settings)
    assert (await examined())[1]["恢复后停住"] == ("good", "没有")
    for words in (
        ["hold", "--as-of", "2026-11-22T09:30:00+0800", "--why", "换回 var/"],
        ["release", "--why", "逐笔核对一致"],
    ):
        answer = await asyncio.to_thread(CliRunner().invoke, app, ["recover", *words])
        assert answer.exit_code == 0, answer.output
        state, says = (await examined())[1]["恢复后停住"]
        assert state == ("note" if words[0] == "hold" else "good")
        assert ("2026-11-22 01:30 UTC：停住付款 2 笔共 10.00 元" in says) == (words[0] == "hold"), says
