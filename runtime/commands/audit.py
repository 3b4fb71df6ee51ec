"""`anze audit`: verify, anchor and list the audit trail; how it is checked is in runtime/auditing.py."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import asyncpg
import typer
from sqlalchemy import Row, select

from activities.anchoring import FOLDER, Anchor, Signer, anchor
from api.audit import AuditEntry, note, noted
from api.keys import COMMAND_LINE
from api.rows import INSURERS
from api.trail import MOST, TrailQuery, trail
from domain.calendar import SHANGHAI
from models.contracts.vocabulary import AuditEvent, AuditResult
from models.tables.audit import COMMON_CHAIN, VERIFYING
from models.tables.engine import make_engine, operator, tenant
from runtime import addresses
from runtime.anchoring import compare
from runtime.auditing import Chain, Finding, Verdict, Verifier, chain_name, heads_digest
from runtime.commands.calendar import progress_bar
from runtime.listing import filled, listed, terminal
from runtime.settings import Settings

app = typer.Typer(name="audit", help="审计：查验、存证、查看 / the audit trail", no_args_is_help=True)
BROKEN = 1
NOT_FOUND = 2
T = TypeVar("T")
Insurer = Annotated[str | None, typer.Option("--insurer", help="保险机构代码 / code of the insurer")]
AsJson = Annotated[bool, typer.Option("--json", help="供程序读取 / for programs")]
Anchors = Annotated[Path | None, typer.Option("--anchors", help="存证文件所在的目录 / where the anchors lie")]
Day = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="北京时间 / Asia/Shanghai")
]


@app.command()
def verify(
    insurer: Insurer = None,
    anchors: Anchors = None,
    trust: Annotated[list[str] | None, typer.Option(help="也信任这把公钥签的存证 / trust this public key too")] = None,
    as_json: AsJson = False,
) -> None:
    """逐条重算每条链，对照台账与存证；有不符即返回 1 / recompute every chain; exit 1 when anything differs."""
    settings = addresses.with_secret(Settings())
    verdict = _run(_verified(settings, insurer, anchors or settings.var / FOLDER, tuple(trust or ())))
    if as_json:
        typer.echo(json.dumps(verdict.as_document(), ensure_ascii=False))
    else:
        _show(verdict)
    raise typer.Exit(0 if verdict.holds else BROKEN)


@app.command(name="anchor")
def make_anchor(
    to: Annotated[Path | None, typer.Option(help="写到哪个目录 / the folder to write to")] = None,
    as_json: AsJson = False,
) -> None:
    """把各链链头写成签名文件，请另存他处 / sign the heads of all chains into a file; keep a copy elsewhere."""
    settings = addresses.with_secret(Settings())
    made = _run(_anchored(settings, to or settings.var / FOLDER))
    said = {"file": str(made.path), "chains": made.heads, "sha256": made.digest}
    typer.echo(
        json.dumps(said, ensure_ascii=False) if as_json else f"{made.path}  {made.heads} 条链  sha256 {made.digest}"
    )


@app.command(name="list")
def list_rows(
    insurer: Insurer = None,
    what: Annotated[list[AuditEvent] | None, typer.Option(help="事由，可多次给出 / events")] = None,
    result: Annotated[AuditResult | None, typer.Option(help="结果 / result")] = None,
    who: Annotated[str | None, typer.Option(help="操作者的编号或名称（或其结尾）/ who")] = None,
    about: Annotated[str | None, typer.Option(help="对象编号（或其结尾），例如保单号 / the object")] = None,
    since: Day = None,
    until: Day = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="最多几条 / at most")] = 50,
    as_json: AsJson = False,
) -> None:
    """查看审计记录，新的在前；看某机构的记录本身也会留痕 / newest first; reading an insurer's trail is on record."""
    query = TrailQuery(
        what=frozenset(what or ()), result=result, who=who, about=about,
        since=_shanghai(since), until=_shanghai(until), limit=limit,
    )  # fmt: skip
    rows = _run(_listed(Settings(), insurer, query))
    if as_json:
        typer.echo(json.dumps([dict(row._mapping) for row in rows], ensure_ascii=False, default=str))
    else:
        _tell(rows)


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except LookupError as error:
        typer.echo(str(error.args[0]), err=True)
        sys.exit(NOT_FOUND)


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the backup role: it reads every row and writes none."""
    connection = await asyncpg.connect(addresses.backup(settings))
    try:
        yield connection
    finally:
        await connection.close()


async def _verified(settings: Settings, insurer: str | None, folder: Path, trust: tuple[str, ...]) -> Verdict:
    async with _reading(settings) as connection:
        await connection.execute("SELECT pg_advisory_lock_shared($1, $2)", *VERIFYING)  # operators see that it is run
        with progress_bar() as bar:
            task = bar.add_task("查验审计链", total=None)
            verifier = Verifier(connection, lambda rows: bar.advance(task, rows))
            chains = await verifier.chains(insurer)
            if not chains:
                raise LookupError(f"没有保险机构 {insurer} / no such insurer")
            bar.update(task, total=sum(chain.last or 0 for chain in chains))
            verdict = await verifier.run(chains, insurer)
        if folder.is_dir():
            keys = (Signer.of(settings.secret_key).public, *trust) if settings.secret else trust
            verdict.anchors, found = await compare(connection, folder, keys, insurer)
            verdict.findings.extend(found)
    await _on_record(settings, verdict, chains, insurer)
    return verdict


async def _on_record(settings: Settings, verdict: Verdict, chains: list[Chain], insurer: str | None) -> None:
    """That the trail was verified, when, how far and with what result: for operators, and for each insurer of its own.

    A chain whose head is wrong gets no row: it would cover up where the chain ended. Its page sees the head itself.
    """
    entry = AuditEntry(AuditEvent.VERIFIED, who=COMMAND_LINE, about=("chain", insurer or ""))
    engine = make_engine(addresses.database(settings), 1)
    try:
        await noted(engine, replace(entry, digest=heads_digest(chains), said=verdict.counts))
        for chain in chains:
            if chain.last and chain.id != COMMON_CHAIN and verdict.may_be_continued(chain):
                said = {"up_to": chain.last, "findings": verdict.findings_of(chain)}
                about = ("chain", chain.code)
                await noted(engine, replace(entry, chain=chain.id, about=about, digest=chain.hash or "", said=said))
    finally:
        await engine.dispose()


async def _anchored(settings: Settings, folder: Path) -> Anchor:
    engine = make_engine(addresses.database(settings), 1)
    try:
        return await anchor(engine, folder, Signer.of(settings.secret_key), datetime.now(UTC))
    finally:
        await engine.dispose()


async def _listed(settings: Settings, insurer: str | None, query: TrailQuery) -> list[Row[Any]]:
    """As an insurer's auditor, or without an insurer as an operator, who sees the common chain."""
    engine = make_engine(addresses.database(settings), 1)
    try:
        async with engine.begin() as connection:
            if insurer is None:
                await operator(connection)
                return await trail(connection, query)
            chain = await connection.scalar(select(INSURERS.c.id).where(INSURERS.c.code == insurer))
            if chain is None:
                raise LookupError(f"没有保险机构 {insurer} / no such insurer")
            await tenant(connection, chain)
            rows = await trail(connection, replace(query, chain=chain))
            await note(connection, AuditEntry(AuditEvent.EXPORTED, chain, COMMAND_LINE, ("audit", insurer)))
            return rows
    finally:
        await engine.dispose()


def _shanghai(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=SHANGHAI)


def _show(verdict: Verdict) -> None:
    console = terminal()
    if verdict.findings:
        table = listed("链", "第几条", "问题", "何处", title="审计链不完整 / the trail is broken")
        console.print(filled(table, map(_told, verdict.findings)))
    counted = f"{verdict.chains} 条链、{verdict.rows} 条记录、{verdict.steps} 个步骤、{verdict.anchors} 份存证"
    console.print(f"{counted}：{'全部相符' if verdict.holds else f'{len(verdict.findings)} 处不符'}")


def _told(one: Finding) -> tuple[str, str, str, str]:
    number = "" if one.number is None else str(one.number)
    return chain_name(one.chain, one.code), number, one.fault.label, one.detail


def _tell(rows: list[Row[Any]]) -> None:
    table = listed("号", "时间（北京）", "事由", "操作者", "对象", "结果", "说明", whole=("号", "时间（北京）"))
    terminal().print(filled(table, (_line(row) for row in rows)))


def _line(row: Row[Any]) -> tuple[object, ...]:
    names = dict.fromkeys((row.who_kind.label if row.who_kind else "", row.who_name))
    about = f"{row.object_id} #{row.seq}" if row.seq else row.object_id
    said = "，".join(f"{name}={_plain(value)}" for name, value in row.said.items() if value is not None)
    at = f"{row.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    return row.number, at, row.what.label, " ".join(filter(None, names)), about, row.result.label, said


def _plain(value: object) -> str:
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)
