"""`anze claims reconcile|reseal` as an operator runs them: sealed where the engine is, and no key goes too early."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from temporalio.client import Client
from typer.testing import CliRunner, Result

from activities.disagreements import Report
from models.tables.engine import make_engine
from models.tables.sealed import new_key
from runtime.commands import claims_upkeep
from runtime.settings import Settings
from runtime.witnesses import prove
from tests.conftest import Database


async def said(monkeypatch: pytest.MonkeyPatch, settings: Settings, *words: str) -> Result:
    """Runs the command as a process with these settings would."""
    monkeypatch.setattr(claims_upkeep, "Settings", lambda: settings)
    return await asyncio.to_thread(CliRunner().invoke, claims_upkeep.app, words)


async def test_reconciling_seals_what_it_sends_to_the_engine(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    spoken = list[Client]()

    class Nothing:
        """Keeps the engine it was given, and finds nothing."""

        def __init__(self, _: Any, client: Client, __: Any) -> None:
            spoken.append(client)

        async def run(self) -> Report:
            return Report()

    monkeypatch.setattr(claims_upkeep, "Reconciler", Nothing)
    keys = {"payload_keys": SecretStr(f"p1:{new_key()}")}
    answer = await said(monkeypatch, settings.model_copy(update=keys), "reconcile", "--json")
    assert answer.exit_code == 0, answer.output
    assert spoken[0].data_converter.payload_codec is not None


async def test_an_old_key_goes_when_the_new_one_has_been_in_use_for_an_hour_and_not_when_a_pass_has_ended(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, database: Database
) -> None:
    old, new = (f"{name}:{new_key()}" for name in ("k1", "k2"))
    rotated = settings.model_copy(update={"field_keys": SecretStr(f"{new},{old}")})
    engine, admin = make_engine(settings.database, 1), await asyncpg.connect(database.admin)
    for mine in (settings.model_copy(update={"field_keys": SecretStr(old)}), rotated):
        await prove(engine, mine)
    await engine.dispose()
    names = "SELECT array_agg(name ORDER BY name) FROM key_witnesses WHERE purpose = 'field'"
    early = await said(monkeypatch, rotated, "reseal")
    assert "旧密钥还不能去掉" in early.output
    assert await admin.fetchval(names) == ["k1", "k2"], "a web process not restarted yet seals under k1"
    await admin.execute("UPDATE key_witnesses SET since = since - interval '2 hours'")  # time passes
    ended = await said(monkeypatch, rotated, "reseal", "--json")
    assert json.loads(ended.stdout)["retired"], ended.output
    assert await admin.fetchval(names) == ["k2"]
    await admin.close()
