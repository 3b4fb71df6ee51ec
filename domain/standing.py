"""What the letters about a case to departments stand for after a step: what each is about, and what is still asked."""

from dataclasses import dataclass
from datetime import datetime

from domain.routing import PARTIES
from models.contracts.notice import Notice
from models.contracts.step import CaseRow, Step
from models.contracts.vocabulary import CaseKind, HazardGrade


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
class Standing:
    """How all matters of a case stand after a step; letters of earlier steps are judged by it too."""

    letters: tuple[About, ...]
    """Of the step's notices, in their order."""
    asked: tuple[Asked, ...]
    over: bool
    """The case has ended: nothing is asked any more, of whichever subject."""
    major: bool
    policy_number: str


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
    )


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
