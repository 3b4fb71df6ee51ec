"""The command `anze rules adopt`: running cases take another version of a document, and what changed is reported."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from api.desk.words import Language, namer
from api.operator import changes, new_rules
from api.operator.new_rules import Errand, Foreseen, Selection, Tally, Turn
from api.operator.sending import Result
from domain.calendar import local_date
from domain.places import place_of
from domain.wording import plain_day
from domain.workbook import written
from models.contracts.vocabulary import Sector
from models.tables.engine import connected, make_engine, operator
from rules.findings import RulesRefused
from rules.library import Library, LoadedPack
from runtime import addresses
from runtime.commands.calendar import FAILED, MISASKED, progress_bar
from runtime.commands.outcomes import rows, say, write
from runtime.settings import Settings
from runtime.temporal import temporal

SHORTEST = 8
"""Hexadecimal digits that name a document."""


class Misasked(Exception):
    """What was asked for is not there, or may not be done; the text is for people."""


def adopt(
    from_: Annotated[str, typer.Option("--from", help="原版：摘要的前几位，或规则文件 / digest or file")],
    to: Annotated[str, typer.Option("--to", help="新版：摘要的前几位，或规则文件 / digest or file")],
    reason: Annotated[str, typer.Option(help="原因，记入每件案卷 / why, kept with each case")] = "",
    place: Annotated[str, typer.Option(help="只限某地及其下级 / a place and all below it")] = "",
    sector: Annotated[str, typer.Option(help="只限某行业，如 hazardous_chemicals")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只列出变化，不发指令 / only say what would change")
    ] = False,
    packs: Annotated[list[Path] | None, typer.Option("--packs", help="另加的规则包文件夹 / further packs")] = None,
    workbook: Annotated[
        Path | None,
        typer.Option("--workbook", help="把逐项变化写成 Excel，与 --dry-run 同用 / the changes as a workbook"),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="供程序读取 / for programs")] = False,
) -> None:
    """让在办案卷改用另一版规则，逐件留痕；可反复运行 / running cases take another version; repeatable."""
    try:
        library = Library(extra_dirs=tuple(packs or ()))
        turn = Turn(_named(library, from_), _named(library, to))
        errand = Errand(turn, _selection(place, sector), reason.strip() or _needed(dry_run))
        _require(turn, dry_run)
        if workbook and not dry_run:
            raise Misasked("--workbook 写的是预览，须与 --dry-run 同用")
    except (Misasked, RulesRefused) as wrong:
        for said in wrong.findings if isinstance(wrong, RulesRefused) else wrong.args:
            typer.echo(str(said), err=True)
        raise typer.Exit(MISASKED) from None
    settings = Settings()
    if dry_run:
        cases = asyncio.run(_foreseen(settings, library, errand))
        if workbook:
            _write(workbook, turn, cases)
        _foretell(cases, json_)
        return
    results = asyncio.run(_carried_out(settings, library, errand))
    _report(results, json_)
    if any(result.failed for result in results):
        raise typer.Exit(FAILED)


def _named(library: Library, name: str) -> LoadedPack:
    """The document a digest or a path names. Raises Misasked where none does, or several."""
    path = Path(name).resolve()
    known = (*library.known(), *library.packs())  # also a further folder's file that repeats a built-in one
    found = {one.ref: one for one in known if one.path.resolve() == path}
    if not found and len(name) >= SHORTEST:
        found = {one.ref: one for one in known if one.ref.digest.startswith(name.lower())}
    if len(found) != 1:
        raise Misasked(f"没有这份规则文件，或者摘要不够长：{name}；摘要见 anze rules coverage --json 或规则包页面")
    return next(iter(found.values()))


def _selection(place: str, sector: str) -> Selection:
    """Raises Misasked for what is not exactly one place and one sector: a slip of the pen never means everybody."""
    known = {one.value: one for one in Sector}
    code = place_of(place.strip()) if place else ""
    if sector and sector not in known:
        raise Misasked(f"未知的行业：{sector}")
    if code is None:
        raise Misasked(f"没有这个地区：{place}")
    return Selection(code, known.get(sector))


def _needed(dry_run: bool) -> str:
    if dry_run:
        return ""
    raise Misasked("须写明原因：--reason")


def _require(turn: Turn, dry_run: bool) -> None:
    if turn.before.path.parent.name != turn.after.path.parent.name or turn.before.ref == turn.after.ref:
        raise Misasked("两份须是同一文件的不同版本")
    if not dry_run and not turn.in_force(local_date(_now())):
        raise Misasked(f"新版 {plain_day(turn.after.ref.in_force_on)} 起才施行，现在只能预览：--dry-run")


def _now() -> datetime:
    return datetime.now(UTC)


async def _foreseen(settings: Settings, library: Library, errand: Errand) -> list[Foreseen]:
    async with _database(settings) as engine, connected(engine) as connection:
        await operator(connection)
        found: list[Foreseen] = []
        after: UUID | None = None
        while known := await new_rules.some(connection, errand.turn, errand.selection, new_rules.AT_A_TIME, after):
            found += [new_rules.foreseen(library, case, facts, errand.turn, _now()) for case, facts in known]
            after = known[-1][0].id
        return found


async def _carried_out(settings: Settings, library: Library, errand: Errand) -> list[Result]:
    client = await temporal(settings)
    results: list[Result] = []
    async with _database(settings) as engine:
        async with connected(engine) as connection:
            await operator(connection)
            total = (await new_rules.count(connection, errand.turn.before, errand.selection.among(errand.turn))).total
        with progress_bar() as bar:
            task = bar.add_task("改用新版规则", total=total)

            def done(result: Result) -> None:
                results.append(result)
                bar.advance(task)

            await new_rules.carry_out((client, engine, library), errand, _now, done)
    return results


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(addresses.database(settings), 1)
    try:
        yield engine
    finally:
        await engine.dispose()


def _write(to: Path, turn: Turn, cases: list[Foreseen]) -> None:
    """The workbook the page offers, with every case in it."""
    table = changes.sheet(turn, _now(), (len(cases), len(cases)), lambda said: said)
    say_word = namer(Language.CHINESE)
    to.write_bytes(written(table, (line for one in cases for line in changes.lines(one, say_word))))


def _foretell(cases: list[Foreseen], as_json: bool) -> None:
    if as_json:
        write({"cases": [{"case": one.case.workflow_id, "changes": one.said, "why": one.why} for one in cases]})
        return
    for one in cases:
        for sentence in (*one.said.values(), *([one.why] if one.why else ())):
            typer.echo(f"{one.case.workflow_id}：{sentence}")
    tally = Tally.of(cases)
    typer.echo(f"案卷 {tally.cases} 件，其中有变化的 {tally.moved} 件。")
    for label, counts in tally.duties.items():
        typer.echo(f"  {label}：{'，'.join(f'{how.label} {count}' for how, count in counts.items())}")
    if tally.spending:
        typer.echo(f"  预防费用最低数合计变化 {tally.spending:+,.2f} 元")


def _report(results: list[Result], as_json: bool) -> None:
    if as_json:
        write({"cases": rows(results, "changes")})
        return
    say(results, f"案卷 {len(results)} 件。")
