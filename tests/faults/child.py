"""A worker or web server in a process of its own, for tests that kill it; a failpoint strikes where one is armed.

`python -m tests.faults.child worker|web` is `anze worker|web`, settings from the environment.
"""

import os

from tests.faults.failpoints import arm

if __name__ == "__main__":
    arm(os.environ)
    from runtime.cli import app

    app()
