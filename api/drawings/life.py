"""What the life of a policy is made of and what is said of each part; drawn by life_bar.py on either sheet."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from api.drawings import words
from api.drawings.words import Speech


class Standing(StrEnum):
    """How a milestone stands on the day of the drawing."""

    DONE = "done"
    LATE = "late"
    OVERDUE = "overdue"
    COMING = "coming"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Milestone:
    """One stage or duty of a policy. All dates are days in Shanghai."""

    label: str
    """The word of the stage: 上传, 机构, 计划, 服务, 续保."""
    due_on: date | None = None
    """The effective last day; `None` where no term runs."""
    done_on: date | None = None
    skipped: bool = False
    """A later stage was reached without it."""
    provisional: bool = False
    """The due date depends on a year whose calendar is not published."""
    href: str = ""
    """Where its explanation is, on our own pages; empty for none."""

    def standing(self, today: date) -> Standing:
        """How it stands at the end of the terms that ran out before `today`."""
        if self.done_on:
            return Standing.LATE if self.due_on and self.done_on > self.due_on else Standing.DONE
        if self.skipped:
            return Standing.SKIPPED
        return Standing.OVERDUE if self.due_on and self.due_on < today else Standing.COMING

    def on(self) -> date | None:
        """The day at which it stands: when it was done, else when it is due."""
        return self.done_on or self.due_on


@dataclass(frozen=True, slots=True)
class Mark:
    """A hazard or a claim: its number, the day it was found or reported, the day it was closed, and its page."""

    label: str
    on: date
    closed_on: date | None = None
    major: bool = False
    """A major hazard."""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """A policy from signing to expiry as it stands on `today`; milestones in the order of the stages."""

    signed_on: date
    expires_on: date
    """The last day of the cover."""
    today: date
    milestones: tuple[Milestone, ...]
    hazards: tuple[Mark, ...] = ()
    claims: tuple[Mark, ...] = ()
    ended_on: date | None = None
    """Where it ended before its time."""
    ended_label: str = ""
    """How: 退保."""

    @property
    def days(self) -> int:
        """From signing to the last day, at least one."""
        return max((self.expires_on - self.signed_on).days, 1)

    def share(self, on: date) -> float:
        """Where a day stands between signing (0) and expiry (1)."""
        return min(max((on - self.signed_on).days / self.days, 0), 1)


def milestones(life: Life, say: Speech) -> tuple[Milestone, ...]:
    """Signing, what was given, and the end of the cover."""
    ended = life.ended_on is not None or life.expires_on < life.today
    end = Milestone(
        life.ended_label or say(words.EXPIRES),
        None if life.ended_on else life.expires_on,
        life.ended_on or (life.expires_on if ended else None),
    )
    return (Milestone(say(words.SIGNED), done_on=life.signed_on), *life.milestones, end)


def story(milestone: Milestone, today: date, say: Speech) -> tuple[str, str]:
    """When it was or is due, and how it stands: 应于3月8日 · 逾期 4 天."""
    due, done = milestone.due_on, milestone.done_on
    owed = say(words.DUE_ON, day=say.day(due)) if due else ""
    if owed and milestone.provisional:
        owed += say(words.PROVISIONAL)
    match milestone.standing(today):
        case Standing.DONE:
            return owed, say(words.DONE_ON, day=say.day(done or today))
        case Standing.LATE:
            late = (done - due).days if due and done else 0
            return owed, say(words.DONE_LATE, day=say.day(done or today), n=late)
        case Standing.SKIPPED:
            return owed, say(words.SKIPPED)
        case Standing.OVERDUE:
            return owed, say(words.LATE_BY, n=(today - (due or today)).days)
        case Standing.COMING:
            return owed, _coming(due, today, say)


def _coming(due: date | None, today: date, say: Speech) -> str:
    if due is None:
        return say(words.NO_TERM)
    return say(words.DUE_TODAY) if due == today else say(words.LEFT, n=(due - today).days)


def said(life: Life, say: Speech) -> str:
    """The sentences a sighted person could read off the drawing."""
    sentences = [
        say(
            words.LIFE_SAID,
            signed=say.full_day(life.signed_on),
            expires=say.full_day(life.expires_on),
            today=say.full_day(life.today),
        )
    ]
    told = [
        milestone.label + say(words.COMMA).join(part for part in story(milestone, life.today, say) if part)
        for milestone in life.milestones
    ]
    if life.ended_on:
        told.append(f"{life.ended_label}{say.day(life.ended_on)}")
    for form, marks in ((words.HAZARDS_SAID, life.hazards), (words.CLAIMS_SAID, life.claims)):
        if marks:
            told.append(summed(form, marks, say))
    return "".join([*sentences, say(words.SEMICOLON).join(told), say(words.STOP) if told else ""])


def summed(form: str, marks: tuple[Mark, ...], say: Speech) -> str:
    """隐患 5 项，未销号 2 项"""
    return say(form, n=len(marks), open=sum(mark.closed_on is None for mark in marks))


def mark_said(mark: Mark, say: Speech) -> str:
    """A hazard or claim in a line: number, day, and whether it is closed."""
    stands = say(words.CLOSED_ON, day=say.day(mark.closed_on)) if mark.closed_on else say(words.IS_OPEN)
    major = say(words.MAJOR) if mark.major else ""
    return say(words.COMMA).join(part for part in (f"{major}{mark.label}", say.day(mark.on), stands) if part)
