"""Why a policy does not carry a command out: pure checks of order, dates, numbers and what the place allows."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from domain import duties, new_rules
from domain.calendar import local_date
from domain.policy.transitions import ENDED, ENTERABLE, NEEDS
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
from models.contracts.policy import OpenPolicy
from models.contracts.policy_state import PolicyState
from models.contracts.policy_terms import Terms
from models.contracts.rulebook import BoundField, Rulebook, RulesFor
from models.contracts.step import Refusal
from models.contracts.vocabulary import ActorKind, CaseKind, Event, PolicyField

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

HAS: dict[PolicyField, Callable[[Terms], bool]] = {
    PolicyField.LIMIT_PER_PERSON: lambda terms: terms.limit_per_person is not None,
    PolicyField.SERVICE_ITEMS: lambda terms: bool(terms.service_items),
    PolicyField.SERVICE_FREQUENCY: lambda terms: terms.services_per_year is not None,
    PolicyField.ALL_EMPLOYEES: lambda terms: terms.insured_headcount >= terms.headcount,
    PolicyField.FILED_CLAUSE: lambda terms: terms.filed_clause is not None,
    PolicyField.OUT_OF_AREA_FILING: lambda terms: terms.out_of_area_filing is not None,
}


def rules_for(terms: Terms) -> RulesFor:
    """The question that pins a policy's rules: what was in force in its place on the day of signing."""
    return RulesFor(
        region=terms.region,
        sector=terms.sector,
        size=terms.size,
        on=local_date(terms.signed_at),
        case=CaseKind.POLICY,
        out_of_area=terms.out_of_area,
        kind=terms.kind,
    )


def refuse_opening(rulebook: Rulebook, command: OpenPolicy, today: date) -> Refusal | None:
    """Dates that make no sense, facts that cannot be entered, and what the place requires of a contract."""
    return _opening_dates(command, today) or _required(rulebook, command.terms) or _limit_floor(rulebook, command.terms)


def _opening_dates(command: OpenPolicy, today: date) -> Refusal | None:
    signed = local_date(command.terms.signed_at)
    if signed > today:
        return Refusal(code="signed_in_future", says=f"签署日 {day(signed)} 晚于今天", status=422)
    if command.terms.expires_on < today:
        return Refusal(
            code="already_expired", says=f"保险期间已于 {day(command.terms.expires_on)} 届满，不再建档", status=422
        )
    for fact in command.facts:
        if fact.event not in ENTERABLE:
            return Refusal(code="fact_not_enterable", says=f"“{fact.event.label}”不能作为既往事实补录", status=422)
        if not signed <= fact.on <= today:
            return Refusal(code="date_out_of_range", says=f"“{fact.event.label}”的日期须在签署日与今天之间", status=422)
    return None


def _required(rulebook: Rulebook, terms: Terms) -> Refusal | None:
    for bound in rulebook.required_fields:
        if not HAS[bound.required.field](terms):
            return _missing(bound, terms)
    return None


def _missing(bound: BoundField, terms: Terms) -> Refusal:
    """Whom a contract must cover is no field of it that is missing: there are too few of them."""
    says = f"缺少“{bound.required.field.label}”，当地规定须在保险合同中明确"
    if bound.required.field is PolicyField.ALL_EMPLOYEES:
        says = f"投保人数 {terms.insured_headcount} 少于从业人数 {terms.headcount}，当地规定须覆盖全体从业人员"
    return Refusal(
        code="required_field_missing",
        says=says,
        clause=by_line(bound.cites),
        status=422,
    )


def _limit_floor(rulebook: Rulebook, terms: Terms) -> Refusal | None:
    floor = rulebook.rates.get("limit_per_person_floor")
    if floor is None or terms.limit_per_person is None or terms.limit_per_person >= floor.rate.amount:
        return None
    return Refusal(
        code="limit_below_floor",
        says=f"每人责任限额低于 {floor.rate.value} 元",
        clause=by_line(floor.cites),
        status=422,
    )


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
                code="provision_forbidden", says="当地规定预防费用据实列支，不得预提", clause=by_line(bound.cites)
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
    return None


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
