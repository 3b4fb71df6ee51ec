"""`anze claims`: the daily reconciliation of payment orders; what is compared is in activities/reconciling.py."""

import asyncio
import json
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from activities.disagreements import Finding, Report
from activities.reconciling import Reconciler
from models.tables.engine import make_engine
from runtime import addresses
from runtime.paying import PayingWays
from runtime.settings import Settings
from runtime.worker import connect

app = typer.Typer(name="claims", help="理赔付款：每日对账 / payments of claims", no_args_is_help=True)
DISAGREES = 1


@app.callback()
def claims() -> None:
    """理赔付款 / payments of claims."""


@app.command()
def reconcile(
    as_json: Annotated[bool, typer.Option("--json", help="供程序读取 / for programs")] = False,
) -> None:
    """逐笔核对付款指令与银行流水；结果不明的只查询，不重发 / compare both sides; ask by key, never send again."""
    report = asyncio.run(_run(Settings()))
    if as_json:
        typer.echo(json.dumps(report.as_document(), ensure_ascii=False, default=str))
    else:
        _show(report)
    raise typer.Exit(0 if report.agrees else DISAGREES)


async def _run(told: Settings) -> Report:
    settings, engine = _found(told), make_engine(addresses.database(told), 2)
    try:
        return await Reconciler(engine, await connect(settings), PayingWays(settings)).run()
    finally:
        await engine.dispose()


def _found(settings: Settings) -> Settings:
    """With Temporal's address and the secret of the system that `make up` runs in this folder, where none are given."""
    kept = settings.var / "secret"
    if settings.secret is None and kept.exists():
        settings = settings.model_copy(update={"secret": SecretStr(kept.read_text().strip())})
    return addresses.with_temporal(settings)


def _show(report: Report) -> None:
    console = Console()
    _list(console, "对账时已查明 / settled now", report.settled)
    _list(console, "有指令无流水 / orders without reference", report.without_reference)
    _list(console, "有流水无指令 / references without order", report.without_order)
    _list(console, "金额或流水不符 / differences", report.different)
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
