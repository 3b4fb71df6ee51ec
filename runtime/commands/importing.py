"""`anze import`: its options, progress and final table; reading and sending a portfolio is runtime/portfolio's."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from api.portfolio.parcels import Outcome, Result
from api.portfolio.reading import BadFile, Portfolio
from api.portfolio.reporting import write_report
from domain.calendar import local_date
from rules.library import Library
from runtime.portfolio import importing
from runtime.portfolio.sending import NoEntry

SHOWN = 20
"""Rows in the table of faults; the report has all of them."""
app = typer.Typer(name="import")


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="保单清册，CSV 或 Excel / portfolio, CSV or workbook")],
    insurer_key: Annotated[
        list[str] | None,
        typer.Option(help="保险机构密钥，可给多把，@文件 从文件中取 / API keys, repeatable; @FILE to read them"),
    ] = None,
    api: Annotated[str, typer.Option(help="接口地址 / address of the API")] = "http://127.0.0.1:8080",
    dry_run: Annotated[bool, typer.Option(help="只检查，不建档 / check every row, change nothing")] = False,
    rebase_to: Annotated[str | None, typer.Option(help="平移日期：today 或 2026-01-31 / move dates")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="结果以 JSON 输出 / the result as JSON")] = False,
) -> None:
    """导入在保或新签的保单，可重复执行 / open policies from a file; may be repeated."""
    console = Console(stderr=True)
    try:
        portfolio, results = _imported(console, file, insurer_key or [], api, dry_run, _day(rebase_to))
        report = write_report(portfolio, {result.line: result for result in results})
    except (BadFile, NoEntry) as refused:
        console.print(str(refused), style="red", markup=False)
        raise typer.Exit(2) from None
    except OSError as error:
        console.print(f"结果文件无法写入：{error.strerror}", style="red", markup=False)
        raise typer.Exit(2) from None
    if as_json:
        print(json.dumps(_document(report, results), ensure_ascii=False))
    else:
        _show(Console(), portfolio, report, results)
    raise typer.Exit(1 if any(result.failed for result in results) else 0)


def _imported(
    console: Console, file: Path, given: Sequence[str], api: str, dry_run: bool, rebase_to: date | None
) -> tuple[Portfolio, list[Result]]:
    found = importing.tokens(given)
    if not found and not dry_run:
        raise BadFile("请用 --insurer-key 给出保险机构的密钥；只想检查请用 --dry-run")
    keys = asyncio.run(importing.holders(api, found)) if found else None
    plan = importing.load(file, rebase_to, keys)
    with progress_bar(console) as bar:
        task = bar.add_task("检查 checking" if dry_run else "导入 importing", total=len(plan.portfolio.rows))
        bar.advance(task, len(plan.refused))
        if dry_run:
            results = importing.check(plan, Library(), _today(), lambda _: bar.advance(task))
        else:
            results = asyncio.run(importing.send(plan, api, keys or {}, lambda _: bar.advance(task)))
    return plan.portfolio, results


def progress_bar(console: Console) -> Progress:
    """The bar an import shows, here and in the demo."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def _today() -> date:
    return local_date(datetime.now(UTC))


def _day(written: str | None) -> date | None:
    if written in {None, "today"}:
        return _today() if written else None
    try:
        return date.fromisoformat(str(written))
    except ValueError:
        raise typer.BadParameter("须为 today 或 2026-01-31", param_hint="--rebase-to") from None


def _document(report: Path, results: Sequence[Result]) -> dict[str, object]:
    rows = [
        {
            "line": result.line,
            "number": result.number,
            "outcome": result.outcome.value,
            "id": result.case_id,
            "faults": [{"column": fault.column, "reason": fault.reason} for fault in result.faults],
        }
        for result in results
    ]
    return {"report": str(report), "totals": _totals(results), "rows": rows}


def _totals(results: Sequence[Result]) -> dict[str, int]:
    return {one.value: sum(result.outcome is one for result in results) for one in Outcome}


def _show(console: Console, portfolio: Portfolio, report: Path, results: Sequence[Result]) -> None:
    failed = [result for result in results if result.failed]
    if failed:
        table = Table("行 line", "保单号 policy", "原因 reason", title="没有导入的行 / rows not imported")
        for result in failed[:SHOWN]:
            reasons = "；".join(str(fault) for fault in result.faults) or result.outcome.label
            table.add_row(str(result.line), Text(result.number), Text(reasons))
        console.print(table)
    for one in Outcome:
        count = sum(result.outcome is one for result in results)
        if count:
            console.print(f"{one.label}：{count}")
    if portfolio.ignored:
        console.print(f"未识别的列，已忽略：{'、'.join(portfolio.ignored)}", markup=False)
    console.print(f"逐行结果：{report}", markup=False)
