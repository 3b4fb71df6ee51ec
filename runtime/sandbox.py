"""What workflow code may see: contracts pass through; domain and workflows stay where a clock is refused."""

import sys
from pathlib import Path

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = ("models.contracts",)
"""Frozen contracts only: passing `domain` too would silence the guard against clocks and I/O (engine.md B)."""


def sandbox() -> SandboxedWorkflowRunner:
    """The runner every worker and every replay uses."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def keep_bytecode(var: Path) -> None:
    """Each case loads domain and workflows anew; where Python was told to keep no bytecode, it would compile them anew.

    Compiling was a quarter of the worker's CPU (docs/bench.md). For a process of our own only: the setting is global.
    """
    if sys.dont_write_bytecode:
        sys.pycache_prefix = str((var / "bytecode").resolve())
        sys.dont_write_bytecode = False
