"""The life of a hazard, decided purely: found, told, rectified, rechecked, closed, reported; the workflow waits."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from domain import clock as clocks
from domain import duties, notices
from domain.calendar import local_date
from domain.decision import Decision, fact_instant, remember
from domain.policy.life import ENTERED_LATE, fired
from domain.rescheduling import under_calendar
from domain.wording import day
from models.contracts import hazard as commands
from models.contracts.base import Actor, Command, Given
from models.contracts.clock import Clock
from models.contracts.hazard import HazardBirth, HazardState
from models.contracts.notice import About, Firing, Notice
from models.contracts.policy import AcknowledgeDuty, AdoptCalendar, AnswerDuty, ExtendDuty, TakeOverDuty
from models.contracts.rulebook import Resolved, WorkCalendar
from models.contracts.step import Happening, Refusal
from models.contracts.vocabulary import Event, HazardStage, NoticeKind, Role, StopReason

STAGES: dict[Event, HazardStage] = {
    Event.HAZARD_TOLD: HazardStage.TOLD,
    Event.RECTIFICATION_CLAIMED: HazardStage.CLAIMED,
    Event.RECHECK_FAILED: HazardStage.FAILED,
    Event.RECTIFICATION_REFUSED: HazardStage.REFUSED,
    Event.HAZARD_CLOSED: HazardStage.CLOSED,
}
OPEN_TO: dict[type[Command], frozenset[HazardStage]] = {
    commands.ConfirmTold: frozenset({HazardStage.FOUND, HazardStage.CLAIMED, HazardStage.FAILED, HazardStage.REFUSED}),
    commands.ClaimRectification: frozenset(
        {HazardStage.FOUND, HazardStage.TOLD, HazardStage.FAILED, HazardStage.REFUSED}
    ),
    commands.RefuseRectification: frozenset({HazardStage.FOUND, HazardStage.TOLD, HazardStage.FAILED}),
    commands.RecheckHazard: frozenset({HazardStage.CLAIMED}),
}
"""The transition table: at which stages a command is taken; the others are taken at any stage that is not an end."""


def facts_of(state: HazardState) -> notices.CaseFacts:
    return notices.CaseFacts(
        case_id=state.birth.case_id,
        region=state.birth.region,
        sector=state.birth.sector,
        rulebook=state.rulebook,
        calendar=state.calendar,
        clock=state.clock,
    )


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


def refuse(state: HazardState, command: Command, actor: Actor, now: datetime) -> Refusal | None:
    """The first reason why `command` is not carried out, or `None`."""
    if state.ended_at is not None:
        return Refusal(code="case_closed", says=f"隐患{state.stage.label}，不再受理")
    allowed = OPEN_TO.get(type(command))
    if allowed is not None and state.stage not in allowed:
        return Refusal(code="wrong_stage", says=f"隐患目前{state.stage.label}，不能办理此事项")
    if isinstance(command, commands.ConfirmTold) and Event.HAZARD_TOLD in state.facts:
        return Refusal(code="already_done", says="告知已有送达凭证")
    return _date(state, command, now) or CHECKS.get(type(command), _nothing)(state, command, actor, now)


def _nothing(state: HazardState, command: Command, actor: Actor, now: datetime) -> Refusal | None:
    return None


def _date(state: HazardState, command: Command, now: datetime) -> Refusal | None:
    on = getattr(command, "on", None)
    if on is not None and not state.birth.found_on <= on <= local_date(now):
        return Refusal(code="date_out_of_range", says="日期须在发现日与今天之间", status=422)
    due_on = getattr(command, "due_on", None)
    if due_on is not None and due_on < (on or local_date(now)):
        return Refusal(code="date_out_of_range", says="新的整改期限不得早于复核日", status=422)
    return None


CHECKS: dict[type[Command], Callable[..., Refusal | None]] = {
    ExtendDuty: duties.refuse_extension,
    AcknowledgeDuty: duties.refuse_hearing,
    TakeOverDuty: duties.refuse_hearing,
    AnswerDuty: duties.refuse_hearing,
}


def decide(state: HazardState, given: Given[Command], now: datetime) -> Decision[HazardState]:
    """What a command that was not refused makes of the hazard."""
    command, number = given.command, state.rounds
    if isinstance(command, AdoptCalendar):
        return adopt_calendar(state, command.calendar, now, given)
    clock, happened, update = CHANGES[type(command)](state, command, given.actor, now)
    given_due = command.due_on if isinstance(command, commands.RecheckHazard) else None
    state, happened = _enter(state.model_copy(update={**update, "clock": clock}), happened, given_due)
    told: tuple[Notice, ...] = ()
    if isinstance(command, commands.RecheckHazard):
        told = (_recheck_result(state, happened[0], f"recheck{number}", now),)
    if state.stage is HazardStage.CLOSED:
        closing = clocks.stop(state.clock, now, StopReason.CLOSED)
        state = state.model_copy(update={"clock": closing, "ended_at": now})
    return _rung(state, happened, told, now, given)


def _recheck_result(state: HazardState, happening: Happening, moment: str, now: datetime) -> Notice:
    """How the recheck ended; where it failed, with the new term of rectification."""
    case = facts_of(state)
    anew = [one.key for one in state.clock.duties if one.is_open and one.anchor is Event.RECHECK_FAILED]
    about, cites = notices.about_duty(case, anew[-1], happening.said) if anew else (About(note=happening.said), None)
    return notices.notice(case, notices.Message(NoticeKind.RECHECK_RESULT, moment, now, about, cites), Role.INSURED)


Changed = tuple[Clock, tuple[Happening, ...], dict[str, Any]]


def _told(state: HazardState, command: commands.ConfirmTold, actor: Actor, now: datetime) -> Changed:
    said = f"{actor.kind.label}确认已书面告知" + (f"：{command.note}" if command.note else "")
    return state.clock, (Happening(event=Event.HAZARD_TOLD, at=fact_instant(command.on, now), said=said),), {}


def _claimed(state: HazardState, command: commands.ClaimRectification, actor: Actor, now: datetime) -> Changed:
    at = fact_instant(command.on, now)
    files = [evidence.model_dump(mode="json") for evidence in command.evidence]
    claim = Happening(
        event=Event.RECTIFICATION_CLAIMED,
        at=at,
        said=f"{command.note}（凭证 {len(files)} 件）",
        data={"evidence": files},
    )
    told = () if Event.HAZARD_TOLD in state.facts else (_implied_told(at),)
    return state.clock, (*told, claim), {}


def _implied_told(at: datetime) -> Happening:
    """Who answers a hazard notice has received it."""
    return Happening(event=Event.HAZARD_TOLD, at=at, said="投保单位已就告知作出回应，视为送达")


def _refused(state: HazardState, command: commands.RefuseRectification, actor: Actor, now: datetime) -> Changed:
    at = fact_instant(command.on, now)
    refusal = Happening(event=Event.RECTIFICATION_REFUSED, at=at, said=command.note)
    told = () if Event.HAZARD_TOLD in state.facts else (_implied_told(at),)
    return state.clock, (*told, refusal), {"refused": True}


def _rechecked(state: HazardState, command: commands.RecheckHazard, actor: Actor, now: datetime) -> Changed:
    at = fact_instant(command.on, now)
    if command.passed:
        passed = Happening(event=Event.RECHECK_PASSED, at=at, said=command.note)
        return state.clock, (passed, Happening(event=Event.HAZARD_CLOSED, at=at, said="整改闭环，销号")), {}
    return state.clock, (Happening(event=Event.RECHECK_FAILED, at=at, said=command.note),), {"rounds": state.rounds + 1}


def _of_duty(function: Callable[..., tuple[Clock, Happening]]) -> Callable[..., Changed]:
    def change(state: HazardState, command: Any, actor: Actor, now: datetime) -> Changed:
        clock, happening = function(state, command, actor, now)
        return clock, (happening,), {}

    return change


def _answered(state: HazardState, command: AnswerDuty, actor: Actor, now: datetime) -> Changed:
    """An answer meets what waits for one; about any other matter it is put on record and meets nothing."""
    meant = clocks.running(state.clock, duties.spoken_of(state, command.duty))
    waits = meant is not None and Event.HAZARD_ANSWERED in clocks.bound(state.rulebook, meant.duty).duty.met_by
    event = Event.HAZARD_ANSWERED if waits else Event.DEPARTMENT_ANSWERED
    clock, happening = duties.answered(state, command, actor, now, event)
    return clock, (happening,), {}


CHANGES: dict[type[Command], Callable[..., Changed]] = {
    commands.ConfirmTold: _told,
    commands.ClaimRectification: _claimed,
    commands.RefuseRectification: _refused,
    commands.RecheckHazard: _rechecked,
    ExtendDuty: _of_duty(duties.extended),
    AcknowledgeDuty: _of_duty(duties.heard),
    TakeOverDuty: _of_duty(duties.heard),
    AnswerDuty: _answered,
}


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
    while True:
        rang = clocks.ring(state.rulebook, state.clock, state.calendar, now)
        if not rang.firings and not rang.overdue:
            break
        state = state.model_copy(update={"clock": rang.clock})
        told += _settle_firings(state, rang.firings)
        happened += tuple(fired(firing) for firing in rang.firings)
        state, overdue = _enter(state, (Happening(event=event, at=at, said=event.label) for event, at in rang.overdue))
        state, reported = _report(state, rang.firings, now)
        happened += overdue + reported
    return _finished(state.model_copy(update={"clock": rang.clock}), happened, told, now, given)


def _report(state: HazardState, firings: Iterable[Firing], now: datetime) -> tuple[HazardState, tuple[Happening, ...]]:
    """The report that was just told to the departments is itself an event; the wait for their answer starts."""
    reports = [firing for firing in firings if firing.notice is NoticeKind.MAJOR_HAZARD_REPORT]
    if not reports or Event.HAZARD_REPORTED in state.facts:
        return state, ()
    told = "、".join(role.label for role in reports[0].tell)
    return _enter(state, (Happening(event=Event.HAZARD_REPORTED, at=now, said=f"已报告{told}"),))


def _finished(
    state: HazardState,
    happened: tuple[Happening, ...],
    told: tuple[Notice, ...],
    now: datetime,
    given: Given[Any] | None,
) -> Decision[HazardState]:
    last = f"{day(local_date(now))} {told[-1].kind.label} → {told[-1].to.label}" if told else state.last_notice
    update: dict[str, Any] = {"seq": state.seq + 1, "last_notice": last}
    if given:
        update["remembered"] = remember(state.remembered, given)
    return Decision(state=state.model_copy(update=update), happened=happened, notices=told)


def next_alarm(state: HazardState) -> datetime | None:
    """The next instant at which time alone changes something."""
    return None if state.ended_at else clocks.next_alarm(state.rulebook, state.clock, state.calendar)


def over(state: HazardState) -> bool:
    return state.ended_at is not None


def stop(state: HazardState, reason: str, now: datetime) -> Decision[HazardState]:
    """The policy has ended early; every clock stops with the reason."""
    clock = clocks.stop(state.clock, now, StopReason.SURRENDERED)
    happening = Happening(event=Event.HAZARD_CLOSED, at=now, said=reason)
    state = state.model_copy(update={"clock": clock, "stage": HazardStage.STOPPED, "ended_at": now})
    return _finished(state, (happening,), (), now, None)


def adopt_calendar(
    state: HazardState, calendar: WorkCalendar, now: datetime, given: Given[Any]
) -> Decision[HazardState]:
    """Due dates under a newly published calendar; each one that moves is put on record and told to who owes it."""
    happened, told = under_calendar(facts_of(state), calendar, f"calendar{state.seq + 1}", now)
    return _rung(state.model_copy(update={"calendar": calendar}), happened, told, now, given)
