"""`anze claims reconcile|reseal`: what operators do for claims; comparing and sealing are not here."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.disagreements import Finding, Report
from activities.reconciling import Reconciler
from models.tables.engine import make_engine
from runtime import addresses
from runtime.commands.speaking import AsJson
from runtime.paying import PayingWays
from runtime.resealing import BATCH, Resealed, Resealer
from runtime.settings import Settings
from runtime.temporal import temporal
from runtime.witnesses import retire_others, settled

app = typer.Typer()
DISAGREES = 1


@app.command()
def reconcile(as_json: AsJson = False) -> None:
    """逐笔核对付款指令与银行流水；结果不明的只查询，不重发 / compare both sides; ask by key, never send again."""
    report = asyncio.run(_reconciled(Settings()))
    if as_json:
        typer.echo(json.dumps(report.as_document(), ensure_ascii=False, default=str))
    else:
        _show(report)
    raise typer.Exit(0 if report.agrees else DISAGREES)


@app.command()
def reseal(
    batch: Annotated[int, typer.Option(min=1, max=5000, help="每批几人 / persons in one transaction")] = BATCH,
    as_json: AsJson = False,
) -> None:
    """把旧密钥加密的受害人资料换用现行密钥；可中断，再运行即接着做 / seal again; may be interrupted."""
    told = Settings()
    try:
        ended = asyncio.run(_resealed(addresses.with_secrets(told), batch))
    except KeyboardInterrupt:
        typer.echo("已中断，做完的批次不受影响；再运行即接着做 / interrupted, run it again to go on", err=True)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps(ended.as_document(), ensure_ascii=False))
    else:
        _tell(ended)
    raise typer.Exit(DISAGREES if ended.unreadable or ended.doubled else 0)


async def _reconciled(told: Settings) -> Report:
    settings, engine = addresses.with_secrets(told), make_engine(addresses.database(told), 2)
    try:
        client = await temporal(settings)
        return await Reconciler(engine, client, PayingWays(settings)).run()
    finally:
        await engine.dispose()


async def _resealed(settings: Settings, batch: int) -> Resealed:
    engine = make_engine(addresses.database(settings), 1)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        resealer = Resealer(engine, settings.sealing, batch)
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("换用现行密钥 resealing", total=await resealer.count())
            ended = await resealer.run(lambda persons: bar.advance(task, persons))
        ended.retired = await _retired(engine, resealer, settings.sealing.current)
        return ended
    finally:
        await engine.dispose()


async def _retired(engine: AsyncEngine, resealer: Resealer, current: str) -> bool:
    """First nobody seals under an older key any more, then nothing lies under one; in this order, or a row slips by."""
    if not await settled(engine, "field", current) or await resealer.left():
        return False
    await retire_others(engine, "field", current)
    return True


def _show(report: Report) -> None:
    console = Console()
    _list(console, "对账时已查明 / settled now", report.settled)
    _list(console, "有指令无流水 / orders without reference", report.without_reference)
    _list(console, "有流水无指令 / references without order", report.without_order)
    _list(console, "金额或流水不符 / differences", report.different)
    _list(console, "流水号重复 / one reference for several", report.one_reference)
    for code in report.silent:
        console.print(f"{code}：无法取得对账单 / no statement")
    console.print(f"付款指令 {report.orders} 笔，{'两边一致' if report.agrees else '有差异，须人工核对'}")


def _list(console: Console, title: str, findings: list[Finding]) -> None:
    if not findings:
        return
    table = Table("保险机构", "指令编号", "金额（元）", "状态", "银行流水号", "说明", title=title)
    for one in findings:
        table.add_row(one.insurer, one.order_key, one.amount, one.state, one.reference, one.note)
    console.print(table)


def _tell(ended: Resealed) -> None:
    typer.echo(f"共 {ended.persons} 人，本次换用 {ended.resealed} 人 / resealed")
    for ref in ended.unreadable:
        typer.echo(f"无法解密，未动：{ref} / unreadable, left as it is", err=True)
    for ref in ended.doubled:
        typer.echo(f"与同案另一受害人证件相同，须人工核对：{ref} / same person twice", err=True)
    if ended.retired:
        typer.echo("旧密钥已无资料使用，可从 ANZE_FIELD_KEYS 中去掉 / the old keys are no longer needed")
    elif not ended.unreadable:
        typer.echo(
            "旧密钥还不能去掉：各进程换用新密钥重启满一小时后，再运行一次"
            " / the old keys stay: run it again an hour after every process was restarted with the new one"
        )
