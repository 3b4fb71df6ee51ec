"""Duties opened, met, suspended, extended, hushed, stopped, and what rings when; counting is domain/counting.py's.

Every function gives a new clock and leaves its arguments alone. A duty that the rulebook no longer has rings no more.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple

from domain import waits
from domain.calendar import local_date
from domain.counting import project
from domain.explaining import explain
from domain.ladder import Call, calls, expanded, firing, outrun
from models.contracts.base import Actor
from models.contracts.calendar import WorkCalendar
from models.contracts.clock import Clock, Hush, PassedOn, Rang, RunningDuty, Suspension
from models.contracts.duty import Duty
from models.contracts.notice import Firing
from models.contracts.rulebook import BoundDuty, Rulebook
from models.contracts.vocabulary import Event, Occurs, Role, StopReason

__all__ = [
    "bound",
    "expanded",
    "expire",
    "explain",
    "extend",
    "hush",
    "may_extend",
    "next_alarm",
    "pass_on",
    "pass_over",
    "project",
    "record",
    "resume",
    "ring",
    "rule",
    "running",
    "stop",
    "suspend",
    "waiting",
]

YEARS = frozenset({Event.POLICY_YEAR_STARTED, Event.CONTRACT_YEAR_STARTED})
"""What is owed anew each year: a later year is not met by what was done before it, however late that is entered."""
FROM_EFFECT = Event.POLICY_EFFECTIVE
"""What is counted from the effect of a contract is not met by what was done before (宿州 附件 第2项, our reading)."""


class Waiting(NamedTuple):
    """What time alone will bring a duty: a rung that fires or, without one, the event of a term that runs out."""

    at: datetime
    running: RunningDuty
    duty: Duty
    call: Call | None


def bound(rulebook: Rulebook, duty_id: str) -> BoundDuty:
    """The duty of the rulebook with its citation; `KeyError` where there is none."""
    for held in rulebook.duties:
        if held.duty.id == duty_id:
            return held
    raise KeyError(duty_id)


def rule(rulebook: Rulebook, running: RunningDuty) -> BoundDuty:
    """The rule a duty obeys: the rulebook's, or the earlier one it stays under; `KeyError` where there is none."""
    return running.under or bound(rulebook, running.duty)


def running(clock: Clock, key: str) -> RunningDuty | None:
    """The running duty under a key such as `recheck` or `recheck#2`."""
    return next((one for one in clock.duties if one.key == key), None)


def record(rulebook: Rulebook, clock: Clock, event: Event, at: datetime, given_due: date | None = None) -> Clock:
    """What an event does: it meets the open duties that wait for it, opens those anchored on it, holds or frees others.

    `given_due` replaces the term only of duties that allow it (`given_by: due`). `at` may lie in the future for an
    anchor known beforehand, such as the last day of the policy. Suspensions by rule are domain/waits.py's.
    """
    rules = _rules(rulebook)
    duties = [_met(_of(rules, one), one, event, at) for one in clock.duties]
    for duty in rules.values():
        if event in duty.anchor and (key := _next_key(duty, duties)):
            due = given_due if duty.given_by == "due" else None
            duties.append(RunningDuty(key=key, duty=duty.id, anchor=event, anchor_at=at, given_due=due))
    opened = clock.model_copy(update={"duties": tuple(duties)})
    kept = {one.duty: one.under.duty for one in duties if one.under and one.is_open}
    return waits.heard(rules | kept, opened, event, at)


def pass_over(
    rulebook: Rulebook, clock: Clock, calendar: WorkCalendar, now: datetime, keys: tuple[str, ...] | None = None
) -> tuple[Clock, tuple[Firing, ...]]:
    """At late entry: rungs that lie before now count as passed over and are given back for open duties, unsent.

    Of all duties, or of the named ones. Overdue events are left for `ring`.
    """
    rules, duties, passed = _rules(rulebook), list[RunningDuty](), list[Firing]()
    for one in clock.duties:
        if keys is not None and one.key not in keys:
            duties.append(one)
            continue
        reached = outrun([call for call in _calls(rules, one, clock, calendar) if call.at < now])
        passed += [firing(one, call) for call in reached if one.is_open]
        duties.append(_climbed(one, reached))
    return clock.model_copy(update={"duties": tuple(duties)}), tuple(sorted(passed, key=_order))


def next_alarm(rulebook: Rulebook, clock: Clock, calendar: WorkCalendar) -> datetime | None:
    """The earliest instant at which a rung fires or an overdue event happens; may be past, `None` if nothing waits."""
    return min((one.at for one in waiting(rulebook, clock, calendar)), default=None)


def waiting(rulebook: Rulebook, clock: Clock, calendar: WorkCalendar) -> list[Waiting]:
    """Every rung that may still fire and every overdue event that may happen, duty by duty."""
    rules = _rules(rulebook)
    found: list[Waiting] = []
    for one in clock.duties:
        if one.is_open and (duty := _of(rules, one)):
            projection = project(duty, one, clock, calendar)
            found += [Waiting(call.at, one, duty, call) for call in calls(duty, one, projection)]
            if duty.overdue_event and not one.rang_overdue and projection.due_at:
                found.append(Waiting(projection.due_at, one, duty, None))
    return found


def ring(rulebook: Rulebook, clock: Clock, calendar: WorkCalendar, now: datetime) -> Rang:
    """All that is due at or before now, over all open duties, by (instant, key, rung); afterwards nothing is due.

    A rung below one that fires is never fired later: a repeat of `open` outrun by the due instant is passed over.
    """
    rules, duties = _rules(rulebook), list[RunningDuty]()
    firings: list[Firing] = []
    overdue: list[tuple[datetime, str, Event]] = []
    for one in clock.duties:
        waiting = _calls(rules, one, clock, calendar) if one.is_open else []
        reached = outrun([call for call in waiting if call.at <= now])
        firings += [firing(one, call) for call in reached]
        late = _overdue(_of(rules, one), one, clock, calendar, now)
        overdue += [(late[1], one.key, late[0])] if late else []
        duties.append(_climbed(one, reached, late is not None))
    return Rang(
        clock=clock.model_copy(update={"duties": tuple(duties)}),
        firings=tuple(sorted(firings, key=_order)),
        overdue=tuple((event, at) for at, _, event in sorted(overdue)),
    )


def suspend(clock: Clock, suspension: Suspension) -> Clock:
    """Enter a suspension in the ledger."""
    return clock.model_copy(update={"suspensions": (*clock.suspensions, suspension)})


def resume(clock: Clock, last_day_on: date) -> Clock:
    """End every suspension in force with its last suspended day; what begins and ends later stays as entered.

    A suspension by rule ends with its event only.
    """
    entries = [entry if waits.by_rule(entry) else _resumed(entry, last_day_on) for entry in clock.suspensions]
    return clock.model_copy(update={"suspensions": tuple(entries)})


def extend(clock: Clock, key: str, days: int) -> Clock:
    """Grant natural days to one running duty; whether that is allowed is `may_extend`'s question."""
    return _changed(clock, (key,), lambda one: one.model_copy(update={"extensions": (*one.extensions, days)}))


def may_extend(duty: Duty, running: RunningDuty) -> int:
    """Days still grantable: what is left of `at_most` over all grants, 0 when the number of grants is used up."""
    if duty.extension is None or not running.is_open or len(running.extensions) >= duty.extension.times:
        return 0
    return max(int(duty.extension.at_most[:-1]) - sum(running.extensions), 0)


def stop(clock: Clock, at: datetime, reason: StopReason, keys: tuple[str, ...] | None = None) -> Clock:
    """End the open duties (all, or the named ones) without their being met."""
    stopped = {"stopped_at": at, "stop_reason": reason}
    return _changed(clock, keys, lambda one: one.model_copy(update=stopped) if one.is_open else one)


def expire(rulebook: Rulebook, clock: Clock, calendar: WorkCalendar, at: datetime) -> Clock:
    """The end of cover: what has run out unmet goes on to the end of its ladder, every other open duty stops."""
    rules = _rules(rulebook)
    stopped = tuple(one.key for one in clock.duties if one.is_open and not _run_out(rules, one, clock, calendar, at))
    return stop(clock, at, StopReason.EXPIRED, stopped)


def hush(clock: Clock, key: str, by: Actor, at: datetime, taken_over: bool) -> Clock:
    """A department has heard. Once taken over, a later acknowledgement does not start the ladder again.

    It speaks for the roles in which it was told, without those it has passed on to another department.
    """

    def heard(one: RunningDuty) -> RunningDuty:
        roles = _speaks_for(one, by)
        if roles is None:
            return one
        already = any(hush.taken_over for hush in one.hushes if hush.roles == roles)
        others = tuple(hush for hush in one.hushes if hush.roles != roles)
        new = Hush(by=by, at=at, taken_over=taken_over or already, roles=roles)
        return one.model_copy(update={"hushes": (*others, new)})

    return _changed(clock, (key,), heard)


def pass_on(clock: Clock, keys: tuple[str, ...], passed: PassedOn) -> Clock:
    """Another department has these duties now; what was said for its roles before, it did not say."""

    def handed(one: RunningDuty) -> RunningDuty:
        hushes = (hush if not hush.roles else _without(hush, passed.roles) for hush in one.hushes)
        kept = tuple(hush for hush in hushes if hush is not None)
        return one.model_copy(update={"hushes": kept, "passed_on": (*one.passed_on, passed)})

    return _changed(clock, keys, handed)


def _speaks_for(one: RunningDuty, by: Actor) -> tuple[Role, ...] | None:
    """Empty: for everybody. `None`: for nobody any more."""
    if by.office is None or not by.office.roles:
        return ()
    own = (by.office.region, by.office.department)
    holders = {role: one.passed_from(role) for role in by.office.roles}
    kept = tuple(role for role, held in holders.items() if held is None or (held.region, held.department) == own)
    return kept or None


def _without(hush: Hush, roles: tuple[Role, ...]) -> Hush | None:
    left = tuple(role for role in hush.roles if role not in roles)
    return hush.model_copy(update={"roles": left}) if left else None


def _rules(rulebook: Rulebook) -> dict[str, Duty]:
    return {held.duty.id: held.duty for held in rulebook.duties}


def _of(rules: dict[str, Duty], one: RunningDuty) -> Duty | None:
    return one.under.duty if one.under else rules.get(one.duty)


def _met(duty: Duty | None, one: RunningDuty, event: Event, at: datetime) -> RunningDuty:
    bound_to_it = one.anchor is FROM_EFFECT or (one.anchor in YEARS and "#" in one.key)
    earlier = bound_to_it and local_date(at) < local_date(one.anchor_at)
    if duty is None or not one.is_open or event not in duty.met_by or earlier:
        return one
    return one.model_copy(update={"met_at": at})


def _next_key(duty: Duty, duties: list[RunningDuty]) -> str | None:
    """The key of the next instance; none where the duty arises once and has."""
    count = sum(1 for one in duties if one.duty == duty.id)
    if count == 0:
        return duty.id
    return f"{duty.id}#{count + 1}" if duty.occurs is Occurs.EACH_TIME else None


def _calls(rules: dict[str, Duty], one: RunningDuty, clock: Clock, calendar: WorkCalendar) -> list[Call]:
    duty = _of(rules, one)
    return calls(duty, one, project(duty, one, clock, calendar)) if duty else []


def _climbed(one: RunningDuty, reached: list[Call], overdue: bool = False) -> RunningDuty:
    rung = reached[-1].index + 1 if reached else one.rung
    if rung == one.rung and not overdue:
        return one
    return one.model_copy(update={"rung": rung, "rang_overdue": one.rang_overdue or overdue})


def _overdue(
    duty: Duty | None, one: RunningDuty, clock: Clock, calendar: WorkCalendar, now: datetime
) -> tuple[Event, datetime] | None:
    if duty is None or duty.overdue_event is None or one.rang_overdue or not one.is_open:
        return None
    due_at = project(duty, one, clock, calendar).due_at
    return (duty.overdue_event, due_at) if due_at and due_at <= now else None


def _resumed(entry: Suspension, last_day_on: date) -> Suspension:
    endless = entry.until_on is None
    cut_short = entry.until_on is not None and entry.from_on <= last_day_on < entry.until_on
    return entry.model_copy(update={"until_on": last_day_on}) if endless or cut_short else entry


def _run_out(rules: dict[str, Duty], one: RunningDuty, clock: Clock, calendar: WorkCalendar, at: datetime) -> bool:
    duty = _of(rules, one)
    due_at = project(duty, one, clock, calendar).due_at if duty else None
    return due_at is not None and due_at <= at


def _changed(clock: Clock, keys: tuple[str, ...] | None, change: Callable[[RunningDuty], RunningDuty]) -> Clock:
    return clock.model_copy(
        update={"duties": tuple(change(one) if keys is None or one.key in keys else one for one in clock.duties)}
    )


def _order(one: Firing) -> tuple[datetime, str, int]:
    return one.at, one.key, one.rung
