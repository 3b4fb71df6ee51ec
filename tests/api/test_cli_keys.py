"""`anze keys`: a key is shown once, listed without its secret, rotated with an overlap, and revoked at once."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from runtime.commands.keys import app
from runtime.settings import Settings
from tests.api.conftest import Caller


@pytest.fixture
def said(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """Runs a command as a process with these settings would; its loop is its own, so it runs in a thread."""
    monkeypatch.setattr("runtime.operating.Settings", lambda: settings)

    async def run(*words: str):
        return await asyncio.to_thread(CliRunner().invoke, app, list(words))

    return run


async def test_a_key_lives_from_creation_to_revocation(said, insurer: Caller) -> None:
    made = (await said("create", "--insurer", insurer.code, "--name", "核心系统", "--days", "30")).stdout.strip()
    caller = Caller(insurer.http, made, insurer.id)
    assert (await caller.get("/v1/me")).json()["code"] == insurer.code
    listed = json.loads((await said("list", "--json")).stdout)
    prefix = made.split("_")[1]
    assert prefix in {row["prefix"] for row in listed}
    assert made not in json.dumps(listed)
    successor = (await said("rotate", prefix, "--overlap", "3")).stdout.strip()
    for token in (made, successor):
        assert (await Caller(insurer.http, token, insurer.id).get("/v1/me")).status_code == 200
    assert (await said("revoke", prefix)).exit_code == 0
    assert (await caller.get("/v1/me")).status_code == 401
    assert (await Caller(insurer.http, successor, insurer.id).get("/v1/me")).status_code == 200


async def test_what_does_not_exist_is_said_plainly(said) -> None:
    for line in ("create --insurer nobody --name x", "create --department 341300:无 --name x", "revoke 0", "rotate 0"):
        words = line.split()
        answer = await said(*words)
        assert answer.exit_code == 1
        assert "/" in answer.stderr
    assert (await said("create", "--name", "x")).exit_code == 2


async def test_scopes_are_given_to_an_insurers_key_and_survive_its_rotation(said, insurer: Caller) -> None:
    scopes = ("--scope", "victims:read", "--scope", "payments:confirm")
    made = (await said("create", "--insurer", insurer.code, "--name", "核心系统", *scopes)).stdout.strip()
    prefix = made.split("_")[1]
    successor = (await said("rotate", prefix)).stdout.strip().split("_")[1]
    listed = {row["prefix"]: row["scopes"] for row in json.loads((await said("list", "--json")).stdout)}
    assert listed[prefix] == listed[successor] == "victims:read,payments:confirm"
    assert (await said("create", "--operator", "--name", "x", "--scope", "victims:read")).exit_code == 2
    assert (await said("create", "--insurer", insurer.code, "--name", "x", "--scope", "everything")).exit_code == 2
