"""A command's exit code is its own word, also where the interpreter ends badly; its faults say what to do."""

import asyncio
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.cli import app
from runtime.embedded.ports import LOOPBACK
from runtime.leaving import sentence
from runtime.settings import PROJECT_ROOT
from tests.runtime.waiting import PATIENCE

CHILD = """
import atexit, os, sys
import temporalio.bridge
import typer
from runtime.leaving import Commands

atexit.register(os.abort)  # what the SDK's runtime was seen to do on a busy machine, made certain
app = Commands()

@app.command()
def end(verdict: int) -> None:
    print("说完了")  # on a pipe, where nothing leaves by itself
    if verdict < 0:
        raise {-1: ZeroDivisionError, -2: ConnectionRefusedError}[verdict]
    raise typer.Exit(verdict)

app()
"""


@pytest.mark.parametrize(("given", "code"), [("0", 0), ("3", 3), ("-1", 1), ("-2", 1), ("nothing", 2)])
async def test_a_command_ends_with_its_own_verdict_and_all_it_said(given: str, code: int) -> None:
    pipe = asyncio.subprocess.PIPE
    words = (sys.executable, "-c", CHILD, "--", given)
    child = await asyncio.create_subprocess_exec(*words, cwd=PROJECT_ROOT, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(PATIENCE):
        out, err = (said.decode() for said in await child.communicate())
    assert child.returncode == code, (out, err)
    assert ("说完了" in out) == (code != 2)
    assert ("ZeroDivisionError" in err, "Traceback" in err) == (given == "-1", given == "-1")
    assert ("连不上" in err) == (given == "-2")


NOBODY = f"{LOOPBACK}:9"
"""The discard port: nobody listens there."""


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        ("people list", {"DATABASE_URL": f"postgresql://somebody@{NOBODY}/anze"}, "连不上"),
        ("seals list", {}, "缺少设置 DATABASE_URL"),
        ("replay", {"TEMPORAL_ADDRESS": NOBODY}, f"流程引擎 {NOBODY} 没有答复"),
        ("keys list", {"ANZE_FIELD_KEYS": "k1"}, "设置有误"),
    ],
)
async def test_what_is_missing_or_away_is_a_sentence_that_says_what_to_do(
    words: str, given: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing of `make up` lies, and no server answers."""
    for name in ("DATABASE_URL", "TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"ANZE_VAR": str(tmp_path), **given}.items():
        monkeypatch.setenv(name, value)
    ended = await asyncio.to_thread(CliRunner().invoke, app, words.split())
    assert isinstance(ended.exception, Exception), ended.output
    assert said in str(sentence(ended.exception))
