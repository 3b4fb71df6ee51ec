"""`anze backup`: one archive of the business database; how it is taken is in runtime/backup/."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from models.tables.sealed import FieldKeys
from runtime import addresses
from runtime.backup.programs import NoProgram
from runtime.backup.taking import Failed, Taken, Told, take
from runtime.commands.speaking import AsJson
from runtime.settings import Settings

app = typer.Typer()
NOT_TAKEN = 1
FOLDER = "backups"


@app.command()
def backup(
    to: Annotated[Path | None, typer.Option(help="写到哪个文件 / the file to write")] = None,
    as_json: AsJson = False,
) -> None:
    """备份业务库：同一时刻的全部行、清单与摘要；设了 ANZE_BACKUP_KEYS 就加密 / one archive of one instant."""
    settings = Settings()
    path = to or settings.var / FOLDER / f"anze-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup"
    try:
        with progress() as told:
            taken = asyncio.run(
                take(addresses.backup(settings), path, keys_of(settings), settings.temporal_namespace, told)
            )
    except (Failed, NoProgram, LookupError, OSError, asyncpg.PostgresError) as failure:
        typer.echo(f"没有备份 / not taken: {failure}", err=True)
        sys.exit(NOT_TAKEN)
    typer.echo(json.dumps(_document(taken), ensure_ascii=False) if as_json else _words(taken))


def keys_of(settings: Settings) -> FieldKeys | None:
    """The keys archives are sealed with; `None` where none are set."""
    return FieldKeys.parse(settings.backup_keys.get_secret_value()) if settings.backup_keys else None


@contextmanager
def progress() -> Iterator[Told]:
    """Drawn on standard error, so that the report can be piped."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=max(total, done))

        yield told


def _document(taken: Taken) -> dict[str, object]:
    manifest = taken.manifest
    return {
        "file": str(taken.path),
        "taken_at": manifest.taken_at.isoformat(),
        "tables": len(manifest.tables),
        "rows": manifest.rows,
        "bytes": taken.size,
        "sha256": taken.digest,
        "sealed": taken.sealed,
    }


def _words(taken: Taken) -> str:
    manifest = taken.manifest
    sealed = "已加密" if taken.sealed else "未加密：设 ANZE_BACKUP_KEYS 可加密"
    at = manifest.taken_at.isoformat(timespec="seconds")
    return (
        f"{taken.path}\n{at}，{len(manifest.tables)} 个表 {manifest.rows} 行，"
        f"{taken.size:,} 字节，{sealed}\nsha256 {taken.digest}"
    )
