"""What each command changes in a policy, before the clock hears of it: one small function per command."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from domain import clock as clocks
from domain import duties
from domain.calendar import local_date, noon
from domain.decision import fact_instant
from domain.policy.years import year_on
from domain.wording import day, money
from models.contracts import policy as commands
from models.contracts.base import Actor, Command
from models.contracts.case import AcknowledgeDuty, AnswerDuty, ExtendDuty, PassOn, TakeOverDuty
from models.contracts.clock import Clock, RunningDuty, Suspension
from models.contracts.hazard import HazardBirth
from models.contracts.ids import hazard_id, hazard_workflow_id, provider_id
from models.contracts.notice import Notice
from models.contracts.policy import FoundHazard, RecordVisit
from models.contracts.policy_state import HazardBrief, PolicyState, Rating
from models.contracts.step import Happening
from models.contracts.vocabulary import Event, HazardStage, NoticeKind, Role, ServiceDimension, ServiceItem, StopReason

QUALIFIED = frozenset({ServiceItem.RISK_ASSESSMENT, ServiceItem.HAZARD_INSPECTION})
"""Services that count for Jilin's yearly one (吉应急规划财务联〔2020〕282号 三(三))."""


@dataclass(frozen=True)
class Change:
    """What a command does to a policy, apart from what its duties make of it."""

    happened: tuple[Happening, ...]
    update: dict[str, Any] = field(default_factory=dict)
    clock: Clock | None = None
    births: tuple[HazardBirth, ...] = ()
    tell: tuple[tuple[NoticeKind, Role, str], ...] = ()
    """Notices the command itself causes: kind, to whom, and a stable moment."""
    visit: str = ""
    """The service those notices speak of."""
    notices: tuple[Notice, ...] = ()
    """Notices that are written already."""
    moved: dict[str, str] = field(default_factory=dict)
    """Duties whose last day the command moves: key → a sentence with the old and the new day."""
    stops: bool = False


def _simple(event: Event, said: Callable[[Any], str]) -> Callable[..., Change]:
    """A command that only puts one fact on record."""

    def change(state: PolicyState, command: Any, actor: Actor, now: datetime) -> Change:
        return Change((Happening(event=event, at=fact_instant(command.on, now), said=said(command)),))

    return change


def _name_provider(state: PolicyState, command: commands.NameProvider, actor: Actor, now: datetime) -> Change:
    happening = Happening(
        event=Event.PROVIDER_NAMED, at=fact_instant(command.on, now), said=f"服务机构：{command.provider_name}"
    )
    code = command.provider_code
    assigned = provider_id(state.birth.insurer_id, code) if code else None  # a name alone lets nobody in
    return Change((happening,), {"provider_name": command.provider_name, "provider_id": assigned})


def _file_plan(state: PolicyState, command: commands.FilePlan, actor: Actor, now: datetime) -> Change:
    items = "、".join(item.label for item in command.items)
    said = f"每年 {command.services_per_year} 次：{items}"
    happening = Happening(event=Event.PLAN_FILED, at=fact_instant(command.on, now), said=said)
    return Change((happening,), tell=((NoticeKind.PLAN_CONFIRMATION, Role.INSURED, f"plan{state.seq + 1}"),))


def _visit(state: PolicyState, command: RecordVisit, actor: Actor, now: datetime) -> Change:
    at, tally = fact_instant(command.on, now), _tally(state, command.on)
    visits = getattr(state, tally) + 1 if tally else 0
    events = [Event.VISIT_RECORDED]
    is_first = Event.FIRST_SERVICE_DONE not in state.facts and command.on >= state.terms.effective_on
    events += [Event.FIRST_SERVICE_DONE] if is_first else []
    events += [Event.QUALIFIED_SERVICE_DONE] if QUALIFIED & set(command.items) else []
    events += [Event.CONTRACT_SERVICES_DONE] if visits == state.terms.services_per_year else []
    summary = command.summary.rstrip("。；")  # it goes on
    said = f"第 {len(state.visits) + 1} 次服务：{summary}；发现隐患 {len(command.hazards)} 处"
    happened = tuple(Happening(event=event, at=at, said=said if event is events[0] else "") for event in events)
    found = tuple(_found(state, command, hazard) for hazard in command.hazards)
    update = {
        **({tally: visits} if tally else {}),
        "visits": (*state.visits, command.number),
        "hazards": (*state.hazards, *(_brief(birth) for birth in found)),
    }
    invited = ((NoticeKind.SERVICE_RATING, Role.INSURED, f"visit{len(state.visits) + 1}"),)
    return Change(happened, update, births=found, tell=invited, visit=command.number)


def _tally(state: PolicyState, on: date) -> str:
    """Which year's services a visit of that day is counted among; none where that year is further back."""
    behind = state.year - year_on(state.terms.effective_on, on)
    return "visits_this_year" if behind < 1 else "visits_last_year" if behind == 1 else ""


def _rate(state: PolicyState, command: commands.RateService, actor: Actor, now: datetime) -> Change:
    stars = {one: getattr(command, one.value) for one in ServiceDimension}
    said = "，".join(f"{one.label} {count} 星" for one, count in stars.items())
    rating = Rating(visit=command.visit, on=local_date(now), stars=stars, comment=command.comment or "")
    happening = Happening(
        event=Event.SERVICE_RATED,
        at=now,
        said=f"服务记录 {command.visit}：{said}" + (f"。{command.comment}" if command.comment else ""),
        data=rating.model_dump(mode="json"),
    )
    return Change((happening,), {"ratings": (*state.ratings, rating)})


def _brief(birth: HazardBirth) -> HazardBrief:
    return HazardBrief(
        hazard_id=birth.case_id,
        number=birth.hazard.number,
        grade=birth.hazard.grade,
        stage=HazardStage.TOLD if birth.hazard.told_on else HazardStage.FOUND,
        found_on=birth.found_on,
    )


def _found(state: PolicyState, visit: RecordVisit, hazard: FoundHazard) -> HazardBirth:
    birth, terms = state.birth, state.terms
    return HazardBirth(
        case_id=hazard_id(birth.case_id, hazard.number),
        policy_id=birth.case_id,
        insurer_id=birth.insurer_id,
        insurer_code=birth.insurer_code,
        insurer_name=birth.insurer_name,
        workflow_id=hazard_workflow_id(birth.insurer_code, terms.number, hazard.number),
        policy_workflow_id=birth.workflow_id,
        policy_number=terms.number,
        region=terms.region,
        sector=terms.sector,
        size=terms.size,
        insured_id=state.insured_id,
        insured_name=state.insured_name,
        signed_on=local_date(terms.signed_at),
        effective_on=terms.effective_on,
        expires_on=terms.expires_on,
        packs=state.rulebook.packs,
        found_on=visit.on,
        visit=visit.number,
        hazard=hazard,
    )


def _spend(state: PolicyState, command: commands.RecordSpend, actor: Actor, now: datetime) -> Change:
    verb = "计提" if command.provision else "列支"
    said = f"{verb} {money(command.amount)}，用于{command.purpose.label}"
    happening = Happening(
        event=Event.SPEND_RECORDED,
        at=fact_instant(command.on, now),
        said=said,
        data=command.model_dump(mode="json", exclude_none=True),
    )
    total = "provided" if command.provision else "spent"
    amount: Decimal = getattr(state, total) + command.amount
    return Change((happening,), {total: amount, "spend_numbers": (*state.spend_numbers, command.number)})


def _suspend(state: PolicyState, command: commands.SuspendClock, actor: Actor, now: datetime) -> Change:
    entry = Suspension(
        from_on=command.from_on,
        until_on=command.until_on,
        duties=command.duties,
        reason=command.reason,
        note=command.note,
        by=actor,
    )
    until = f"至 {day(command.until_on)}" if command.until_on else "，恢复日另行通知"
    said = f"自 {day(command.from_on)}{until}，{command.reason.label}：{command.note}"
    happening = Happening(event=Event.CLOCK_SUSPENDED, at=now, said=said)
    return Change((happening,), clock=clocks.suspend(state.clock, entry))


def _resume(state: PolicyState, command: commands.ResumeClock, actor: Actor, now: datetime) -> Change:
    said = f"中止至 {day(command.last_day_on)} 为止：{command.note}"
    happening = Happening(event=Event.CLOCK_RESUMED, at=now, said=said)
    return Change((happening,), clock=clocks.resume(state.clock, command.last_day_on))


def _of_duty(function: Callable[..., tuple[Clock, Happening]]) -> Callable[..., Change]:
    def change(state: PolicyState, command: Any, actor: Actor, now: datetime) -> Change:
        clock, happening = function(state, command, actor, now)
        return Change((happening,), clock=clock)

    return change


def _answer(state: PolicyState, command: AnswerDuty, actor: Actor, now: datetime) -> Change:
    clock, happening = duties.answered(state, command, actor, now, Event.DEPARTMENT_ANSWERED)
    return Change((happening,), clock=clock)


def _passed_on(state: PolicyState, command: PassOn, actor: Actor, now: datetime) -> Change:
    clock, happening, told = duties.passed_on(state, command, actor, now)
    return Change((happening,), clock=clock, notices=(told,))


def _endorse(state: PolicyState, command: commands.EndorsePolicy, actor: Actor, now: datetime) -> Change:
    changed = command.model_dump(exclude={"number", "effective_on", "reason"}, exclude_none=True)
    terms = state.terms.model_copy(update=changed)
    happening = Happening(event=Event.POLICY_ENDORSED, at=now, said=f"批单 {command.number}：{command.reason}")
    update = {"terms": terms, "endorsements": (*state.endorsements, command.number)}
    if command.expires_on is None or command.expires_on == state.terms.expires_on:
        return Change((happening,), update)
    clock, keys = moved_end(state, command.expires_on, now)
    said = f"保险期间届满日由 {day(state.terms.expires_on)} 改为 {day(command.expires_on)}"
    return Change((happening,), update, clock=clock, moved=dict.fromkeys(keys, said))


def moved_end(state: PolicyState, expires_on: date, now: datetime) -> tuple[Clock, tuple[str, ...]]:
    """A new last day of cover moves the cap; what is anchored on it begins its ladder anew, under the next key.

    Under the old key its reminders would count as sent, and their notices as told already.
    """
    anchored = {one.key: _next(one.key) for one in state.clock.duties if _hangs_on_the_end(one)}
    moved = tuple(
        one.model_copy(update={"key": anchored[one.key], "rung": 0, "anchor_at": noon(expires_on)})
        if one.key in anchored
        else one
        for one in state.clock.duties
    )
    clock = state.clock.model_copy(update={"duties": moved, "ends_on": expires_on})
    keys = tuple(anchored.values())
    return clocks.pass_over(state.rulebook, clock, state.calendar, now, keys)[0], keys


def _hangs_on_the_end(running: RunningDuty) -> bool:
    return running.anchor is Event.POLICY_EXPIRES and running.is_open


def _next(key: str) -> str:
    duty, _, number = key.partition("#")
    return f"{duty}#{int(number or 1) + 1}"


def _surrender(state: PolicyState, command: commands.SurrenderPolicy, actor: Actor, now: datetime) -> Change:
    at = fact_instant(command.on, now)
    happening = Happening(event=Event.POLICY_SURRENDERED, at=at, said=f"{command.reason.label}：{command.note}")
    tell = tuple(
        (NoticeKind.POLICY_SURRENDERED, role, "surrender") for role in (Role.INSURER, Role.INSURED, Role.INDUSTRY)
    )
    clock = clocks.stop(state.clock, now, StopReason.SURRENDERED)
    return Change((happening,), {"ended_at": now}, clock=clock, tell=tell, stops=True)


CHANGES: dict[type[Command], Callable[..., Change]] = {
    commands.UploadPolicy: _simple(Event.POLICY_UPLOADED, lambda c: f"文件摘要 {c.file.digest[:12]}…（{c.file.name}）"),
    commands.NameProvider: _name_provider,
    commands.FilePlan: _file_plan,
    commands.ConfirmPlan: _simple(Event.PLAN_CONFIRMED, lambda c: c.note or "投保单位同意服务计划"),
    commands.RecordVisit: _visit,
    commands.RateService: _rate,
    commands.CompleteService: _simple(Event.SERVICE_COMPLETED, lambda c: "服务记录经投保单位确认"),
    commands.RecordSpend: _spend,
    commands.SuspendClock: _suspend,
    commands.ResumeClock: _resume,
    ExtendDuty: _of_duty(duties.extended),
    commands.ExcuseDuty: _of_duty(duties.excused),
    AcknowledgeDuty: _of_duty(duties.heard),
    TakeOverDuty: _of_duty(duties.heard),
    AnswerDuty: _answer,
    PassOn: _passed_on,
    commands.EndorsePolicy: _endorse,
    commands.SurrenderPolicy: _surrender,
    commands.RenewPolicy: _simple(Event.POLICY_RENEWED, lambda c: f"续保单号 {c.next_number}"),
    commands.FileOutOfArea: _simple(Event.OUT_OF_AREA_FILED, lambda c: f"报备编号 {c.filing}"),
}
