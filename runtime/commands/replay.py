"""`anze replay`: would this version do what running lives have done? How that is found out is in runtime/replaying."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from runtime.codec import Unreadable
from runtime.commands.calendar import progress_bar
from runtime.commands.speaking import AsJson
from runtime.replaying import PER_STAGE, Replayed, Sample, replay, samples
from runtime.settings import Settings
from runtime.temporal import temporal

app = typer.Typer()
DIFFERS, NOT_COMPARED = 1, 2


@app.command(name="replay")
def replay_lives(
    most: Annotated[int, typer.Option(min=1, max=10_000, help="每种、每阶段几件 / how many of a stage")] = PER_STAGE,
    closed: Annotated[bool, typer.Option("--closed", help="也包括已结束的 / those that have ended too")] = False,
    as_json: AsJson = False,
) -> None:
    """换新版 worker 之前：用本版程序重走真实的案卷；有不合即返回 1 / before a deploy; exit 1 when one differs."""
    try:
        found = asyncio.run(_replayed(Settings(), most, closed))
    except Unreadable as sealed:  # no word about the code
        typer.echo(f"没有比：{sealed}；照 docs/runbooks/keys.md 给出正在用的密钥", err=True)
        raise typer.Exit(NOT_COMPARED) from None
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
    else:
        _show(found)
    raise typer.Exit(0 if all(one.holds for one in found) else DIFFERS)


async def _replayed(settings: Settings, most: int, closed: bool) -> tuple[Replayed, ...]:
    client = await temporal(settings)
    asked = samples(settings.task_queue, closed)
    with progress_bar() as bar:
        task = bar.add_task("重走案卷", total=await _how_many(client, asked, most))
        return await replay(client, asked, most, lambda _: bar.advance(task))


async def _how_many(client: Client, asked: Sequence[Sample], most: int) -> int:
    """For the bar alone: the engine's count of each sample, cut at what is taken of it."""
    counts = await asyncio.gather(*(client.count_workflows(sample.query) for sample in asked))
    return sum(min(most, counted.count) for counted in counts)


def _show(found: Sequence[Replayed]) -> None:
    table = Table("种类", "阶段", "件数", "事件", "不合")
    count, events, wrong = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one in found:
        key = one.kind, one.stage
        count[key], events[key], wrong[key] = count[key] + 1, events[key] + one.events, wrong[key] + (not one.holds)
    for kind, stage in count:
        figures = count[kind, stage], events[kind, stage], wrong[kind, stage]
        table.add_row(kind, stage, *(str(figure) for figure in figures))
    console = Console()
    console.print(table)
    for one in found:
        if not one.holds:
            console.print(f"[red]{one.workflow_id}[/] {one.run_id}\n  {one.failure}", soft_wrap=True)
