"""What the life of a policy is made of and what is said of each part; drawn by life_bar.py and life_list.py."""

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
    STOPPED = "stopped"


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
    """A policy from signing to expiry as it stands on `today`; milestones between the two in the order of the stages.

    Signing and the end of the cover are drawn from their dates and are no milestones of their own.
    """

    signed_on: date
    expires_on: date
    """The last day of the cover."""
    today: date
    milestones: tuple[Milestone, ...] = ()
    hazards: tuple[Mark, ...] = ()
    claims: tuple[Mark, ...] = ()
    ended_on: date | None = None
    """The day it ended before its time; no term runs after it."""
    ended_label: str = ""
    """How it ended: 退保."""

    @property
    def until(self) -> date:
        """The day up to which terms ran."""
        return min(self.today, self.ended_on) if self.ended_on else self.today

    def share(self, on: date) -> float:
        """Where a day stands between signing (0) and expiry (1)."""
        length = max((self.expires_on - self.signed_on).days, 1)
        return min(max((on - self.signed_on).days / length, 0), 1)

    def standing(self, of: Milestone) -> Standing:
        """A term has run out on the day after its due day; what was not due when the policy ended is dropped."""
        if of.done_on:
            return Standing.LATE if of.due_on and of.done_on > of.due_on else Standing.DONE
        if of.skipped:
            return Standing.SKIPPED
        if of.due_on and of.due_on < self.until:
            return Standing.OVERDUE
        return Standing.STOPPED if self.ended_on else Standing.COMING


def milestones(life: Life, say: Speech) -> tuple[Milestone, ...]:
    """Signing, what was given, and the end of the cover."""
    over = life.expires_on if life.expires_on < life.today else None
    due = None if life.ended_on else life.expires_on
    end = Milestone(life.ended_label or say(words.EXPIRES), due, life.ended_on or over)
    return (Milestone(say(words.SIGNED), done_on=life.signed_on), *life.milestones, end)


def owed(of: Milestone, life: Life, say: Speech) -> tuple[str, ...]:
    """When it is due: 应于3月8日, with its year where that is not this year, and that this may still move."""
    if of.due_on is None:
        return ()
    due = say(words.DUE_ON, day=say.day_in(of.due_on, life.today.year))
    return (due, say(words.PROVISIONAL)) if of.provisional and not of.done_on else (due,)


def fared(of: Milestone, life: Life, say: Speech) -> tuple[str, ...]:
    """How it stands: 3月12日完成, 晚 4 天; with the year where that is not this year."""
    due, done, stands = of.due_on, of.done_on, life.standing(of)
    if done:
        told = say(words.DONE_ON, day=say.day_in(done, life.today.year))
        return (told, say(words.LATER, n=(done - due).days)) if due and done > due else (told,)
    if stands is Standing.OVERDUE and due:
        late = say(words.LATE_BY, n=(life.until - due).days)
        return (late, say(words.STOPPED)) if life.ended_on else (late,)
    return (_waiting(due, stands, life, say),)


def _waiting(due: date | None, stands: Standing, life: Life, say: Speech) -> str:
    if stands is not Standing.COMING:
        return say(words.SKIPPED if stands is Standing.SKIPPED else words.STOPPED)
    if due is None:
        return say(words.NO_TERM)
    return say(words.DUE_TODAY) if due == life.today else say(words.LEFT, n=(due - life.today).days)


def mark_said(mark: Mark, kind: str, say: Speech) -> str:
    """A hazard or claim in a line: 重大隐患 YH-3，9月10日，未结; `kind` is the word HAZARDS or CLAIMS."""
    stands = say(words.CLOSED_ON, day=say.day(mark.closed_on)) if mark.closed_on else say(words.IS_OPEN)
    form = words.MAJOR if mark.major else words.HAZARD if kind == words.HAZARDS else words.CLAIM
    name = say(form, label=mark.label)
    return say(words.COMMA).join((name, say.day(mark.on), stands))


def summed(form: str, marks: tuple[Mark, ...], say: Speech) -> str:
    """隐患 5 项，未销号 2 项"""
    return say(form, n=len(marks), open=sum(mark.closed_on is None for mark in marks))


def said(life: Life, say: Speech) -> str:
    """The sentences a sighted person could read off the drawing."""
    signed, expires, today = (say.full_day(on) for on in (life.signed_on, life.expires_on, life.today))
    told = [
        f"{of.label} {say(words.COMMA).join((*owed(of, life, say), *fared(of, life, say)))}" for of in life.milestones
    ]
    if life.ended_on:
        told.append(f"{life.ended_label} {say.full_day(life.ended_on)}")
    for form, marks in ((words.HAZARDS_SAID, life.hazards), (words.CLAIMS_SAID, life.claims)):
        told += [summed(form, marks, say)] if marks else []
    first = say(words.LIFE_SAID, signed=signed, expires=expires, today=today)
    return first + say(words.SEMICOLON).join(told) + (say(words.STOP) if told else "")
