"""The hook for a virus scanner: a command of the operators' choice that looks at a file before it is kept."""

import asyncio
import os
import tempfile
from contextlib import suppress

from api.problems import Problem, try_later
from api.tools import Tools
from api.words import FileFault, ProblemCode

WITHIN = 30.0  # seconds
CLEAN = 0


async def require_clean(tools: Tools, content: bytes) -> None:
    """The command is given the path of a copy and says by 0 that it is clean; without a command nothing is asked.

    Raises Problem 422 for a file that is not, and 503 where the command could not be run: unknown is not clean.
    """
    if not tools.scan:
        return
    handle, name = tempfile.mkstemp(prefix="anze-scan-")
    try:
        with os.fdopen(handle, "wb") as copy:
            copy.write(content)
        code = await _ran((*tools.scan, name))
    except (OSError, TimeoutError):
        raise try_later(ProblemCode.UNAVAILABLE, tools.budgets.retry_after) from None
    finally:
        os.unlink(name)
    if code != CLEAN:
        raise Problem(ProblemCode.FILE_REFUSED, FileFault.NOT_CLEAN.label)


async def _ran(command: tuple[str, ...]) -> int:
    nothing = asyncio.subprocess.DEVNULL
    running = await asyncio.create_subprocess_exec(*command, stdin=nothing, stdout=nothing, stderr=nothing)
    try:
        return await asyncio.wait_for(running.wait(), WITHIN)
    except BaseException:
        with suppress(ProcessLookupError):
            running.kill()
        await running.wait()
        raise
