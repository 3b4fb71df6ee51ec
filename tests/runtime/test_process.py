"""Child processes: they end with us, whatever ends us."""

import asyncio
import signal
import subprocess
import sys

from runtime.embedded.process import Child, Launch
from tests.runtime.waiting import gone, until


async def test_where_there_is_no_death_signal_a_pipe_does_the_same() -> None:
    program = (
        "import time; from runtime.embedded.process import Child, Launch\n"
        "print(Child.start(Launch('sleeper', ['sleep', '60'], by_pipe=True)).pid, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    sleeper = int(await asyncio.to_thread(owner.stdout.readline))

    owner.kill()
    owner.communicate()

    await until(lambda: gone(sleeper))


async def test_a_child_told_to_stop_politely_but_deaf_is_killed() -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    child = Child.start(Launch("deaf", [sys.executable, "-c", deaf]))
    await until(lambda: child.last_words == "deaf")

    await child.stop(signal.SIGTERM, patience=0.2)

    assert child.returncode == -signal.SIGKILL
