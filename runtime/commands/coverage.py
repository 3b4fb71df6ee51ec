"""The command `anze coverage`: prints, per notice, which obligations are proved, recorded only, or not done yet."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from runtime.coverage import PAGE, Notice, Standing, as_json, covered, page

app = typer.Typer(name="coverage", help="通知义务的证明情况 / which obligations are proved")


@app.command()
def coverage(
    json_: Annotated[bool, typer.Option("--json", help="供程序读取 / for programs")] = False,
    write: Annotated[bool, typer.Option("--write", help="写出 docs/coverage.md / write the page")] = False,
) -> None:
    """通知义务的证明情况：已证明、仅留痕、尚未办到 / which obligations are proved."""
    notices = covered()
    if write:
        PAGE.write_text(page(notices), encoding="utf-8", newline="\n")
        typer.echo(f"已写出 / written: {PAGE.name}", err=True)
    if json_:
        typer.echo(json.dumps(as_json(notices), ensure_ascii=False, indent=2).encode())
        sys.stdout.flush()
    elif not write:
        _print(notices)


def _print(notices: tuple[Notice, ...]) -> None:
    table = Table(title="通知义务的证明情况 / coverage")
    for heading in ("通知", *(standing.value for standing in Standing), "合计"):
        table.add_column(heading, justify="left" if heading == "通知" else "right")
    for notice in notices:
        counts = [str(len(notice.standing(standing))) for standing in Standing]
        table.add_row(f"{notice.place} {notice.number}", *counts, str(len(notice.obligations)))
    console = Console()
    console.print(table)
    for notice in notices:
        console.print(f"\n[bold]{notice.place} {notice.number}[/bold]")
        for standing in (Standing.PROVED, Standing.RECORDED, Standing.NOT_YET):
            console.print(f"{standing.value}：{' '.join(_ids(notice, standing)) or '无'}")


def _ids(notice: Notice, standing: Standing) -> list[str]:
    return [one.id + ("*" if one.in_packs and not one.tests else "") for one in notice.standing(standing)]
