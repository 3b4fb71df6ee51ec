"""A policy, its hazards and claims run ahead of time on the pure clock, by event and by alarm; nothing is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from domain import clock as clocks
from domain.calendar import DAY, SHANGHAI, local_date, midnight
from domain.retelling import Fact, conducted, implied, retold
from models.contracts.calendar import WorkCalendar
from models.contracts.clock import Clock, Explanation, Projection, Rang, RunningDuty
from models.contracts.duty import Duty
from models.contracts.notice import Firing
from models.contracts.rulebook import Rulebook
from models.contracts.vocabulary import CaseKind, Event, HazardGrade, NoticeKind, Role, StopReason

__all__ = ["Books", "Fact", "Life", "Misplaced", "Rehearsal", "Told", "rehearse"]

BIRTHS = {Event.HAZARD_FOUND: CaseKind.HAZARD, Event.CLAIM_REPORTED: CaseKind.CLAIM}
"""Events with which a case beside the policy begins."""
CLOSINGS = {
    Event.HAZARD_CLOSED: StopReason.CLOSED,
    Event.CLAIM_CLOSED: StopReason.CLOSED,
    Event.CLAIM_WITHDRAWN: StopReason.WITHDRAWN,
}
ANSWERS_NOTICE = frozenset({Event.RECTIFICATION_CLAIMED, Event.RECTIFICATION_REFUSED})
"""Who answers a hazard notice has received it."""


class Misplaced(ValueError):
    """An event of a hazard or claim of which nothing is known; `fact` is the one that has no place."""

    def __init__(self, fact: Fact) -> None:
        begins = next(event for event, kind in BIRTHS.items() if kind is fact.event.case)
        super().__init__(f"“{fact.event.label}”之前须有“{begins.label}”")
        self.fact = fact


@dataclass(frozen=True)
class Books:
    """What the lives obey: the policy's rulebook, one per hazard grade, the claims', and the working calendar."""

    policy: Rulebook
    hazards: Mapping[HazardGrade, Rulebook]
    calendar: WorkCalendar
    claim: Rulebook | None = None


@dataclass(frozen=True)
class Life:
    """One case as it stands: the policy (no number), a hazard or a claim."""

    kind: CaseKind
    number: str
    rulebook: Rulebook
    clock: Clock
    happened: frozenset[Event] = frozenset()
    over: bool = False


@dataclass(frozen=True)
class Told:
    """A rung that fired: on which day (Shanghai), in whose life, for which duty, to whom, with which notice."""

    on: date
    at: datetime
    life: str
    key: str
    duty: str
    tell: tuple[Role, ...]
    notice: NoticeKind
    moment: str


@dataclass(frozen=True)
class Rehearsal:
    """How everything stands at the end, and what was told on the way, in order."""

    calendar: WorkCalendar
    lives: tuple[Life, ...]
    told: tuple[Told, ...] = ()
    passed: tuple[Told, ...] = ()
    """Rungs that already lay in the past when the policy was entered; not sent."""
    now: datetime | None = None
    """How far time has come."""

    @property
    def due(self) -> dict[str, Projection]:
        """When each duty ends: its latest occurrence, met and stopped ones too."""
        return {
            duty: clocks.project(bound, running, life.clock, self.calendar)
            for duty, (life, running, bound) in self._latest().items()
        }

    def latest(self, duty: str) -> RunningDuty | None:
        """The latest occurrence of a duty over all lives, `None` where it never arose."""
        found = self._latest().get(duty)
        return found[1] if found else None

    def explain(self, duty: str) -> Explanation | None:
        """The latest occurrence of a duty day by day, `None` where it never arose."""
        found = self._latest().get(duty)
        return clocks.explain(found[2], found[1], found[0].clock, self.calendar) if found else None

    def _latest(self) -> dict[str, tuple[Life, RunningDuty, Duty]]:
        latest: dict[str, tuple[Life, RunningDuty, Duty]] = {}
        for life in self.lives:
            for running in life.clock.duties:
                held = latest.get(running.duty)
                if held is None or held[1].anchor_at <= running.anchor_at:
                    latest[running.duty] = (life, running, clocks.bound(life.rulebook, running.duty).duty)
        return latest


def rehearse(books: Books, facts: Iterable[Fact], until: date) -> Rehearsal:
    """Everything that happens and is told until the end of the day `until` (Shanghai).

    Facts of one instant come before its alarms. Raises `Misplaced`.
    """
    facts, end = retold(facts), midnight(until + DAY)
    expires = next((local_date(fact.at) for fact in facts if fact.event is Event.POLICY_EXPIRES), None)
    facts = tuple(fact for fact in facts if fact.at < end or fact.ahead)
    opening = _opening(facts)
    stage = _opened(books, facts, opening, expires)
    for fact in facts:
        if not _at_opening(fact, opening):
            stage = _rung(stage, fact.at, inclusive=fact.event is Event.POLICY_EXPIRED)
            stage = _apply(books, replace(stage, now=fact.at), fact)
    return _rung(stage, end, inclusive=False)


def _opening(facts: tuple[Fact, ...]) -> datetime | None:
    """When the policy is entered: at signing, else with the first fact."""
    signed = [fact.at for fact in facts if fact.event is Event.POLICY_SIGNED]
    return min(signed or [fact.at for fact in facts if not fact.ahead] or [fact.at for fact in facts], default=None)


def _at_opening(fact: Fact, opening: datetime | None) -> bool:
    if opening is None or fact.event.case is not CaseKind.POLICY:
        return False
    return fact.ahead or fact.at <= opening


def _opened(books: Books, facts: tuple[Fact, ...], opening: datetime | None, expires: date | None) -> Rehearsal:
    """The policy with all that is known when it is entered; rungs before that day are not sent."""
    policy = Life(CaseKind.POLICY, "", books.policy, Clock(ends_on=expires))
    stage = Rehearsal(books.calendar, (policy,), now=opening)
    for fact in facts:
        if _at_opening(fact, opening):
            stage = _apply(books, stage, fact)
    if opening is None:
        return stage
    policy = stage.lives[0]
    clock, passed = clocks.pass_over(policy.rulebook, policy.clock, books.calendar, opening)
    told = tuple(_told(policy, firing, opening) for firing in passed)
    return replace(stage, lives=(replace(policy, clock=clock), *stage.lives[1:]), passed=told)


def _apply(books: Books, stage: Rehearsal, fact: Fact) -> Rehearsal:
    if fact.event in BIRTHS:
        stage = replace(stage, lives=(*stage.lives, _born(books, stage, fact)))
    life = _life_of(stage, fact)
    if life.over or _known(life, fact):
        return stage
    if fact.event in ANSWERS_NOTICE and Event.HAZARD_TOLD not in life.happened:
        stage = _apply(books, stage, replace(fact, event=Event.HAZARD_TOLD, due=None))
        life = _life_of(stage, fact)
    after = _entered(life, fact)
    for event in implied(fact):
        after = _entered(after, Fact(event, fact.at))
    stage = _replaced(stage, life, after)
    return _ended(stage, after, fact)


def _known(life: Life, fact: Fact) -> bool:
    """A completion that was told although the payment or refusal before it said so already."""
    return fact.event is Event.CLAIM_COMPLETED and fact.event in life.happened


def _born(books: Books, stage: Rehearsal, fact: Fact) -> Life:
    """A case beside the policy, under its number or the next one of its kind."""
    kind = BIRTHS[fact.event]
    grade = HazardGrade.MAJOR if fact.major else HazardGrade.ORDINARY
    rulebook = books.hazards[grade] if kind is CaseKind.HAZARD else books.claim
    if rulebook is None:
        raise Misplaced(fact)
    number = fact.number or str(1 + sum(1 for life in stage.lives if life.kind is kind))
    return Life(kind, number, rulebook, Clock(ends_on=stage.lives[0].clock.ends_on))


def _life_of(stage: Rehearsal, fact: Fact) -> Life:
    """Whom a fact concerns: the policy; the case of its number, else the latest; or who has the named duty."""
    if fact.event.case is CaseKind.POLICY:
        having = [life for life in stage.lives if fact.duty and clocks.running(life.clock, fact.duty)]
        return having[-1] if having else stage.lives[0]
    cases = [life for life in stage.lives if life.kind is fact.event.case and fact.number in (None, life.number)]
    if not cases:
        raise Misplaced(fact)
    return cases[-1]


def _entered(life: Life, fact: Fact) -> Life:
    """The life after the fact: ledger and duties first, then the terms it meets and opens."""
    clock = conducted(life.clock, fact)
    if fact.event is Event.POLICY_SURRENDERED:
        clock = clocks.stop(clock, fact.at, StopReason.SURRENDERED)
    clock = clocks.record(life.rulebook, clock, fact.event, fact.at, fact.due)
    return replace(life, clock=clock, happened=life.happened | {fact.event})


def _ended(stage: Rehearsal, life: Life, fact: Fact) -> Rehearsal:
    """What a fact ends: a surrender all but claims, expiry what has not run out, recheck or closing its own case."""
    if fact.event is Event.POLICY_SURRENDERED:
        return replace(stage, lives=tuple(_surrendered(one, fact.at) for one in stage.lives))
    if fact.event is Event.POLICY_EXPIRED:
        expired = clocks.expire(life.rulebook, life.clock, stage.calendar, fact.at)
        return _replaced(stage, life, replace(life, clock=expired))
    if fact.event is Event.RECHECK_PASSED:
        passed = _entered(life, replace(fact, event=Event.HAZARD_CLOSED, due=None))
        return _replaced(stage, life, _closed(passed, fact.at, StopReason.CLOSED))
    if fact.event in CLOSINGS:
        return _replaced(stage, life, _closed(life, fact.at, CLOSINGS[fact.event]))
    return stage


def _surrendered(life: Life, at: datetime) -> Life:
    """A claim outlives its policy."""
    return life if life.kind is CaseKind.CLAIM else _closed(life, at, StopReason.SURRENDERED)


def _closed(life: Life, at: datetime, reason: StopReason) -> Life:
    return life if life.over else replace(life, clock=clocks.stop(life.clock, at, reason), over=True)


def _replaced(stage: Rehearsal, before: Life, after: Life) -> Rehearsal:
    return replace(stage, lives=tuple(after if life is before else life for life in stage.lives))


def _rung(stage: Rehearsal, limit: datetime, inclusive: bool) -> Rehearsal:
    """Let every alarm before the limit ring at its own instant, in order, with what follows from it.

    An alarm that lies in the past (a term became shorter) rings now.
    """
    while alarm := _next(stage):
        at, life = max(alarm[0], stage.now or alarm[0]), alarm[1]
        if at > limit or (at == limit and not inclusive):
            break
        rang = clocks.ring(life.rulebook, life.clock, stage.calendar, at)
        told = tuple(_told(life, firing, at) for firing in rang.firings)
        stage = replace(_replaced(stage, life, _followed(life, rang, at)), told=(*stage.told, *told), now=at)
    return stage


def _next(stage: Rehearsal) -> tuple[datetime, Life] | None:
    """The earliest alarm and whose it is."""
    waiting = [
        (at, index)
        for index, life in enumerate(stage.lives)
        if not life.over and (at := clocks.next_alarm(life.rulebook, life.clock, stage.calendar))
    ]
    if not waiting:
        return None
    at, index = min(waiting)
    return at, stage.lives[index]


def _followed(life: Life, rang: Rang, at: datetime) -> Life:
    """Overdue events and the report that was just told are events themselves."""
    life = replace(life, clock=rang.clock)
    for event, due_at in rang.overdue:
        life = _entered(life, Fact(event, due_at))
    reported = any(firing.notice is NoticeKind.MAJOR_HAZARD_REPORT for firing in rang.firings)
    if reported and Event.HAZARD_REPORTED not in life.happened:
        life = _entered(life, Fact(Event.HAZARD_REPORTED, at))
    return life


def _told(life: Life, firing: Firing, at: datetime) -> Told:
    return Told(
        on=local_date(at),
        at=at.astimezone(SHANGHAI),
        life=life.number,
        key=firing.key,
        duty=firing.duty,
        tell=firing.tell,
        notice=firing.notice,
        moment=firing.moment,
    )
