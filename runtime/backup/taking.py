"""Takes a backup: manifest and `pg_dump` of one snapshot, into one archive; how an archive is written is not here."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import asyncpg

from models.tables.sealed import FieldKeys
from runtime.backup.archive import ArchiveWriter
from runtime.backup.manifest import Manifest, heads, measured, spelled_out
from runtime.backup.programs import started
from runtime.settings import PROJECT_ROOT

DUMP = ["pg_dump", "--format=custom", "--compress=gzip:1", "--no-owner", "--no-comments"]
PIECE = 256 * 1024  # bytes read from the pipe at once
NOW = "SELECT now() AS at, version() AS server, pg_current_wal_lsn()::text AS lsn, pg_export_snapshot() AS snapshot"
Told = Callable[[str, int, int], None]
"""Hears of each step: what is being done, bytes done, bytes in all."""


class Failed(Exception):
    """The backup was not taken; the text is for people."""


@dataclass(frozen=True)
class Taken:
    """A finished archive."""

    path: Path
    manifest: Manifest
    size: int
    digest: str
    sealed: bool


async def take(url: str, to: Path, keys: FieldKeys | None, namespace: str, told: Told = lambda *_: None) -> Taken:
    """One archive of the database at `url`, as its backup role sees it; whole under its name, or not there at all.

    Raises Failed, NoProgram, OSError and what asyncpg raises.
    """
    connection = await asyncpg.connect(url)
    try:
        await spelled_out(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            manifest, snapshot = await _manifest(connection, namespace, told)
            return await asyncio.to_thread(_written, url, to, keys, (manifest, snapshot, told))
    finally:
        await connection.close()


async def _manifest(connection: asyncpg.Connection, namespace: str, told: Told) -> tuple[Manifest, str]:
    now = await connection.fetchrow(NOW)
    assert now is not None
    sizes = await connection.fetchval(
        "SELECT sum(pg_table_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    done = 0

    def heard(size: int) -> None:
        nonlocal done
        done += size
        told("清点 counting", done, int(sizes or 0))

    manifest = Manifest(
        taken_at=now["at"],
        version=version("anze"),
        server=now["server"].split(" on ")[0],
        revision=await connection.fetchval("SELECT version_num FROM alembic_version") or "",
        lsn=now["lsn"],
        packs=sha256((PROJECT_ROOT / "rules" / "packs.lock").read_bytes()).hexdigest(),
        namespace=namespace,
        tables=await measured(connection, heard),
        heads=await heads(connection),
    )
    return manifest, now["snapshot"]


def _written(url: str, to: Path, keys: FieldKeys | None, what: tuple[Manifest, str, Told]) -> Taken:
    manifest, snapshot, told = what
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}.", suffix=".part")  # 0600, and ours alone
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            archive = ArchiveWriter(file, keys)
            archive.begin(manifest.model_dump_json().encode())
            _dump(url, snapshot, archive, lambda done: told("写出 writing", done, manifest.size))
            archive.close()
        if to.exists():
            raise Failed(f"{to} 已存在，不覆盖 / exists already, and is not overwritten")
        draft.rename(to)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
    return Taken(to, manifest, archive.written, archive.digest, keys is not None)


def _dump(url: str, snapshot: str, archive: ArchiveWriter, told: Callable[[int], None]) -> None:
    read = 0
    command = [*DUMP, f"--snapshot={snapshot}"]
    with started(command, url, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None  # noqa: PT018
        try:
            while piece := process.stdout.read(PIECE):
                archive.write(piece)
                read += len(piece)
                told(read)
        except BaseException:
            process.kill()
            raise
        words = process.stderr.read().decode(errors="replace").strip()
    if process.returncode != 0:
        raise Failed(f"pg_dump 失败 / failed\n{words}")
