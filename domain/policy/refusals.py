"""Why a policy does not carry a command out: order, dates, numbers and place; opening is admission.py's."""

from collections.abc import Callable
from datetime import datetime, timedelta

from domain import duties, new_rules
from domain.calendar import local_date
from domain.policy.admission import refuse_opening, refuse_uncovered, rules_for
from domain.policy.transitions import ENDED, NEEDS
from domain.serving import refuse_provider
from domain.wording import by_line, day
from models.contracts import policy as commands
from models.contracts.base import Actor, Command
from models.contracts.case import (
    AcknowledgeDuty,
    AdoptCalendar,
    AdoptRules,
    AnswerDuty,
    ExtendDuty,
    PassOn,
    TakeOverDuty,
)
from models.contracts.policy_state import PolicyState
from models.contracts.step import Refusal
from models.contracts.vocabulary import ActorKind, Event

__all__ = ["AFTER_EXPIRY", "CHECKS", "EVENT_OF", "ONCE", "refuse", "refuse_opening", "rules_for"]

EVENT_OF: dict[type[Command], Event] = {
    commands.UploadPolicy: Event.POLICY_UPLOADED,
    commands.NameProvider: Event.PROVIDER_NAMED,
    commands.FilePlan: Event.PLAN_FILED,
    commands.ConfirmPlan: Event.PLAN_CONFIRMED,
    commands.RecordVisit: Event.VISIT_RECORDED,
    commands.CompleteService: Event.SERVICE_COMPLETED,
    commands.RecordSpend: Event.SPEND_RECORDED,
    commands.SurrenderPolicy: Event.POLICY_SURRENDERED,
    commands.RenewPolicy: Event.POLICY_RENEWED,
    commands.FileOutOfArea: Event.OUT_OF_AREA_FILED,
    commands.EndorsePolicy: Event.POLICY_ENDORSED,
}
"""The event a command brings about, where order and gates depend on it."""
AFTER_EXPIRY = frozenset(
    {
        commands.RecordVisit,
        commands.RateService,
        commands.CompleteService,
        commands.RecordSpend,
        commands.RenewPolicy,
        AcknowledgeDuty,
        TakeOverDuty,
        AnswerDuty,
        PassOn,
        AdoptCalendar,
    }
)
"""What may still be put on record after the end of cover, while the ladder of something missed is running."""
ONCE = frozenset({Event.POLICY_UPLOADED, Event.SERVICE_COMPLETED, Event.POLICY_RENEWED, Event.OUT_OF_AREA_FILED})
RETROACTIVE_SUSPENSION = timedelta(days=30)
"""By product: a suspension reaches back at most this far, so that what departments were told stays true."""


def refuse(state: PolicyState, command: Command, actor: Actor, now: datetime) -> Refusal | None:
    """The first reason why `command` is not carried out, or `None`."""
    if foreign := refuse_provider(command, actor, state.provider_id):
        return foreign
    if state.ended_at is not None or (state.stage in ENDED and type(command) not in AFTER_EXPIRY):
        return Refusal(code="case_closed", says=f"保单{state.stage.label}，不再受理")
    return (
        _order(state, command)
        or _date(state, command, now)
        or CHECKS.get(type(command), _nothing)(state, command, actor, now)
    )


def _nothing(state: PolicyState, command: Command, actor: Actor, now: datetime) -> Refusal | None:
    return None


def _order(state: PolicyState, command: Command) -> Refusal | None:
    event = EVENT_OF.get(type(command))
    if event is None:
        return None
    if event in ONCE and event in state.facts:
        return Refusal(code="already_done", says=f"“{event.label}”已于 {day(state.facts[event])} 记录")
    needed = NEEDS.get(event)
    if needed and needed not in state.facts:
        return Refusal(code="step_skipped", says=f"须先“{needed.label}”，再“{event.label}”")
    return _gate(state, event)


def _gate(state: PolicyState, event: Event) -> Refusal | None:
    for bound in state.rulebook.gates:
        if bound.gate.before is event and bound.gate.needs not in state.facts:
            return Refusal(code="gate_closed", says=bound.gate.label, clause=by_line(bound.cites))
    return None


def _date(state: PolicyState, command: Command, now: datetime) -> Refusal | None:
    on = getattr(command, "on", None)
    if on is None:
        return None
    if on > local_date(now):
        return Refusal(code="date_in_future", says=f"{day(on)} 尚未到来", status=422)
    if on < local_date(state.terms.signed_at):
        return Refusal(code="date_out_of_range", says=f"{day(on)} 早于保单签署日", status=422)
    return None


def _visit(state: PolicyState, command: commands.RecordVisit, actor: Actor, now: datetime) -> Refusal | None:
    if command.number in state.visits:
        return Refusal(code="already_done", says=f"服务记录 {command.number} 已存在")
    known = {hazard.number for hazard in state.hazards}
    for hazard in command.hazards:
        if hazard.number in known:
            return Refusal(code="already_done", says=f"隐患编号 {hazard.number} 已存在")
        if hazard.due_on and hazard.due_on < command.on:
            return Refusal(code="date_out_of_range", says="整改期限不得早于发现日", status=422)
        if hazard.told_on and not command.on <= hazard.told_on <= local_date(now):
            return Refusal(code="date_out_of_range", says="告知日须在发现日与今天之间", status=422)
    return None


def _rate(state: PolicyState, command: commands.RateService, actor: Actor, now: datetime) -> Refusal | None:
    """Who was served says how it was, once for each service; nobody says it for them."""
    if actor.kind is not ActorKind.ENTERPRISE:
        return Refusal(code="not_the_insured", says="服务由投保单位评价", status=403)
    if command.visit not in state.visits:
        return Refusal(code="unknown_visit", says=f"本保单没有服务记录 {command.visit}", status=404)
    if any(rating.visit == command.visit for rating in state.ratings):
        return Refusal(code="already_done", says=f"服务记录 {command.visit} 已经评价")
    return None


def _complete(state: PolicyState, command: commands.CompleteService, actor: Actor, now: datetime) -> Refusal | None:
    if not command.confirmed_by_insured:
        return Refusal(code="not_confirmed", says="服务记录未经投保单位确认，服务不能办结", clause="AQ 9010-2019 第6章")
    return None


def _spend(state: PolicyState, command: commands.RecordSpend, actor: Actor, now: datetime) -> Refusal | None:
    if command.number in state.spend_numbers:
        return Refusal(code="already_done", says=f"费用单号 {command.number} 已记账")
    for bound in state.rulebook.fees:
        if command.provision and not bound.fees.provision_allowed:
            return Refusal(
                code="provision_forbidden", says="当地规定预防费用据实列支，不登记计提数", clause=by_line(bound.cites)
            )
        if bound.fees.purposes and command.purpose not in bound.fees.purposes:
            return Refusal(
                code="purpose_not_allowed",
                says=f"“{command.purpose.label}”不在允许用途之内",
                clause=by_line(bound.cites),
            )
    return None


def _surrender(state: PolicyState, command: commands.SurrenderPolicy, actor: Actor, now: datetime) -> Refusal | None:
    for bound in state.rulebook.surrender:
        if command.reason not in bound.surrender.lawful_reasons:
            lawful = "、".join(reason.label for reason in bound.surrender.lawful_reasons)
            return Refusal(code="surrender_not_lawful", says=f"仅限{lawful}方可退保", clause=by_line(bound.cites))
    return None


def _endorse(state: PolicyState, command: commands.EndorsePolicy, actor: Actor, now: datetime) -> Refusal | None:
    if command.number in state.endorsements:
        return Refusal(code="already_done", says=f"批单 {command.number} 已记录")
    if command.expires_on and command.expires_on < max(state.terms.effective_on, local_date(now)):
        return Refusal(code="date_out_of_range", says="批改后的届满日已过去", status=422)
    return refuse_uncovered(state.rulebook, state.terms, command)


def _suspend(state: PolicyState, command: commands.SuspendClock, actor: Actor, now: datetime) -> Refusal | None:
    if any(entry.until_on is None for entry in state.clock.suspensions):
        return Refusal(code="already_suspended", says="计时已中止，请先恢复")
    if command.until_on and command.until_on < command.from_on:
        return Refusal(code="date_out_of_range", says="中止的末日早于首日", status=422)
    if command.from_on < max(local_date(state.terms.signed_at), local_date(now) - RETROACTIVE_SUSPENSION):
        return Refusal(
            code="date_out_of_range", says="中止不得追溯至 30 日以前或签署日以前", clause="系统约定", status=422
        )
    return _known_duties(state, command.duties)


def _known_duties(state: PolicyState, named: tuple[str, ...]) -> Refusal | None:
    known = {bound.duty.id for bound in state.rulebook.duties}
    unknown = [name for name in named if name not in known]
    return Refusal(code="unknown_duty", says=f"本案没有“{unknown[0]}”这项期限", status=404) if unknown else None


def _resume(state: PolicyState, command: commands.ResumeClock, actor: Actor, now: datetime) -> Refusal | None:
    open_entries = [entry for entry in state.clock.suspensions if entry.until_on is None]
    if not open_entries:
        return Refusal(code="not_suspended", says="计时未中止")
    if not open_entries[0].from_on <= command.last_day_on <= local_date(now):
        return Refusal(code="date_out_of_range", says="末日须在中止首日与今天之间", status=422)
    return None


CHECKS: dict[type[Command], Callable[..., Refusal | None]] = {
    commands.RecordVisit: _visit,
    commands.RateService: _rate,
    commands.CompleteService: _complete,
    commands.RecordSpend: _spend,
    commands.SurrenderPolicy: _surrender,
    commands.EndorsePolicy: _endorse,
    ExtendDuty: duties.refuse_extension,
    commands.ExcuseDuty: duties.refuse_excuse,
    commands.SuspendClock: _suspend,
    commands.ResumeClock: _resume,
    AcknowledgeDuty: duties.refuse_hearing,
    TakeOverDuty: duties.refuse_hearing,
    AnswerDuty: duties.refuse_hearing,
    PassOn: duties.refuse_passing,
    AdoptRules: new_rules.refuse,
}
