"""The life of a claim, decided purely: reported, determined, paid or refused, closed, reopened; the workflow waits."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from domain import alarms, duties, new_rules, notices
from domain import clock as clocks
from domain.calendar import local_date, midnight
from domain.claim import clauses, grading, money, orders, payments
from domain.claim.change import Change
from domain.claim.changes import CHANGES, by_rule
from domain.claim.contract_terms import STARTS, with_terms
from domain.claim.refusals import refuse, refuse_opening
from domain.claim.wording import ARCHIVED
from domain.claim_paths import registry
from domain.decision import Decision, fact_instant
from domain.rescheduling import under_calendar
from domain.steps import ENTERED_LATE, finished, rung_out
from models.contracts.base import Command, Given
from models.contracts.calendar import WorkCalendar
from models.contracts.case import AdoptCalendar, AdoptRules
from models.contracts.claim import ClaimBirth, ReportClaim
from models.contracts.claim_state import ClaimState, PathTaken
from models.contracts.notice import About, Firing, Notice
from models.contracts.payment import ZERO, OrderOutcome
from models.contracts.rulebook import Citation, Resolved
from models.contracts.step import Happening
from models.contracts.vocabulary import By, CaseKind, ClaimPath, ClaimStage, Event, NoticeKind, Role, StopReason

__all__ = [
    "adopt_calendar",
    "adopt_rules",
    "awaits",
    "decide",
    "hear",
    "holds_room",
    "next_alarm",
    "open_claim",
    "over",
    "pending_orders",
    "refuse",
    "refuse_opening",
    "reservation",
    "ring",
]

pending_orders = orders.pending_orders
reservation = orders.reservation
holds_room = orders.holds_room

NATION = "000000"
REOPENABLE = timedelta(days=730)
"""By product: how long a closed claim can be taken up again, after the limitation of 保险法 26."""
STAGES: dict[Event, ClaimStage] = {
    Event.DOCUMENTS_REQUESTED: ClaimStage.DOCUMENTS_AWAITED,
    Event.DOCUMENTS_RECEIVED: ClaimStage.REPORTED,
    Event.CLAIM_DETERMINED: ClaimStage.DETERMINED,
    Event.COVERAGE_DENIED: ClaimStage.DENIED,
    Event.SETTLEMENT_AGREED: ClaimStage.AGREED,
    Event.CLAIM_COMPLETED: ClaimStage.COMPLETED,
    Event.CLAIM_CLOSED: ClaimStage.CLOSED,
    Event.CLAIM_REOPENED: ClaimStage.REPORTED,
    Event.CLAIM_WITHDRAWN: ClaimStage.WITHDRAWN,
}
CITES: dict[NoticeKind, str] = {
    NoticeKind.CLAIM_OPENED: clauses.REPORTING,
    NoticeKind.DOCUMENTS_REQUESTED: clauses.ONE_REQUEST,
    NoticeKind.CLAIM_RESULT: clauses.DETERMINATION,
    NoticeKind.CLAIM_REFUSED: clauses.REFUSAL,
    NoticeKind.ACCIDENT_REGRADED: clauses.SUPPLEMENTS,
}
"""Which article a notice rests on; a notice about the fate of a payment rests on none."""
ENDS: dict[ClaimStage, StopReason] = {
    ClaimStage.CLOSED: StopReason.CLOSED,
    ClaimStage.WITHDRAWN: StopReason.WITHDRAWN,
}
DECIDED = frozenset({ClaimStage.DETERMINED, ClaimStage.AGREED})


facts_of = notices.facts_of


def open_claim(birth: ClaimBirth, given: Given[ReportClaim], resolved: Resolved, now: datetime) -> Decision[ClaimState]:
    """Reported: graded, on the ordinary path; the insured is reminded of its own duty to report (we do not report)."""
    command = given.command
    reported_at = fact_instant(command.on, now)
    reached, because = grading.grade(command.accident)
    first = PathTaken(path=ClaimPath.ORDINARY, at=now, because="报案后先按普通程序办理，查明后按规则选定路径")
    state = ClaimState(
        birth=birth,
        accident=command.accident,
        reported_on=local_date(reported_at),
        opened_at=now,
        opened_with=given.fingerprint,
        grade=reached,
        grade_because=because,
        paths=(first,),
        limits=birth.limits,
        documents_complete=command.documents_complete,
        rulebook=with_terms(resolved.rulebook, birth.terms),
        calendar=resolved.calendar,
    )
    happened = [Happening(event=Event.CLAIM_REPORTED, at=reported_at, said=f"{because}：{command.accident.happened}")]
    if command.documents_complete:
        happened.append(Happening(event=Event.CLAIM_DOCUMENTS_COMPLETE, at=reported_at))
    state, entered = _enter(state, happened)
    clock, passed = clocks.pass_over(state.rulebook, state.clock, state.calendar, now)
    state = state.model_copy(update={"clock": clock})
    told = notices.standing(facts_of(state), passed, now, ENTERED_LATE) + _welcome(state, now)
    return _rung(state, Change(entered), told, now, given)


def _welcome(state: ClaimState, now: datetime) -> tuple[Notice, ...]:
    message = _message(state, NoticeKind.CLAIM_OPENED, "opened", now, state.grade_because)
    return tuple(notices.notice(facts_of(state), message, role) for role in (Role.INSURED, Role.INSURER))


def _message(state: ClaimState, kind: NoticeKind, moment: str, at: datetime, note: str) -> notices.Message:
    number, _, clause = CITES.get(kind, "").partition(" ")
    cites = Citation(region=NATION, number=number, clause=clause, by=By.LAW) if number else None
    return notices.Message(kind, moment, at, About(label=_title(state), note=note.rstrip("。")), cites)


def _title(state: ClaimState) -> str:
    return f"{CaseKind.CLAIM.label}案 {state.birth.number}"


def _enter(state: ClaimState, happened: Iterable[Happening]) -> tuple[ClaimState, tuple[Happening, ...]]:
    """Let the clock, the facts and the stage hear of what happened, in order."""
    happened = tuple(happened)
    clock, stage = state.clock, state.stage
    for happening in happened:
        clock = clocks.record(state.rulebook, clock, happening.event, happening.at)
        stage = _stage_after(state, stage, happening.event)
    facts = duties.fact_days(state.facts, happened)
    return state.model_copy(update={"clock": clock, "stage": stage, "facts": facts}), happened


def _stage_after(state: ClaimState, stage: ClaimStage, event: Event) -> ClaimStage:
    """Documents that arrive after the determination do not undo it; a refusal completes the claim as refused."""
    if event in (Event.DOCUMENTS_RECEIVED, Event.DOCUMENTS_REQUESTED) and stage in DECIDED:
        return stage
    if event is Event.CLAIM_COMPLETED and state.covered is False:
        return ClaimStage.REFUSED
    return STAGES.get(event, stage)


def decide(state: ClaimState, given: Given[Command], now: datetime) -> Decision[ClaimState]:
    """What a command that was not refused makes of the claim."""
    if isinstance(given.command, AdoptCalendar):
        return adopt_calendar(state, given.command.calendar, now, given)
    if isinstance(given.command, AdoptRules):
        return adopt_rules(state, given.command, now, given)
    change = CHANGES[type(given.command)](state, given.command, given.actor, now)
    return _apply(state, change, now, given)


def hear(state: ClaimState, outcome: OrderOutcome, now: datetime) -> Decision[ClaimState] | None:
    """What the answer to an order makes of the claim; `None` where it is no news."""
    change = payments.heard(state, outcome, now)
    return _apply(state, change, now, None) if change else None


def _apply(state: ClaimState, change: Change, now: datetime, given: Given[Any] | None) -> Decision[ClaimState]:
    state, happened = _enter(state.model_copy(update=change.update), change.happened)
    told = _told(state, change, now)
    state, more = _by_rule(state, now)
    state, completed = _completed(state, now)
    happened += more + completed
    state = _ended_clocks(state, now)
    return _rung(state, replace(change, happened=happened), told, now, given)


def _told(state: ClaimState, change: Change, now: datetime) -> tuple[Notice, ...]:
    note = change.note or (change.happened[0].said if change.happened else "")
    caused = tuple(
        notices.notice(facts_of(state), _message(state, kind, moment, now, note), role)
        for kind, role, moment in change.tell
    )
    return caused + change.notices


def _by_rule(state: ClaimState, now: datetime) -> tuple[ClaimState, tuple[Happening, ...]]:
    """The facts may ask for another path."""
    if state.stage not in (ClaimStage.REPORTED, ClaimStage.DOCUMENTS_AWAITED, ClaimStage.DETERMINED):
        return state, ()
    change = by_rule(state, now)
    return _enter(state.model_copy(update=change.update), change.happened) if change else (state, ())


def _completed(state: ClaimState, now: datetime) -> tuple[ClaimState, tuple[Happening, ...]]:
    """Exactly what is owed has reached its payees: paid, and by that completed (理赔完成, by product)."""
    if state.stage not in DECIDED or not registry.is_settled(state):
        return state, ()
    if money.payable(state).total == ZERO:
        return _enter(state, (Happening(event=Event.CLAIM_COMPLETED, at=now, said="责任限额内没有应付款项"),))
    paid = Happening(event=Event.CLAIM_PAID, at=now, said="应付款项已全部到账")
    return _enter(state, (paid, Happening(event=Event.CLAIM_COMPLETED, at=now, said="理赔完成")))


def _ended_clocks(state: ClaimState, now: datetime) -> ClaimState:
    """At the end of the matter the contract's own terms stop, at closing and withdrawal every term does."""
    if state.stage in ENDS:
        return state.model_copy(update={"clock": clocks.stop(state.clock, now, ENDS[state.stage])})
    if state.stage in (ClaimStage.DENIED, ClaimStage.REFUSED, ClaimStage.COMPLETED):
        keys = tuple(one.key for one in state.clock.duties if one.anchor in STARTS)
        return state.model_copy(update={"clock": clocks.stop(state.clock, now, StopReason.CLOSED, keys)})
    return state


def ring(state: ClaimState, now: datetime) -> Decision[ClaimState]:
    """What time alone makes of the claim: rungs that fire, and the end of the time in which it can be reopened."""
    end = _archived_at(state)
    if end is not None and now >= end:
        state = state.model_copy(update={"ended_at": now})
    return _rung(state, Change(()), (), now, None)


def _rung(
    state: ClaimState, change: Change, told: tuple[Notice, ...], now: datetime, given: Given[Any] | None
) -> Decision[ClaimState]:
    """Rungs and overdue events, until nothing more follows; then the step is complete."""
    state, more, further = rung_out(state, now, _enter, _rung_told)
    decision = finished(state, change.happened + more, told + further, now, given)
    return replace(
        decision,
        orders=change.orders,
        releases=change.releases,
        answers=change.answers,
    )


def _rung_told(state: ClaimState, firings: Iterable[Firing]) -> tuple[Notice, ...]:
    return notices.of_firings(facts_of(state), firings, note=_title(state))


def _archived_at(state: ClaimState) -> datetime | None:
    """When a closed claim can no longer be reopened: 00:00 after the last day."""
    if state.closed_at is None or state.ended_at is not None:
        return None
    return midnight(local_date(state.closed_at) + REOPENABLE + timedelta(days=1))


def next_alarm(state: ClaimState) -> datetime | None:
    """The next instant at which time alone changes something; `None` once the claim is archived."""
    if state.ended_at is not None:
        return None
    instants = (clocks.next_alarm(state.rulebook, state.clock, state.calendar), _archived_at(state))
    return min((at for at in instants if at is not None), default=None)


def awaits(state: ClaimState) -> str:
    """What the next alarm brings, in words; empty where nothing waits for time alone."""
    return alarms.awaited(state, {ARCHIVED: _archived_at(state)}) if state.ended_at is None else ""


def over(state: ClaimState) -> bool:
    return state.ended_at is not None


def adopt_calendar(state: ClaimState, calendar: WorkCalendar, now: datetime, given: Given[Any]) -> Decision[ClaimState]:
    """Due dates under a newly published calendar; each one that moves is put on record and told to who owes it."""
    happened, told = under_calendar(facts_of(state), calendar, f"calendar{state.seq + 1}", now)
    return _rung(state.model_copy(update={"calendar": calendar}), Change(happened), told, now, given)


def adopt_rules(state: ClaimState, command: AdoptRules, now: datetime, given: Given[Any]) -> Decision[ClaimState]:
    """Another version of the documents, with the contract's own terms in it, from now on; on record and told."""
    new = new_rules.standing(state, with_terms(command.rulebook, state.birth.terms), now)
    clock, happened, told = new_rules.adopted(new, command)
    state = state.model_copy(update={"rulebook": new.rulebook, "clock": clock})
    return _rung(state, Change(happened), told, now, given)
