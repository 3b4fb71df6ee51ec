"""A ladder unfolded into rungs with instants, and which may still fire; domain/clock.py keeps the count."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.contracts.clock import Hush, Projection, RunningDuty
from models.contracts.duty import Duty, Rung
from models.contracts.notice import Firing
from models.contracts.vocabulary import Role, TermUnit

HOUR = timedelta(hours=1)
DAY_HOURS = 24
NOMINAL_HOURS = {TermUnit.NATURAL_DAY: 24, TermUnit.WORKING_DAY: 34, TermUnit.HOUR: 1, TermUnit.YEAR: 24 * 365}
"""Roughly how long one unit is; decides only where repeats of `open` stand among rungs counted from the due instant."""


@dataclass(frozen=True, slots=True)
class Foothold:
    """One rung of the unfolded ladder: `hours` from the due instant, or from the anchor for `open` and its repeats."""

    moment: str
    rung: Rung
    repeat: bool
    from_open: bool
    hours: int


@dataclass(frozen=True, slots=True)
class Call:
    """A rung that waits, with its index and instant."""

    index: int
    foothold: Foothold
    at: datetime
    tell: tuple[Role, ...]
    """Whom it tells: the roles of the rung whose department has not spoken."""


def expanded(duty: Duty) -> tuple[tuple[str, Rung, bool], ...]:
    """(moment, rung, is_repeat) of the whole ladder as it fires; `+3d` every 7d x 2 gives +3d, +10d, +17d."""
    return tuple((foothold.moment, foothold.rung, foothold.repeat) for foothold in footholds(duty))


def footholds(duty: Duty) -> tuple[Foothold, ...]:
    """The unfolded ladder. `open` comes first, except in a term of no length: there reminders lie before the anchor."""
    return tuple(sorted((step for rung in duty.ladder for step in _unfold(duty, rung)), key=lambda s: _place(duty, s)))


def calls(duty: Duty, running: RunningDuty, projection: Projection) -> list[Call]:
    """The rungs that still may fire, with their instants; while suspended without end only `open` has one."""
    found: list[Call] = []
    for index, foothold in enumerate(footholds(duty)):
        at = _instant(foothold, running, projection) if index >= running.rung else None
        tell = _listening(duty, running, foothold)
        if at is not None and tell and _lives(duty, running, foothold, at):
            found.append(Call(index, foothold, at, tell))
    return found


def outrun(reached: list[Call]) -> list[Call]:
    """The calls in the order of their instants, without those that a higher rung has outrun.

    Only repeats of `open` can be outrun: where a term became shorter or longer than usual, their days lie among others.
    """
    kept: list[Call] = []
    for call in sorted(reached, key=lambda one: (one.at, one.index)):
        if not kept or call.index > kept[-1].index:
            kept.append(call)
    return kept


def firing(running: RunningDuty, call: Call) -> Firing:
    """The call as the firing it becomes."""
    return Firing(
        key=running.key,
        duty=running.duty,
        rung=call.index,
        moment=call.foothold.moment,
        at=call.at,
        tell=call.tell,
        notice=call.foothold.rung.notice,
    )


def _unfold(duty: Duty, rung: Rung) -> Iterator[Foothold]:
    from_open = rung.at == "open"
    hours = _hours(duty, rung.at)
    yield Foothold(rung.at, rung, False, from_open, hours)
    if rung.repeat:
        every = int(rung.repeat.every[:-1]) * DAY_HOURS
        for time in range(1, rung.repeat.times + 1):
            later = hours + time * every
            moment = f"open+{later // DAY_HOURS}d" if from_open else _moment(duty, later)
            yield Foothold(moment, rung, True, from_open, later)


def _hours(duty: Duty, moment: str) -> int:
    """Hours from the due instant (or the anchor). `-2d` is 00:00 two days before the last day: 72 h."""
    if moment in ("open", "due"):
        return 0
    amount = int(moment[:-1])
    if moment.endswith("h"):
        return amount
    return amount * DAY_HOURS - (_last_day(duty) if amount < 0 else 0)


def _moment(duty: Duty, hours: int) -> str:
    if hours == 0:
        return "due"
    days, rest = divmod(hours + (_last_day(duty) if hours < 0 else 0), DAY_HOURS)
    return f"{hours:+d}h" if rest or days == 0 else f"{days:+d}d"


def _last_day(duty: Duty) -> int:
    """The hours of the last day itself, for terms that end with a day."""
    return 0 if duty.within.unit is TermUnit.HOUR else DAY_HOURS


def _place(duty: Duty, foothold: Foothold) -> tuple[float, int]:
    """Where a rung stands: hours from the due instant in a term of usual length; `open` before others of that hour."""
    if not foothold.from_open:
        return foothold.hours, 1
    if duty.within.amount and not foothold.hours:
        return float("-inf"), 0
    return foothold.hours - duty.within.amount * NOMINAL_HOURS[duty.within.unit] - _last_day(duty), 0


def _instant(foothold: Foothold, running: RunningDuty, projection: Projection) -> datetime | None:
    if foothold.from_open and not foothold.hours:
        return running.anchor_at
    if projection.due_at is None:
        return None
    return (running.anchor_at if foothold.from_open else projection.due_at) + foothold.hours * HOUR


def _listening(duty: Duty, running: RunningDuty, foothold: Foothold) -> tuple[Role, ...]:
    """The roles of a rung that still hear it."""
    told = foothold.rung.tell
    return tuple(role for role in told if not any(_silences(duty, hush, foothold, role) for hush in running.hushes))


def _silences(duty: Duty, hush: Hush, foothold: Foothold, role: Role) -> bool:
    """Who acknowledges hears no repeats, who takes over nothing more; for others told beside it the ladder goes on.

    Taking over also ends the escalation: whom the ladder reaches only after the one who spoke is not told.
    """
    if not hush.roles or role in hush.roles:
        return hush.taken_over or foothold.repeat
    return hush.taken_over and _is_reached_after(duty, hush.roles, role)


def _is_reached_after(duty: Duty, spoke: tuple[Role, ...], role: Role) -> bool:
    first = {one: index for index, step in reversed(list(enumerate(footholds(duty)))) for one in step.rung.tell}
    reached = [first[one] for one in spoke if one in first]
    return bool(reached) and first[role] > min(reached)


def _lives(duty: Duty, running: RunningDuty, foothold: Foothold, at: datetime) -> bool:
    """A reminder not after the anchor means too short a term."""
    return foothold.from_open or foothold.hours >= 0 or duty.within.amount == 0 or at > running.anchor_at
