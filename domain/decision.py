"""What a decision gives back: the new state and everything that follows from it. Nothing here decides."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from domain.calendar import local_date, noon
from models.contracts.base import Contract, Given
from models.contracts.hazard import HazardBirth
from models.contracts.notice import Notice
from models.contracts.payment import Answered, PaymentOrder, Release
from models.contracts.step import Happening, Refusal

S = TypeVar("S", bound=Contract)

MEMORY = 60
"""How many command keys a case carries across continue-as-new; older repeats are caught by the `commands` table."""


class Refused(Exception):
    """A command is not carried out; carries the refusal for the caller."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.says)
        self.refusal = refusal


@dataclass(frozen=True)
class Decision(Generic[S]):
    """One step of a case, before it is numbered and committed."""

    state: S
    happened: tuple[Happening, ...] = ()
    notices: tuple[Notice, ...] = ()
    births: tuple[HazardBirth, ...] = ()
    """Hazards to be opened beside the case."""
    stopped: tuple[str, ...] = ()
    """Workflow ids of companions that end with the case."""
    orders: tuple[PaymentOrder, ...] = ()
    """What is to be paid, once the step is on record."""
    releases: tuple[Release, ...] = ()
    """Room to be given back to the policy's limits, once the step is on record."""
    answers: tuple[Answered, ...] = ()
    """What was said of an order later, to be kept beside it, once the step is on record."""


def fact_instant(on: date | None, now: datetime) -> datetime:
    """When a fact dated `on` is taken to have happened: now for today, noon for an earlier day."""
    return now if on is None or on == local_date(now) else noon(on)


def remember(marks: tuple[str, ...], given: Given[Any]) -> tuple[str, ...]:
    return (*marks, given.mark)[-MEMORY:]


def is_repeat(marks: tuple[str, ...], given: Given[Any]) -> bool:
    """Whether this very command was carried out already. Raises Refused where its key was used for another body."""
    if given.mark in marks:
        return True
    if any(mark.rpartition("#")[0] == given.command_id for mark in marks):
        raise Refused(Refusal(code="key_reused", says="同一 Idempotency-Key 已用于内容不同的请求", status=422))
    return False
