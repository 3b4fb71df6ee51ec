"""The entries of a pack in Chinese words, for lists and comparisons; what they mean for a case is not decided here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from models.contracts.duty import Duty, Rung, When
from models.contracts.pack import Gate, Pack, PathRule, Rate, Route
from models.contracts.vocabulary import FirstDay, Word
from rules import reasons


class Part(StrEnum):
    """The parts of a pack as people call them."""

    INSTRUMENT = "文件"
    SCOPE = "适用范围"
    DUTY = "义务"
    RATE = "数值"
    GATE = "前置条件"
    PATH = "理赔路径"
    FIELD = "必填项"
    SURRENDER = "退保"
    FEES = "费用"
    ROUTE = "部门"
    QUESTION = "待定解释"


@dataclass(frozen=True)
class Entry:
    """One entry: what it is called, and what it says, phrase by phrase."""

    part: Part
    ident: str
    label: str
    says: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        called = f"{self.label}（{self.ident}）" if self.ident and self.ident != self.label else self.label
        return f"{self.part} {called}".strip()


def words(items: tuple[Word, ...]) -> str:
    return "、".join(item.label for item in items)


def entries(pack: Pack) -> Iterator[Entry]:
    """Everything a pack says, in its order; duties with one id and several conditions are told apart by them."""
    yield _instrument(pack)
    if pack.scope:
        yield Entry(Part.SCOPE, "", "", {"行业": words(pack.scope.sectors), "条款": pack.scope.clause})
    yield from (_duty(duty) for duty in pack.duties)
    yield from (_rate(ident, rate) for ident, rate in pack.rates.items())
    yield from (_gate(gate) for gate in pack.gates)
    yield from (_path(rule) for rule in pack.paths)
    for item in pack.required_fields:
        says = {"适用": condition(item.when), "条款": item.clause, "依据": item.by.label}
        yield Entry(Part.FIELD, item.field.value, item.field.label, says)
    yield from _money(pack)
    yield from (_route(route) for route in pack.routes)
    for question in pack.open_questions:
        yield Entry(
            Part.QUESTION, question.clause, question.word, {"读作": question.reading, "依据": question.by.label}
        )


def _instrument(pack: Pack) -> Entry:
    instrument = pack.instrument
    says = {
        "文号": instrument.number,
        "名称": instrument.title,
        "印发日期": str(instrument.issued_on or "未载明"),
        "施行日期": f"{instrument.in_force_on}（{instrument.in_force_by.label}）",
        "失效日期": str(instrument.ends_on or "未规定"),
        "废止": "、".join(instrument.repeals) or "无",
    }
    return Entry(Part.INSTRUMENT, "", "", says)


def _duty(duty: Duty) -> Entry:
    says = {
        "责任方": duty.owed_by.label,
        "期限": term(duty),
        "履行": words(duty.met_by),
        "适用": condition(duty.when),
        "条款": " ".join(part for part in (duty.document, duty.clause) if part),
        "依据": duty.by.within.label,
        "次数": duty.occurs.label,
        "通知": "；".join(rung_text(rung) for rung in duty.ladder) or "不通知",
        "取代": duty.overrides or "无",
        "启用": "是" if duty.enabled else "否",
    }
    return Entry(Part.DUTY, duty.id, duty.label, says)


def term(duty: Duty) -> str:
    """自保单签署起 7 日（起算日不计入，末日遇休息日顺延）"""
    within = duty.within
    since = "或".join(event.label for event in duty.anchor)
    if duty.agreed and not within.amount:
        return f"自{since}起，依合同约定的{duty.agreed.label}"
    counted = f"{FirstDay(within.first_day).label}，{within.on_holiday.label}"
    until = "，以保险期间届满为限" if duty.until_expiry else ""
    given = "，另有指定日期的从其指定" if duty.given_by else ""
    held = (
        "，{}之后到{}期间不计".format(*(one.label for one in duty.suspended_between)) if duty.suspended_between else ""
    )
    shorter = "，合同约定更短的从其约定" if duty.agreed else ""
    return f"自{since}起 {reasons.length(duty)}（{counted}{until}{given}{held}{shorter}）"


MOMENTS = {"open": "起算时", "due": "到期时"}
UNITS = {"d": "日", "h": "小时"}


def moment_text(moment: str) -> str:
    """到期前 3 日, 到期时, 到期后 7 日"""
    if moment in MOMENTS:
        return MOMENTS[moment]
    if moment.startswith("open+"):
        return f"起算后 {moment[5:-1]} {UNITS[moment[-1]]}"
    return f"到期{'前' if moment[0] == '-' else '后'} {moment[1:-1]} {UNITS[moment[-1]]}"


def rung_text(rung: Rung) -> str:
    again = f"，此后每 {rung.repeat.every[:-1]} 日一次共 {rung.repeat.times} 次" if rung.repeat else ""
    return f"{moment_text(rung.at)}告知{words(rung.tell)}（{rung.notice.label}{again}）"


def condition(when: When) -> str:
    """To whom an entry applies, in words."""
    parts = [words(when.sectors), words(when.sizes), words(when.kinds), when.grade.label if when.grade else ""]
    if when.out_of_area is not None:
        parts.append("异地投保" if when.out_of_area else "本地投保")
    return "；".join(part for part in parts if part) or "全部"


def _rate(ident: str, rate: Rate) -> Entry:
    says = {
        "数值": reasons.figure(rate),
        "基数": rate.base.label,
        "叠加": rate.combine.label,
        "条款": " ".join(part for part in (rate.document, rate.clause) if part),
        "依据": rate.by.label,
        "启用": "是" if rate.enabled else "否",
    }
    return Entry(Part.RATE, ident, rate.label, says)


def _gate(gate: Gate) -> Entry:
    says = {
        "要求": f"{gate.before.label}之前须已{gate.needs.label}",
        "适用": condition(gate.when),
        "条款": gate.clause,
        "依据": gate.by.label,
    }
    return Entry(Part.GATE, gate.id, gate.label, says)


def _path(rule: PathRule) -> Entry:
    says = {
        "条件": words(rule.facts) or "无",
        "合同数字": words(rule.figures) or "无",
        "付款以此为界": words(rule.pays) or "无",
        "条款": " ".join(part for part in (rule.document, rule.clause) if part),
        "依据": rule.by.label,
    }
    return Entry(Part.PATH, rule.path.value, rule.path.label, says)


def _money(pack: Pack) -> Iterator[Entry]:
    if rule := pack.surrender:
        says = {"合法原因": words(rule.lawful_reasons), "适用": condition(rule.when), "条款": rule.clause}
        yield Entry(Part.SURRENDER, "", "", says)
    if rule := pack.fees:
        says = {
            "预提": "允许" if rule.provision_allowed else "不允许",
            "用途": words(rule.purposes) or "未列明",
            "条款": rule.clause,
        }
        yield Entry(Part.FEES, "", "", says)


def _route(route: Route) -> Entry:
    label = f"{route.role.label}（{words(route.sectors) or '所有行业'}）"
    department = "未指明部门，转人工处理" if route.department == "human_queue" else route.department
    says = {"部门": department, "条款": route.clause, "依据": route.by.label}
    return Entry(Part.ROUTE, "", label, says)
