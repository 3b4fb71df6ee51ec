"""What people may do with a running duty of any case, and why it is refused; which duties there are, packs say."""

from datetime import date, datetime

from domain import alarms, notices
from domain import clock as clocks
from domain.calendar import local_date
from domain.details import Coming
from domain.ladder import footholds
from domain.notices import Case
from domain.places import region_name
from domain.routing import is_department
from domain.wording import citation, who_says
from models.contracts.base import Actor
from models.contracts.case import AcknowledgeDuty, AnswerDuty, ExtendDuty, PassOn, TakeOverDuty
from models.contracts.clock import Clock, PassedOn, RunningDuty
from models.contracts.duty import Duty
from models.contracts.notice import Notice
from models.contracts.policy import ExcuseDuty
from models.contracts.policy_state import DutyBrief
from models.contracts.step import Happening, Refusal
from models.contracts.vocabulary import ActorKind, By, Event, NoticeKind, Role, StopReason

Heard = AcknowledgeDuty | TakeOverDuty | AnswerDuty


def refuse_unless_open(case: Case, key: str) -> Refusal | None:
    running = clocks.running(case.clock, key)
    if running is None:
        return Refusal(code="unknown_duty", says="本案没有这项期限", status=404)
    if not running.is_open:
        return Refusal(code="duty_closed", says="该事项已履行或已终止")
    return None


def refuse_extension(case: Case, command: ExtendDuty, actor: Actor, now: datetime) -> Refusal | None:
    """Only before the term has run out, only where the rule allows it, only as far as it allows."""
    running = clocks.running(case.clock, command.duty)
    if running is None or not running.is_open:
        return refuse_unless_open(case, command.duty)
    bound = clocks.rule(case.rulebook, running)
    left = clocks.may_extend(bound.duty, running)
    due_at = clocks.project(bound.duty, running, case.clock, case.calendar).due_at
    if left == 0:
        return Refusal(
            code="extension_not_allowed",
            says=f"该期限不得延期或延期次数已用完（{_who_grants(bound.duty)}）",
            clause=citation(bound.cites),
        )
    if due_at is not None and now >= due_at:
        return Refusal(code="extension_too_late", says="期限已届满，延期须在届满前提出", clause=citation(bound.cites))
    if command.days > left:
        return Refusal(code="extension_too_long", says=f"最多还可延期 {left} 日", clause=citation(bound.cites))
    return None


def _who_grants(duty: Duty) -> str:
    """Who says how far a term may be extended; where nobody does, that is our reading."""
    return who_says(duty.extension.by if duty.extension else By.PRODUCT)


def refuse_excuse(case: Case, command: ExcuseDuty, actor: Actor, now: datetime) -> Refusal | None:
    running = clocks.running(case.clock, command.duty)
    if running is None or not running.is_open:
        return refuse_unless_open(case, command.duty)
    bound = clocks.rule(case.rulebook, running)
    if bound.duty.excusable:
        return None
    return Refusal(code="not_excusable", says="该事项不因说明理由而免除", clause=citation(bound.cites))


def refuse_hearing(case: Case, command: Heard | PassOn, actor: Actor, now: datetime) -> Refusal | None:
    """Departments speak for themselves; nobody acknowledges in their name."""
    if actor.kind not in (ActorKind.DEPARTMENT, ActorKind.OPERATOR):
        return Refusal(code="not_a_department", says="签收、接手与答复由部门办理", status=403)
    return refuse_unless_open(case, spoken_of(case, command.duty))


def refuse_passing(case: Case, command: PassOn, actor: Actor, now: datetime) -> Refusal | None:
    """Another department must be named, and one that does not have the matter already."""
    refusal = refuse_hearing(case, command, actor, now)
    if refusal:
        return refusal
    named = (command.to_region, command.to_department)
    if actor.office and named == (actor.office.region, actor.office.department):
        return Refusal(code="same_department", says="不能转给本部门，请写明应当办理的部门")
    holders = [_running(case, command.duty).passed_from(role) for role in _passing(case, command.duty, actor)]
    if all(held and named == (held.region, held.department) for held in holders):
        return Refusal(code="already_done", says=f"已转{command.to_department}办理")
    return None


def _running(case: Case, key: str) -> RunningDuty:
    running = clocks.running(case.clock, key)
    assert running is not None
    return running


def _passing(case: Case, key: str, actor: Actor) -> tuple[Role, ...]:
    """The roles whose matter is passed on: the department's own, or for an operator all departments of the ladder."""
    if actor.office and actor.office.roles:
        return actor.office.roles
    ladder = clocks.rule(case.rulebook, _running(case, key)).duty.ladder
    told = dict.fromkeys(role for rung in ladder for role in rung.tell if is_department(role))
    return tuple(told) or (Role.EMERGENCY,)


def spoken_of(case: Case, key: str) -> str:
    """The duty a department means by the one it was told about.

    A report is met by being told; what stays open, and is heard or answered, is what the department owes from then on.
    """
    named = clocks.running(case.clock, key)
    if named is None or named.is_open:
        return key
    met_by = clocks.rule(case.rulebook, named).duty.met_by
    following = (one for one in case.clock.duties if one.is_open and one.anchor in met_by)
    return next((one.key for one in following if is_department(_owed_by(case, one))), key)


def _owed_by(case: Case, running: RunningDuty) -> Role:
    return clocks.rule(case.rulebook, running).duty.owed_by


def extended(case: Case, command: ExtendDuty, actor: Actor, now: datetime) -> tuple[Clock, Happening]:
    clock = clocks.extend(case.clock, command.duty, command.days)
    said = f"“{label(case, command.duty)}”延期 {command.days} 日：{command.reason}"
    return clock, Happening(event=Event.DUTY_EXTENDED, at=now, duty_key=command.duty, said=said)


def excused(case: Case, command: ExcuseDuty, actor: Actor, now: datetime) -> tuple[Clock, Happening]:
    clock = clocks.stop(case.clock, now, StopReason.EXCUSED, (command.duty,))
    said = f"“{label(case, command.duty)}”未按期办理的理由：{command.reason}"
    return clock, Happening(event=Event.DUTY_EXCUSED, at=now, duty_key=command.duty, said=said)


def heard(case: Case, command: Heard, actor: Actor, now: datetime) -> tuple[Clock, Happening]:
    """Acknowledging ends the repeats of the ladder, taking over ends the ladder; the duty itself stays open."""
    taken_over = isinstance(command, TakeOverDuty)
    duty = spoken_of(case, command.duty)
    clock = clocks.hush(case.clock, duty, actor, now, taken_over)
    event = Event.DUTY_TAKEN_OVER if taken_over else Event.DUTY_ACKNOWLEDGED
    note = f"：{command.note}" if not isinstance(command, AnswerDuty) and command.note else ""
    said = f"{actor.name or '部门'}{event.label.removeprefix('部门')}“{label(case, duty)}”{note}"
    return clock, Happening(event=event, at=now, duty_key=duty, said=said)


def answered(case: Case, command: AnswerDuty, actor: Actor, now: datetime, event: Event) -> tuple[Clock, Happening]:
    """An answer says that the department has heard, too."""
    clock, _ = heard(case, command, actor, now)
    duty = spoken_of(case, command.duty)
    said = f"{actor.name or '部门'}答复“{label(case, duty)}”：{command.answer}"
    return clock, Happening(event=event, at=now, duty_key=duty, said=said)


def passed_on(case: Case, command: PassOn, actor: Actor, now: datetime) -> tuple[Clock, Happening, Notice]:
    """From now on the named department has the matter, and is told of it in the same words as the one it came from."""
    passed = PassedOn(
        roles=_passing(case, command.duty, actor),
        region=command.to_region,
        department=command.to_department,
        reason=command.reason,
        by=actor,
        at=now,
    )
    meant = spoken_of(case, command.duty)
    clock = clocks.pass_on(case.clock, (command.duty, meant), passed)
    whom = f"{region_name(command.to_region)}{command.to_department}"
    said = f"{actor.name or '部门'}将“{label(case, command.duty)}”转{whom}办理：{command.reason}"
    data = {"region": command.to_region, "department": command.to_department}
    data |= {"meant": meant} if meant != command.duty else {}
    happened = Happening(event=Event.DUTY_PASSED_ON, at=now, duty_key=command.duty, said=said, data=data)
    return clock, happened, _handed(case.model_copy(update={"clock": clock}), command, passed.roles)


def _handed(case: Case, command: PassOn, roles: tuple[Role, ...]) -> Notice:
    """What the passing department was told last of this duty, now to the one it named."""
    running = _running(case, command.duty)
    ladder = footholds(clocks.rule(case.rulebook, running).duty)
    told = [(step.rung.notice, role) for step in ladder[: running.rung] for role in step.rung.tell if role in roles]
    kind, role = told[-1] if told else (NoticeKind.DUTY_STANDING, roles[0])
    facts = notices.facts_of(case)
    about, cites = notices.about_duty(facts, command.duty)
    at = running.passed_on[-1].at
    return notices.notice(facts, notices.Message(kind, f"passed{case.seq + 1}", at, about, cites), role)


def label(case: Case, key: str) -> str:
    running = clocks.running(case.clock, key)
    return clocks.rule(case.rulebook, running).duty.label if running else key


def briefs(case: Case) -> tuple[DutyBrief, ...]:
    """The open duties, the earliest first; suspended ones last."""
    open_ones = [_brief(case, running.key) for running in case.clock.duties if running.is_open]
    return tuple(sorted(open_ones, key=lambda brief: (brief.due_at is None, brief.due_at or case.opened_at, brief.key)))


def first_due(open_duties: tuple[DutyBrief, ...]) -> DutyBrief | None:
    """The open duty that falls due first."""
    dated: list[tuple[datetime, DutyBrief]] = [(brief.due_at, brief) for brief in open_duties if brief.due_at]
    return min(dated, key=lambda pair: (pair[0], pair[1].key))[1] if dated else None


def _brief(case: Case, key: str) -> DutyBrief:
    running = clocks.running(case.clock, key)
    assert running is not None
    bound = clocks.rule(case.rulebook, running)
    due = clocks.project(bound.duty, running, case.clock, case.calendar)
    return DutyBrief(
        key=key,
        label=bound.duty.label,
        owed_by=bound.duty.owed_by,
        nominal=due.nominal,
        effective=due.effective,
        due_at=due.due_at,
        provisional=due.provisional,
        clause=citation(bound.cites),
        by=bound.cites.by.value,
        acknowledged=running.is_acknowledged,
        taken_over=running.is_taken_over,
        passed_on_to=running.passed_on[-1].department if running.passed_on else "",
    )


def fact_days(facts: dict[Event, date], happened: tuple[Happening, ...]) -> dict[Event, date]:
    """The first day each event happened, with new ones added."""
    return {happening.event: local_date(happening.at) for happening in reversed(happened)} | facts


def coming(case: Case) -> Coming | None:
    """What the case waits for next: its first open duty, and what rings first of all of them."""
    dated = [brief for brief in briefs(case) if brief.due_at]
    if not dated:
        return None
    running = clocks.running(case.clock, dated[0].key)
    assert running is not None
    bound = clocks.rule(case.rulebook, running)
    ringing = alarms.first(case)
    return Coming(
        label=bound.duty.label,
        effective=dated[0].effective,
        cites=bound.cites,
        rings=alarms.said(ringing),
        rings_at=ringing[0].at if ringing else None,
        provisional=dated[0].provisional,
    )
