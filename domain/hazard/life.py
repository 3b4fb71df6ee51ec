"""The life of a hazard, decided purely: found, told, rectified, rechecked, closed, reported; the workflow waits."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from domain import alarms, duties, new_rules, notices
from domain import clock as clocks
from domain.decision import Decision, fact_instant
from domain.hazard.asking import rectification
from domain.hazard.change import Tell
from domain.hazard.changes import CHANGES
from domain.hazard.refusals import refuse
from domain.rescheduling import under_calendar
from domain.steps import ENTERED_LATE, finished, fired, rung_out
from models.contracts.base import Command, Given
from models.contracts.calendar import WorkCalendar
from models.contracts.case import AdoptCalendar, AdoptRules
from models.contracts.clock import Clock
from models.contracts.hazard import HazardBirth, HazardState
from models.contracts.notice import About, Firing, Notice
from models.contracts.rulebook import Resolved
from models.contracts.step import Happening
from models.contracts.vocabulary import Event, HazardStage, NoticeKind, StopReason

__all__ = [
    "CHANGES",
    "adopt_calendar",
    "adopt_rules",
    "awaits",
    "decide",
    "next_alarm",
    "open_hazard",
    "over",
    "refuse",
    "ring",
    "stop",
]

STAGES: dict[Event, HazardStage] = {
    Event.HAZARD_TOLD: HazardStage.TOLD,
    Event.RECTIFICATION_CLAIMED: HazardStage.CLAIMED,
    Event.RECHECK_FAILED: HazardStage.FAILED,
    Event.RECTIFICATION_REFUSED: HazardStage.REFUSED,
    Event.HAZARD_CLOSED: HazardStage.CLOSED,
}

facts_of = notices.facts_of


def open_hazard(birth: HazardBirth, resolved: Resolved, now: datetime) -> Decision[HazardState]:
    """Found: the insured is told in writing at once, the term runs, a major one may be reported already."""
    state = HazardState(
        birth=birth, opened_at=now, clock=Clock(), rulebook=resolved.rulebook, calendar=resolved.calendar
    )
    found_at = fact_instant(birth.found_on, now)
    found = Happening(
        event=Event.HAZARD_FOUND, at=found_at, said=f"{birth.hazard.grade.label}：{birth.hazard.description}"
    )
    state, happened = _enter(state, (found,), given_due=birth.hazard.due_on)
    opening = clocks.ring(state.rulebook, state.clock, state.calendar, found_at)
    state = state.model_copy(update={"clock": opening.clock})
    told = _settle_firings(state, opening.firings)
    happened += tuple(fired(firing) for firing in opening.firings)
    if birth.hazard.told_on:
        proof = Happening(
            event=Event.HAZARD_TOLD, at=fact_instant(birth.hazard.told_on, now), said="当场书面告知，有送达凭证"
        )
        state, more = _enter(state, (proof,))
        happened += more
    clock, passed = clocks.pass_over(state.rulebook, state.clock, state.calendar, now)
    state = state.model_copy(update={"clock": clock})
    told += notices.standing(facts_of(state), passed, now, ENTERED_LATE)
    state, reported = _report(state, opening.firings, now)
    return _rung(state, happened + reported, told, now, None)


def _settle_firings(state: HazardState, firings: Iterable[Firing]) -> tuple[Notice, ...]:
    told = notices.of_firings(facts_of(state), firings, note=state.birth.hazard.description)
    return tuple(notices.of_the_insured(facts_of(state), notice) for notice in told)


def _enter(
    state: HazardState, happened: Iterable[Happening], given_due: date | None = None
) -> tuple[HazardState, tuple[Happening, ...]]:
    """Let the clock, the facts and the stage hear of what happened, in order."""
    happened = tuple(happened)
    clock, stage = state.clock, state.stage
    for happening in happened:
        clock = clocks.record(state.rulebook, clock, happening.event, happening.at, given_due)
        stage = STAGES.get(happening.event, stage)
    facts = duties.fact_days(state.facts, happened)
    return state.model_copy(update={"clock": clock, "stage": stage, "facts": facts}), happened


def decide(state: HazardState, given: Given[Command], now: datetime) -> Decision[HazardState]:
    """What a command that was not refused makes of the hazard."""
    if isinstance(given.command, AdoptCalendar):
        return adopt_calendar(state, given.command.calendar, now, given)
    if isinstance(given.command, AdoptRules):
        return adopt_rules(state, given.command, now, given)
    change = CHANGES[type(given.command)](state, given.command, given.actor, now)
    state = state.model_copy(update={**change.update, "clock": change.clock or state.clock})
    state, happened = _enter(state, change.happened, change.given_due)
    if state.stage is HazardStage.CLOSED:
        closing = clocks.stop(state.clock, now, change.closes)
        ended = {"clock": closing, "ended_at": now, "objection": None, "more_time": None}
        state = state.model_copy(update=ended)
    told = tuple(_notice(state, tell, now) for tell in change.tell)
    return _rung(state, happened, told + change.notices, now, given)


def _notice(state: HazardState, tell: Tell, now: datetime) -> Notice:
    """With the term of rectification that runs now, where one does."""
    case, key = facts_of(state), rectification(state)
    about, cites = notices.about_duty(case, key, tell.note) if key else (About(note=tell.note), None)
    return notices.notice(case, notices.Message(tell.kind, tell.moment, now, about, cites), tell.to)


def ring(state: HazardState, now: datetime) -> Decision[HazardState]:
    """What time alone makes of the hazard."""
    return _rung(state, (), (), now, None)


def _rung(
    state: HazardState,
    happened: tuple[Happening, ...],
    told: tuple[Notice, ...],
    now: datetime,
    given: Given[Any] | None,
) -> Decision[HazardState]:
    """Rungs, overdue events and the report they trigger, until nothing more follows."""
    state, more, further = rung_out(
        state, now, _enter, _settle_firings, lambda case, firings: _report(case, firings, now)
    )
    return finished(state, happened + more, told + further, now, given)


def _report(state: HazardState, firings: Iterable[Firing], now: datetime) -> tuple[HazardState, tuple[Happening, ...]]:
    """The report that was just told to the departments is itself an event; the wait for their answer starts."""
    reports = [firing for firing in firings if firing.notice is NoticeKind.MAJOR_HAZARD_REPORT]
    if not reports or Event.HAZARD_REPORTED in state.facts:
        return state, ()
    told = "、".join(role.label for role in reports[0].tell)
    return _enter(state, (Happening(event=Event.HAZARD_REPORTED, at=now, said=f"已报告{told}"),))


def next_alarm(state: HazardState) -> datetime | None:
    """The next instant at which time alone changes something."""
    return None if state.ended_at else clocks.next_alarm(state.rulebook, state.clock, state.calendar)


def awaits(state: HazardState) -> str:
    """What the next alarm brings, in words; empty where nothing waits for time alone."""
    return "" if state.ended_at else alarms.awaited(state, {})


def over(state: HazardState) -> bool:
    return state.ended_at is not None


def stop(state: HazardState, reason: str, now: datetime) -> Decision[HazardState]:
    """The policy has ended early; every clock stops with the reason."""
    clock = clocks.stop(state.clock, now, StopReason.SURRENDERED)
    happening = Happening(event=Event.HAZARD_CLOSED, at=now, said=reason)
    state = state.model_copy(update={"clock": clock, "stage": HazardStage.STOPPED, "ended_at": now})
    return finished(state, (happening,), (), now, None)


def adopt_calendar(
    state: HazardState, calendar: WorkCalendar, now: datetime, given: Given[Any]
) -> Decision[HazardState]:
    """Due dates under a newly published calendar; each one that moves is put on record and told to who owes it."""
    happened, told = under_calendar(facts_of(state), calendar, f"calendar{state.seq + 1}", now)
    return _rung(state.model_copy(update={"calendar": calendar}), happened, told, now, given)


def adopt_rules(state: HazardState, command: AdoptRules, now: datetime, given: Given[Any]) -> Decision[HazardState]:
    """Another version of the documents from now on; what it does to each running duty is on record and told."""
    new = new_rules.standing(state, command.rulebook, now)
    clock, happened, told = new_rules.adopted(new, command)
    return _rung(state.model_copy(update={"rulebook": new.rulebook, "clock": clock}), happened, told, now, given)
