"""`anze demo`: starts the story of runtime/demo and ends with its result."""

import asyncio
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(name="demo")


@app.command()
def run(
    keep: Annotated[bool, typer.Option(help="讲完之后继续运行，供查看 / stay running afterwards")] = False,
) -> None:
    """两分钟看完九周：导入、履职、逾期、上报、退信 / nine weeks in two minutes."""
    from runtime.demo.telling import tell

    console, began = Console(), monotonic()
    try:
        code = asyncio.run(tell(console, keep))
    except KeyboardInterrupt:
        code = 130
    console.print(f"用时 {monotonic() - began:.0f} 秒 / seconds")
    raise typer.Exit(code)
