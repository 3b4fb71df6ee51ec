"""Runs `anze doctor` as an operator would."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from typer.testing import CliRunner

from runtime.cli import app
from runtime.settings import Settings

Examined = Callable[[], Awaitable[tuple[int, dict[str, tuple[str, str]]]]]


def examining(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Examined:
    """Its exit code, and state and sentence of each finding by what it is about."""
    monkeypatch.setattr("runtime.commands.doctor.Settings", lambda: settings)

    async def examined() -> tuple[int, dict[str, tuple[str, str]]]:
        answer = await asyncio.to_thread(CliRunner().invoke, app, ["doctor", "--json"])
        return answer.exit_code, {one["about"]: (one["state"], one["says"]) for one in json.loads(answer.stdout)}

    return examined
