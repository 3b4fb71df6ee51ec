"""`anze recover`: ledger and engine brought together after a restore; what is compared is in runtime/recovery/."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from activities.cashier import PgCashier
from activities.treasury import PgTreasury
from models.tables.engine import make_engine
from runtime import addresses
from runtime.commands.calendar import progress_bar
from runtime.commands.speaking import AsJson
from runtime.embedded.postgres import PostgresServer
from runtime.operating import done
from runtime.paying import PayingWays
from runtime.recovery import holding
from runtime.recovery.histories import lives_since
from runtime.recovery.holding import Held
from runtime.recovery.projecting import Projected, Projector
from runtime.recovery.reopening import Reopened, Reopener
from runtime.settings import Settings
from runtime.temporal import temporal

app = typer.Typer(name="recover", help="恢复之后：台账与流程重新对上 / after a restore", no_args_is_help=True)
HELD = 1
T = TypeVar("T")
Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="数据恢复到的时刻，如 2026-11-22T08:00:00+08:00 / as of"),
]
Why = Annotated[str, typer.Option("--why", help="理由，进审计 / the reason, on record")]
Tell = Annotated[
    bool, typer.Option("--letters-may-leave", help="补记的通知照发；只在确知没有发过时 / let letters leave")
]


@app.command()
def ledger(since: Since = None, tell: Tell = False, as_json: AsJson = False) -> None:
    """台账比流程旧：按流程历史补记步骤、限额与付款结果，不付款，信不自动发 / the ledger takes what workflows know."""
    ended = asyncio.run(_with_engine(Settings(), lambda *given: _project(given, since, tell)))
    _report("台账 ← 流程", ended, [one.taken for one in ended], as_json)


@app.command()
def engine(as_json: AsJson = False) -> None:
    """流程比台账旧，或者全丢了：每件未结案卷照台账接上；worker 须在运行 / workflows catch up, or begin again."""
    ended = asyncio.run(_with_engine(Settings(), _reopen))
    _report("流程 ← 台账", ended, [one.recorded for one in ended], as_json)


@app.command()
def hold(
    as_of: Annotated[datetime, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"])],
    why: Why,
    tell: Tell = False,
    stopped: Annotated[
        bool,
        typer.Option("--stopped", help="本机：系统停着，自己启动 var/ 里的数据库，做完停下 / while stopped"),
    ] = False,
) -> None:
    """恢复之后、启动应用之前：停住付款与待发的信，作废会话与链接（anze restore 自己会做）/ hold after a recovery."""
    held = asyncio.run(_held(Settings(), stopped, lambda owner: holding.hold_alone(owner, as_of, why, tell=tell)))
    ended = f"{held.sessions} 个会话、{held.links} 个信内链接作废"
    typer.echo(f"已停住付款；{held.letters} 份待发的信转人工；{ended} / held")


@app.command()
def release(why: Why) -> None:
    """对账无误后，解除付款的暂停 / payments go out again, once the books agree."""
    count = done(lambda connection: holding.release(connection, why))
    typer.echo("付款已恢复 / released" if count else "没有暂停的付款 / nothing was held")


async def _held(settings: Settings, stopped: bool, act: Callable[[str], Awaitable[Held]]) -> Held:
    """As the owner of the tables: the application's role need not be able to come in."""
    if not stopped:
        return await act(addresses.owner(settings))
    server = PostgresServer(settings.var / "postgres", settings.postgres_port)
    await server.start()
    try:
        return await act(server.url("owner"))
    finally:
        await server.stop()


async def _with_engine(settings: Settings, act: Callable[[Settings, AsyncEngine, Client], Awaitable[T]]) -> T:
    told = addresses.with_secrets(settings)
    client = await temporal(told)
    pool = make_engine(addresses.database(told), 4)
    try:
        return await act(told, pool, client)
    finally:
        await pool.dispose()


async def _project(given: tuple[Settings, AsyncEngine, Client], since: datetime | None, tell: bool) -> list[Projected]:
    settings, pool, client = given
    async with pool.begin() as connection:
        start = since or await holding.held_since(connection)
    if start is None:
        raise typer.BadParameter("没有恢复的记录，请给出 --since / no restore is on record: give --since")
    with progress_bar() as bar:
        reading = bar.add_task("读流程历史", total=None)
        lives = await lives_since(
            client, settings.task_queue, start, lambda n, of: bar.update(reading, completed=n, total=of)
        )
        task = bar.add_task("补记台账", total=len(lives))
        cashier = PgCashier(pool, PayingWays(settings), settings.sealing)
        return await Projector(pool, PgTreasury(pool), cashier, tell=tell).run(lives, lambda: bar.advance(task))


async def _reopen(settings: Settings, pool: AsyncEngine, client: Client) -> list[Reopened]:
    reopener = Reopener(pool, client, settings.task_queue, settings.base_url)
    with progress_bar() as bar:
        task = bar.add_task("接上台账", total=await reopener.count())
        return await reopener.run(lambda: bar.advance(task))


def _report(title: str, ended: Sequence[Projected | Reopened], steps: list[int], as_json: bool) -> None:
    held = [one for one in ended if one.held]
    if as_json:
        document: dict[str, Any] = {"cases": len(ended), "steps": sum(steps), "held": [asdict(one) for one in held]}
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        typer.echo(f"{title}：案卷 {len(ended)} 件，步骤 {sum(steps)} 步，须人工处理 {len(held)} 件")
        table = Table("案卷", "须人工处理的原因")
        for one in held:
            table.add_row(one.workflow_id, one.held)
        if held:
            Console().print(table)
    raise typer.Exit(HELD if held else 0)
