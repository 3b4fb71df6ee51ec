"""With the cable pulled out: a child with loopback alone boots everything and leads a life from HTTP to mail."""

import asyncio
import os
import sys

import pytest

from runtime.settings import PROJECT_ROOT
from tests.supply.offline import REFUSED

CUT_OFF = [sys.executable, "-m", "tests.supply.offline", sys.executable]
WHO_IS_THERE = ["-c", "import socket; print(socket.if_nameindex())"]
A_LIFE = "tests/journeys/test_policy_lives.py::test_a_policy_uploaded_in_time_is_told_to_nobody"
ALONE = ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", A_LIFE]


async def cut_off(*arguments: str) -> tuple[int | None, str]:
    """How Python ended in a network of its own, and what it said."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        *CUT_OFF, *arguments, cwd=PROJECT_ROOT, env=inherited, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await child.communicate()
    return child.returncode, said.decode()


@pytest.mark.long
async def test_a_life_is_led_from_http_to_mail_with_nothing_but_loopback() -> None:
    ended, said = await cut_off(*WHO_IS_THERE)
    if ended == REFUSED:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(said)
    assert (ended, said.strip()) == (0, "[(1, 'lo')]")
    ended, said = await cut_off(*ALONE)
    assert ended == 0, said
    assert "1 passed" in said
