"""大额预付: accident graded 较大 or above and liability clear; the determined part is paid first, again as it grows."""

from datetime import datetime

from domain.claim import money
from domain.claim.clauses import DETERMINABLE_PART, GRADES, of_path
from domain.claim_paths import facts, ordinary
from models.contracts.claim_state import Allowance, Choice, ClaimState
from models.contracts.step import Happening
from models.contracts.vocabulary import ClaimPath, Event, PathFact, PathFigure, PaymentKind

FACTS = (PathFact.SERIOUS_GRADE, PathFact.LIABILITY_CLEAR)
FIGURES = (PathFigure.LARGE_PREPAY_DAYS,)


def missing(state: ClaimState) -> tuple[str, ...]:
    """The figures that are not agreed, in Chinese."""
    return facts.missing(state, ClaimPath.LARGE_PREPAY, FIGURES)


def suits(state: ClaimState) -> Choice:
    """Grade and liability; no notice gives a share or a number of days."""
    lacking, shown = missing(state), facts.shown(state, ClaimPath.LARGE_PREPAY, FACTS)
    return Choice(
        path=ClaimPath.LARGE_PREPAY,
        applies=not lacking and all(holds for holds, _ in shown),
        because=tuple(said for _, said in shown),
        clause=_clause(state),
        missing=lacking,
    )


def _clause(state: ClaimState) -> str:
    return f"{of_path(state, ClaimPath.LARGE_PREPAY, DETERMINABLE_PART)}；{GRADES}"


def may_pay(state: ClaimState) -> Allowance:
    """The determined part of the loss at any time; the rest as on the ordinary path."""
    if state.agreed is not None or not suits(state).applies or state.covered is False:
        return ordinary.may_pay(state)
    return Allowance(
        kinds=(PaymentKind.PREPAYMENT,),
        ceiling=money.room_of_all(state, PaymentKind.PREPAYMENT),
        because=("责任明确的较大以上事故，已确定的损失先行支付",),
        clause=_clause(state),
    )


def clock(state: ClaimState, now: datetime) -> tuple[Happening, ...]:
    """The agreed days begin with the choice."""
    return (Happening(event=Event.LARGE_PREPAY_STARTED, at=now, said="按合同约定的大额预付期限付款"),)
