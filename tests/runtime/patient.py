"""Time limits of ours that speak of machines, widened for every test in one place; a test of a limit sets it again.

They are right where people wait. Here nobody waits, and whoever else works on this machine is no failure of ours.
"""

from importlib import import_module
from typing import Any

from temporalio.worker import _workflow as sdk

from models.tables import engine
from tests.runtime.waiting import PATIENCE

WIDENED = (
    ("models.tables.engine", "CONNECT_WITHIN"),
    ("models.tables.engine", "POOL_WAIT"),
    ("api.denials", "WRITTEN_WITHIN"),
    ("api.health", "CHECK_WITHIN"),
    ("api.identity", "PATIENCE"),
    ("api.queues", "ASKED_WITHIN"),
    ("api.operator.engine", "WITHIN"),
    ("runtime.commands.speaking", "ANSWER_WITHIN"),
    ("runtime.portfolio.sending", "REQUEST_WITHIN"),
    ("runtime.checkup.finding", "WITHIN"),
    ("runtime.demo.town", "ANSWER_WITHIN"),
    ("runtime.demo.town", "REQUEST_WITHIN"),
)
"""Each is read where it is needed, so that it counts from here on."""
MEANT: dict[tuple[str, str], float] = {}
"""What they are in service."""


WAITS = {"lock_timeout": "20000", "statement_timeout": "60000"}
"""Milliseconds PostgreSQL waits for a lock or a statement of an engine that is made from here on."""
IN_SERVICE = dict(engine.LIMITS)
"""What they are in service; the fixture `limits_of_service` brings them back."""


def widen() -> None:
    """For this process, before its first test."""
    engine.LIMITS.update(WAITS)
    for module, name in WIDENED:
        found = import_module(module)
        assert isinstance(getattr(found, name), float), f"{module}.{name} is no limit any more"
        MEANT.setdefault((module, name), getattr(found, name))
        setattr(found, name, PATIENCE)
    _calm()


def _calm() -> None:
    """The SDK takes a task of a workflow that lasts two seconds for a deadlock, and begins it anew; in a sandbox the
    first one loads every module, which takes longer where four programs share a core. It has no setting but to run
    workflows on the event loop, as for a debugger."""
    begin = sdk._WorkflowWorker.__init__

    def patient(self: Any, **how: Any) -> None:
        begin(self, **how)
        assert self._deadlock_timeout_seconds is not None
        self._deadlock_timeout_seconds = PATIENCE

    sdk._WorkflowWorker.__init__ = patient
