"""The commands that every kind of case takes: what departments do with a duty, more time, newer rules and calendars."""

from typing import Annotated

from pydantic import Field, StringConstraints

from models.contracts.base import (
    Attachment,
    Command,
    Name,
    Region,
    Text,
)
from models.contracts.calendar import WorkCalendar
from models.contracts.rulebook import PackRef, Rulebook

DutyKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}(#[1-9][0-9]{0,3})?$")]
"""A duty of a case, and which one where it comes again: `recheck`, `recheck#2`."""


class ExtendDuty(Command):
    """More time for a duty whose rule allows it, asked before it is due."""

    duty: DutyKey
    days: Annotated[int, Field(strict=True, ge=1, le=365)]
    reason: Text
    evidence: Attachment | None = None


class AcknowledgeDuty(Command):
    """A department has read a notice; repeats of its ladder end."""

    duty: DutyKey
    note: Text | None = None


class TakeOverDuty(Command):
    """A department takes the matter into its hands; the ladder stops, the duty stays open."""

    duty: DutyKey
    note: Text | None = None


class AnswerDuty(Command):
    """A department tells what it did."""

    duty: DutyKey
    answer: Text
    file: Attachment | None = None


class PassOn(Command):
    """A department names another one as the right one; what comes of the matter is told to that one from now on."""

    duty: DutyKey
    to_region: Region
    to_department: Name
    reason: Text


class AdoptCalendar(Command):
    """A newly published calendar; due dates that depended on it are computed again, on record."""

    calendar: WorkCalendar


class AdoptRules(Command):
    """Another version of the documents, as resolved for this very case; `instead_of` is what it was compared with."""

    rulebook: Rulebook
    instead_of: tuple[PackRef, ...]
    reason: Text
