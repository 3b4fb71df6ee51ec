"""`anze claims list|show|timeline|ledger|payments|explain`: what the API knows of claims, as tables or as JSON."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.table import Table

from domain.wording import instant, money
from models.contracts.vocabulary import AccidentGrade, ClaimPath, ClaimStage, PayeeKind
from runtime.commands.speaking import HERE, Address, Api, AsJson, Key, asked
from runtime.listing import filled, listed, terminal

app = typer.Typer()
Claim = Annotated[str, typer.Argument(help="赔案编号或者赔案号 / id or number of the claim")]
PAGE = 200


@app.command("list")
def list_claims(
    key: Key,
    stage: Annotated[ClaimStage | None, typer.Option(help="阶段 / stage")] = None,
    path: Annotated[ClaimPath | None, typer.Option(help="路径 / path")] = None,
    grade: Annotated[AccidentGrade | None, typer.Option(help="事故等级 / grade of the accident")] = None,
    policy: Annotated[str | None, typer.Option(help="保单编号或者保单号 / id or number of the policy")] = None,
    insured: Annotated[str | None, typer.Option(help="信用代码，或名称开头 / credit code, or name")] = None,
    region: Annotated[str | None, typer.Option(help="行政区划代码，含下级 / with everything below it")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="只看已逾期的 / only what is overdue")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="至多几件 / at most")] = 50,
    api: Address = HERE,
    as_json: AsJson = False,
) -> None:
    """赔案列表，由近及远 / claims, latest first."""
    filters = {"stage": stage and stage.value, "path": path and path.value, "grade": grade and grade.value}
    filters |= {"insured": insured, "region": region, "overdue": "true" if overdue else None}

    def question(open_api: Api) -> list[dict[str, Any]]:
        of_policy = open_api.policy(policy) if policy else None
        return _pages(open_api, {**filters, "policy": of_policy}, limit)

    _write(asked(api, key, question), as_json, _listed)


@app.command()
def show(claim: Claim, key: Key, api: Address = HERE, as_json: AsJson = False) -> None:
    """赔案现状，连同事故前的隐患和服务 / a claim as it stands."""
    _write(asked(api, key, _of(claim, "")), as_json, _shown)


@app.command()
def timeline(claim: Claim, key: Key, api: Address = HERE, as_json: AsJson = False) -> None:
    """大事记：发生了什么、谁办的 / everything that happened, in the order it was recorded."""
    _write(asked(api, key, _of(claim, "/timeline")), as_json, _told)


@app.command()
def ledger(claim: Claim, key: Key, api: Address = HERE, as_json: AsJson = False) -> None:
    """资金台账：合计和必须成立的条件 / sums, and what must hold of them."""
    _write(asked(api, key, _of(claim, "/ledger")), as_json, _summed)


@app.command()
def payments(claim: Claim, key: Key, api: Address = HERE, as_json: AsJson = False) -> None:
    """每笔付款：金额、收款方、谁提出谁审批、流水号 / each payment, who signed it, its reference."""
    lines = asked(api, key, _of(claim, "/ledger"))["lines"]
    _write(lines, as_json, _paid)


@app.command()
def explain(claim: Claim, key: Key, api: Address = HERE, as_json: AsJson = False) -> None:
    """为什么走这条路径、为什么是这个金额和日期、谁审批、依据哪一条 / why this path, amount, date; who; clause."""
    _write(asked(api, key, _of(claim, "/explanation")), as_json, _because)


def _of(claim: str, shelf: str) -> Callable[[Api], Any]:
    return lambda api: api.get(f"/claims/{api.claim(claim)}{shelf}")


def _pages(api: Api, filters: Mapping[str, object], limit: int) -> list[dict[str, Any]]:
    """As many lines as are wanted, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while len(found) < limit:
        page = api.get("/claims", {**filters, "cursor": cursor, "limit": min(limit - len(found), PAGE)})
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    return found


def _write(answer: Any, as_json: bool, page: Callable[[Any], Iterable[object]]) -> None:
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    console = terminal()
    for part in page(answer):
        console.print(part)


def _yuan(amount: str | None) -> str:
    return "" if amount is None else money(Decimal(amount))


def _at(written: str | None) -> str:
    return instant(datetime.fromisoformat(written)) if written else ""


def _listed(claims: list[dict[str, Any]]) -> Iterable[object]:
    table = listed(
        "赔案号", "投保单位", "阶段", "路径", "事故等级", "定损", "已付", "最近期限", "编号", title="赔案 claims"
    )
    for one in claims:
        late = "（已逾期）" if one["overdue"] else ""
        due = f"{_at(one['next_due_at'])}{late}"
        sums = _yuan(one["assessed"]), _yuan(one["paid"])
        labels = one["stage_label"], one["path_label"], one["grade_label"]
        filled(table, [(one["number"], one["insured_name"], *labels, *sums, due, one["id"])])
    yield table


def _shown(claim: dict[str, Any]) -> Iterable[object]:
    table = Table(title=f"赔案 {claim['number']}", title_justify="left", show_header=False, box=None)
    sums, accident = claim["money"], claim["accident"]
    facts = {
        "阶段": ClaimStage(claim["stage"]).label,
        "路径": f"{ClaimPath(claim['path']).label}（{claim['paths'][-1]['because'] if claim['paths'] else ''}）",
        "保单": f"{claim['policy_number']} · {claim['insured_name']}",
        "事故": f"{_at(accident['at'])} {accident['place']}：{accident['happened']}",
        "等级": claim["grade_because"],
        "定损": _yuan(sums["assessed"]),
        "应付": _yuan(sums["payable"]),
        "已付、预付、垫付": " · ".join(_yuan(sums[name]) for name in ("paid", "prepaid", "advanced")),
        "尚待支付": _yuan(sums["open"]),
        "事故前的预防": claim["before"].get("says", ""),
    }
    yield filled(table, facts.items())
    duties = ((one["label"], one["effective"], _at(one["due_at"])) for one in claim["duties"])
    yield filled(listed("期限", "末日", "到期", title="在计的期限 duties"), duties)


def _told(entries: list[dict[str, Any]]) -> Iterable[object]:
    lines = ((one["seq"], _at(one["at"]), one["label"], one["said"], one["by"]) for one in entries)
    yield filled(listed("步", "时间", "事项", "说明", "由", title="大事记 timeline"), lines)


SUMS = {
    "assessed": "定损合计",
    "payable": "限额内应付",
    "determined": "其中可以确定",
    "paid": "已付赔款",
    "prepaid": "已预付和先予支付",
    "advanced": "已紧急垫付",
    "set_off": "其中已冲抵",
    "recovered": "已追回",
    "pending": "在途或者待核实",
    "open": "尚待支付",
}


def _summed(books: dict[str, Any]) -> Iterable[object]:
    sums = ((label, _yuan(books["totals"][name]) or "不明") for name, label in SUMS.items())
    yield filled(listed("项", "金额", title="合计 sums"), sums)
    checks = ((one["says"], "是" if one["holds"] else "否", one["clause"]) for one in books["checks"])
    yield filled(listed("条件", "成立", "依据", title="必须成立 checks"), checks)


def _paid(lines: list[dict[str, Any]]) -> Iterable[object]:
    columns = ("编号", "种类", "状态", "金额", "冲抵", "追回", "收款方", "提出", "审批", "流水号", "理由", "依据")
    table = listed(*columns, title="付款 payments")
    for one in lines:
        kinds = one["number"], one["kind_label"], one["status_label"]
        sums = (_yuan(one[name]) for name in ("amount", "set_off", "recovered"))
        proposed = f"{one['proposed_by']} {_at(one['proposed_at'])}"
        approved = f"{one['approved_by']} {_at(one['approved_at'])}".strip()
        why = one["reference"], one["because"], one["clause"]
        filled(table, [(*kinds, *sums, PayeeKind(one["payee"]).label, proposed, approved, *why)])
    yield table


def _because(answer: dict[str, Any]) -> Iterable[object]:
    parts = (answer["path"], *answer["former_paths"], *answer["other_paths"], answer["grade"], answer["amount"])
    parts = (*parts, *answer["figures"], *answer["dates"], *answer["payments"])
    said = ((one["question"], one["answer"], "\n".join(one["because"]), one["clause"]) for one in parts)
    yield filled(listed("问", "答", "理由", "依据", title=f"赔案 {answer['number']}：为什么"), said)
