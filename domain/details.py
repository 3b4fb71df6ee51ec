"""What the Temporal UI shows of a case: where it stands and what comes next; letters and pages are elsewhere."""

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from domain.policy.transitions import left_out
from domain.wording import duty_line, instant, money, place_line, provisional_note
from models.contracts.hazard import HazardState
from models.contracts.policy_state import HazardBrief, PolicyState
from models.contracts.rulebook import Citation
from models.contracts.vocabulary import HazardStage, PolicyStage, Word


class Coming(NamedTuple):
    """What a case waits for next, as the details of the Temporal UI show it."""

    label: str
    effective: date | None
    cites: Citation | None = None
    rings: str = ""
    """What rings first of all duties; often of another one, which falls due later."""
    rings_at: datetime | None = None
    provisional: bool = False


POLICY_WAY = tuple(PolicyStage)[: tuple(PolicyStage).index(PolicyStage.SERVED) + 1]
HAZARD_WAY = (HazardStage.FOUND, HazardStage.TOLD, HazardStage.CLAIMED, HazardStage.CLOSED)
CLOSED_HAZARDS = frozenset({HazardStage.CLOSED, HazardStage.STOPPED})


def policy_details(state: PolicyState, coming: Coming | None, floor: Decimal | None = None) -> str:
    """Markdown for the Temporal UI: how a policy stands, what comes next and where the money is against its floor."""
    terms = state.terms
    return paragraphs(
        f"**保单 {escaped(terms.number)}** · {escaped(state.insured_name)}",
        place_line(terms.region, terms.sector, terms.size),
        way_line(POLICY_WAY, state.stage, left_out(state.facts)),
        *coming_lines(coming, ended=state.ended_at is not None),
        f"最近通知：{escaped(state.last_notice)}" if state.last_notice else "",
        _open_hazards(state.hazards),
        _spending(state.spent, floor),
        "**续保费率待复核**（曾拒不整改）" if state.rate_review else "",
    )


def hazard_details(state: HazardState, coming: Coming | None) -> str:
    """Markdown for the Temporal UI: how a hazard stands and what comes next."""
    birth = state.birth
    return paragraphs(
        f"**{birth.hazard.grade.label} {escaped(birth.hazard.number)}** · 保单 {escaped(birth.policy_number)}"
        f" · {escaped(birth.insured_name)}",
        place_line(birth.region, birth.sector, birth.size),
        way_line(HAZARD_WAY, state.stage),
        f"第 {state.rounds} 轮整改" if state.rounds > 1 else "",
        *coming_lines(coming, ended=state.ended_at is not None),
        f"最近通知：{escaped(state.last_notice)}" if state.last_notice else "",
    )


def mailroom_details(waiting: int, delivered: int, opens_at: datetime | None, last: str = "") -> str:
    """Markdown for the Temporal UI: what lies in a mailroom, without names or addresses."""
    return paragraphs(
        f"待汇总 {waiting} 件" if waiting else "没有待发通知",
        f"下次发出：{instant(opens_at)}（对方上班时间）" if waiting and opens_at else "",
        f"已发 {delivered} 封",
        f"最近一封：{last}" if last else "",
    )


def mailroom_waits(until: datetime) -> str:
    """Summary of the timer a digest waits for."""
    return f"待汇总，{instant(until)} 发出"


def paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def escaped(text: str) -> str:
    """Free text cannot become Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#|!" else letter for letter in text.replace("\n", " "))


def way_line(stages: tuple[Word, ...], now: Word, left_out: Collection[Word] = ()) -> str:
    """The stages as a line: passed ●, present in bold, to come ○, passed without being done ◌; others at the end."""
    if now not in stages:
        return f"{'─'.join('●' for _ in stages)} → **{now.label}**"
    at = stages.index(now)
    passed = [f"{'◌' if word in left_out else '●'} {word.label}" for word in stages[:at]]
    return " ─ ".join([*passed, f"**◉ {now.label}**", *(f"○ {word.label}" for word in stages[at + 1 :])])


def coming_lines(coming: Coming | None, *, ended: bool) -> tuple[str, ...]:
    if coming is None:
        return ("已办结" if ended else "没有在计的期限",)
    alarm = f"下次提醒：{instant(coming.rings_at)}，{coming.rings}" if coming.rings_at else ""
    return (
        f"下一期限：{duty_line(coming.label, coming.effective, coming.cites)}",
        alarm,
        f"*{provisional_note(coming.effective)}*" if coming.provisional else "",
    )


def _open_hazards(hazards: tuple[HazardBrief, ...]) -> str:
    unsettled = [hazard for hazard in hazards if hazard.stage not in CLOSED_HAZARDS]
    if not unsettled:
        return ""
    named = "；".join(f"{escaped(h.number)}（{h.grade.label}，{h.stage.label}）" for h in unsettled[:10])
    return f"未销号隐患 {len(unsettled)} 项：{named}{'……' if len(unsettled) > 10 else ''}"


def _spending(spent: Decimal, floor: Decimal | None) -> str:
    if floor is None:
        return f"已列支服务费：{money(spent)}" if spent else ""
    verdict = "已达下限" if spent >= floor else f"还差 {money(floor - spent)}"
    return f"服务费列支：{money(spent)} / 下限 {money(floor)}（{verdict}）"
