"""The command `anze calendar adopt`: a newly published calendar reaches the open cases, and what moved is reported."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.operator import calendars
from api.operator.calendars import Adoption
from api.operator.sending import Result
from models.tables.engine import make_engine
from rules.findings import RulesRefused
from rules.library import Library
from runtime import addresses
from runtime.commands.outcomes import rows, say, write
from runtime.settings import Settings
from runtime.temporal import temporal

app = typer.Typer(name="calendar", help="工作日历 / working calendars", no_args_is_help=True)
FAILED, MISASKED = 1, 2


@app.callback()
def calendar() -> None:
    """工作日历 / working calendars."""


@app.command()
def adopt(
    file: Annotated[Path | None, typer.Argument(help="日历文件，默认用 rules/calendars 中最近一年的")] = None,
    year: Annotated[int | None, typer.Option(help="采用哪一年 / which year")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只列出会变的期限，不发指令 / only say what would move")
    ] = False,
    everyone: Annotated[bool, typer.Option("--all", help="所有未结案卷，不限于暂定的（用于更正过的日历）")] = False,
    json_: Annotated[bool, typer.Option("--json", help="供程序读取 / for programs")] = False,
) -> None:
    """让未结案卷采用新公布的日历并重新推算期限；可反复运行 / bring a new calendar to open cases; repeatable."""
    library = Library()
    try:
        adopted = calendars.adoption(library, year, file)
    except (RulesRefused, LookupError) as refused:
        findings = refused.findings if isinstance(refused, RulesRefused) else [refused.args[0]]
        for finding in findings:
            typer.echo(str(finding), err=True)
        raise typer.Exit(MISASKED) from None
    results = asyncio.run(_carry_out(Settings(), library, adopted, dry_run, everyone))
    _report(adopted, results, json_)
    if any(result.failed for result in results):
        raise typer.Exit(FAILED)


async def _carry_out(
    settings: Settings, library: Library, adopted: Adoption, dry_run: bool, everyone: bool
) -> list[Result]:
    engine = make_engine(addresses.database(settings), 1)
    try:
        cases = await calendars.waiting(engine, everyone)
    finally:
        await engine.dispose()
    if dry_run:
        return [calendars.foreseen(library, case, adopted) for case in cases]
    client = await temporal(settings)
    with progress_bar() as bar:
        task = bar.add_task(f"采用 {adopted.year} 年日历", total=len(cases))
        return await calendars.send_all(client, cases, adopted, lambda _: bar.advance(task))


def progress_bar() -> Progress:
    """Drawn on standard error, so that the report can be piped."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def _report(adopted: Adoption, results: list[Result], as_json: bool) -> None:
    if as_json:
        write({"year": adopted.year, "digest": adopted.digest, "cases": rows(results, "moved")})
        return
    moved = sum(len(result.moved) for result in results)
    say(results, f"{adopted.year} 年日历：案卷 {len(results)} 件，期限变动 {moved} 项。")
