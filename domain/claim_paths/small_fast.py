"""小额快付: facts true, liability clear, amount within the threshold; the figures are the contract's own."""

from datetime import datetime

from domain.claim import money
from domain.claim.clauses import DETERMINATION, of_path
from domain.claim_paths import facts, ordinary
from models.contracts.claim_state import Allowance, Choice, ClaimState
from models.contracts.step import Happening
from models.contracts.vocabulary import ClaimPath, Event, PathFact, PathFigure, PaymentKind

FACTS = (PathFact.FACTS_TRUE, PathFact.LIABILITY_CLEAR, PathFact.WITHIN_THRESHOLD)
FIGURES = (PathFigure.SMALL_FAST_THRESHOLD, PathFigure.SMALL_FAST_DAYS)


def missing(state: ClaimState) -> tuple[str, ...]:
    """The figures that are not agreed, in Chinese."""
    return facts.missing(state, ClaimPath.SMALL_FAST, FIGURES)


def suits(state: ClaimState) -> Choice:
    """All three conditions; each one is told whether it holds."""
    lacking, shown = missing(state), facts.shown(state, ClaimPath.SMALL_FAST, FACTS)
    return Choice(
        path=ClaimPath.SMALL_FAST,
        applies=not lacking and all(holds for holds, _ in shown),
        because=tuple(said for _, said in shown),
        clause=_clause(state),
        missing=lacking,
    )


def _clause(state: ClaimState) -> str:
    threshold = state.birth.terms.small_fast_threshold
    agreed = f"；{threshold.source}（{threshold.by.label}）" if threshold else ""
    return of_path(state, ClaimPath.SMALL_FAST, DETERMINATION) + agreed


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
