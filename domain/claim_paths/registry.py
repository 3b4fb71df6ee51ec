"""Which file answers for which path, what all paths together allow to be paid, and which path the rules choose."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from domain.claim import money
from domain.claim_paths import emergency_advance, large_prepay, ordinary, small_fast
from models.contracts.claim_state import Allowance, Choice, ClaimState
from models.contracts.payment import ZERO
from models.contracts.step import Happening
from models.contracts.vocabulary import ClaimPath, PaymentKind


class Way(NamedTuple):
    """The four functions of a path."""

    missing: Callable[[ClaimState], tuple[str, ...]]
    suits: Callable[[ClaimState], Choice]
    may_pay: Callable[[ClaimState], Allowance]
    clock: Callable[[ClaimState, datetime], tuple[Happening, ...]]


PATHS: dict[ClaimPath, Way] = {
    ClaimPath.ORDINARY: Way(ordinary.missing, ordinary.suits, ordinary.may_pay, ordinary.clock),
    ClaimPath.SMALL_FAST: Way(small_fast.missing, small_fast.suits, small_fast.may_pay, small_fast.clock),
    ClaimPath.LARGE_PREPAY: Way(large_prepay.missing, large_prepay.suits, large_prepay.may_pay, large_prepay.clock),
    ClaimPath.EMERGENCY_ADVANCE: Way(
        emergency_advance.missing, emergency_advance.suits, emergency_advance.may_pay, emergency_advance.clock
    ),
}
BY_RULE = (ClaimPath.LARGE_PREPAY, ClaimPath.SMALL_FAST, ClaimPath.ORDINARY)
"""In this order the rules choose; an advance is asked for by a person, never chosen by rule."""


def choices(state: ClaimState) -> tuple[Choice, ...]:
    """Every path with its reasons, for readers."""
    return tuple(way.suits(state) for way in PATHS.values())


def chosen_by_rule(state: ClaimState) -> Choice:
    """The first path whose conditions hold and whose figures are agreed."""
    return next(choice for path in BY_RULE if (choice := PATHS[path].suits(state)).applies)


def main_path(state: ClaimState) -> ClaimPath:
    """The path of the settlement: an advance runs beside the one before it."""
    taken = [entry.path for entry in state.paths if entry.path is not ClaimPath.EMERGENCY_ADVANCE]
    return taken[-1] if taken else ClaimPath.ORDINARY


def allowances(state: ClaimState) -> tuple[Allowance, ...]:
    """What may be paid now: by the claim's path, the determinable part on any path, and an advance once begun."""
    if state.limits.unknown:
        names = "、".join(kind.label for kind in state.limits.unknown)
        return (Allowance(because=(f"{names}不明，须先确认",)),)
    found = [PATHS[main_path(state)].may_pay(state)]
    if PaymentKind.MINIMUM not in found[0].kinds and not state.agreed:
        found.append(ordinary.determinable_part(state))
    if any(entry.path is ClaimPath.EMERGENCY_ADVANCE for entry in state.paths):
        found.append(emergency_advance.may_pay(state))
    return tuple(found)


def allowance(state: ClaimState, kind: PaymentKind) -> Allowance | None:
    """The allowance that covers a kind of payment, `None` where nothing does."""
    return next((one for one in allowances(state) if kind in one.kinds), None)


def is_final(state: ClaimState) -> bool:
    """Whether what is owed stands fast: agreed, determined on the simplified path, or nothing within the limits."""
    if not state.covered or not state.losses or state.limits.unknown:
        return False
    simplified = main_path(state) is ClaimPath.SMALL_FAST and small_fast.suits(state).applies
    return state.agreed is not None or simplified or money.payable(state).total == ZERO


def is_settled(state: ClaimState) -> bool:
    """Whether exactly what is owed has been paid."""
    return is_final(state) and money.is_paid(state)
