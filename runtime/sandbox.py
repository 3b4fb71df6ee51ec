"""What workflow code may see: contracts pass through; domain and workflows stay where a clock is refused."""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = ("models.contracts",)
"""Frozen contracts only: passing `domain` too would silence the guard against clocks and I/O (engine.md B)."""


def sandbox() -> SandboxedWorkflowRunner:
    """The runner every worker and every replay uses."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
