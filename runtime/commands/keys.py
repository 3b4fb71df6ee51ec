"""`anze keys`: make, list, revoke and rotate keys of the API; what a key may do is decided in api/callers.py."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.keys import KeyFor, Minted, mint_key, revoke_key, rotate_key
from api.rows import API_KEYS, INSURERS, RECIPIENTS
from api.words import Scope
from models.contracts.vocabulary import ActorKind
from runtime.listing import filled, listed, terminal
from runtime.operating import Unanswerable, department_named, done, insurer_named

app = typer.Typer(name="keys", help="接口密钥：发放、列出、吊销、轮换 / keys of the API", no_args_is_help=True)

Prefix = Annotated[str, typer.Argument(help="密钥前缀，见 anze keys list / the key's prefix")]


@app.command()
def create(
    name: Annotated[str, typer.Option(help="用途，例如 核心系统 / what it is for")],
    insurer: Annotated[str | None, typer.Option(help="保险机构代码 / code of the insurer")] = None,
    department: Annotated[str | None, typer.Option(help="部门：区划代码:名称 / REGION:NAME")] = None,
    as_operator: Annotated[bool, typer.Option("--operator", help="运维人员 / an operator")] = False,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="有效天数 / days until it expires")] = None,
    scope: Annotated[list[Scope] | None, typer.Option(help="附加授权，可多次给出 / further rights")] = None,
) -> None:
    """发放密钥，只显示这一次 / make a key; it is shown this once."""
    if sum((insurer is not None, department is not None, as_operator)) != 1:
        raise typer.BadParameter("--insurer、--department、--operator 三者选一 / give exactly one of them")
    if scope and insurer is None:
        raise typer.BadParameter("只有保险机构的密钥有附加授权 / only insurers' keys have scopes")

    async def make(connection: AsyncConnection) -> Minted:
        expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
        holder = await _holder(connection, name, insurer, department, expires_at)
        return await mint_key(connection, replace(holder, scopes=tuple(one.value for one in scope or ())))

    typer.echo(done(make).token)


@app.command(name="list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="供程序读取 / for programs")] = False) -> None:
    """列出密钥（不含密文）/ every key, without its secret."""
    rows = done(_all)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = listed("前缀", "类别", "归属", "用途", "授权", "发放", "到期", "吊销", whole=("前缀",))
    terminal().print(filled(table, (_told(row) for row in rows)))


@app.command()
def revoke(prefix: Prefix) -> None:
    """立即吊销 / it stops working with the next request."""

    async def end(connection: AsyncConnection) -> None:
        await revoke_key(connection, await _named(connection, prefix))

    done(end)
    typer.echo(f"已吊销 {prefix} / revoked")


@app.command()
def rotate(
    prefix: Prefix,
    overlap: Annotated[int, typer.Option(min=0, max=90, help="旧密钥再用几天 / days the old one lives on")] = 7,
) -> None:
    """换发新密钥，旧的到期失效 / a new key for the same holder; the old one expires after the overlap."""

    async def change(connection: AsyncConnection) -> Minted:
        until = datetime.now(UTC) + timedelta(days=overlap)
        return await rotate_key(connection, await _named(connection, prefix), until)

    typer.echo(done(change).token)


async def _holder(
    connection: AsyncConnection, name: str, insurer: str | None, department: str | None, expires_at: datetime | None
) -> KeyFor:
    if insurer is not None:
        found = await insurer_named(connection, insurer)
        return KeyFor(ActorKind.INSURER, name, insurer_id=found, expires_at=expires_at)
    if department is not None:
        found = await department_named(connection, department)
        return KeyFor(ActorKind.DEPARTMENT, name, recipient_id=found, expires_at=expires_at)
    return KeyFor(ActorKind.OPERATOR, name, expires_at=expires_at)


async def _all(connection: AsyncConnection) -> list[dict[str, Any]]:
    holder = API_KEYS.outerjoin(INSURERS, INSURERS.c.id == API_KEYS.c.insurer_id).outerjoin(
        RECIPIENTS, RECIPIENTS.c.id == API_KEYS.c.recipient_id
    )
    columns = (INSURERS.c.name.label("insurer"), RECIPIENTS.c.name.label("recipient"))
    found = select(API_KEYS, *columns).select_from(holder).order_by(API_KEYS.c.created_at)
    return [_shown(row) for row in await connection.execute(found)]


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "prefix": row.prefix,
        "kind": row.kind.value,
        "of": row.insurer or row.recipient or "",
        "name": row.name,
        "scopes": ",".join(row.scopes),
        "created_at": row.created_at.isoformat(),
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
    }


def _told(row: dict[str, Any]) -> tuple[str | None, ...]:
    """The same for people: the kind by its name, instants as days."""
    instants = (row[name] and row[name][:10] for name in ("created_at", "expires_at", "revoked_at"))
    return row["prefix"], ActorKind(row["kind"]).label, row["of"], row["name"], row["scopes"], *instants


async def _named(connection: AsyncConnection, prefix: str) -> Row[Any]:
    """The one key of that prefix that has not been revoked."""
    valid = (API_KEYS.c.prefix == prefix) & API_KEYS.c.revoked_at.is_(None)
    rows = (await connection.execute(select(API_KEYS).where(valid))).all()
    if len(rows) != 1:
        raise Unanswerable(f"没有可用的密钥 {prefix} / no such key")
    return rows[0]
