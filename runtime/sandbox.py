"""What workflow code may see: guarded in every test and replay; where it serves it runs as it is, proved before."""

import sys
from pathlib import Path

from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = ("models.contracts",)
"""Under guard, frozen contracts only: a clock or a file in `domain` or `workflows` is refused (engine.md B)."""


def sandbox() -> SandboxedWorkflowRunner:
    """The guarded runner: tests of workflows and replays run a case's paths under it before a worker serves them."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def serving() -> WorkflowRunner:
    """The worker's runner: what passed under guard, and under the linter's ban on clocks, runs without one.

    What a sandbox costs for every case that is cached or replayed stands in decision 0053.
    """
    return UnsandboxedWorkflowRunner()


def keep_bytecode(var: Path) -> None:
    """Each case loads domain and workflows anew; where Python was told to keep no bytecode, it would compile them anew.

    Compiling was a quarter of the worker's CPU (docs/bench.md). For a process of our own only: the setting is global.
    """
    if sys.dont_write_bytecode:
        sys.pycache_prefix = str((var / "bytecode").resolve())
        sys.dont_write_bytecode = False
