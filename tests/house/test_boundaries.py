"""What decides and what waits stays clean: no database, web or mail in workflows, no clock in decisions."""

import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

from runtime.sandbox import PASSED_THROUGH, sandbox
from runtime.settings import PROJECT_ROOT
from tests.house.clocked import Clocked

OUTSIDE = ("sqlmodel", "sqlalchemy", "asyncpg", "fastapi", "jinja2", "aiosmtplib", "yaml")
UPWARDS = ("activities", "api", "rules", "runtime")
WORKFLOWS = sorted(path.stem for path in (PROJECT_ROOT / "workflows").glob("*.py") if path.stem != "__init__")
LOADED = "import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"


@pytest.mark.parametrize("module", [f"workflows.{name}" for name in WORKFLOWS])
def test_a_workflow_loads_nothing_of_the_outside_world(module: str) -> None:
    fresh = [sys.executable, "-c", LOADED.format(module=module)]
    loaded = subprocess.run(fresh, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) & {*OUTSIDE, *UPWARDS} == set()


def test_only_contracts_pass_the_guarded_sandbox_unchecked() -> None:
    assert PASSED_THROUGH == ("models.contracts",)


def test_workflow_tests_and_replays_run_under_guard() -> None:
    tests = PROJECT_ROOT / "tests"
    runners = [path for path in tests.rglob("*.py") if "workflow_runner=" in path.read_text("utf-8")]
    assert {path.parent.name for path in runners} >= {"workflows", "house"}
    assert [path for path in runners if "runner=serving" in path.read_text("utf-8") and path != Path(__file__)] == []


async def test_a_decision_that_looks_at_the_clock_is_refused(temporal: Client, task_queue: str) -> None:
    worker = Worker(
        temporal,
        task_queue=task_queue,
        workflows=[Clocked],
        workflow_runner=sandbox(),
        workflow_failure_exception_types=[Exception],
    )
    async with worker:
        with pytest.raises(WorkflowFailureError) as caught:
            await temporal.execute_workflow(Clocked.run, id=f"clocked-{task_queue}", task_queue=task_queue)
    assert "RestrictedWorkflowAccessError" in str(caught.value.cause) + str(getattr(caught.value.cause, "type", ""))
