"""What `make fuzz` runs for as long as one likes and `make test` runs briefly: the description and the lives."""

import asyncio
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.domain.test_claim_machine import Claims
from tests.hostile.conftest import Served
from tests.hostile.test_claim_lives import ClaimLives
from tests.hostile.test_lives import Lives

ROLES = ("insurer_key", "plain_key", "department_key", "operator_key", "anonymous")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
CHECKS += "response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,"
CHECKS += "allow_header_conformance,ignored_auth,use_after_free"
LIVES_A_SECOND = 1.5


@pytest.mark.timeout(0)
@pytest.mark.parametrize("role", ROLES)
async def test_all_phases_of_schemathesis_find_nothing(
    served: Served, role: str, tmp_path: Path, fuzz_seconds: int
) -> None:
    bearer = served.world.actors[role].bearer
    told = ["-H", f"Authorization: Bearer {bearer}"] if bearer else []
    how = ["--checks", CHECKS, "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off"]
    command = [str(Path(sys.executable).with_name("st")), "run", f"{served.url}/openapi.json", *how, *told]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--max-time", str(fuzz_seconds)]
    report = tmp_path / "report.txt"
    with report.open("wb") as file:
        child = await asyncio.create_subprocess_exec(*command, stdout=file, stderr=file, cwd=tmp_path)
        assert await child.wait() == 0, report.read_text(encoding="utf-8")[-20_000:]


@pytest.mark.timeout(0)
@pytest.mark.parametrize("machine", [Claims, ClaimLives, Lives])
def test_lives_at_length(machine: type[Claims | ClaimLives | Lives], fuzz_seconds: int) -> None:
    many = max(int(fuzz_seconds * LIVES_A_SECOND), 10)
    slow = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
    long = settings(max_examples=many, stateful_step_count=80, deadline=None, suppress_health_check=slow)
    run_state_machine_as_test(machine, settings=long)
