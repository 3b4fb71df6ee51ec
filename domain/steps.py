"""How a step of any case ends: rungs ring until nothing more follows, then it is complete; meaning is in each life."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from domain import clock as clocks
from domain.calendar import local_date
from domain.decision import Decision, remember
from domain.wording import day
from models.contracts.base import Given
from models.contracts.claim_state import ClaimState
from models.contracts.hazard import HazardState
from models.contracts.notice import Firing, Notice
from models.contracts.policy_state import PolicyState
from models.contracts.step import Happening
from models.contracts.vocabulary import Event

S = TypeVar("S", PolicyState, HazardState, ClaimState)
Entered = tuple[S, tuple[Happening, ...]]

ENTERED_LATE = "建档时已在履行期内，此前的提醒未发送"


def fired(firing: Firing) -> Happening:
    """The timeline line of a rung."""
    tell = "、".join(role.label for role in firing.tell)
    return Happening(
        event=Event.RUNG_FIRED,
        at=firing.at,
        duty_key=firing.key,
        said=f"{firing.notice.label} → {tell}",
        data={"moment": firing.moment, "tell": [role.value for role in firing.tell], "notice": firing.notice.value},
    )


def rung_out(
    state: S,
    now: datetime,
    enter: Callable[[S, Iterable[Happening]], Entered[S]],
    tell: Callable[[S, Iterable[Firing]], tuple[Notice, ...]],
    follow: Callable[[S, Iterable[Firing]], Entered[S]] | None = None,
) -> tuple[S, tuple[Happening, ...], tuple[Notice, ...]]:
    """All rungs and overdue events up to now, and what they open in their turn.

    `enter` lets the case hear of overdue events, `tell` writes the notices, `follow` says what else a firing causes.
    """
    happened: tuple[Happening, ...] = ()
    told: tuple[Notice, ...] = ()
    while True:
        rang = clocks.ring(state.rulebook, state.clock, state.calendar, now)
        state = state.model_copy(update={"clock": rang.clock})
        if not rang.firings and not rang.overdue:
            return state, happened, told
        told += tell(state, rang.firings)
        state, overdue = enter(state, [Happening(event=event, at=at, said=event.label) for event, at in rang.overdue])
        state, more = follow(state, rang.firings) if follow else (state, ())
        happened += (*(fired(firing) for firing in rang.firings), *overdue, *more)


def finished(
    state: S,
    happened: tuple[Happening, ...],
    told: tuple[Notice, ...],
    now: datetime,
    given: Given[Any] | None,
) -> Decision[S]:
    """The decision of a complete step: numbered, with what was told last, and the command remembered."""
    last = f"{day(local_date(now))} {told[-1].kind.label} → {told[-1].to.label}" if told else state.last_notice
    update: dict[str, Any] = {"seq": state.seq + 1, "last_notice": last}
    if given:
        update["remembered"] = remember(state.remembered, given)
    return Decision(state=state.model_copy(update=update), happened=happened, notices=told)
