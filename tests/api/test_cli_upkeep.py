"""`anze claims reconcile|reseal` as an operator runs them: sealed where the engine is, and no key goes too early."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr
from temporalio.client import Client
from typer.testing import CliRunner, Result

from activities.disagreements import Report
from models.tables.sealed import new_key
from runtime.commands import claims_upkeep
from runtime.settings import Settings


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
