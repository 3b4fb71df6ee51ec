"""`anze seals`: which encryption keys something still lies under, and when an old one may go; no key is ever shown."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer

from models.tables.engine import connected, make_engine
from models.tables.witnesses import KeyWitness
from runtime import addresses
from runtime.listing import filled, listed, terminal
from runtime.settings import Settings
from runtime.temporal import temporal
from runtime.witnesses import RESTARTING, Purpose, retire, witnesses

app = typer.Typer(name="seals", help="加密密钥：在用、停用 / encryption keys in use", no_args_is_help=True)
WORDS: dict[str, str] = {"field": "受害人资料", "payload": "流程历史"}
REFUSED = 1


@app.command(name="list")
def list_seals() -> None:
    """列出仍有内容用它加密的密钥（只列编号）/ keys something lies under, by name."""
    kept = asyncio.run(_all(Settings()))
    lines = ((WORDS[one.purpose], one.name, f"{one.since:%Y-%m-%d %H:%M} UTC") for one in kept)
    terminal().print(filled(listed("用途", "编号", "启用"), lines))


@app.command(name="retire")
def retire_key(name: Annotated[str, typer.Argument(help="流程历史的旧密钥编号 / name of an old payload key")]) -> None:
    """旧的流程密钥不再需要时停用；受害人资料的旧密钥由 anze claims reseal 停用 / when nothing open lies under it."""
    said, done = asyncio.run(_retired(Settings(), name))
    typer.echo(said, err=not done)
    raise typer.Exit(0 if done else REFUSED)


async def _all(settings: Settings) -> list[KeyWitness]:
    engine = make_engine(addresses.database(settings), 1)
    try:
        async with connected(engine) as connection:
            return await witnesses(connection)
    finally:
        await engine.dispose()


async def _retired(settings: Settings, name: str) -> tuple[str, bool]:
    """What is said, and whether it was done."""
    found = [one for one in await _all(settings) if one.purpose == "payload"]
    mine = next((one for one in found if one.name == name), None)
    if mine is None:
        return f"没有在用的流程密钥 {name} / no such payload key in use", False
    following = next((one.since for one in found if one.since > mine.since), None)
    if following is None:
        return f"{name} 是现行密钥，不能停用 / it is the current key", False
    left = await open_runs_before(settings, following + RESTARTING)
    if left:
        return f"还有 {left} 个在办流程的历史可能用 {name} 加密，不能停用 / open runs may lie under it", False
    await _retire(settings, "payload", name)
    return f"已停用 {name}：可以从 ANZE_PAYLOAD_KEYS 中去掉；已办结流程的旧历史从此无法阅读 / retired", True


async def open_runs_before(settings: Settings, at: datetime) -> int:
    """How many open runs began before that instant; their histories may hold what an earlier key sealed."""
    client = await temporal(settings)
    counted = await client.count_workflows(f"ExecutionStatus = 'Running' AND StartTime < '{at.isoformat()}'")
    return counted.count


async def _retire(settings: Settings, purpose: Purpose, name: str) -> None:
    engine = make_engine(addresses.database(settings), 1)
    try:
        async with connected(engine) as connection, connection.begin():
            await retire(connection, purpose, name)
    finally:
        await engine.dispose()
