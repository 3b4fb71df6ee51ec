"""Every duty of a case told day by day, with its ladder and whom it tells; by the same pure code as the case itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, select, tuple_

from api.callers import Entry
from api.reads import as_of, insurer_of
from api.rows import OUTBOX, RECIPIENTS
from api.shapes import Duties, DutyReading, RungReading, Told
from domain import clock as clocks
from domain.calendar import local_date
from domain.claim.contract_terms import with_terms
from domain.explaining import explain
from domain.ladder import Foothold, calls, footholds
from domain.routing import departments, is_department
from domain.wording import counting
from models.contracts.calendar import WorkCalendar
from models.contracts.claim_terms import ClaimTerms
from models.contracts.clock import Clock, Explanation, Projection, RunningDuty
from models.contracts.ids import notice_key
from models.contracts.rulebook import BoundDuty, Resolved, RulesFor
from models.contracts.vocabulary import CaseKind, DayMark, PolicyKind, Role, Sector
from models.tables.cases import Case


@dataclass(frozen=True)
class _Reader:
    """What one case's duties are read with."""

    row: Row[Any]
    rules: Resolved
    clock: Clock
    at: datetime
    told: frozenset[str]
    """Keys of all notices of the case."""
    names: dict[tuple[str, str], str]
    """Registered departments by (region, department)."""
    insurer: str


async def read_duties(entry: Entry, row: Row[Any]) -> Duties:
    """All duties of a case as they stand at this instant, open ones first, by the day they are due."""
    rules = _rules(entry, row)
    reader = _Reader(
        row=row,
        rules=rules,
        clock=Clock.model_validate(row.clock),
        at=as_of(entry.tools.now(), row.changed_at),
        told=await _told(entry, row),
        names=await _names(entry, rules, row),
        insurer=await insurer_of(entry, row),
    )
    items = [_duty(reader, running) for running in reader.clock.duties]
    return Duties(as_of=reader.at, items=tuple(sorted(items, key=_order)))


def question_of(case: Row[Any] | Case) -> RulesFor:
    """What a case asks of the rules, by its row: the packs it is pinned to, under what it was opened with."""
    terms = case.view.get("terms") or {}
    asked = {"region": case.region, "sector": case.sector, "size": case.size, "on": case.signed_on, "case": case.kind}
    asked |= {"out_of_area": bool(terms.get("out_of_area")), "kind": terms.get("kind", PolicyKind.ANNUAL)}
    asked |= {"grade": case.view.get("grade") if case.kind is CaseKind.HAZARD else None, "packs": case.packs}
    return RulesFor.model_validate(asked)


def _rules(entry: Entry, row: Row[Any]) -> Resolved:
    """The pinned packs, and no calendar year the case itself does not yet count with."""
    resolved = entry.tools.rules.resolve(question_of(row))
    known = tuple(year for year in resolved.calendar.years if year.year <= row.calendar_through)
    rulebook = resolved.rulebook
    if row.kind is CaseKind.CLAIM:
        rulebook = with_terms(rulebook, ClaimTerms.model_validate(row.view["terms"]))
    return Resolved(rulebook=rulebook, calendar=WorkCalendar(years=known))


async def _told(entry: Entry, row: Row[Any]) -> frozenset[str]:
    found = await entry.connection.execute(select(OUTBOX.c.notice_key).where(OUTBOX.c.case_id == row.id))
    return frozenset(found.scalars())


async def _names(entry: Entry, rules: Resolved, row: Row[Any]) -> dict[tuple[str, str], str]:
    """Which of the departments this place's rules name are registered."""
    roles = [role for role in Role if is_department(role)]
    wanted = {pair for role in roles for pair in departments(rules.rulebook, role, row.region, row.sector)}
    if not wanted:
        return {}
    columns = RECIPIENTS.c["region", "department", "name"]
    found = select(*columns).where(
        tuple_(RECIPIENTS.c.region, RECIPIENTS.c.department).in_(sorted(wanted)), RECIPIENTS.c.email != ""
    )
    return {(one.region, one.department): one.name for one in await entry.connection.execute(found)}


def _duty(reader: _Reader, running: RunningDuty) -> DutyReading:
    bound = clocks.rule(reader.rules.rulebook, running)
    explanation = explain(bound.duty, running, reader.clock, reader.rules.calendar)
    open_ = running.is_open
    days = (explanation.effective - local_date(reader.at)).days if open_ and explanation.effective else None
    return DutyReading(
        key=running.key,
        duty=running.duty,
        label=bound.duty.label,
        owed_by=bound.duty.owed_by,
        state="open" if open_ else "met" if running.met_at else "stopped",
        anchor=running.anchor,
        anchor_at=running.anchor_at,
        met_at=running.met_at,
        stopped_at=running.stopped_at,
        stop_reason=running.stop_reason,
        explanation=explanation,
        counting=_counting(bound, running, explanation),
        overdue=open_ and explanation.due_at is not None and explanation.due_at <= reader.at,
        days_left=days,
        cites=bound.cites,
        by=bound.duty.by.model_dump(),
        because=bound.because,
        extensions=running.extensions,
        extendable_days=clocks.may_extend(bound.duty, running) if open_ else 0,
        acknowledged=running.is_acknowledged,
        taken_over=running.is_taken_over,
        ladder=_ladder(reader, bound, running, explanation),
    )


def _counting(bound: BoundDuty, running: RunningDuty, explanation: Explanation) -> str:
    held = sum(day.mark is DayMark.SUSPENDED for day in explanation.days)
    return counting(bound.duty, local_date(running.anchor_at), explanation, held, sum(running.extensions))


def _ladder(reader: _Reader, bound: BoundDuty, running: RunningDuty, projection: Projection) -> tuple[RungReading, ...]:
    """The whole ladder: where every rung stands, as if none had fired and nobody had been hushed."""
    untouched = running.model_copy(update={"rung": 0, "hushes": ()})
    instants = {call.index: call.at for call in calls(bound.duty, untouched, projection)}
    to_come = {call.index for call in calls(bound.duty, running, projection)} if running.is_open else set()
    return tuple(
        RungReading(
            moment=step.moment,
            at=instants.get(index),
            notice=step.rung.notice,
            notice_label=step.rung.notice.label,
            tell=tuple(told for role in step.rung.tell for told in _whom(reader, role)),
            state=_fired(reader, running, step, index) or _unfired(running, index, index in to_come),
        )
        for index, step in enumerate(footholds(bound.duty))
    )


def _fired(reader: _Reader, running: RunningDuty, step: Foothold, index: int) -> Literal["fired"] | None:
    """Fired means that a notice of this rung is on record; of a ladder that began anew, also one from before."""
    editions = {running.edition, ""} if index < running.rung else {running.edition}
    keys = (
        notice_key(reader.row.id, running.key, step.moment + edition, role)
        for role in step.rung.tell
        for edition in editions
    )
    return "fired" if any(key in reader.told for key in keys) else None


def _unfired(running: RunningDuty, index: int, to_come: bool) -> Literal["passed", "waiting", "off"]:
    """A rung behind the clock was passed over; one ahead waits, unless the duty has ended or a department has heard."""
    if index < running.rung:
        return "passed"
    return "waiting" if to_come else "off"


def _whom(reader: _Reader, role: Role) -> list[Told]:
    """The role's addressee in this place; where nobody is registered the operators' queue hears it."""
    parties = {Role.INSURER: reader.insurer, Role.INSURED: reader.row.insured_name}
    if not is_department(role):
        return [Told(role=role, label=role.label, name=parties.get(role, role.label))]
    candidates = departments(reader.rules.rulebook, role, reader.row.region, Sector(reader.row.sector))
    registered = next((reader.names[pair] for pair in candidates if pair in reader.names), None)
    if registered:
        return [Told(role=role, label=role.label, name=registered)]
    name = candidates[0][1] if candidates else Role.HUMAN_QUEUE.label
    return [Told(role=role, label=role.label, name=name, registered=False)]


def _order(one: DutyReading) -> tuple[bool, str, str]:
    due = one.explanation.due_at
    return one.state != "open", due.isoformat() if due else "~", one.key
