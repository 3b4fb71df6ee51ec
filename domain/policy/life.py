"""The life of a policy, decided purely: open, decide, ring, next alarm, over. Waiting is the workflow's business."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from domain import alarms, duties, new_rules, notices
from domain import clock as clocks
from domain.calendar import midnight, noon
from domain.decision import Decision
from domain.policy import past
from domain.policy.changes import CHANGES, Change
from domain.policy.transitions import ENDED, further
from domain.policy.years import year_start
from domain.rescheduling import date_moved, under_calendar
from domain.steps import ENTERED_LATE, finished, rung_out
from domain.wording import until_line
from models.contracts.base import Command, Given
from models.contracts.calendar import WorkCalendar
from models.contracts.case import AdoptCalendar, AdoptRules
from models.contracts.clock import Clock
from models.contracts.hazard import HazardNews
from models.contracts.ids import hazard_workflow_id
from models.contracts.notice import About, Firing, Notice
from models.contracts.policy import OpenPolicy
from models.contracts.policy_state import Birth, PolicyState
from models.contracts.rulebook import Resolved
from models.contracts.step import Happening
from models.contracts.vocabulary import Event, HazardGrade, HazardStage, NoticeKind, PolicyStage, Role, StopReason

CLOSED_HAZARD = frozenset({HazardStage.CLOSED, HazardStage.STOPPED})


facts_of = notices.facts_of


def open_policy(birth: Birth, given: Given[OpenPolicy], resolved: Resolved, now: datetime) -> Decision[PolicyState]:
    """The first step: true dates are entered, rungs in the past are not sent, what stands open is told once."""
    terms = given.command.terms
    state = PolicyState(
        birth=birth,
        terms=terms,
        insured_id=given.command.insured_id,
        insured_name=given.command.insured_name,
        opened_at=now,
        opened_with=given.fingerprint,
        clock=Clock(ends_on=terms.expires_on),
        rulebook=resolved.rulebook,
        calendar=resolved.calendar,
    )
    state, entered = _enter(state, past.history(given.command, now))
    happened = past.on_record(entered)
    clock, passed = clocks.pass_over(state.rulebook, state.clock, state.calendar, now)
    state = state.model_copy(update={"clock": clock, **past.tallies(given.command, state.year)})
    happened += (Happening(event=Event.POLICY_OPENED, at=now, said=f"由{given.actor.kind.label}建档"),)
    happened += tuple(_passed_over(firing) for firing in passed)
    told = notices.standing(facts_of(state), passed, now, ENTERED_LATE) + _welcome(state, now)
    return finished(state, happened, told, now, given)


def _enter(state: PolicyState, happened: Iterable[Happening]) -> tuple[PolicyState, tuple[Happening, ...]]:
    """Let the clock, the facts and the stage hear of what happened, in order."""
    happened = tuple(happened)
    clock, stage, year = state.clock, state.stage, state.year
    for happening in happened:
        clock = clocks.record(state.rulebook, clock, happening.event, happening.at)
        stage = further(stage, happening.event)
        year += happening.event is Event.POLICY_YEAR_STARTED
    facts = duties.fact_days(state.facts, happened)
    update: dict[str, Any] = {"clock": clock, "stage": stage, "facts": facts, "year": year}
    return state.model_copy(update=update), happened


def _passed_over(firing: Firing) -> Happening:
    tell = "、".join(role.label for role in firing.tell)
    return Happening(
        event=Event.RUNG_PASSED_OVER, at=firing.at, duty_key=firing.key, said=f"{firing.notice.label}（{tell}）未发送"
    )


def _welcome(state: PolicyState, now: datetime) -> tuple[Notice, ...]:
    about = About(
        note="；".join(
            until_line(brief.label, brief.effective, brief.due_at, provisional=brief.provisional)
            for brief in duties.briefs(state)
            if brief.effective
        )
    )
    message = notices.Message(NoticeKind.POLICY_OPENED, "opened", now, about)
    return tuple(notices.notice(facts_of(state), message, role) for role in (Role.INSURED, Role.INSURER))


def decide(state: PolicyState, given: Given[Command], now: datetime) -> Decision[PolicyState]:
    """What a command that was not refused makes of the policy."""
    if isinstance(given.command, AdoptCalendar):
        return adopt_calendar(state, given.command.calendar, now, given)
    if isinstance(given.command, AdoptRules):
        return adopt_rules(state, given.command, now, given)
    change = CHANGES[type(given.command)](state, given.command, given.actor, now)
    return _apply(state, change, now, given)


def _apply(state: PolicyState, change: Change, now: datetime, given: Given[Command] | None) -> Decision[PolicyState]:
    clock = change.clock or state.clock
    state = state.model_copy(update={**change.update, "clock": clock})
    state, happened = _enter(state, change.happened)
    about = About(note=change.happened[0].said, visit=change.visit)
    told = tuple(
        notices.notice(facts_of(state), notices.Message(kind, moment, now, about), role)
        for kind, role, moment in change.tell
    )
    told += tuple(
        date_moved(facts_of(state), key, said, f"endorsed{state.seq + 1}", now) for key, said in change.moved.items()
    )
    stopped = tuple(
        _hazard_workflow(state, brief.number) for brief in state.hazards if brief.stage not in CLOSED_HAZARD
    )
    decision = _rung(state, happened, told + change.notices, now, given)
    return Decision(
        state=decision.state,
        happened=decision.happened,
        notices=decision.notices,
        births=change.births,
        stopped=stopped if change.stops else (),
    )


def _hazard_workflow(state: PolicyState, number: str) -> str:
    return hazard_workflow_id(state.birth.insurer_code, state.terms.number, number)


def ring(state: PolicyState, now: datetime) -> Decision[PolicyState]:
    """What time alone makes of the policy: years that start, rungs that fire, the end of cover."""
    happened: tuple[Happening, ...] = ()
    while (starts_at := _next_year_at(state)) and now >= starts_at:
        started = past.year_begins(state.terms.services_per_year, noon(_next_year_on(state)))
        turned = {"visits_this_year": 0, "visits_last_year": state.visits_this_year}
        state, begun = _enter(state.model_copy(update=turned), started)
        happened += begun
    return _rung(state, happened, (), now, None)


def _rung(
    state: PolicyState,
    happened: tuple[Happening, ...],
    told: tuple[Notice, ...],
    now: datetime,
    given: Given[Command] | None,
) -> Decision[PolicyState]:
    state, more, further_told = rung_out(state, now, _enter, _told)
    happened, told = happened + more, told + further_told
    if now >= ends_at(state) and state.stage not in ENDED:
        state, ended = _enter(state, _end(state))
        clock = clocks.expire(state.rulebook, state.clock, state.calendar, now)
        state, happened = state.model_copy(update={"clock": clock}), happened + ended
    return finished(_closed(state, now), happened, told, now, given)


def _told(state: PolicyState, firings: Iterable[Firing]) -> tuple[Notice, ...]:
    return notices.of_firings(facts_of(state), firings)


def _closed(state: PolicyState, now: datetime) -> PolicyState:
    """After the end of cover the case lives on until the ladders of what was missed have run out."""
    if state.stage not in ENDED or state.ended_at is not None:
        return state
    renewed = Event.POLICY_RENEWED in state.facts and state.stage is PolicyStage.EXPIRED
    stage = PolicyStage.RENEWED if renewed else state.stage
    if clocks.next_alarm(state.rulebook, state.clock, state.calendar) is not None:
        return state.model_copy(update={"stage": stage})
    clock = clocks.stop(state.clock, now, StopReason.EXPIRED)
    return state.model_copy(update={"stage": stage, "clock": clock, "ended_at": now})


def _end(state: PolicyState) -> tuple[Happening, ...]:
    at = ends_at(state)
    if Event.POLICY_RENEWED in state.facts:
        return (Happening(event=Event.POLICY_EXPIRED, at=at, said="保险期间届满，已续保"),)
    return (
        Happening(event=Event.POLICY_EXPIRED, at=at, said="保险期间届满"),
        Happening(event=Event.POLICY_LAPSED, at=at, said="届满时未见续保记录"),
    )


def ends_at(state: PolicyState) -> datetime:
    """The instant cover has ended: 24:00 of its last day."""
    return midnight(state.terms.expires_on + timedelta(days=1))


def _next_year_on(state: PolicyState) -> date:
    return year_start(state.terms.effective_on, state.year + 1)


def _next_year_at(state: PolicyState) -> datetime | None:
    started = _next_year_on(state)
    return midnight(started) if started <= state.terms.expires_on else None


def next_alarm(state: PolicyState) -> datetime | None:
    """The next instant at which time alone changes something; `None` once the policy has ended."""
    if state.ended_at is not None:
        return None
    rungs = clocks.next_alarm(state.rulebook, state.clock, state.calendar)
    return min((alarm for alarm in (rungs, *_turns(state).values()) if alarm is not None), default=None)


def awaits(state: PolicyState) -> str:
    """What the next alarm brings, in words; empty once the policy has ended."""
    return alarms.awaited(state, _turns(state)) if state.ended_at is None else ""


def _turns(state: PolicyState) -> dict[str, datetime | None]:
    """When the policy itself changes: a year of it begins, the cover ends."""
    if state.stage in ENDED:
        return {}
    return {Event.POLICY_YEAR_STARTED.label: _next_year_at(state), Event.POLICY_EXPIRED.label: ends_at(state)}


def over(state: PolicyState) -> bool:
    return state.ended_at is not None


def hear(state: PolicyState, news: HazardNews, now: datetime) -> Decision[PolicyState] | None:
    """How a hazard stands now, and the mark for a rate review (never a rate) where a major one was refused."""
    known = {brief.number: brief for brief in state.hazards}
    if news.number not in known or state.ended_at is not None:
        return None
    hazards = tuple(
        brief.model_copy(update={"stage": news.stage}) if brief.number == news.number else brief
        for brief in state.hazards
    )
    marks = news.refused and news.grade is HazardGrade.MAJOR and not state.rate_review
    said = f"隐患 {news.number}：{news.stage.label}"
    happened = (Happening(event=Event.RATE_REVIEW_MARKED, at=now, said=f"{said}，续保时复核费率"),) if marks else ()
    state = state.model_copy(update={"hazards": hazards, "rate_review": state.rate_review or marks})
    return finished(state, happened, (), now, None)


def adopt_calendar(
    state: PolicyState, calendar: WorkCalendar, now: datetime, given: Given[Any]
) -> Decision[PolicyState]:
    """Due dates under a newly published calendar; each one that moves is put on record and told to who owes it."""
    happened, told = under_calendar(facts_of(state), calendar, f"calendar{state.seq + 1}", now)
    return _rung(state.model_copy(update={"calendar": calendar}), happened, told, now, given)


def adopt_rules(state: PolicyState, command: AdoptRules, now: datetime, given: Given[Any]) -> Decision[PolicyState]:
    """Another version of the documents from now on; what it does to each running duty is on record and told."""
    new = new_rules.standing(state, command.rulebook, now)
    clock, happened, told = new_rules.adopted(new, command)
    return _rung(state.model_copy(update={"rulebook": new.rulebook, "clock": clock}), happened, told, now, given)
