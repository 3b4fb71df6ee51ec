"""紧急费用垫付: named purposes under a cap, kept on its own line until set off or recovered; runs beside any path."""

from datetime import datetime

from domain.claim import money
from domain.claim.clauses import RESCUE, of_path
from domain.wording import money as yuan
from models.contracts.claim_state import Allowance, Choice, ClaimState
from models.contracts.payment import ZERO
from models.contracts.step import Happening
from models.contracts.vocabulary import ClaimPath, Event, PaymentKind


def missing(state: ClaimState) -> tuple[str, ...]:
    """The figures that are not agreed, in Chinese."""
    terms = state.birth.terms
    named = (
        ("紧急垫付的总额上限", terms.emergency_cap),
        ("紧急垫付的用途", terms.emergency_purposes),
        ("紧急垫付的时限", terms.emergency_hours),
    )
    return tuple(name for name, figure in named if figure is None)


def suits(state: ClaimState) -> Choice:
    """Wherever the figures are agreed and cover is not denied: rescue does not wait for liability."""
    lacking = missing(state)
    terms = state.birth.terms
    because = []
    if terms.emergency_cap:
        because.append(f"垫付总额不超过 {yuan(terms.emergency_cap.value)}")
    if terms.emergency_purposes:
        because.append(f"仅用于{'、'.join(purpose.label for purpose in terms.emergency_purposes.value)}")
    if state.covered is False:
        because.append("核定不属于保险责任")
    source = f"；{terms.emergency_cap.source}（{terms.emergency_cap.by.label}）" if terms.emergency_cap else ""
    return Choice(
        path=ClaimPath.EMERGENCY_ADVANCE,
        applies=not lacking and state.covered is not False,
        because=tuple(because),
        clause=of_path(state, ClaimPath.EMERGENCY_ADVANCE, RESCUE) + source,
        missing=lacking,
    )


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
