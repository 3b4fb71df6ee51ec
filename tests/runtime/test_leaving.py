"""A command's exit code is its own word, also where the interpreter would not have ended well."""

import asyncio
import sys

import pytest

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
        raise ZeroDivisionError
    raise typer.Exit(verdict)

app()
"""


@pytest.mark.parametrize(("given", "code"), [("0", 0), ("3", 3), ("-1", 1), ("nothing", 2)])
async def test_a_command_ends_with_its_own_verdict_and_all_it_said(given: str, code: int) -> None:
    pipe = asyncio.subprocess.PIPE
    words = (sys.executable, "-c", CHILD, "--", given)
    child = await asyncio.create_subprocess_exec(*words, cwd=PROJECT_ROOT, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(PATIENCE):
        out, err = (said.decode() for said in await child.communicate())
    assert child.returncode == code, (out, err)
    assert ("说完了" in out) == (code != 2)
    assert ("ZeroDivisionError" in err) == (code == 1)
