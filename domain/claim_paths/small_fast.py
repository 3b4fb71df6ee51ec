"""小额快付: facts true, liability clear, amount within the threshold; the figures are the contract's own."""

from datetime import datetime

from domain.claim import money
from domain.claim.clauses import DETERMINATION, of_path
from domain.claim_paths import ordinary
from domain.wording import money as yuan
from models.contracts.claim_state import Allowance, Choice, ClaimState
from models.contracts.step import Happening
from models.contracts.vocabulary import ClaimPath, Event, PaymentKind


def missing(state: ClaimState) -> tuple[str, ...]:
    """The figures that are not agreed, in Chinese."""
    terms = state.birth.terms
    named = (("小额快付的金额标准", terms.small_fast_threshold), ("小额快付的付款天数", terms.small_fast_days))
    return tuple(name for name, figure in named if figure is None)


def suits(state: ClaimState) -> Choice:
    """All three conditions; each one is told whether it holds."""
    lacking = missing(state)
    checks = (_facts(state), _liability(state), _amount(state))
    return Choice(
        path=ClaimPath.SMALL_FAST,
        applies=not lacking and all(holds for holds, _ in checks),
        because=tuple(said for _, said in checks),
        clause=_clause(state),
        missing=lacking,
    )


def _clause(state: ClaimState) -> str:
    threshold = state.birth.terms.small_fast_threshold
    agreed = f"；{threshold.source}（{threshold.by.label}）" if threshold else ""
    return of_path(state, ClaimPath.SMALL_FAST, DETERMINATION) + agreed


def _facts(state: ClaimState) -> tuple[bool, str]:
    said = {True: "查勘认定事故真实", False: "查勘认定事故不实", None: "事故是否真实尚未查明"}
    return state.facts_true is True, said[state.facts_true]


def _liability(state: ClaimState) -> tuple[bool, str]:
    said = {True: "责任明确", False: "责任不明确", None: "责任是否明确尚未查明"}
    return state.liability_clear is True, said[state.liability_clear]


def _amount(state: ClaimState) -> tuple[bool, str]:
    threshold = state.birth.terms.small_fast_threshold
    if not state.losses or not all(line.determined for line in state.losses):
        return False, "损失尚未全部核定"
    total = sum((line.amount for line in state.losses), money.ZERO)
    if threshold is None:
        return False, f"核定损失 {yuan(total)}，没有约定金额标准"
    within = total <= threshold.value
    return within, f"核定损失 {yuan(total)}，{'未超过' if within else '超过'}标准 {yuan(threshold.value)}"


def may_pay(state: ClaimState) -> Allowance:
    """Simplified: as soon as the claim is determined as covered, without a separate agreement."""
    choice = suits(state)
    if not choice.applies or not state.covered:
        return ordinary.may_pay(state)
    return Allowance(
        kinds=(PaymentKind.SETTLEMENT,),
        ceiling=money.room_of_all(state, PaymentKind.SETTLEMENT),
        because=("已核定属于保险责任，符合小额快付条件", *choice.because),
        clause=choice.clause,
    )


def clock(state: ClaimState, now: datetime) -> tuple[Happening, ...]:
    """The agreed days begin with the choice."""
    return (Happening(event=Event.SMALL_FAST_STARTED, at=now, said="按合同约定的小额快付期限付款"),)
