"""What one kind of case brings to the loop: its pure functions, and how it is shown. Nothing here runs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from domain.decision import Decision
from domain.details import Coming
from models.contracts.base import Actor, Command, Contract, Given
from models.contracts.claim_state import ClaimState
from models.contracts.hazard import HazardState
from models.contracts.policy_state import PolicyState
from models.contracts.step import CaseRow, Refusal

S = TypeVar("S", PolicyState, HazardState, ClaimState)
V = TypeVar("V", bound=Contract)


@dataclass(frozen=True)
class Life(Generic[S, V]):
    """The pure functions of one kind of case, and how it is shown."""

    refuse: Callable[[S, Command, Actor, datetime], Refusal | None]
    decide: Callable[[S, Given[Any], datetime], Decision[S]]
    ring: Callable[[S, datetime], Decision[S]]
    next_alarm: Callable[[S], datetime | None]
    awaits: Callable[[S], str]
    """What the next alarm brings, in words; empty where none is set."""
    over: Callable[[S], bool]
    view: Callable[[S], V]
    row: Callable[[S, V, dict[str, Any]], CaseRow]
    answer: type[V]
    coming: Callable[[S], Coming | None]
    details: Callable[[S, Coming | None], str]
    idle: str
    """What it waits for where no duty is open."""
    heard: Callable[[S, dict[str, Any], datetime], Decision[S] | None]
    """What news of another case, as JSON, makes of this one."""
    commands: dict[str, type[Command]]
    """Every command by its name, to carry one out again."""
    chapter: Callable[[S], str]
    """A name of the stage of life; when it changes, the run is continued as new."""
