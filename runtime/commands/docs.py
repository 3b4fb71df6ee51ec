"""The commands `anze docs …`: write what of docs/ is generated, take the screenshots; nothing is drawn here."""

import asyncio

import typer

from runtime.settings import PROJECT_ROOT

app = typer.Typer(name="docs", help="文档：重画图片、重写词汇表、重拍截图 / documents", no_args_is_help=True)


@app.command()
def write() -> None:
    """重写 docs/ 中由程序生成的部分 / write the generated parts of docs/."""
    from runtime import documents

    for path, text in documents.generated().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            typer.echo(path.relative_to(PROJECT_ROOT))


@app.command()
def screenshots() -> None:
    """在自带的系统上重拍截图（需要 chromium 与 fonts-noto-cjk）/ take the screenshots again."""
    from runtime.pictures import screenshots as taken

    for path in asyncio.run(taken.take()):
        typer.echo(path.relative_to(PROJECT_ROOT))
