"""The facts and figures a path asks for, each with its sentence; a pack may ask for more than the path itself."""

from collections.abc import Callable

from domain.claim import grading, money
from domain.wording import money as yuan
from models.contracts.claim_state import ClaimState
from models.contracts.payment import ZERO
from models.contracts.vocabulary import ClaimPath, PathFact, PathFigure

NAMES: dict[PathFigure, str] = {
    PathFigure.SMALL_FAST_THRESHOLD: "小额快付的金额标准",
    PathFigure.SMALL_FAST_DAYS: "小额快付的付款天数",
    PathFigure.LARGE_PREPAY_DAYS: "大额预付的付款天数",
    PathFigure.EMERGENCY_CAP: "紧急垫付的总额上限",
    PathFigure.EMERGENCY_PURPOSES: "紧急垫付的用途",
    PathFigure.EMERGENCY_HOURS: "紧急垫付的时限",
}
Shown = tuple[bool, str]
"""Whether a fact holds, and the sentence that says so."""


def missing(state: ClaimState, path: ClaimPath, own: tuple[PathFigure, ...]) -> tuple[str, ...]:
    """The figures that neither contract nor insurer's rules give, in Chinese."""
    bound = state.rulebook.path(path)
    asked = dict.fromkeys((*own, *(bound.rule.figures if bound else ())))
    return tuple(NAMES[figure] for figure in asked if getattr(state.birth.terms, figure.value) is None)


def shown(state: ClaimState, path: ClaimPath, own: tuple[PathFact, ...]) -> tuple[Shown, ...]:
    """The facts of the path and those a place adds."""
    bound = state.rulebook.path(path)
    asked = dict.fromkeys((*own, *(bound.rule.facts if bound else ())))
    return tuple(CHECKS[fact](state) for fact in asked)


def _facts_true(state: ClaimState) -> Shown:
    said = {True: "查勘认定事故真实", False: "查勘认定事故不实", None: "事故是否真实尚未查明"}
    return state.facts_true is True, said[state.facts_true]


def _liability_clear(state: ClaimState) -> Shown:
    said = {True: "责任明确", False: "责任不明确", None: "责任尚未明确"}
    return state.liability_clear is True, said[state.liability_clear]


def _within_threshold(state: ClaimState) -> Shown:
    threshold = state.birth.terms.small_fast_threshold
    if not state.losses or not all(line.determined for line in state.losses):
        return False, "损失尚未全部核定"
    total = sum((line.amount for line in state.losses), ZERO)
    if threshold is None:
        return False, f"核定损失 {yuan(total)}，没有约定金额标准"
    within = total <= threshold.value
    return within, f"核定损失 {yuan(total)}，{'未超过' if within else '超过'}标准 {yuan(threshold.value)}"


def _serious_grade(state: ClaimState) -> Shown:
    serious = grading.is_serious(state.grade)
    return serious, f"事故{state.grade_because}，{'达到' if serious else '未达到'}较大事故"


def _part_determined(state: ClaimState) -> Shown:
    certain = money.determined(state).total
    return certain > ZERO, f"已能确定的损失 {yuan(certain)}"


def _named_purpose(state: ClaimState) -> Shown:
    """Which purpose it is, each payment says and is checked by."""
    purposes = state.birth.terms.emergency_purposes
    named = "、".join(purpose.label for purpose in purposes.value) if purposes else ""
    return bool(named), f"仅用于{named}" if named else "没有约定垫付用途"


def _within_cap(state: ClaimState) -> Shown:
    """What is left of the cap, each payment is checked by."""
    cap = state.birth.terms.emergency_cap
    return cap is not None, f"垫付总额不超过 {yuan(cap.value)}" if cap else "没有约定垫付上限"


CHECKS: dict[PathFact, Callable[[ClaimState], Shown]] = {
    PathFact.FACTS_TRUE: _facts_true,
    PathFact.LIABILITY_CLEAR: _liability_clear,
    PathFact.WITHIN_THRESHOLD: _within_threshold,
    PathFact.SERIOUS_GRADE: _serious_grade,
    PathFact.PART_DETERMINED: _part_determined,
    PathFact.NAMED_PURPOSE: _named_purpose,
    PathFact.WITHIN_CAP: _within_cap,
}
