"""The commands `anze rules …`: check, try, explain and compare rule packs; the rules live in rules/."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from domain.calendar import local_date
from models.contracts.pack import Pack
from models.contracts.vocabulary import Role, Sector, Size, Word
from rules import lock as locks
from rules.complaints import validated
from rules.difference import changes
from rules.examples import Example, read_examples
from rules.findings import Finding, RulesRefused
from rules.library import Library
from rules.packfile import read_document
from rules.schema import SCHEMA, schema_text
from runtime import rule_answers, rule_pages, rule_views
from runtime.commands.rules_adopting import adopt
from runtime.rule_answers import Unanswerable
from runtime.trial import Situation, tried

app = typer.Typer(name="rules", help="规则包：检查、试算、解释、比较 / rule packs", no_args_is_help=True)
app.command()(adopt)

REFUSED, MISASKED = 1, 2
T = TypeVar("T")
W = TypeVar("W", bound=Word)
Packs = Annotated[
    list[Path] | None, typer.Option("--packs", help="另加的规则包文件夹，同一地区的替换内置的 / further packs")
]
Json = Annotated[bool, typer.Option("--json", help="供程序读取 / for programs")]
Region = Annotated[str, typer.Option("--region", help="六位行政区划代码 / division code")]
SectorOption = Annotated[str, typer.Option("--sector", help="行业，如 hazardous_chemicals")]
SizeOption = Annotated[str, typer.Option("--size", help="规模：large、medium、small、micro")]
On = Annotated[str | None, typer.Option("--on", help="签单日期，默认今天 / day of signing, today by default")]
Outside = Annotated[bool, typer.Option("--out-of-area", help="异地投保 / insured outside its place")]


@app.command()
def check(packs: Packs = None, as_json: Json = False) -> None:
    """检查所有规则包、示例和日历；有错误时列出全部并以 1 退出 / validate everything."""
    try:
        library = Library(extra_dirs=tuple(packs or ()))
    except RulesRefused as refused:
        _checked(rule_answers.refused(refused.findings), as_json)
    else:
        _checked(rule_answers.checked(library, _today()), as_json)


def _checked(answer: dict[str, Any], as_json: bool) -> None:
    _write(answer, as_json, rule_pages.checked)
    if not answer["ok"]:
        raise typer.Exit(REFUSED)


@app.command()
def examples(
    files: Annotated[list[Path] | None, typer.Argument(help="示例文件，默认全部规则包的示例")] = None,
    packs: Packs = None,
    as_json: Json = False,
) -> None:
    """运行示例并与规则包比较；不符时以 1 退出 / run example files."""
    library = _library(packs)
    found: list[dict[str, Any]] = []
    for path in files or _beside(library):
        found += _run(library, path)
    if not found:
        found.append(rule_answers.unreadable("", "没有可运行的示例"))
    _write(found, as_json, rule_pages.examples)
    if not all(one["ok"] for one in found):
        raise typer.Exit(REFUSED)


def _beside(library: Library) -> list[Path]:
    return sorted({pack.examples for pack in library.packs() if pack.examples.exists()})


def _run(library: Library, path: Path) -> list[dict[str, Any]]:
    try:
        read: tuple[Example, ...] = read_examples(path)
    except RulesRefused as refused:
        return [rule_answers.unreadable(str(path), str(finding)) for finding in refused.findings]
    return [rule_answers.example(path, tried(library, one)) for one in read]


@app.command()
def explain(
    region: Region,
    sector: SectorOption,
    size: SizeOption,
    duty: Annotated[str, typer.Option(help="义务编号，如 policy_upload")],
    event: Annotated[list[str], typer.Option("--event", help="事件=日期[,键=值…]，可重复 / NAME=DATE[,key=value…]")],
    out_of_area: Outside = False,
    agreed: Annotated[list[str] | None, typer.Option(help="合同约定，如 small_fast_days=5 / agreed figures")] = None,
    packs: Packs = None,
    as_json: Json = False,
) -> None:
    """逐日解释一项义务的期限 / explain a due date day by day."""
    library = _library(packs)

    def ask() -> dict[str, Any]:
        events = rule_answers.parsed_events(event)
        terms = rule_answers.parsed_terms(agreed or [])
        situation = replace(_situation(library, region, sector, size, None), terms=terms)
        return rule_answers.explained(library, situation, events, duty, out_of_area=out_of_area)

    _write(_answered(ask), as_json, rule_pages.explained)


@app.command()
def route(
    region: Region,
    sector: SectorOption,
    duty: Annotated[str | None, typer.Option(help="义务编号 / a duty")] = None,
    role: Annotated[str | None, typer.Option(help="角色，如 industry / a role")] = None,
    size: SizeOption = "medium",
    on: On = None,
    packs: Packs = None,
    as_json: Json = False,
) -> None:
    """某地某行业的角色各是哪个部门 / which department a role is."""
    library = _library(packs)

    def ask() -> dict[str, Any]:
        situation = _situation(library, region, sector, size, on)
        return rule_answers.routed(library, situation, duty, _word(Role, role, "角色") if role else None)

    _write(_answered(ask), as_json, rule_pages.routed)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="旧文件，或（配合 --region）日期")],
    after: Annotated[str, typer.Argument(metavar="B", help="新文件，或（配合 --region）日期")],
    region: Annotated[str | None, typer.Option(help="比较某地两个日期适用的规则 / a place on two days")] = None,
    packs: Packs = None,
    as_json: Json = False,
) -> None:
    """用文字说明两份规则之间的变化 / what changed, in words."""
    if region is None:
        found = changes(_pack(before), _pack(after))
    else:
        library = _library(packs)
        place = _answered(lambda: rule_answers.known_region(library, region))
        found = rule_answers.changed(library, place, _day(before), _day(after))
    _write([change.as_json() for change in found], as_json, lambda _: rule_pages.differences(found))


def _pack(name: str) -> Pack:
    try:
        return validated(read_document(Path(name)), Pack)
    except RulesRefused as refused:
        raise _complained(refused.findings) from refused


@app.command()
def lock() -> None:
    """登记新的规则文件的摘要；已登记的文件被改动时拒绝 / write packs.lock."""
    library = _library(None)
    locked, present = locks.read_lock(), locks.digests(library.known())
    if wrong := locks.broken(locked, present):
        raise _complained(wrong)
    added = locks.write_lock(locked, present)
    typer.echo("\n".join(f"新登记 / added: {name}" for name in added) or "没有新文件 / nothing new")


@app.command()
def coverage(packs: Packs = None, as_json: Json = False) -> None:
    """已建模的地区、施行日期、核对日期和待定解释 / which places are modelled."""
    _write(rule_answers.covered(_library(packs)), as_json, rule_pages.covered)


@app.command()
def show(
    region: Annotated[str, typer.Argument(help="六位行政区划代码 / division code")],
    on: On = None,
    sector: SectorOption = "hazardous_chemicals",
    size: SizeOption = "medium",
    packs: Packs = None,
    as_json: Json = False,
) -> None:
    """某地某日叠加后的规则及理由 / the stacked rules of a place, with reasons."""
    library = _library(packs)

    def ask() -> dict[str, Any]:
        return rule_views.shown(library, _situation(library, region, sector, size, on))

    _write(_answered(ask), as_json, rule_pages.shown)


@app.command()
def schema() -> None:
    """写出 rules/pack.schema.json，供编辑器使用 / write the JSON Schema."""
    SCHEMA.write_text(schema_text(), encoding="utf-8", newline="\n")
    typer.echo(f"已写出 / written: {SCHEMA.name}")


def _library(packs: list[Path] | None) -> Library:
    try:
        return Library(extra_dirs=tuple(packs or ()))
    except RulesRefused as refused:
        raise _complained(refused.findings) from refused


def _situation(library: Library, region: str, sector: str, size: str, on: str | None) -> Situation:
    place = rule_answers.known_region(library, region)
    day = _day(on) if on else _today()
    return Situation(place, _word(Sector, sector, "行业"), _word(Size, size, "规模"), day)


def _word(kind: type[W], text: str, called: str) -> W:
    try:
        return kind(text)
    except ValueError as error:
        known = "、".join(f"{word.value} {word.label}" for word in kind)
        raise Unanswerable(f"未知的{called}“{text}”；可用：{known}") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _misasked(f"“{text}”不是日期，应写作 2026-01-31") from error


def _today() -> date:
    return local_date(datetime.now().astimezone())


def _answered(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except Unanswerable as error:
        raise _misasked(str(error)) from error


def _misasked(says: str) -> typer.Exit:
    typer.echo(f"错误：{says}", err=True)
    return typer.Exit(MISASKED)


def _complained(findings: tuple[Finding, ...]) -> typer.Exit:
    for finding in findings:
        typer.echo(str(finding), err=True)
    return typer.Exit(REFUSED)


def _write(answer: Any, as_json: bool, page: Callable[[Any], None]) -> None:
    """JSON alone on standard output, always UTF-8; or a page for people."""
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2, default=str).encode())
        sys.stdout.flush()
    else:
        page(answer)
