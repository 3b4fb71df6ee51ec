"""What `make fuzz` runs for as long as one likes, and `make test` briefly: the description, the pages, the lives."""

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.authorization.world import World
from tests.domain.test_claim_machine import Claims
from tests.hostile.conftest import Served
from tests.hostile.test_claim_lives import ClaimLives
from tests.hostile.test_lives import Lives
from tests.hostile.test_operations import KEYS
from tests.hostile.test_pages import Visit
from tests.hostile.wandering import ROOMS, Wanderer

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
CHECKS += "response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,"
CHECKS += "allow_header_conformance,ignored_auth,use_after_free"
CASES = re.compile(r"(\d[\d,]*) generated")
LIVES_A_SECOND = 1.5

Tally = Callable[[int, int], None]
"""Takes how many cases there were and how many of them were answered wrongly."""


@pytest.mark.timeout(0)
@pytest.mark.parametrize("role", KEYS)
async def test_all_phases_of_schemathesis_find_nothing(
    served: Served, role: str, tmp_path: Path, fuzz_seconds: int, tally: Tally
) -> None:
    bearer = served.world.actors[role].bearer
    told = ["-H", f"Authorization: Bearer {bearer}"] if bearer else []
    how = ["--checks", CHECKS, "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off"]
    command = [str(Path(sys.executable).with_name("st")), "run", f"{served.url}/openapi.json", *how, *told]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--max-time", str(fuzz_seconds)]
    report = tmp_path / "report.txt"
    with report.open("wb") as file:
        child = await asyncio.create_subprocess_exec(*command, stdout=file, stderr=file, cwd=tmp_path)
        ended = await child.wait()
    said = report.read_text(encoding="utf-8")
    cases = sum(int(one.replace(",", "")) for one in CASES.findall(said))
    tally(cases, int(ended != 0))
    assert ended == 0, said[-20_000:]
    assert cases, said[-2_000:]


@pytest.mark.timeout(0)
@pytest.mark.parametrize("room", ROOMS)
async def test_whoever_wanders_through_a_room_breaks_nothing(
    world: World, room: str, fuzz_seconds: int, tally: Tally
) -> None:
    wanderer = Wanderer(Visit(world, world.actors[room]), Random(room))
    await wanderer.wander(fuzz_seconds)
    tally(wanderer.asked, len(wanderer.wrong))
    assert not wanderer.wrong, "\n".join(wanderer.wrong[:50])
    assert wanderer.asked


@pytest.mark.timeout(0)
@pytest.mark.parametrize("machine", [Claims, ClaimLives, Lives])
def test_lives_at_length(machine: type[Claims | ClaimLives | Lives], fuzz_seconds: int, tally: Tally) -> None:
    many = max(int(fuzz_seconds * LIVES_A_SECOND), 10)
    slow = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
    long = settings(max_examples=many, stateful_step_count=80, deadline=None, suppress_health_check=slow)
    begun = list[str]()

    def life() -> Claims | ClaimLives | Lives:
        begun.append(machine.__name__)
        return machine()

    try:
        run_state_machine_as_test(life, settings=long)  # pyright: ignore[reportArgumentType] - any factory will do
    except BaseException:
        tally(len(begun), 1)
        raise
    tally(len(begun), 0)
