"""The duties of a case as cards, and the life of a policy as a drawing; the rest of a case page is in casefile.py."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from api.desk.audience import Part, Reader
from api.desk.casewords import MILESTONES
from api.drawings.days import day_strip
from api.drawings.hours import hour_line
from api.drawings.life import Life, Mark, Milestone
from api.drawings.life_bar import life_bar
from api.drawings.words import capital
from api.shapes import Duties, DutyReading, RungReading, TimelineEntry
from domain import wording
from domain.calendar import local_date
from domain.policy.transitions import ORDER, REACHES
from models.contracts.vocabulary import (
    By,
    CaseKind,
    Event,
    HazardGrade,
    NoticeKind,
    PolicyStage,
    Role,
    StopReason,
)


@dataclass(frozen=True)
class RungShown:
    """One rung: when, what, to whom; `state` is fired, passed, waiting or off."""

    when: str
    notice: NoticeKind
    tell: tuple[tuple[Role, str, bool], ...]
    """Role, addressee, whether somebody is registered."""
    state: str


@dataclass(frozen=True)
class DutyShown:
    """A duty as a card; empty text where there is nothing to say."""

    key: str
    label: str
    owed_by: Role
    open: bool
    late: bool
    due_day: str
    due_hour: str
    """24:00, or where a term in hours ends within its last day."""
    left: str
    provisional: str
    counting: str
    because: str
    cites: str
    by: By
    parts: tuple[tuple[str, By], ...]
    """Who says each part, where not all parts are said by the clause: the part's name in packs, and who."""
    acknowledged: bool
    taken_over: bool
    extended: int
    ended: str
    stop_reason: StopReason | None
    strip: str = ""
    """The days as a drawing, for the one duty they were asked for."""
    ladder: tuple[RungShown, ...] = ()


def duties_of(
    row: Row[Any], duties: Duties, happened: list[TimelineEntry], reader: Reader, why: str
) -> tuple[DutyShown, ...]:
    """Open duties first, by the day they are due; the days of one of them are drawn."""
    fired = {(one.duty_key, str(one.data.get("moment"))) for one in happened if one.event is Event.RUNG_FIRED}
    drawn = why or next((one.key for one in duties.items if one.state == "open"), "")
    return tuple(_duty(one, duties.as_of, fired, reader, one.key == drawn) for one in duties.items)


def _duty(one: DutyReading, at: datetime, fired: set[tuple[str, str]], reader: Reader, drawn: bool) -> DutyShown:
    explained, ended = one.explanation, one.met_at or one.stopped_at
    return DutyShown(
        key=one.key,
        label=one.label,
        owed_by=one.owed_by,
        open=one.state == "open",
        late=one.overdue,
        due_day=wording.day(explained.effective) if explained.effective else "",
        due_hour=wording.last_hour(explained.due_at),
        left=wording.left(explained.due_at, at) if one.state == "open" else "",
        provisional=wording.provisional_note(explained.effective) if explained.provisional else "",
        counting=one.counting,
        because=one.because,
        cites=wording.citation(one.cites),
        by=one.cites.by,
        parts=tuple((name, by) for name, by in one.by.items() if by is not one.cites.by),
        acknowledged=one.acknowledged,
        taken_over=one.taken_over,
        extended=sum(one.extensions),
        ended=wording.instant(ended) if ended else "",
        stop_reason=one.stop_reason,
        strip=_strip(one, at, reader) if drawn else "",
        ladder=_ladder(one, fired) if reader.sees(Part.LADDER) else (),
    )


def _strip(one: DutyReading, at: datetime, reader: Reader) -> str:
    """A term in hours has no counted day."""
    if any(day.number is not None for day in one.explanation.days):
        return day_strip(one.explanation, "days", today=local_date(at), t=reader.t)
    return hour_line(one.explanation, one.anchor_at, "hours", now=at, t=reader.t)


def _ladder(one: DutyReading, fired: set[tuple[str, str]]) -> tuple[RungShown, ...]:
    return tuple(_rung(rung, (one.key, rung.moment) in fired) for rung in one.ladder)


def _rung(rung: RungReading, fired: bool) -> RungShown:
    return RungShown(
        when=wording.instant(rung.at) if rung.at else "",
        notice=rung.notice,
        tell=tuple((told.role, told.name, told.registered) for told in rung.tell),
        # the record of the case is open to every reader, the notices of others are not
        state="fired" if fired else rung.state,
    )


def policy_life(
    row: Row[Any],
    duties: Duties,
    happened: list[TimelineEntry],
    companions: Iterable[Row[Any]],
    today: date,
    reader: Reader,
) -> str:
    """The bar from signing to the last day of cover."""
    first = {one.event: local_date(one.at) for one in reversed(happened)}
    surrendered = first.get(Event.POLICY_SURRENDERED)
    rows = tuple(companions)
    life = Life(
        signed_on=row.signed_on,
        expires_on=row.expires_on,
        today=today,
        milestones=tuple(_milestones(row, duties, first, reader)),
        hazards=tuple(_mark(one, reader) for one in rows if one.kind is CaseKind.HAZARD),
        claims=tuple(_mark(one, reader) for one in rows if one.kind is CaseKind.CLAIM),
        ended_on=surrendered,
        ended_label=capital(reader.t(PolicyStage.SURRENDERED.label)) if surrendered else "",
    )
    return life_bar(life, "life", t=reader.t)


def _milestones(row: Row[Any], duties: Duties, first: dict[Event, date], reader: Reader) -> Iterable[Milestone]:
    for event, (duty, word) in MILESTONES.items():
        owed = next((one for one in duties.items if one.duty == duty), None)
        done_on = first.get(event)
        if (owed is None and done_on is None) or not reader.follows(event):
            continue
        yield Milestone(
            label=reader.t(word),
            due_on=owed.explanation.effective if owed else None,
            done_on=done_on,
            skipped=done_on is None and not _is_open(owed) and _left_behind(PolicyStage(row.stage), event),
            provisional=bool(owed and owed.explanation.provisional),
            href=f"?why={owed.key}#duty-{owed.key}" if owed and reader.sees(Part.LADDER) else "",
        )


def _is_open(owed: DutyReading | None) -> bool:
    return owed is not None and owed.state == "open"


def _left_behind(stage: PolicyStage, event: Event) -> bool:
    """Whether the policy stands further than this event."""
    reached = REACHES.get(event)
    return (
        reached is not None
        and stage not in (PolicyStage.EXPIRED, PolicyStage.SURRENDERED)
        and (ORDER.index(stage) > ORDER.index(reached))
    )


def _mark(row: Row[Any], reader: Reader) -> Mark:
    began = row.view["found_on" if row.kind is CaseKind.HAZARD else "reported_on"]
    return Mark(
        label=row.number,
        on=date.fromisoformat(began),
        closed_on=local_date(row.ended_at) if row.ended_at else None,
        major=row.kind is CaseKind.HAZARD and row.view["grade"] == HazardGrade.MAJOR,
        href=reader.address(row.kind, row.id),
    )
