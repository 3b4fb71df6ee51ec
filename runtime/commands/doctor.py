"""`anze doctor`: is the running system well? What is looked at, and how, is in runtime/checkup."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict

import asyncpg
import typer
from rich.text import Text
from sqlalchemy import make_url

from rules.library import Library
from runtime import addresses
from runtime.checkup.database import Database
from runtime.checkup.engine import Engine
from runtime.checkup.finding import Finding, Part, State, examined, judged
from runtime.checkup.outside import Outside
from runtime.commands.calendar import progress_bar
from runtime.commands.speaking import AsJson
from runtime.listing import listed, terminal
from runtime.migrate import newest
from runtime.search import search_attributes
from runtime.settings import Settings
from runtime.temporal import temporal
from runtime.witnesses import unfit
from runtime.worker import library, smtp

app = typer.Typer()
UNWELL = 1
COLOURS = {State.GOOD: "green", State.NOTE: "yellow", State.BAD: "red"}


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """检查运行中的系统：库、流程引擎、邮件、身份认证、规则包；有异常即返回 1 / look at everything, change nothing."""
    found = asyncio.run(_looked(Settings()))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
    else:
        _show(found)
    raise typer.Exit(UNWELL if any(one.state is State.BAD for one in found) else 0)


async def _looked(settings: Settings) -> list[Finding]:
    rules = library()
    parts = [*_database(settings, rules), *_engine(settings), *_outside(settings, rules)]
    with progress_bar() as bar:
        task = bar.add_task("检查", total=len(parts))
        return await examined(parts, lambda: bar.advance(task))


def _database(settings: Settings, rules: Library) -> list[Part]:
    @asynccontextmanager
    async def connecting() -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(addresses.backup(settings), timeout=5)
        try:
            yield connection
        finally:
            await connection.close(timeout=2)

    def asked() -> Database:
        application = make_url(addresses.database(settings)).username or ""
        return Database(connecting, application, newest(), rules, settings.backlog)

    async def keys() -> list[Finding]:
        async with connecting() as connection:
            lacking = await unfit(connection, addresses.with_field_keys(settings))
        said = "都能打开已加密的内容", f"缺少，或者不是原来的：{'、'.join(lacking)}"
        return [judged("密钥", not lacking, said, "keys.md")]

    return [
        Part("数据库", lambda: asked().schema(), "database.md"),
        Part("密钥", keys, "keys.md"),
        Part("办理情况", lambda: asked().backlog(), "worker.md"),
        Part("恢复后停住", lambda: asked().restored(), "restore.md"),
        Part("规则与日历", lambda: asked().rules(), "notice.md"),
    ]


def _engine(settings: Settings) -> list[Part]:
    async def asked() -> Engine:
        client = await temporal(settings)
        return Engine(client, settings.task_queue, tuple(search_attributes()), settings.payload_keys is not None)

    async def look() -> list[Finding]:
        engine = await asked()
        looks = (engine.namespace, engine.workers, engine.failing, engine.daily, engine.payloads)
        return [finding for each in looks for finding in await each()]

    return [Part("流程引擎", look, "temporal.md")]


def _outside(settings: Settings, rules: Library) -> list[Part]:
    outside = Outside(smtp(settings) if settings.smtp_host else None, settings.oidc_issuer, rules.packs())
    return [
        Part("邮件服务器", outside.mail_server, "mail.md"),
        Part("统一身份认证", outside.identity_provider, "signing-in.md"),
        Part("规则包", outside.released_packs, "notice.md"),
    ]


def _show(found: Sequence[Finding]) -> None:
    table = listed("", "项目", "情况", "处置手册", whole=("项目", "处置手册"))
    for one in sorted(found, key=lambda each: list(State).index(each.state), reverse=True):
        where = f"docs/runbooks/{one.runbook}" if one.runbook else ""
        table.add_row(Text(one.state.label, COLOURS[one.state]), Text(one.about), Text(one.says), where)
    terminal().print(table)
