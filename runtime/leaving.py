"""How a process of commands ends: with its command's verdict, whatever becomes of the interpreter; no command here."""

import logging
import os
import sys
from contextlib import suppress
from socket import gaierror
from typing import Any, NoReturn, TypeGuard

import typer
from pydantic import ValidationError

from runtime.settings import SettingMissing, Settings

FAILED, MISASKED = 1, 2


class NoServer(RuntimeError):
    """A server that a command needs does not answer; the text is for people."""


class Commands(typer.Typer):
    """All commands. Called, it is the process: it ends with the command's own verdict, and with nothing else."""

    def __call__(self, *args: Any, **named: Any) -> NoReturn:
        try:
            super().__call__(*args, **named)
        except SystemExit as ended:
            leave(ended)
        except Exception as fault:  # what ends the process is still our word
            said = sentence(fault)
            if said is None:
                sys.excepthook(type(fault), fault, fault.__traceback__)
            else:
                typer.echo(said, err=True)
            leave(SystemExit(MISASKED if isinstance(fault, SettingMissing) or _is_of_settings(fault) else FAILED))
        leave(SystemExit(0))


def sentence(fault: Exception) -> str | None:
    """What to do about it, where no program is at fault; `None` for what only its author understands."""
    if isinstance(fault, (SettingMissing, NoServer)):
        return str(fault.args[0])
    if _is_of_settings(fault):
        faults = fault.errors(include_url=False, include_input=False, include_context=False)
        return "\n".join(f"设置有误 / bad setting: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults)
    if isinstance(fault, (ConnectionError, gaierror)):
        return f"连不上：{fault}。本机先 make up；服务器上运行 anze doctor，看是哪一个 / cannot connect"
    return None


def _is_of_settings(fault: Exception) -> TypeGuard[ValidationError]:
    return isinstance(fault, ValidationError) and fault.title == Settings.__name__


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
