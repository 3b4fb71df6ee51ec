"""A claim in words: Markdown for the Temporal UI, and what a reconciliation finds; no person is named."""

from decimal import Decimal

from domain.claim import money
from domain.details import Coming, coming_lines, escaped, paragraphs, way_line
from domain.wording import money as yuan
from domain.wording import place_line
from models.contracts.claim_state import ClaimState
from models.contracts.vocabulary import ClaimStage, PaymentStatus

CLAIM_WAY = (
    ClaimStage.REPORTED,
    ClaimStage.DETERMINED,
    ClaimStage.AGREED,
    ClaimStage.COMPLETED,
    ClaimStage.CLOSED,
)

ARCHIVED = "结案归档，此后不再重开"
NEVER_HEARD_OF = "对方没有这笔指令"
ASKED_BY_KEY = "对账时按编号查询所得"


def claim_details(state: ClaimState, coming: Coming | None) -> str:
    """Markdown for the Temporal UI."""
    birth = state.birth
    return paragraphs(
        f"**理赔 {escaped(birth.number)}** · 保单 {escaped(birth.policy_number)} · {escaped(birth.insured_name)}",
        f"{place_line(birth.region, birth.sector, birth.size)} · {state.grade.label}",
        way_line(CLAIM_WAY, state.stage),
        _path(state),
        _money(state),
        _stuck(state),
        *coming_lines(coming, ended=state.closed_at is not None),
        f"最近通知：{escaped(state.last_notice)}" if state.last_notice else "",
    )


def _path(state: ClaimState) -> str:
    taken = state.paths[-1] if state.paths else None
    return f"路径：**{taken.path.label}**（{escaped(taken.because)}）" if taken else ""


def _money(state: ClaimState) -> str:
    sums = money.totals(state)
    if sums.payable is None:
        return f"定损 {yuan(sums.assessed)}；**责任限额不明，待人工确认**"
    parts = (
        f"应付 {yuan(sums.payable)}",
        f"已付 {yuan(sums.paid)}",
        f"预付 {yuan(sums.prepaid)}" if sums.prepaid else "",
        f"垫付 {yuan(sums.advanced)}" if sums.advanced else "",
        f"追回 {yuan(sums.recovered)}" if sums.recovered else "",
        f"在途 {yuan(sums.pending)}" if sums.pending else "",
    )
    return "；".join(part for part in parts if part)


def _stuck(state: ClaimState) -> str:
    """Payments that wait for a person."""
    waiting = [p for p in state.payments if p.status in (PaymentStatus.UNKNOWN, PaymentStatus.FAILED) or p.disputed]
    named = "；".join(f"{escaped(p.number)}（{'结果矛盾' if p.disputed else p.status.label}）" for p in waiting)
    return f"**待人工核实的付款**：{named}" if waiting else ""


def other_side(amount: Decimal | None, reference: str | None) -> str:
    """What the statement of a core system says of an order."""
    return "对方：" + "，".join(part for part in (yuan(amount) if amount is not None else "", reference or "") if part)


def without_reference(order_key: str, amount: str, heard: str) -> str:
    return f"付款指令 {order_key}（{yuan(Decimal(amount))}）没有银行流水号：{heard}"


def without_order(order_key: str, reference: str) -> str:
    return f"对账单列有流水 {reference or '（无流水号）'}，我方没有指令 {order_key}"


def differs(order_key: str, amount: str, other: str) -> str:
    return f"付款指令 {order_key}（{yuan(Decimal(amount))}）与对账单不符。{other}"


def one_reference(order_key: str, amount: str, reference: str, others: str) -> str:
    return (
        f"付款指令 {order_key}（{yuan(Decimal(amount))}）与 {others} 的银行流水号同为 {reference}，"
        "一笔转账只能抵一笔付款"
    )


def silent(insurer: str) -> str:
    return f"{insurer} 的核心系统没有给出对账单"
