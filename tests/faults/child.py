"""A worker or web server in a process of its own, for tests that kill it; a failpoint strikes where one is armed.

`python -m tests.faults.child worker|web` is `anze worker|web`, settings from the environment; it also knows
the fictional place of the bench, where a term is 24 hours and ends at the second one chooses.
"""

import os
from pathlib import Path

from bench.crew import PACKS
from rules.library import CALENDARS, Library
from rules.library import PACKS as LAW
from runtime import web, worker
from tests.faults.failpoints import arm


def rules(*_: Path) -> Library:
    """The packs that ship, and the bench's place."""
    return Library(LAW, CALENDARS, (PACKS,))


if __name__ == "__main__":
    arm(os.environ)
    worker.library = web.Library = rules  # pyright: ignore[reportAttributeAccessIssue] - in this process only
    from runtime.cli import app

    app()
