"""How the answers of `anze rules …` look on a terminal; what they say is decided beside it."""

from collections.abc import Iterator
from datetime import date
from itertools import groupby
from typing import Any

from rich.table import Table
from rich.text import Text

from models.contracts.vocabulary import By, CaseKind, NoticeKind, Role, Sector, Size
from rules.difference import Change
from rules.reading import moment_text
from runtime.listing import filled, listed, terminal

WEEKDAYS = "一二三四五六日"


def checked(answer: dict[str, Any]) -> None:
    console = terminal()
    if answer["packs"]:
        console.print(_packs(answer["packs"], examples=True))
        console.print("工作日历：" + "、".join(str(year["year"]) for year in answer["calendars"]))
    for name, style in (("warnings", "yellow"), ("findings", "red")):
        for one in answer[name]:
            where = f"{one['file']}:{one['line']}" if one["line"] else one["file"]
            said = ": ".join(part for part in (where, one["path"], one["reason"]) if part)
            console.print(Text(f"{'警告' if name == 'warnings' else '错误'} {said}", style=style), soft_wrap=True)
    duties = sum(pack["duties"] for pack in answer["packs"])
    good = f"通过：{len(answer['packs'])} 个规则文件，{duties} 项义务，{len(answer['warnings'])} 条警告"
    console.print(good if answer["ok"] else f"未通过：{len(answer['findings'])} 处错误")


def _packs(packs: list[dict[str, Any]], *, examples: bool) -> Table:
    table = listed(
        "代码", "地区", "文号", "施行", "核对", "义务", "数值", "部门", "待定解释", *(("示例",) if examples else ())
    )
    keys = ["region", "place", "number", "in_force_on", "checked_on", "duties", "rates", "routes", "open_questions"]
    return filled(table, ([pack[key] for key in (*keys, *(("examples",) if examples else ()))] for pack in packs))


def covered(answer: dict[str, Any]) -> None:
    console = terminal()
    console.print(_packs(answer["places"], examples=False))
    console.print("工作日历：" + "、".join(map(str, answer["calendars"])))


def examples(answer: list[dict[str, Any]]) -> None:
    console = terminal()
    for file, group in groupby(answer, key=lambda one: one["file"]):
        console.print(Text(file or "示例", style="bold"), soft_wrap=True)
        for one in group:
            mark, style = ("✓", "green") if one["ok"] else ("✗", "red")
            console.print(Text(f"  {mark} {one['name'] or '无法读取'}", style=style), soft_wrap=True)
            for said in one["differences"]:
                console.print(Text(f"      {said}"), soft_wrap=True)
    failed = sum(not one["ok"] for one in answer)
    console.print(f"{len(answer)} 个示例，" + (f"{failed} 个不符" if failed else "全部相符"))


def explained(answer: dict[str, Any]) -> None:
    console = terminal()
    console.print(Text(f"{answer['label']}（{answer['duty']}）", style="bold"))
    says = By(answer["by"]).label
    console.print(f"依据：{answer['number']} {answer['clause']}（{says}）；责任方：{Role(answer['owed_by']).label}")
    if answer["because"]:
        console.print(f"叠加：{answer['because']}")
    console.print(f"起算：{answer['anchor']['on']} {answer['anchor']['label']}")
    provisional = "（暂定：所在年份的放假安排尚未公布）" if answer["provisional"] else ""
    console.print(f"末日：{answer['nominal']}；顺延后：{answer['effective']}；到期：{answer['due_at']}{provisional}")
    console.print(filled(listed("日期", "计入", "说明", title="逐日"), _strip(answer["days"])))
    console.print(filled(listed("时点", "时刻", "告知", "通知", "部门", title="通知阶梯"), _rungs(answer["ladder"])))


def _strip(days: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Days of one kind in a row stand on one line."""
    for _, group in groupby(days, key=lambda day: (day["mark"], day["note"], day["number"] is None)):
        row = list(group)
        first, last = row[0], row[-1]
        span = _dated(first["on"]) + (f" — {_dated(last['on'])}" if len(row) > 1 else "")
        count = f"第 {first['number']} 日" if first["number"] is not None else ""
        if first["number"] is not None and len(row) > 1:
            count = f"第 {first['number']}–{last['number']} 日"
        yield span, count, f"{first['label']}{'：' + first['note'] if first['note'] else ''}"


def _dated(on: str) -> str:
    return f"{on} 周{WEEKDAYS[date.fromisoformat(on).weekday()]}"


def _rungs(ladder: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for rung in ladder:
        told = "、".join(Role(role).label for role in rung["tell"])
        to = "；".join(f"{Role(role).label}：{_department(name)}" for role, name in rung["departments"].items())
        yield moment_text(rung["moment"]), rung["at"], told, NoticeKind(rung["notice"]).label, to


def _department(name: str) -> str:
    return Role.HUMAN_QUEUE.label if name == Role.HUMAN_QUEUE else name


def routed(answer: dict[str, Any]) -> None:
    title = f"{answer['place']} · {Sector(answer['sector']).label} · {answer['on']}"
    rows = (
        (
            one["label"],
            _department(one["department"]),
            f"{one['clause']}（{By(one['by']).label}）" if one["clause"] else "无规定",
            " → ".join(f"{item['place']} {item['department']}" for item in one["candidates"]),
        )
        for one in answer["roles"]
    )
    terminal().print(filled(listed("角色", "部门", "出处", "依次查找", title=title), rows))


def differences(found: tuple[Change, ...]) -> None:
    console = terminal()
    for change in found:
        console.print(Text(f"· {change}"), soft_wrap=True)
    console.print(f"共 {len(found)} 处变化" if found else "没有变化")


def shown(answer: dict[str, Any]) -> None:
    console = terminal()
    where = f"{answer['place']} · {Sector(answer['sector']).label} · {Size(answer['size']).label}"
    console.print(Text(f"{where} · {answer['on']} 签单", style="bold"))
    for pack in answer["packs"]:
        note = "" if pack["names_sector"] else "（文件列明的范围不含本行业）"
        console.print(f"  {pack['place']}：{pack['number']}，{pack['in_force_on']} 施行{note}", soft_wrap=True)
    if not answer["packs"]:
        console.print("  该日没有已施行的规则包")
    console.print(
        filled(listed("案件", "义务", "期限", "通知", "出处", "理由", title="义务"), map(_duty, answer["duties"]))
    )
    figures = ((one["label"], one["figure"], _cite(one), one["because"]) for one in answer["rates"].values())
    console.print(filled(listed("数值", "为", "出处", "理由"), figures))
    for name, key in (("前置条件", "gates"), ("必填项", "required_fields")):
        console.print(
            f"{name}：" + ("；".join(f"{one['label']}（{_cite(one)}）" for one in answer[key]) or "无"), soft_wrap=True
        )
    console.print(f"理赔的前置条件：{'；'.join(one['label'] for one in answer['claim_gates']) or '无'}", soft_wrap=True)
    console.print(filled(listed("理赔路径", "条件", "合同数字", "付款以此为界", "出处"), map(_path, answer["paths"])))
    routes = ((one["region"], Role(one["role"]).label, _department(one["department"])) for one in answer["routes"])
    console.print(filled(listed("层级", "角色", "部门"), routes))
    for one in answer["open_questions"]:
        console.print(f"待定解释 {one['place']} {one['clause']}“{one['word']}”：{one['reading']}", soft_wrap=True)


def _path(one: dict[str, Any]) -> tuple[str, ...]:
    return one["label"], *("、".join(one[key]) or "无" for key in ("facts", "figures", "pays")), _cite(one)


def _duty(one: dict[str, Any]) -> tuple[str, ...]:
    ladder = "\n".join(one["ladder"]) or "不通知"
    return CaseKind(one["case"]).label, f"{one['label']}\n{one['id']}", one["term"], ladder, _cite(one), one["because"]


def _cite(one: dict[str, Any]) -> str:
    return f"{one['number']} {one['clause']}（{By(one['by']).label}）"
