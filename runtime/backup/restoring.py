"""Restores a backup into an empty database, in one transaction, and proves that it is what was backed up."""

import asyncio
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from pydantic import ValidationError

from models.tables.sealed import FieldKeys
from runtime import migrate
from runtime.auditing import Verifier
from runtime.backup.archive import ArchiveReader, Damaged
from runtime.backup.manifest import Manifest, differences, heads, lagging_sequences, measured, spelled_out
from runtime.backup.programs import started
from runtime.backup.taking import Told
from runtime.roles import shut_out
from runtime.settings import plain_dsn

RESTORE = ["pg_restore", "--single-transaction", "--exit-on-error", "--no-owner"]
DEFAULTS = """
SELECT DISTINCT d.defaclobjtype AS kind, quote_ident(a.grantee::regrole::text) AS grantee
FROM pg_default_acl d CROSS JOIN aclexplode(d.defaclacl) a
WHERE d.defaclrole = current_user::regrole AND a.grantee <> d.defaclrole AND d.defaclnamespace = 'public'::regnamespace
"""
THINGS = {"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES"}
FILLED = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')"


class NotRestored(Exception):
    """Nothing was restored, or not what was backed up; the text is for people."""


@dataclass(frozen=True)
class Target:
    """The addresses of an empty database: of the role that owns it, and of the one that reads every row."""

    owner: str
    backup: str
    application: str = ""
    """Whoever serves under it stays out until everything is held; empty where nobody does."""


@dataclass
class Proof:
    """What was compared after the restore."""

    manifest: Manifest
    faults: list[str] = field(default_factory=list)
    audit_rows: int = 0
    upgraded_to: str = ""
    """The schema it was brought to, where the backup was of an older one."""

    @property
    def holds(self) -> bool:
        return not self.faults


def look_into(source: Path, keys: FieldKeys | None) -> Manifest:
    """What an archive says of itself, after reading it to its end. Raises Damaged, OSError."""
    with source.open("rb") as file:
        archive = ArchiveReader(file, keys)
        manifest = _manifest(archive)
        for _ in archive.data():
            pass
    return manifest


async def restore(source: Path, target: Target, keys: FieldKeys | None, told: Told = lambda *_: None) -> Proof:
    """All of it or nothing, then compared with its manifest, then brought to this version's schema.

    Raises NotRestored, Damaged, NoProgram, OSError and what asyncpg raises.
    """
    await _prepare(target.owner)
    if target.application:
        await shut_out(target.owner, target.application, target.backup)
    manifest = await asyncio.to_thread(_restored, source, target.owner, keys, told)
    proof = await prove(manifest, target.backup, told)
    newest = migrate.newest() or ""
    if proof.holds and manifest.revision != newest:
        await migrate.upgrade(target.owner)
        proof.upgraded_to = newest
    return proof


async def prove(manifest: Manifest, backup: str, told: Told = lambda *_: None) -> Proof:
    """Rows, digests, walls, rights, sequences and the audit chains of the database, beside the manifest."""
    proof, done = Proof(manifest), 0

    def heard(size: int) -> None:
        nonlocal done
        done += size
        told("核对 comparing", done, manifest.size)

    connection = await asyncpg.connect(plain_dsn(backup))
    try:
        await spelled_out(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            proof.faults += differences(manifest, await measured(connection, heard), await heads(connection))
            proof.faults += [f"{name}：序列落后" for name in await lagging_sequences(connection)]
        verifier = Verifier(connection)
        verdict = await verifier.run(await verifier.chains())
    finally:
        await connection.close()
    proof.audit_rows = verdict.rows
    proof.faults += [f"审计链 {one.code or '*'} {one.number or ''}：{one.fault.label}" for one in verdict.findings]
    return proof


async def _prepare(owner: str) -> None:
    """Nothing is there, and tables that come to be get no rights by default: those of the backup are given back.

    The backup brings the defaults too, last of all.
    """
    connection = await asyncpg.connect(plain_dsn(owner))
    try:
        if await connection.fetchval(FILLED):
            raise NotRestored(
                "目标数据库不是空的，没有恢复：用 --put-aside 把它改名留存，或另给一个空库 / the database is not empty"
            )
        for row in await connection.fetch(DEFAULTS):
            things = THINGS[row["kind"].decode()]
            revoked = f"REVOKE ALL ON {things} FROM {row['grantee']}"
            await connection.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public {revoked}")
    finally:
        await connection.close()


def _manifest(archive: ArchiveReader) -> Manifest:
    try:
        return Manifest.model_validate_json(archive.begin())
    except ValidationError:
        raise Damaged("备份清单无法读取 / the archive's manifest is not readable") from None


def _restored(source: Path, owner: str, keys: FieldKeys | None, told: Told) -> Manifest:
    with source.open("rb") as file:
        archive = ArchiveReader(file, keys)
        manifest, size = _manifest(archive), source.stat().st_size
        _feed(archive, owner, lambda: told("装回 restoring", file.tell(), size))
    return manifest


def _feed(archive: ArchiveReader, owner: str, told: Callable[[], None]) -> None:
    """Through a pipe: what was opened is on no disk. An archive that breaks off leaves the database empty."""
    with started(RESTORE, owner, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stderr is not None  # noqa: PT018
        try:
            for piece in archive.data():
                process.stdin.write(piece)
                told()
            process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended by itself, and says below why
        except BaseException:
            process.kill()
            raise
        words = process.stderr.read().decode(errors="replace").strip()
    if process.returncode != 0:
        raise NotRestored(f"pg_restore 失败，数据库仍是空的 / failed, the database is still empty\n{words}")
