"""`anze claims report|do`: any command of a claim, posted through the doors of the API; no command is known by name."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from api.claims import confirmation, doors, victims
from domain.calendar import local_date
from models.contracts.vocabulary import ClaimStage
from runtime.commands.speaking import HERE, MISASKED, Address, Api, AsJson, Key, asked

app = typer.Typer()
STDIN = "-"
Body = Annotated[str | None, typer.Option("--body", help="JSON 文件，- 为标准输入 / file of the body, - for stdin")]
Example = Annotated[bool, typer.Option("--example", help="只打印示例，不办理 / print an example and do nothing")]
Again = Annotated[
    str | None,
    typer.Option("--idempotency-key", help="重做时沿用的编号 / the key of what is repeated"),
]


@dataclass(frozen=True)
class Act:
    """Where a command is posted under its claim, by what its body says, and a body that passes today."""

    path: Callable[[dict[str, Any]], str]
    example: Callable[[date], dict[str, Any]]


def _fixed(path: str) -> Callable[[dict[str, Any]], str]:
    return lambda _: path


ACTS: dict[str, Act] = {
    **{door.update: Act(_fixed(door.path), door.example) for door in doors.DOORS},
    "record_outcome": Act(
        lambda body: f"payments/{body.pop('number', '')}/confirmation",
        lambda today: {"number": "P-2026-000001", **confirmation.confirmed(today)},
    ),
    "enter_victim": Act(_fixed("victims"), victims.person),
}
"""By the name of the command; a confirmation names its payment in the address, here it is `number` of the body."""


def _known(act: str) -> str:
    if act not in ACTS:
        raise typer.BadParameter(f"没有这项；可办理 / one of：{'、'.join(ACTS)}")
    return act


@app.command()
def report(
    policy: Annotated[str, typer.Argument(help="保单编号或者保单号 / id or number of the policy")],
    key: Key = "",
    body: Body = None,
    again: Again = None,
    example: Example = False,
    api: Address = HERE,
    as_json: AsJson = False,
) -> None:
    """报案 / report a claim under a policy."""
    if example:
        return _print(doors.report(_today()))
    given, made = _read(body), again or str(uuid4())

    def question(desk: Api) -> tuple[Any, bool]:
        return desk.post(f"/policies/{desk.policy(policy)}/claims", given, made)

    answer, replayed = asked(api, _held(key), question)
    return _said(answer, replayed, as_json)


@app.command()
def do(
    claim: Annotated[str, typer.Argument(help="赔案编号或者赔案号 / id or number of the claim")],
    act: Annotated[str, typer.Argument(parser=_known, metavar="ACT", help=f"办理事项 / one of {', '.join(ACTS)}")],
    key: Key = "",
    body: Body = None,
    again: Again = None,
    example: Example = False,
    api: Address = HERE,
    as_json: AsJson = False,
) -> None:
    """办理一件事，与接口同一张表 / any command of a claim, through the same doors as the API."""
    if example:
        return _print(ACTS[act].example(_today()))
    given, made = _read(body), again or str(uuid4())
    path = ACTS[act].path(given)
    answer, replayed = asked(
        api, _held(key), lambda desk: desk.post(f"/claims/{desk.claim(claim)}/{path}", given, made)
    )
    return _said(answer, replayed, as_json)


def _held(key: str) -> str:
    if not key:
        raise typer.BadParameter("须以 --key 或者 ANZE_API_KEY 给出密钥 / give a key", param_hint="--key")
    return key


def _read(body: str | None) -> dict[str, Any]:
    """The body as it was written. Ends the command where it is no JSON object."""
    if body is None:
        raise typer.BadParameter("须给出内容；样子见 --example / give a body, --example shows one", param_hint="--body")
    try:
        read = json.loads(sys.stdin.read() if body == STDIN else Path(body).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        read = None
    if not isinstance(read, dict):
        typer.echo("内容无法读取，或者不是 JSON 对象 / no readable JSON object", err=True)
        raise typer.Exit(MISASKED)
    return read


def _print(body: dict[str, Any]) -> None:
    typer.echo(json.dumps(body, ensure_ascii=False, indent=2))


def _said(answer: dict[str, Any], replayed: bool, as_json: bool) -> None:
    if as_json:
        return typer.echo(json.dumps(answer, ensure_ascii=False))
    done = "此前已办理，原答复 / done before" if replayed else "已办理 / done"
    if "ref" in answer:
        return typer.echo(f"{done}：受害人编号 {answer['ref']}")
    return typer.echo(f"{done}：赔案 {answer['number']}（{answer['id']}），{ClaimStage(answer['stage']).label}")


def _today() -> date:
    return local_date(datetime.now(UTC))
