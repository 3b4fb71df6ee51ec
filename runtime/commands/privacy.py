"""`anze privacy`: what is held about people, what is past its term, and erasing it; nothing is decided here."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.rows import CASES, INSURERS
from domain.calendar import local_date
from domain.wording import plain_day
from models.contracts.vocabulary import CaseKind
from models.tables.engine import make_engine, operator
from models.tables.sealed import FieldKeys
from runtime import addresses, erasing, persons
from runtime.commands.calendar import progress_bar
from runtime.commands.speaking import AsJson
from runtime.erasing import Due, Erased, Eraser, Named
from runtime.listing import filled, listed, terminal
from runtime.operating import FAILED, Unanswerable
from runtime.persons import Line
from runtime.settings import Settings

app = typer.Typer(name="privacy", help="个人信息：查询、留存、删除 / personal data", no_args_is_help=True)
T = TypeVar("T")
Claim = Annotated[str, typer.Option("--claim", help="赔案号 / number of the claim")]
Insurer = Annotated[str | None, typer.Option("--insurer", help="保险机构代码，赔案号有几个时给出 / its insurer")]
Because = Annotated[str, typer.Option("--because", help="理由，留下；不写个人信息 / the reason, kept; names nobody")]
Yes = Annotated[bool, typer.Option("--yes", help="不再询问 / do not ask")]


@dataclass(frozen=True)
class Work:
    """What every command here works with."""

    engine: AsyncEngine
    keys: FieldKeys
    years: int

    @property
    def eraser(self) -> Eraser:
        return Eraser(self.engine, self.keys, self.years, local_date(datetime.now(UTC)))


@app.command()
def due(as_json: AsJson = False) -> None:
    """列出留存期满的赔案和企业联系邮箱，只有编号和数目 / what is past its term, in numbers."""
    found = _run(lambda work: work.eraser.due())
    if as_json:
        typer.echo(json.dumps([_document(one) for one in found], ensure_ascii=False))
    else:
        _preview(found)


@app.command()
def erase(
    because: Because,
    claim: Annotated[str | None, typer.Option("--claim", help="赔案号 / number of the claim")] = None,
    insurer: Insurer = None,
    victim: Annotated[UUID | None, typer.Option(help="只删这名受害人（编号）/ this victim alone")] = None,
    all_due: Annotated[bool, typer.Option("--all-due", help="全部留存期满的 / everything past its term")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """删除受害人资料；法定期限内、案件未结、款项未清、有人要求暂缓的，一律拒绝；不能撤回 / erase, for good."""
    if not because.strip() or all_due is (claim is not None) or (all_due and (victim or insurer)):
        raise typer.BadParameter("写明 --because，并给出 --claim 或 --all-due 之一 / a reason, and exactly one of them")
    ended = _all_due(because, yes) if all_due else _one(Typed(claim or "", insurer), because, victim, yes)
    if as_json:
        typer.echo(json.dumps(ended.as_document(), ensure_ascii=False))
    else:
        typer.echo(f"已删除 {ended.persons} 人的资料、{ended.contacts} 个联系邮箱 / erased")
        for place, times in ended.mentions.items():
            typer.echo(
                f"{place}里有 {times} 处文字写着其姓名或号码：属于证据链，没有改动 / words left as they are", err=True
            )


@app.command()
def hold(claim: Claim, because: Because, insurer: Insurer = None) -> None:
    """暂缓删除一案的个人信息，例如诉讼期间 / put erasure off, for instance while there is a lawsuit."""

    async def act(work: Work) -> None:
        async with work.engine.begin() as connection:
            await erasing.hold(connection, await _named(connection, Typed(claim, insurer)), because)

    _run(act)
    typer.echo(f"{claim}：在解除之前不删除 / held")


@app.command()
def release(claim: Claim, because: Because, insurer: Insurer = None) -> None:
    """解除暂缓 / no longer put off."""

    async def act(work: Work) -> int:
        async with work.engine.begin() as connection:
            return await erasing.release(connection, await _named(connection, Typed(claim, insurer)), because)

    typer.echo(f"{claim}：已解除 / released" if _run(act) else f"{claim}：没有暂缓 / nothing was held")


@app.command()
def about(
    because: Because,
    email: Annotated[str | None, typer.Option("--email", help="邮箱 / an address")] = None,
    victim: Annotated[UUID | None, typer.Option("--victim", help="受害人编号 / reference of a victim")] = None,
    identity: Annotated[
        bool, typer.Option("--identity", help="按证件号码找，号码另行输入 / asks for a number")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """系统里有某个人的哪些信息，原文列出；查询本身留痕 / all that is held about one person; the asking is on record."""
    if sum((email is not None, victim is not None, identity)) != 1 or not because.strip():
        raise typer.BadParameter("写明 --because，并从 --email、--victim、--identity 选一 / a reason, and one of them")
    number = typer.prompt("证件号码 / identity number", hide_input=True, err=True) if identity else ""

    async def act(work: Work) -> list[Line]:
        async with work.engine.begin() as connection:
            await operator(connection)
            if email is not None:
                return await persons.about_address(connection, email.strip(), because)
            refs = [victim] if victim else await persons.victims_alike(connection, work.keys, number)
            found = [
                await persons.about_victim(connection, work.keys, ref, years=work.years, why=because) for ref in refs
            ]
            return [line for lines in found for line in lines]

    _tell(_run(act), as_json=as_json)


@dataclass(frozen=True)
class Typed:
    """A claim as it was typed."""

    number: str
    insurer: str | None


def _run(act: Callable[[Work], Awaitable[T]]) -> T:
    """What cannot be answered ends the command with a sentence."""

    async def run() -> T:
        told = addresses.with_field_keys(Settings())
        engine = make_engine(addresses.database(told), 1)
        try:
            return await act(Work(engine, told.sealing, told.retention_years))
        finally:
            await engine.dispose()

    try:
        return asyncio.run(run())
    except (Unanswerable, LookupError) as error:
        typer.echo(str(error.args[0]), err=True)
        raise typer.Exit(FAILED) from None


async def _named(connection: AsyncConnection, typed: Typed) -> Named:
    """The one claim of that number. Raises Unanswerable."""
    await operator(connection)
    found = (
        select(CASES.c.insurer_id, CASES.c.parent_id, CASES.c.id, CASES.c.number)
        .join(INSURERS, INSURERS.c.id == CASES.c.insurer_id)
        .where(CASES.c.kind == CaseKind.CLAIM, CASES.c.number == typed.number)
    )
    rows = (await connection.execute(found.where(INSURERS.c.code == typed.insurer) if typed.insurer else found)).all()
    if not rows:
        raise Unanswerable(f"没有赔案 {typed.number} / no such claim")
    if len(rows) > 1:
        raise Unanswerable(f"赔案号 {typed.number} 有 {len(rows)} 个，请用 --insurer 指明 / name the insurer")
    return Named(*rows[0])


def _one(typed: Typed, because: str, victim: UUID | None, yes: bool) -> Erased:
    if not yes:
        typer.confirm(f"删除赔案 {typed.number} 的受害人资料，不能撤回 / erase for good?", abort=True, err=True)

    async def act(work: Work) -> Erased:
        async with work.engine.begin() as connection:
            named = await _named(connection, typed)
        return await work.eraser.erase(named, because, victim)

    return _run(act)


def _all_due(because: str, yes: bool) -> Erased:
    """What is about to be erased is listed first."""
    found = _run(lambda work: work.eraser.due())
    _preview(found)
    total = sum(len(one.policies) + len(one.contacts) for one in found)
    if total and not yes:
        typer.confirm("全部删除，不能撤回 / erase all of it for good?", abort=True, err=True)

    async def act(work: Work) -> Erased:
        with progress_bar() as bar:
            task = bar.add_task("删除期满资料 erasing", total=total)
            return await work.eraser.erase_due(found, because, lambda count: bar.advance(task, count))

    return _run(act)


def _document(one: Due) -> dict[str, object]:
    policies = [
        {
            "policy": kept.number,
            "claims": kept.claims,
            "persons": kept.persons,
            "kept_until": str(kept.retention.kept_until),
        }
        for kept in one.policies
    ]
    return {"insurer": one.code, "persons": one.persons, "contacts": len(one.contacts), "policies": policies}


def _preview(found: Sequence[Due]) -> None:
    if found:
        table = listed("保险机构", "保单", "赔案", "人数", "期满", whole=("保单",))
        lines = [(one.code, kept.number, "、".join(kept.claims), kept.persons, plain_day(kept.retention.kept_until))
                 for one in found for kept in one.policies]  # fmt: skip
        terminal().print(filled(table, lines))
    people, contacts = sum(one.persons for one in found), sum(len(one.contacts) for one in found)
    typer.echo(f"留存期满：{people} 人的资料、{contacts} 个企业联系邮箱 / past their term")


def _tell(lines: Sequence[Line], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([one.as_document() for one in lines], ensure_ascii=False))
    elif lines:
        rows = ((one.place, one.what, one.said) for one in lines)
        terminal().print(filled(listed("何处", "什么", "内容"), rows))
    else:
        typer.echo("没有 / nothing is held")
