"""紧急费用垫付: named purposes under a cap, kept on its own line until set off or recovered; runs beside any path."""

from datetime import datetime

from domain.claim import money
from domain.claim.clauses import RESCUE, of_path
from domain.claim_paths import facts
from models.contracts.claim_state import Allowance, Choice, ClaimState
from models.contracts.payment import ZERO
from models.contracts.step import Happening
from models.contracts.vocabulary import ClaimPath, Event, PathFact, PathFigure, PaymentKind

FACTS = (PathFact.WITHIN_CAP, PathFact.NAMED_PURPOSE)
FIGURES = (PathFigure.EMERGENCY_CAP, PathFigure.EMERGENCY_PURPOSES, PathFigure.EMERGENCY_HOURS)


def missing(state: ClaimState) -> tuple[str, ...]:
    """The figures that are not agreed, in Chinese."""
    return facts.missing(state, ClaimPath.EMERGENCY_ADVANCE, FIGURES)


def suits(state: ClaimState) -> Choice:
    """Wherever the figures are agreed and cover is not denied: rescue does not wait for liability."""
    lacking, shown = missing(state), facts.shown(state, ClaimPath.EMERGENCY_ADVANCE, FACTS)
    denied = ((False, "核定不属于保险责任"),) if state.covered is False else ()
    return Choice(
        path=ClaimPath.EMERGENCY_ADVANCE,
        applies=not lacking and all(holds for holds, _ in (*shown, *denied)),
        because=tuple(said for _, said in (*shown, *denied)),
        clause=_clause(state),
        missing=lacking,
    )


def _clause(state: ClaimState) -> str:
    cap = state.birth.terms.emergency_cap
    agreed = f"；{cap.source}（{cap.by.label}）" if cap else ""
    return of_path(state, ClaimPath.EMERGENCY_ADVANCE, RESCUE) + agreed


def may_pay(state: ClaimState) -> Allowance:
    """What is left of the cap, until the sum is agreed."""
    choice, cap = suits(state), state.birth.terms.emergency_cap
    if not choice.applies or cap is None or state.agreed is not None:
        return Allowance(ceiling=ZERO, because=choice.because, clause=choice.clause)
    return Allowance(
        kinds=(PaymentKind.ADVANCE,),
        ceiling=max(cap.value - money.advances(state), ZERO),
        because=choice.because,
        clause=choice.clause,
    )


def clock(state: ClaimState, now: datetime) -> tuple[Happening, ...]:
    """The agreed hours begin with the choice."""
    return (Happening(event=Event.EMERGENCY_ADVANCE_STARTED, at=now, said="按合同约定的时限垫付紧急费用"),)
