"""How a process of commands ends: with its command's verdict, whatever becomes of the interpreter; no command here."""

import logging
import os
import sys
from contextlib import suppress
from typing import Any, NoReturn

import typer

FAILED = 1


class Commands(typer.Typer):
    """All commands. Called, it is the process: it ends with the command's own verdict, and with nothing else."""

    def __call__(self, *args: Any, **named: Any) -> NoReturn:
        try:
            super().__call__(*args, **named)
        except SystemExit as ended:
            leave(ended)
        except Exception as fault:  # said as Python says it; what ends the process is still our word
            sys.excepthook(type(fault), fault, fault.__traceback__)
            leave(SystemExit(FAILED))
        leave(SystemExit(0))


def leave(ended: SystemExit) -> NoReturn:
    """End the process. The runtime of Temporal's SDK has been seen to abort an interpreter that was finishing.

    So where it was loaded the interpreter is not finished: what was said is flushed, and the code is the command's.
    """
    if "temporalio.bridge" not in sys.modules or not (ended.code is None or isinstance(ended.code, int)):
        raise ended
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever listened may be gone
            stream.flush()
    os._exit(ended.code or 0)
