"""A running case under another version of its documents: which duties change and why; decided here, waited for nowhere.

Nobody is made late by it, what was met stays met, and what was told is not told again (decision 0052).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from domain import clock as clocks
from domain import notices
from domain.calendar import local_date
from domain.decision import fact_instant
from domain.ladder import calls, footholds, outrun
from domain.places import region_name
from domain.wording import citation, day, plain_day
from models.contracts.base import Actor
from models.contracts.case import AdoptRules
from models.contracts.clock import Clock, Projection, RunningDuty
from models.contracts.duty import Duty
from models.contracts.notice import About, Notice
from models.contracts.policy_state import PolicyState
from models.contracts.rulebook import BoundDuty, PackRef, Rulebook
from models.contracts.step import Happening, Refusal
from models.contracts.vocabulary import ActorKind, Event, NoticeKind, Occurs, Role, RuleShift, StopReason

TOLD_OF = frozenset({RuleShift.EARLIER, RuleShift.LATER, RuleShift.GONE, RuleShift.NEW})
"""Changes somebody is told of; the others stand in the timeline."""


@dataclass(frozen=True)
class Shift:
    """What becomes of one duty: its last days before and after, under which clause, and who is concerned."""

    key: str
    label: str
    how: RuleShift
    before: date | None
    after: date | None
    clause: str
    because: str = ""
    concerns: tuple[Role, ...] = ()

    @property
    def said(self) -> str:
        """One Chinese sentence."""
        before, after = (day(on) if on else "待恢复计时" for on in (self.before, self.after))
        return {
            RuleShift.EARLIER: f"“{self.label}”由 {before} 提前到 {after}（{self.clause}）",
            RuleShift.LATER: f"“{self.label}”由 {before} 推后到 {after}（{self.clause}）",
            RuleShift.REWORDED: f"“{self.label}”期限不变，要求有变（{self.clause}）",
            RuleShift.GONE: f"新版规则不再要求“{self.label}”，就此终止（原依据 {self.clause}）",
            RuleShift.NEW: f"新增“{self.label}”，{after}前办理（{self.clause}）",
            RuleShift.KEPT: f"“{self.label}”按新版规则已于 {after} 届满，仍照原规则，{before}前办理",
            RuleShift.PAST: f"新增的“{self.label}”按事实已于 {after} 届满，不追溯（{self.clause}）",
            RuleShift.MET: f"“{self.label}”按新版规则已经完成（{self.clause}）",
        }[self.how]


@dataclass(frozen=True)
class Standing:
    """A case as the comparison needs it: its facts by their first day, and its clock under the rules it has."""

    case: notices.CaseFacts
    facts: Mapping[Event, date]
    rulebook: Rulebook
    """The new one."""
    now: datetime
    edition: str = ""
    """Tells the rungs of ladders that begin anew from those of before."""

    def due(self, bound: BoundDuty, running: RunningDuty) -> Projection:
        return clocks.project(bound.duty, running, self.case.clock, self.case.calendar)


def standing(case: notices.Case, rulebook: Rulebook, now: datetime) -> Standing:
    """Of a state; the last day of cover is a fact known beforehand, as it stands after endorsements."""
    facts = dict(case.facts)
    if isinstance(case, PolicyState):
        facts[Event.POLICY_EXPIRES] = case.terms.expires_on
    return Standing(notices.facts_of(case), facts, rulebook, now, f"@{case.seq + 1}")


def shifted(given: Standing) -> tuple[Clock, tuple[Shift, ...]]:
    """The clock under the new rules, and every duty that changes; one that has ended keeps the rule it ended under."""
    held = {bound.duty.id: bound for bound in given.rulebook.duties}
    turned = [_turned(given, one, held.get(one.duty)) for one in given.case.clock.duties]
    turned += [new for bound in given.rulebook.duties if (new := _begun(given, bound))]
    duties = tuple(one for one, _ in turned if one is not None)
    return given.case.clock.model_copy(update={"duties": duties}), tuple(shift for _, shift in turned if shift)


Turned = tuple[RunningDuty | None, Shift | None]


def _turned(given: Standing, one: RunningDuty, new: BoundDuty | None) -> Turned:
    old = clocks.rule(given.case.rulebook, one)
    kept = one.model_copy(update={"under": None if new == old else old})
    if not one.is_open or new == old:
        return kept, None
    if new is None:
        stopped = {"stopped_at": given.now, "stop_reason": StopReason.RULES_CHANGED}
        return kept.model_copy(update=stopped), _shift(given, (old, one), None, RuleShift.GONE)
    moved = _anchored(given, one, new.duty)
    if moved is None:
        return kept, None
    if _met(given, moved, set(new.duty.met_by) - set(old.duty.met_by)):
        met = moved.model_copy(update={"met_at": given.now, "under": None})
        return met, _shift(given, (old, one), (new, met), RuleShift.MET)
    before, after = given.due(old, one).due_at, given.due(new, moved).due_at
    if after is not None and after <= given.now:
        return kept, None if after == before else _shift(given, (old, one), (new, moved), RuleShift.KEPT)
    return _renewed(given, (old, one), (new, moved))


def _renewed(given: Standing, old: tuple[BoundDuty, RunningDuty], new: tuple[BoundDuty, RunningDuty]) -> Turned:
    """The duty goes on under the new rule; where its date or its ladder changed, the ladder begins anew from now on."""
    before, after = given.due(*old), given.due(*new)
    moved = new[1].model_copy(update={"under": None})
    if before == after and old[0].duty == new[0].duty:
        return moved, None
    reached = _behind(given, new, _told(given, old))
    moved = moved.model_copy(update={"rung": reached, "edition": given.edition})
    if before.due_at == after.due_at:
        return moved, _shift(given, old, (new[0], moved), RuleShift.REWORDED)
    earlier = after.due_at is not None and (before.due_at is None or after.due_at < before.due_at)
    return moved, _shift(given, old, (new[0], moved), RuleShift.EARLIER if earlier else RuleShift.LATER)


def _told(given: Standing, old: tuple[BoundDuty, RunningDuty]) -> frozenset[tuple[str, datetime]]:
    """The rungs that are behind, each by its moment and instant."""
    bound, running = old
    untouched = running.model_copy(update={"rung": 0, "hushes": ()})
    climbed = calls(bound.duty, untouched, given.due(*old))
    return frozenset((call.foothold.moment, call.at) for call in climbed if call.index < running.rung)


def _behind(
    given: Standing, new: tuple[BoundDuty, RunningDuty], told: frozenset[tuple[str, datetime]] = frozenset()
) -> int:
    """How many rungs of the new ladder lie behind: those in the past, and those told at this very instant."""
    bound, running = new
    untouched = running.model_copy(update={"rung": 0, "hushes": ()})
    climbed = calls(bound.duty, untouched, given.due(*new))
    reached = outrun([call for call in climbed if call.at < given.now or (call.foothold.moment, call.at) in told])
    return reached[-1].index + 1 if reached else 0


def _anchored(given: Standing, one: RunningDuty, duty: Duty) -> RunningDuty | None:
    """The term under an anchor the new rule knows; `None` where that has not happened yet."""
    if one.anchor in duty.anchor:
        return one
    begun = _anchor(given, duty)
    return one.model_copy(update={"anchor": begun[0], "anchor_at": begun[1]}) if begun else None


def _anchor(given: Standing, duty: Duty) -> tuple[Event, datetime] | None:
    """The first of a duty's anchors that has happened."""
    happened = [(given.facts[event], event) for event in duty.anchor if event in given.facts]
    if not happened:
        return None
    on, event = min(happened)
    return event, fact_instant(on, given.now)


def _met(given: Standing, one: RunningDuty, events: set[Event]) -> bool:
    """Whether one of the events has happened since the anchor, or at all where the anchor lies ahead."""
    anchored = local_date(one.anchor_at)
    ahead = anchored > local_date(given.now)
    return any(ahead or given.facts[event] >= anchored for event in events if event in given.facts)


def _begun(given: Standing, bound: BoundDuty) -> Turned | None:
    """A duty the case does not have, where its anchor has happened and nothing has met it since."""
    duty = bound.duty
    earlier = [one for one in given.case.clock.duties if one.duty == duty.id]
    one = _back(earlier, duty) if earlier else _first(given, duty)
    if one is None or _met(given, one, set(duty.met_by)):
        return None
    due_at = given.due(bound, one).due_at
    if due_at is not None and due_at <= given.now:
        return None, _shift(given, None, (bound, one), RuleShift.PAST)
    one = one.model_copy(update={"rung": _behind(given, (bound, one))})
    return one, _shift(given, None, (bound, one), RuleShift.NEW)


def _first(given: Standing, duty: Duty) -> RunningDuty | None:
    """One that arises each time waits for the next occasion: which was the last one, the facts do not say."""
    anchor = _anchor(given, duty)
    if anchor is None or duty.occurs is Occurs.EACH_TIME:
        return None
    return RunningDuty(key=duty.id, duty=duty.id, anchor=anchor[0], anchor_at=anchor[1])


def _back(earlier: list[RunningDuty], duty: Duty) -> RunningDuty | None:
    """What other documents had ended comes back as it was, under the next key."""
    last = earlier[-1]
    if last.stop_reason is not StopReason.RULES_CHANGED or last.anchor not in duty.anchor:
        return None
    again = {"stopped_at": None, "stop_reason": None, "under": None, "key": f"{duty.id}#{len(earlier) + 1}"}
    return last.model_copy(update=again)


def _shift(
    given: Standing,
    old: tuple[BoundDuty, RunningDuty] | None,
    new: tuple[BoundDuty, RunningDuty] | None,
    how: RuleShift,
) -> Shift:
    bound, running = new or old or _neither()
    return Shift(
        key=running.key,
        label=bound.duty.label,
        how=how,
        before=given.due(*old).effective if old else None,
        after=given.due(*new).effective if new else None,
        clause=citation(bound.cites),
        because=bound.because,
        concerns=_concerned(old, new),
    )


def _neither() -> tuple[BoundDuty, RunningDuty]:
    raise ValueError("a shift is of a duty")


def _concerned(
    old: tuple[BoundDuty, RunningDuty] | None, new: tuple[BoundDuty, RunningDuty] | None
) -> tuple[Role, ...]:
    """Who owes the duty, and everybody whom the rungs behind have told or would have told."""
    roles: dict[Role, None] = {}
    for bound, running in (one for one in (new, old) if one):
        roles[bound.duty.owed_by] = None
        roles |= dict.fromkeys(role for step in footholds(bound.duty)[: running.rung] for role in step.rung.tell)
    return tuple(roles)


def refuse(case: notices.Case, command: AdoptRules, actor: Actor, now: datetime) -> Refusal | None:
    """Only operators, only what was resolved for this case and is in force, only from the rules that were compared."""
    mine, new = case.rulebook, command.rulebook
    if actor.kind is not ActorKind.OPERATOR:
        return Refusal(code="not_an_operator", says="在办案卷改用新版规则，由运维人员办理", status=403)
    if mine.packs == new.packs:
        return Refusal(code="already_done", says="本案已适用这些规则")
    if mine.packs != command.instead_of:
        return Refusal(code="rules_differ", says="本案现行的规则与预览时不同，请重新预览")
    if (mine.region, mine.sector, mine.size) != (new.region, new.sector, new.size):
        return Refusal(code="rules_of_another", says="这些规则不是为本案的地区、行业和规模查定的", status=422)
    ahead = [ref for ref in new.packs if ref.in_force_on > local_date(now)]
    if ahead:
        return Refusal(code="rules_not_in_force", says=f"新版规则 {day(ahead[0].in_force_on)} 起才施行")
    return None


def adopted(given: Standing, command: AdoptRules) -> tuple[Clock, tuple[Happening, ...], tuple[Notice, ...]]:
    """What the case has from now on, what stands in its timeline, and who is told."""
    clock, shifts = shifted(given)
    data = {"reason": command.reason, "packs": [ref.model_dump(mode="json") for ref in given.rulebook.packs]}
    said = _which(given.case.rulebook.packs, given.rulebook.packs)
    happened = (Happening(event=Event.RULES_ADOPTED, at=given.now, said=said, data=data),)
    happened += tuple(
        Happening(event=Event.RULES_ADOPTED, at=given.now, duty_key=one.key, said=one.said, data={"how": one.how.value})
        for one in shifts
    )
    after = replace(given.case, rulebook=given.rulebook, clock=clock)
    told = tuple(notice for one in shifts if one.how in TOLD_OF for notice in _notices(after, one, given))
    return clock, happened, told


def _which(before: tuple[PackRef, ...], after: tuple[PackRef, ...]) -> str:
    new = "、".join(
        f"{region_name(ref.region)}{plain_day(ref.in_force_on)}施行的一版" for ref in after if ref not in before
    )
    gone = "、".join(f"{plain_day(ref.in_force_on)}的一版" for ref in before if ref not in after)
    return f"改用{new or '其余各级规则'}" + (f"，代替{gone}" if gone else "")


def _notices(case: notices.CaseFacts, one: Shift, given: Standing) -> tuple[Notice, ...]:
    about, cites = notices.about_duty(case, one.key, one.said)
    if one.how is RuleShift.GONE:
        about = About(duty=about.duty, duty_key=one.key, label=about.label, owed_by=about.owed_by, note=one.said)
    message = notices.Message(NoticeKind.RULES_CHANGED, f"rules{given.edition}", given.now, about, cites)
    return tuple(notices.notice(case, message, role) for role in one.concerns)
