"""What a command does to a hazard apart from what its duties make of it; the shape, and what answering implies."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from models.contracts.clock import Clock
from models.contracts.hazard import HazardState
from models.contracts.notice import Notice
from models.contracts.step import Happening
from models.contracts.vocabulary import Event, NoticeKind, Role, StopReason


@dataclass(frozen=True)
class Tell:
    """A notice the command itself causes; it speaks of the term of rectification where one runs afterwards."""

    kind: NoticeKind
    to: Role
    moment: str
    note: str


@dataclass(frozen=True)
class Change:
    """Events in their order, fields of the state, the clock where it was touched, and who is told."""

    happened: tuple[Happening, ...]
    update: dict[str, Any] = field(default_factory=dict)
    clock: Clock | None = None
    tell: tuple[Tell, ...] = ()
    notices: tuple[Notice, ...] = ()
    """Notices that are written already."""
    given_due: date | None = None
    """A new term of rectification that was set."""
    closes: StopReason = StopReason.CLOSED
    """Why the clocks stop, where the hazard closes."""


def answers_the_notice(state: HazardState, at: datetime) -> tuple[Happening, ...]:
    """Who answers a hazard notice has received it."""
    if Event.HAZARD_TOLD in state.facts:
        return ()
    return (Happening(event=Event.HAZARD_TOLD, at=at, said="投保单位已就告知作出回应，视为送达"),)
