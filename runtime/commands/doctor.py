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

from activities.anchoring import FOLDER, Signer
from rules.findings import RulesRefused
from rules.library import Library
from runtime import addresses
from runtime.checkup.database import Connecting, Database
from runtime.checkup.engine import Engine
from runtime.checkup.finding import Finding, Part, State, examined, judged
from runtime.checkup.lines import Lines
from runtime.checkup.outside import Outside, released_packs
from runtime.checkup.trail import Trail
from runtime.commands.calendar import progress_bar
from runtime.commands.speaking import AsJson
from runtime.listing import listed, terminal
from runtime.migrate import revisions
from runtime.search import search_attributes
from runtime.settings import PROJECT_ROOT, Settings
from runtime.temporal import temporal
from runtime.witnesses import unfit
from runtime.worker import smtp

app = typer.Typer()
UNWELL = 1
RULES = PROJECT_ROOT / "rules"
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
    parts = [*_database(settings), *_trail(settings), *_engine(settings), *_outside(settings)]
    rules = _rules()
    found = rules if isinstance(rules, list) else []
    if isinstance(rules, Library):
        parts += _ruled(settings, rules)
    with progress_bar() as bar:
        task = bar.add_task("检查", total=len(parts))
        return [*found, *await examined(parts, lambda: bar.advance(task))]


def _rules() -> Library | list[Finding]:
    """What the processes would start with, or why they would not."""
    try:
        return Library(RULES / "packs", RULES / "calendars")
    except RulesRefused as refused:
        says = f"{len(refused.findings)} 处读不出，worker 和 web 起不来：anze rules check"
        return [Finding("规则文件", State.BAD, says, "notice.md#案卷依据的规则文件不在")]


def _connecting(settings: Settings) -> Connecting:
    """As the role that reads every row and writes none."""

    @asynccontextmanager
    async def connecting() -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(addresses.backup(settings), timeout=5)
        try:
            yield connection
        finally:
            await connection.close(timeout=2)

    return connecting


def _asked(settings: Settings) -> Database:
    application = make_url(addresses.database(settings)).username or ""
    return Database(_connecting(settings), application, revisions(), settings.backlog)


def _database(settings: Settings) -> list[Part]:
    async def keys() -> list[Finding]:
        async with _connecting(settings)() as connection:
            lacking = await unfit(connection, addresses.with_field_keys(settings))
        said = "都能打开已加密的内容", f"缺少，或者不是原来的：{'、'.join(lacking)}"
        return [judged("密钥", not lacking, said, "keys.md#密钥不对")]

    return [
        Part("数据库", lambda: _asked(settings).schema(), "database.md"),
        Part("WAL 流", lambda: _asked(settings).archiving(), "database.md"),
        Part("密钥", keys, "database.md"),
        Part("办理情况", lambda: _asked(settings).backlog(), "database.md"),
        Part("恢复后停住", lambda: _asked(settings).restored(), "database.md"),
    ]


def _ruled(settings: Settings, rules: Library) -> list[Part]:
    async def released() -> list[Finding]:
        return released_packs(rules.known(), RULES)

    return [
        Part("规则与日历", lambda: _asked(settings).rules(rules), "database.md"),
        Part("规则包", released, "notice.md"),
    ]


def _trail(settings: Settings) -> list[Part]:
    async def look() -> list[Finding]:
        secret = addresses.with_secret(settings).secret
        signer = Signer.of(secret.get_secret_value().encode()).public if secret is not None else None
        return await Trail(_connecting(settings), settings.var / FOLDER, signer).look()

    return [Part("审计链", look, "database.md")]


def _engine(settings: Settings) -> list[Part]:
    async def asked() -> Engine:
        client, sealed = await temporal(settings), settings.payload_keys is not None
        return Engine(client, settings.task_queue, tuple(search_attributes()), sealed, settings.backlog.task)

    async def look() -> list[Finding]:
        engine = await asked()
        looks = (engine.namespace, engine.workers, engine.failing, engine.retrying, engine.daily, engine.payloads)
        return [finding for each in looks for finding in await each()]

    return [Part("流程引擎", look, "temporal.md")]


def _outside(settings: Settings) -> list[Part]:
    outside = Outside(smtp(settings) if settings.smtp_host else None, settings.oidc_issuer, settings.var)
    lines = Lines(settings)
    return [
        Part("邮件服务器", outside.mail_server, "mail.md#邮件服务器"),
        Part("统一身份认证", outside.identity_provider, "signing-in.md#统一身份认证不通"),
        Part("磁盘", outside.room, "database.md#磁盘"),
        Part("数据库加密", lines.database, "database.md#线路加密"),
        Part("流程引擎加密", lines.engine, "temporal.md#线路加密"),
    ]


def _show(found: Sequence[Finding]) -> None:
    table = listed("", "项目", "情况", "处置手册", whole=("项目", "处置手册"))
    for one in sorted(found, key=lambda each: list(State).index(each.state), reverse=True):
        where = f"docs/runbooks/{one.runbook}" if one.runbook else ""
        table.add_row(Text(one.state.label, COLOURS[one.state]), Text(one.about), Text(one.says), where)
    terminal().print(table)
