"""What a department was told about a case, what it did about it and what it may do now: in its room, behind a link."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from api.callers import Entry
from api.desk.deeds import FOR_DEPARTMENTS, Deed
from api.rows import MATTERS, OUTBOX, STEPS, TIMELINE
from domain.wording import instant
from models.contracts.policy_state import DutyBrief
from models.contracts.vocabulary import Event, NoticeKind

DEEDS: dict[Event, Deed] = {
    Event.DUTY_ACKNOWLEDGED: Deed.ACKNOWLEDGE,
    Event.DUTY_TAKEN_OVER: Deed.TAKE_OVER,
    Event.DEPARTMENT_ANSWERED: Deed.ANSWER,
    Event.HAZARD_ANSWERED: Deed.ANSWER,
    Event.DUTY_PASSED_ON: Deed.PASS_ON,
}
ENDS = {
    Deed.ACKNOWLEDGE: frozenset({Deed.ACKNOWLEDGE, Deed.TAKE_OVER, Deed.PASS_ON}),
    Deed.TAKE_OVER: frozenset({Deed.TAKE_OVER, Deed.PASS_ON}),
    Deed.ANSWER: frozenset({Deed.PASS_ON}),
    Deed.PASS_ON: frozenset({Deed.PASS_ON}),
}
"""After which of its own acts a department is not offered this one again; answers may be several."""
LATEST = OUTBOX.c.id == MATTERS.c.letter_id


@dataclass(frozen=True)
class Done:
    """One act of this department, when, and in which words."""

    deed: Deed
    at: str
    said: str


@dataclass(frozen=True)
class Handling:
    """What a department was told about: a duty, or news that name none."""

    duty: str
    """The key the department was told under, which its commands name; empty for news."""
    news: NoticeKind | None
    """What kind of news it is, where it names no duty: all there is to do is to acknowledge it."""
    title: str
    standing: DutyBrief | None
    """The open duty that is meant by it; none once that is met or has ended."""
    offered: tuple[Deed, ...]
    done: tuple[Done, ...]

    @property
    def settled(self) -> bool:
        return self.news is None and self.standing is None


async def handlings(entry: Entry, row: Row[Any]) -> tuple[Handling, ...]:
    """Everything the calling department was told about this case: duties in the order they were told, then news."""
    mine = (MATTERS.c.case_id == row.id) & (MATTERS.c.recipient_id == entry.caller.recipient_id)
    columns = MATTERS.c["subject", "kind", "ends_when_read", "duty_key", "acknowledged_at"]
    told = select(*columns, OUTBOX.c.about["label"].astext.label("label")).join(OUTBOX, LATEST).where(mine)
    order = (MATTERS.c.ends_when_read, MATTERS.c.told_at, MATTERS.c.subject)
    matters = (await entry.connection.execute(told.order_by(*order))).all()
    acts = await _own_acts(entry, row)
    briefs = {one["key"]: DutyBrief.model_validate(one) for one in row.view.get("duties", ())}
    return tuple(
        _of_news(matter) if matter.ends_when_read else _of_duty(matter, briefs.get(matter.duty_key), acts)
        for matter in matters
    )


async def _own_acts(entry: Entry, row: Row[Any]) -> Sequence[Any]:
    """What was done in the name of the calling department, whoever of it did it: known by its seat, not by a name."""
    body, caller = STEPS.c.cause["body"], entry.caller
    seat = body["actor"]["office"]
    found = (
        select(*TIMELINE.c["event", "at", "said", "duty_key"], body["command"]["duty"].astext.label("named"))
        .join(STEPS, (STEPS.c.case_id == TIMELINE.c.case_id) & (STEPS.c.seq == TIMELINE.c.seq))
        .where(TIMELINE.c.case_id == row.id, TIMELINE.c.event.in_(DEEDS))
        .where(seat["region"].astext == caller.region, seat["department"].astext == caller.department)
        .order_by(TIMELINE.c.seq, TIMELINE.c.line)
    )
    return (await entry.connection.execute(found)).all()


def _of_duty(matter: Any, standing: DutyBrief | None, acts: Sequence[Any]) -> Handling:
    keys = {matter.subject, matter.duty_key or matter.subject}
    own = [act for act in acts if not keys.isdisjoint((act.duty_key, act.named))]
    done = {DEEDS[act.event] for act in own}
    return Handling(
        duty=matter.subject,
        news=None,
        title=standing.label if standing else matter.label or "",
        standing=standing,
        offered=tuple(deed for deed in FOR_DEPARTMENTS if standing and not ENDS[deed] & done),
        done=tuple(Done(DEEDS[act.event], instant(act.at), act.said) for act in own),
    )


def _of_news(matter: Any) -> Handling:
    """Nothing in the case changes by it."""
    read = matter.acknowledged_at
    return Handling(
        duty="",
        news=matter.kind,
        title=matter.kind.label,
        standing=None,
        offered=() if read else (Deed.ACKNOWLEDGE,),
        done=(Done(Deed.ACKNOWLEDGE, instant(read), ""),) if read else (),
    )
