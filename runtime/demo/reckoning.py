"""Tells each claim at the end: which path and why, its money line by line, who was told what; reads by the API."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.contracts.vocabulary import AccidentGrade, ClaimStage
from runtime.demo.claims import Claim
from runtime.listing import listed

TOTALS = {
    "assessed": "定损",
    "payable": "限额内应付",
    "paid": "赔款",
    "prepaid": "预付",
    "advanced": "垫付",
    "set_off": "已冲抵",
    "open": "尚待支付",
}


async def reckon(console: Console, claims: Iterable[Claim]) -> list[str]:
    """Each claim in turn; gives what does not hold of its money."""
    wrong: list[str] = []
    for claim in claims:
        view, said = await claim.get(), await claim.get("/explanation")
        ledger, notices = await claim.get("/ledger"), await claim.get("/notices")
        _head(console, claim, view)
        _way(console, said)
        console.print(_money(ledger["lines"]))
        _totals(console, ledger)
        _told(console, notices)
        wrong += [f"{claim.number}：{check['says']}" for check in ledger["checks"] if not check["holds"]]
    return wrong


def _head(console: Console, claim: Claim, view: Mapping[str, Any]) -> None:
    stage, grade = ClaimStage(view["stage"]).label, AccidentGrade(view["grade"]).label
    console.print()
    console.print(Text(f"{claim.number}〔{claim.policy.story}〕{claim.policy.name} · {grade} · {stage}", style="bold"))


def _way(console: Console, said: Mapping[str, Any]) -> None:
    """Every path it was on, with the reason and the clause; then its open and missed dates."""
    for path in (*said["former_paths"], said["path"]):
        console.print(Text(f"  路径 {path['answer']}：{'；'.join(path['because'])}"))
        if path["clause"]:
            console.print(Text(f"       依据 {path['clause']}", style="dim"))
    for date in said["dates"]:
        console.print(Text(f"  期限 {date['question']}：{date['answer']}｜{date['because'][0]}｜{date['clause']}"))


def _money(lines: Sequence[Mapping[str, Any]]) -> Table:
    table = listed("付款", "类别", "金额", "状态", "收款人", "提出／审批", "银行流水号", "依据")
    for line in lines:
        signed = f"{line['proposed_by']}／{line['approved_by'] or '—'}"
        clause = Text(line["clause"])
        payee = {"victim": "受害人", "insured": "被保险人", "supplier": "机构"}[line["payee"]]
        amount = f"{line['amount']}（冲抵 {line['set_off']}）" if line["set_off"] != "0.00" else line["amount"]
        table.add_row(
            line["number"], line["kind_label"], amount, line["status_label"], payee, signed, line["reference"], clause
        )
    return table


def _totals(console: Console, ledger: Mapping[str, Any]) -> None:
    sums = "，".join(f"{label} {ledger['totals'][name]}" for name, label in TOTALS.items() if ledger["totals"][name])
    holds = all(check["holds"] for check in ledger["checks"])
    console.print(Text(f"  合计 {sums}；{'账目相符' if holds else '账目不符'}", style="green" if holds else "red"))


def _told(console: Console, notices: Sequence[Mapping[str, Any]]) -> None:
    counted = Counter((one["to"], one["title"] or one["label"], one["label"]) for one in notices)
    for (to, title, label), number in counted.items():
        what = label if title == label else f"{label}：{title}"
        console.print(Text(f"  ✉ {to} ← {what}{f' ×{number}' if number > 1 else ''}", style="dim"))
