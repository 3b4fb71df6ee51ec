"""`anze restore`: a backup into an empty database, proved, and held until a person releases it; how is in runtime/."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console

from runtime import addresses
from runtime.backup.archive import Damaged
from runtime.backup.programs import NoProgram
from runtime.backup.restoring import NotRestored, Proof, Target, look_into, restore
from runtime.backup.taking import Told
from runtime.commands.backup import keys_of, progress
from runtime.commands.speaking import AsJson
from runtime.recovery.holding import Held, hold_alone
from runtime.roles import Login, Roles, ensure_roles, let_in, put_aside
from runtime.settings import Settings

app = typer.Typer()
NOT_RESTORED = 1


@app.command(name="restore")
def restore_backup(
    source: Annotated[Path, typer.Argument(help="anze backup 写出的文件 / the archive")],
    aside: Annotated[
        bool, typer.Option("--put-aside", help="把现有的库改名留存，再建空库 / rename what is there now")
    ] = False,
    look: Annotated[bool, typer.Option("--look", help="只读清单并验完整，不恢复 / read it, restore nothing")] = False,
    tell: Annotated[
        bool,
        typer.Option("--letters-may-leave", help="备份时待发的信照发；只在确知没有发过时 / do not withhold letters"),
    ] = False,
    unsealed: Annotated[
        bool, typer.Option("--unsealed", help="设了密钥也收未加密的备份；只在确知来历时 / take one that is not sealed")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """把备份恢复到空库：一次事务，逐表核对，付款与待发的信先停住 / restore, compare, and hold payments and letters."""
    settings = Settings().model_copy(update={"backup_keys": None} if unsealed else {})
    try:
        if look:
            typer.echo(look_into(source, keys_of(settings)).model_dump_json(indent=2, exclude={"tables", "heads"}))
            return
        with progress() as told:
            proof, held = asyncio.run(_restored(settings, source, (aside, tell), told))
    except (Damaged, NotRestored, NoProgram, LookupError, OSError, asyncpg.PostgresError) as failure:
        typer.echo(f"没有恢复 / not restored: {failure}", err=True)
        sys.exit(NOT_RESTORED)
    typer.echo(json.dumps(_document(proof, held), ensure_ascii=False) if as_json else _words(proof, held))
    raise typer.Exit(0 if proof.holds else NOT_RESTORED)


async def _restored(settings: Settings, source: Path, how: tuple[bool, bool], told: Told) -> tuple[Proof, Held | None]:
    aside, tell = how
    owner, backup = addresses.owner(settings), addresses.backup(settings)
    app_url = addresses.database(settings)
    admin = addresses.admin(settings)
    await asyncio.to_thread(look_into, source, keys_of(settings))  # whole and readable, before anything is touched
    if admin is not None:
        if aside:
            name = await put_aside(admin, Login.of(owner).database, datetime.now(UTC))
            Console(stderr=True).print(f"现有的库改名为 {name} / put aside" if name else "没有现有的库 / nothing there")
        await ensure_roles(admin, Roles(owner, app_url, backup))
    elif aside:
        raise LookupError("改名需要 DATABASE_ADMIN_URL / putting aside needs DATABASE_ADMIN_URL")
    proof = await restore(source, Target(owner, backup, app_url), keys_of(settings), told)
    if not proof.holds:
        return proof, None
    held = await hold_alone(owner, proof.manifest.taken_at, f"anze restore {source.name}", tell=tell)
    await let_in(owner, app_url)
    return proof, held


def _document(proof: Proof, held: Held | None) -> dict[str, object]:
    return {
        "as_of": proof.manifest.taken_at.isoformat(),
        "tables": len(proof.manifest.tables),
        "rows": proof.manifest.rows,
        "audit_rows": proof.audit_rows,
        "upgraded_to": proof.upgraded_to,
        "faults": proof.faults,
        "sessions_ended": held.sessions if held else 0,
        "links_ended": held.links if held else 0,
        "letters_withheld": held.letters if held else 0,
    }


def _words(proof: Proof, held: Held | None) -> str:
    manifest = proof.manifest
    lines = [
        f"恢复到 {manifest.taken_at.isoformat(timespec='seconds')}：{len(manifest.tables)} 个表 {manifest.rows} 行"
    ]
    lines += [f"不符：{fault}" for fault in proof.faults]
    if held is None:
        return "\n".join([*lines, "核对未通过，应用角色进不了这个库，不要投入使用 / do not use this database"])
    lines.append(f"逐表摘要、行级安全、授权、序列、审计链（{proof.audit_rows} 条）均与备份相符")
    if proof.upgraded_to:
        lines.append(f"结构已升级到 {proof.upgraded_to}")
    lines.append(
        f"已停住：全部付款；{held.letters} 份待发的信转人工；{held.sessions} 个登录会话、{held.links} 个信内链接已作废"
    )
    lines.append(
        "用户、岗位、密钥回到了备份那一刻：照 docs/runbooks/restore.md 逐一核对 anze people list、anze keys list"
    )
    return "\n".join([*lines, "下一步：anze recover ledger，见 docs/runbooks/restore.md"])
