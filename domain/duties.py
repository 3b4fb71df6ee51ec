"""What people may do with a running duty of any case, and why it is refused; which duties there are, packs say."""

from datetime import date, datetime

from domain import clock as clocks
from domain.calendar import local_date
from domain.ladder import calls
from domain.routing import is_department
from domain.wording import Coming, citation
from models.contracts.base import Actor
from models.contracts.claim_state import ClaimState
from models.contracts.clock import Clock
from models.contracts.hazard import HazardState
from models.contracts.policy import (
    AcknowledgeDuty,
    AnswerDuty,
    DutyBrief,
    ExcuseDuty,
    ExtendDuty,
    PolicyState,
    TakeOverDuty,
)
from models.contracts.step import Happening, Refusal
from models.contracts.vocabulary import ActorKind, Event, Role, StopReason

Case = PolicyState | HazardState | ClaimState
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
    bound = clocks.bound(case.rulebook, running.duty)
    left = clocks.may_extend(bound.duty, running)
    due_at = clocks.project(bound.duty, running, case.clock, case.calendar).due_at
    if left == 0:
        return Refusal(
            code="extension_not_allowed", says="该期限不得延期或延期次数已用完", clause=citation(bound.cites)
        )
    if due_at is not None and now >= due_at:
        return Refusal(code="extension_too_late", says="期限已届满，延期须在届满前提出", clause=citation(bound.cites))
    if command.days > left:
        return Refusal(code="extension_too_long", says=f"最多还可延期 {left} 日", clause=citation(bound.cites))
    return None


def refuse_excuse(case: Case, command: ExcuseDuty, actor: Actor, now: datetime) -> Refusal | None:
    running = clocks.running(case.clock, command.duty)
    if running is None or not running.is_open:
        return refuse_unless_open(case, command.duty)
    bound = clocks.bound(case.rulebook, running.duty)
    if bound.duty.excusable:
        return None
    return Refusal(code="not_excusable", says="该事项不因说明理由而免除", clause=citation(bound.cites))


def refuse_hearing(case: Case, command: Heard, actor: Actor, now: datetime) -> Refusal | None:
    """Departments speak for themselves; nobody acknowledges in their name."""
    if actor.kind not in (ActorKind.DEPARTMENT, ActorKind.OPERATOR):
        return Refusal(code="not_a_department", says="签收、接手与答复由部门办理", status=403)
    return refuse_unless_open(case, spoken_of(case, command.duty))


def spoken_of(case: Case, key: str) -> str:
    """The duty a department means by the one it was told about.

    A report is met by being told; what stays open, and is heard or answered, is what the department owes from then on.
    """
    named = clocks.running(case.clock, key)
    if named is None or named.is_open:
        return key
    met_by = clocks.bound(case.rulebook, named.duty).duty.met_by
    following = (one for one in case.clock.duties if one.is_open and one.anchor in met_by)
    return next((one.key for one in following if is_department(_owed_by(case, one.duty))), key)


def _owed_by(case: Case, duty: str) -> Role:
    return clocks.bound(case.rulebook, duty).duty.owed_by


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


def label(case: Case, key: str) -> str:
    running = clocks.running(case.clock, key)
    return clocks.bound(case.rulebook, running.duty).duty.label if running else key


def briefs(case: Case) -> tuple[DutyBrief, ...]:
    """The open duties, the earliest first; suspended ones last."""
    open_ones = [_brief(case, running.key) for running in case.clock.duties if running.is_open]
    return tuple(sorted(open_ones, key=lambda brief: (brief.due_at is None, brief.due_at or case.opened_at, brief.key)))


def _brief(case: Case, key: str) -> DutyBrief:
    running = clocks.running(case.clock, key)
    assert running is not None
    bound = clocks.bound(case.rulebook, running.duty)
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
        acknowledged=running.hush is not None,
        taken_over=running.hush is not None and running.hush.taken_over,
    )


def fact_days(facts: dict[Event, date], happened: tuple[Happening, ...]) -> dict[Event, date]:
    """The first day each event happened, with new ones added."""
    return {happening.event: local_date(happening.at) for happening in reversed(happened)} | facts


def coming(case: Case) -> Coming | None:
    """What the case waits for next: its first open duty, and whom the next rung tells."""
    dated = [brief for brief in briefs(case) if brief.due_at]
    if not dated:
        return None
    running = clocks.running(case.clock, dated[0].key)
    assert running is not None
    bound = clocks.bound(case.rulebook, running.duty)
    waiting = calls(bound.duty, running, clocks.project(bound.duty, running, case.clock, case.calendar))
    following = min(waiting, key=lambda call: call.at, default=None)
    return Coming(
        label=bound.duty.label,
        effective=dated[0].effective,
        cites=bound.cites,
        tells=following.foothold.rung.tell if following else (),
        alarm_at=following.at if following else None,
        provisional=dated[0].provisional,
    )
