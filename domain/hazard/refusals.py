"""Why a hazard does not carry a command out: stages, dates, and what may be asked of it."""

from collections.abc import Callable
from datetime import datetime

from domain import duties, new_rules
from domain.calendar import local_date
from domain.hazard import asking
from domain.serving import refuse_provider
from models.contracts import hazard as commands
from models.contracts.base import Actor, Command
from models.contracts.case import AcknowledgeDuty, AdoptRules, AnswerDuty, ExtendDuty, PassOn, TakeOverDuty
from models.contracts.hazard import HazardState
from models.contracts.step import Refusal
from models.contracts.vocabulary import Event, HazardStage

OPEN_TO: dict[type[Command], frozenset[HazardStage]] = {
    commands.ConfirmTold: frozenset({HazardStage.FOUND, HazardStage.CLAIMED, HazardStage.FAILED, HazardStage.REFUSED}),
    commands.ClaimRectification: frozenset(
        {HazardStage.FOUND, HazardStage.TOLD, HazardStage.FAILED, HazardStage.REFUSED}
    ),
    commands.RefuseRectification: frozenset({HazardStage.FOUND, HazardStage.TOLD, HazardStage.FAILED}),
    commands.RecheckHazard: frozenset({HazardStage.CLAIMED}),
    commands.ObjectToHazard: frozenset({HazardStage.FOUND, HazardStage.TOLD, HazardStage.FAILED, HazardStage.REFUSED}),
}
"""The transition table: at which stages a command is taken; the others are taken at any stage that is not an end."""


def refuse(state: HazardState, command: Command, actor: Actor, now: datetime) -> Refusal | None:
    """The first reason why `command` is not carried out, or `None`."""
    if foreign := refuse_provider(command, actor, None):
        return foreign
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
    commands.ObjectToHazard: asking.refuse_objection,
    commands.AnswerObjection: asking.refuse_answer,
    commands.AskMoreTime: asking.refuse_asking,
    commands.DeclineMoreTime: asking.refuse_declining,
    ExtendDuty: duties.refuse_extension,
    AcknowledgeDuty: duties.refuse_hearing,
    TakeOverDuty: duties.refuse_hearing,
    AnswerDuty: duties.refuse_hearing,
    PassOn: duties.refuse_passing,
    AdoptRules: new_rules.refuse,
}
