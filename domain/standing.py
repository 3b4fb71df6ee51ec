"""What the letters about a case to departments stand for after a step: what each is about, and what is still asked."""

from dataclasses import dataclass
from datetime import datetime

from domain.routing import PARTIES
from models.contracts.notice import Notice
from models.contracts.step import CaseRow, Step
from models.contracts.vocabulary import CaseKind, Event, HazardGrade

SPOKEN = frozenset(
    {
        Event.DUTY_ACKNOWLEDGED,
        Event.DUTY_TAKEN_OVER,
        Event.DEPARTMENT_ANSWERED,
        Event.HAZARD_ANSWERED,
        Event.DUTY_PASSED_ON,
    }
)
"""Whichever of these a department does about a duty, it has read its letters about it."""


@dataclass(frozen=True)
class About:
    """What a letter to a department is about: its letters under one subject are one matter of that department."""

    subject: str
    """Empty for a letter to a party of the policy: that is no department's matter."""
    ends_when_read: bool
    """It names no duty: whoever acknowledges it is done with it."""


@dataclass(frozen=True)
class Asked:
    """Letters under this subject still ask for something: they mean this open duty, which ends at `due_at`."""

    subject: str
    duty: str
    due_at: datetime | None


@dataclass(frozen=True)
class Heard:
    """A department, by its seat, has read its letters under these subjects, whichever way its word came."""

    region: str
    department: str
    subjects: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """How all matters of a case stand after a step; letters of earlier steps are judged by it too."""

    letters: tuple[About, ...]
    """Of the step's notices, in their order."""
    asked: tuple[Asked, ...]
    over: bool
    """The case has ended: nothing is asked any more, of whichever subject."""
    major: bool
    policy_number: str
    heard: Heard | None


def standing(step: Step) -> Standing:
    """Decided from the step alone."""
    row = step.row
    over = row.ended_at is not None
    return Standing(
        letters=tuple(about(notice) for notice in step.notices),
        asked=() if over else asked(row),
        over=over,
        major=row.kind is CaseKind.HAZARD and row.view.get("grade") == HazardGrade.MAJOR,
        policy_number=str(row.view.get("policy_number") or ""),
        heard=heard(step),
    )


def heard(step: Step) -> Heard | None:
    """The duty a department named, and the one that is meant by it after a report."""
    office = step.trace.actor.office if step.trace else None
    spoken = [happening.duty_key for happening in step.happened if happening.event in SPOKEN]
    if office is None or not spoken:
        return None
    command = step.cause.body.get("command") if step.cause else None
    named = str((command or {}).get("duty") or "")
    subjects = tuple(sorted({key for key in (named, *spoken) if key}))
    return Heard(office.region, office.department, subjects)


def about(notice: Notice) -> About:
    """Letters about one duty are one matter; those that name none are, by their kind."""
    if notice.to in PARTIES:
        return About(subject="", ends_when_read=False)
    key = notice.about.duty_key
    return About(subject=key or notice.kind.value, ends_when_read=not key)


def asked(row: CaseRow) -> tuple[Asked, ...]:
    """Every open duty under its own key, and under that of a report it follows."""
    dues = {brief["key"]: _due_at(brief.get("due_at")) for brief in row.view.get("duties", ())}
    meant = {key: key for key in dues} | {key: duty for key, duty in row.lives_on.items() if duty in dues}
    return tuple(Asked(subject, duty, dues[duty]) for subject, duty in meant.items())


def _due_at(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
