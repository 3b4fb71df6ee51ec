"""What each command changes in a hazard, before the clock hears of it; asking and answering are in asking.py."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain import clock as clocks
from domain import duties
from domain.decision import fact_instant
from domain.hazard import asking
from domain.hazard.change import Change, Tell, answers_the_notice
from models.contracts import hazard as commands
from models.contracts.base import Actor, Command
from models.contracts.case import AcknowledgeDuty, AnswerDuty, ExtendDuty, PassOn, TakeOverDuty
from models.contracts.clock import Clock
from models.contracts.hazard import HazardState
from models.contracts.step import Happening
from models.contracts.vocabulary import Event, NoticeKind, Role


def _told(state: HazardState, command: commands.ConfirmTold, actor: Actor, now: datetime) -> Change:
    said = f"{actor.kind.label}确认已书面告知" + (f"：{command.note}" if command.note else "")
    return Change((Happening(event=Event.HAZARD_TOLD, at=fact_instant(command.on, now), said=said),))


def _claimed(state: HazardState, command: commands.ClaimRectification, actor: Actor, now: datetime) -> Change:
    at = fact_instant(command.on, now)
    files = [evidence.model_dump(mode="json") for evidence in command.evidence]
    claim = Happening(
        event=Event.RECTIFICATION_CLAIMED,
        at=at,
        said=f"{command.note}（凭证 {len(files)} 件）",
        data={"evidence": files},
    )
    return Change((*answers_the_notice(state, at), claim))


def _refused(state: HazardState, command: commands.RefuseRectification, actor: Actor, now: datetime) -> Change:
    at = fact_instant(command.on, now)
    refusal = Happening(event=Event.RECTIFICATION_REFUSED, at=at, said=command.note)
    return Change((*answers_the_notice(state, at), refusal), {"refused": True})


def _rechecked(state: HazardState, command: commands.RecheckHazard, actor: Actor, now: datetime) -> Change:
    """How the recheck ended is told to the insured; where it failed, with the new term of rectification."""
    at = fact_instant(command.on, now)
    tell = (Tell(NoticeKind.RECHECK_RESULT, Role.INSURED, f"recheck{state.rounds}", command.note),)
    if command.passed:
        passed = Happening(event=Event.RECHECK_PASSED, at=at, said=command.note)
        return Change((passed, Happening(event=Event.HAZARD_CLOSED, at=at, said="整改闭环，销号")), tell=tell)
    failed = Happening(event=Event.RECHECK_FAILED, at=at, said=command.note)
    return Change((failed,), {"rounds": state.rounds + 1}, tell=tell, given_due=command.due_on)


def _of_duty(function: Callable[..., tuple[Clock, Happening]]) -> Callable[..., Change]:
    def change(state: HazardState, command: Any, actor: Actor, now: datetime) -> Change:
        clock, happening = function(state, command, actor, now)
        return Change((happening,), clock=clock)

    return change


def _answered(state: HazardState, command: AnswerDuty, actor: Actor, now: datetime) -> Change:
    """An answer meets what waits for one; about any other matter it is put on record and meets nothing."""
    meant = clocks.running(state.clock, duties.spoken_of(state, command.duty))
    waits = meant is not None and Event.HAZARD_ANSWERED in clocks.rule(state.rulebook, meant).duty.met_by
    event = Event.HAZARD_ANSWERED if waits else Event.DEPARTMENT_ANSWERED
    clock, happening = duties.answered(state, command, actor, now, event)
    return Change((happening,), clock=clock)


def _passed_on(state: HazardState, command: PassOn, actor: Actor, now: datetime) -> Change:
    clock, happening, told = duties.passed_on(state, command, actor, now)
    return Change((happening,), clock=clock, notices=(told,))


CHANGES: dict[type[Command], Callable[..., Change]] = {
    commands.ConfirmTold: _told,
    commands.ClaimRectification: _claimed,
    commands.RefuseRectification: _refused,
    commands.RecheckHazard: _rechecked,
    commands.ObjectToHazard: asking.objected,
    commands.AnswerObjection: asking.answered,
    commands.AskMoreTime: asking.asked,
    commands.DeclineMoreTime: asking.declined,
    ExtendDuty: asking.extended,
    AcknowledgeDuty: _of_duty(duties.heard),
    TakeOverDuty: _of_duty(duties.heard),
    AnswerDuty: _answered,
    PassOn: _passed_on,
}
