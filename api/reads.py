"""Plain selects behind every page and list; which rows a caller may see was settled in callers.py."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Row, Select, and_, any_, func, or_, select, tuple_

from api.callers import Caller, Entry
from api.claims.shapes import ClaimReading
from api.cursors import Cursors, Place
from api.problems import not_found
from api.rows import CASES, INSURERS, OUTBOX, RECIPIENTS, STEPS, TIMELINE
from api.shapes import (
    CaseLine,
    HazardQuery,
    HazardReading,
    InboxNotice,
    ListQuery,
    NoticeQuery,
    NoticeReading,
    Page,
    PolicyQuery,
    PolicyReading,
    TimelineEntry,
)
from domain.calendar import midnight
from models.contracts import ids
from models.contracts.vocabulary import ActorKind, CaseKind, ClaimStage, HazardStage, PolicyStage

L = TypeVar("L", bound=CaseLine)
STAGES: dict[CaseKind, type[PolicyStage] | type[HazardStage] | type[ClaimStage]] = {
    CaseKind.POLICY: PolicyStage,
    CaseKind.HAZARD: HazardStage,
    CaseKind.CLAIM: ClaimStage,
}
READINGS: dict[CaseKind, type[PolicyReading] | type[HazardReading] | type[ClaimReading]] = {
    CaseKind.POLICY: PolicyReading,
    CaseKind.HAZARD: HazardReading,
    CaseKind.CLAIM: ClaimReading,
}
LINE = (
    *CASES.c["id", "kind", "number", "parent_id", "stage", "region", "sector", "size", "insured_name", "signed_on"],
    *CASES.c["effective_on", "expires_on", "next_duty", "next_due_at", "provisional", "rate_review"],
    *CASES.c["open_hazards", "ended_at", "opened_at", "changed_at"],
)
NOTICE = (
    *OUTBOX.c["id", "case_id", "kind", "to_role", "urgency", "at", "about", "cites", "status", "queued_at"],
    *OUTBOX.c["told_at", "acknowledged_at", "matter"],
    RECIPIENTS.c.name.label("to"),
)


async def case_row(entry: Entry, case_id: UUID, kind: CaseKind) -> Row[Any]:
    """The read model of a case the caller may see; 404 otherwise."""
    cases = entry.caller.cases
    row = (await entry.connection.execute(select(cases).where(cases.c.id == case_id, cases.c.kind == kind))).first()
    if row is None:
        raise not_found()
    return row


async def insurer_of(entry: Entry, row: Row[Any]) -> str:
    """Whose case it is, by name."""
    found = select(INSURERS.c.name).where(INSURERS.c.id == row.insurer_id)
    return (await entry.connection.execute(found)).scalar_one()


def as_of(now: datetime, changed_at: datetime) -> datetime:
    """The instant a case is judged at: now, or its own last step where its clock has been moved ahead of ours."""
    return max(now, changed_at)


def reading(row: Row[Any], now: datetime, in_hand: str) -> PolicyReading | HazardReading | ClaimReading:
    """A case as it stands, with what is overdue at this instant; `in_hand` is whoever has it in hand."""
    at = as_of(now, row.changed_at)
    due = [(brief["key"], brief["due_at"]) for brief in row.view.get("duties", ())]
    late = tuple(key for key, due_at in due if due_at and datetime.fromisoformat(due_at) <= at)
    standing = {
        "as_of": at,
        "overdue": late,
        "opened_at": row.opened_at,
        "changed_at": row.changed_at,
        "ended_at": row.ended_at,
        "in_hand": in_hand,
    }
    return READINGS[row.kind].model_validate({**row.view, **standing})


async def policies(entry: Entry, query: PolicyQuery, named: Iterable[ColumnElement[bool]]) -> Page[CaseLine]:
    """`named` is what `query.insured` asks, which is looked for before (api/searching.py)."""
    conditions = [
        *named,
        *equal(CASES.c.id, query.number and ids.policy_id(entry.caller.tenant, query.number)),
        *equal(CASES.c.size, query.size),
        *equal(CASES.c.stage, query.stage),
        *equal(CASES.c.rate_review, query.rate_review),
    ]
    return await listed(entry, Listing(CaseKind.POLICY, line), query, conditions)


async def hazards(entry: Entry, query: HazardQuery, policy_id: UUID | None = None) -> Page[CaseLine]:
    conditions = [*equal(CASES.c.stage, query.stage), *equal(CASES.c.parent_id, policy_id)]
    conditions += equal(CASES.c.number, query.number)
    if query.grade:
        conditions.append(CASES.c.view["grade"].astext == query.grade.value)
    return await listed(entry, Listing(CaseKind.HAZARD, line, str(policy_id or "")), query, conditions)


async def timeline(entry: Entry, case_id: UUID) -> list[TimelineEntry]:
    """Everything that happened, in the order it was recorded; operators do not see on whose word: steps are closed."""
    found = (
        select(TIMELINE, STEPS.c.actor_name, STEPS.c.actor_kind)
        .join(STEPS, (STEPS.c.case_id == TIMELINE.c.case_id) & (STEPS.c.seq == TIMELINE.c.seq), isouter=True)
        .where(TIMELINE.c.case_id == case_id)
        .order_by(TIMELINE.c.seq, TIMELINE.c.line)
    )
    return [_entry(row) for row in await entry.connection.execute(found)]


async def lines_of_steps(entry: Entry, steps: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], list[Row[Any]]]:
    """The lines of the timeline of these steps, (case, number) each, in their order; none has no entry."""
    found: dict[tuple[UUID, int], list[Row[Any]]] = {}
    if steps:
        wanted = tuple_(TIMELINE.c.case_id, TIMELINE.c.seq).in_(steps)
        for one in await entry.connection.execute(select(TIMELINE).where(wanted).order_by(TIMELINE.c.line)):
            found.setdefault((one.case_id, one.seq), []).append(one)
    return found


async def notices(entry: Entry, case_id: UUID) -> list[NoticeReading]:
    """What was told about a case, to whom, and how its delivery stands."""
    found = _notices().where(OUTBOX.c.case_id == case_id).order_by(OUTBOX.c.at, OUTBOX.c.id)
    return [NoticeReading.model_validate(_notice(row)) for row in await entry.connection.execute(found)]


async def inbox(entry: Entry, query: NoticeQuery) -> Page[InboxNotice]:
    """What was addressed to the calling department, latest first."""
    cursors = Cursors(entry.tools.secret, entry.caller.owner, "inbox", query)
    found = _notices().where(OUTBOX.c.recipient_id == entry.caller.recipient_id)
    found = _after(found, (OUTBOX.c.queued_at, OUTBOX.c.id), cursors.read(query.cursor), query.limit)
    rows = (await entry.connection.execute(found)).all()
    following = cursors.write(rows[query.limit - 1].queued_at, rows[query.limit - 1].id) if _more(rows, query) else None
    return Page(items=[_inbox(row) for row in rows[: query.limit]], next=following)


@dataclass(frozen=True)
class Listing(Generic[L]):
    """A list of one kind of case: how a line is shown, within what, and which further columns that takes."""

    kind: CaseKind
    line: Callable[[Row[Any], datetime], L]
    within: str = ""
    more: tuple[ColumnElement[Any], ...] = ()
    due_first: bool = False
    """By the next due instant, soonest first, cases without one left out; else latest opened first."""


async def listed(entry: Entry, listing: Listing[L], query: ListQuery, conditions: list[ColumnElement[bool]]) -> Page[L]:
    """Newest first by the day of opening, which never changes, so that no page skips or repeats a case."""
    now = entry.tools.now()
    cursors = Cursors(entry.tools.secret, entry.caller.owner, f"{listing.kind}/{listing.within}", query)
    place, among = cursors.read(query.cursor), matching(entry, listing.kind, query, due_first=listing.due_first)
    # picked first: where they must be sorted, what is shown of a case is not read of all that are sorted
    picked, order = select(CASES.c.id).where(*among, *conditions), (CASES.c.opened_at.desc(), CASES.c.id.desc())
    if listing.due_first:
        picked, order = _soonest(picked, place, query.limit), (CASES.c.next_due_at.asc(), CASES.c.id.asc())
    else:
        picked = _after(picked, (CASES.c.opened_at, CASES.c.id), place, query.limit)
    among_them = CASES.c.id == any_(func.array(picked.scalar_subquery()))
    shown = select(*LINE, *listing.more).where(among_them).order_by(*order)
    rows = (await entry.connection.execute(shown)).all()
    last = rows[query.limit - 1] if _more(rows, query) else None
    following = cursors.write(_place(last, listing), last.id) if last else None
    return Page(items=[listing.line(row, now) for row in rows[: query.limit]], next=following)


def _place(row: Row[Any], listing: Listing[Any]) -> datetime:
    return row.next_due_at if listing.due_first else row.opened_at


def matching(entry: Entry, kind: CaseKind, query: ListQuery, *, due_first: bool = False) -> list[ColumnElement[bool]]:
    """What every list of cases filters by; `due_first`: the list is read in the order of terms."""
    now = entry.tools.now()
    found = [*own(entry.caller, CASES), CASES.c.kind == kind, *_common(query)]
    if query.overdue is None:
        return found
    late = CASES.c.ended_at.is_(None) & (_overdue_in_order(now) if due_first else _overdue(now))
    if not query.overdue:
        ahead = [CASES.c.next_due_at > now] if due_first else []  # where the list begins, in the order of terms
        return [*found, ~func.coalesce(late, False), *ahead]
    return [*found, late, CASES.c.next_due_at <= _furthest(entry.caller, kind, now)]


def _furthest(caller: Caller, kind: CaseKind, now: datetime) -> ColumnElement[datetime]:
    """Nothing is overdue that is due after this: now, or where the clock stands that was moved furthest ahead of ours.

    Said again as one bound, because an index has no use for the alternatives of `_overdue`.
    """
    moved = CASES.alias("moved")
    ahead = select(func.max(moved.c.changed_at)).where(*own(caller, moved), moved.c.kind == kind)
    # not coalesce: the wall of row-level security lets through what is known to leak nothing, and that is not
    return func.greatest(now, ahead.where(moved.c.changed_at > now).scalar_subquery())


def own(caller: Caller, table: FromClause) -> list[ColumnElement[bool]]:
    """An insurer's rows are its own: row-level security says so too, but no index can be used by what it says."""
    return [table.c.insurer_id == caller.tenant] if caller.kind is ActorKind.INSURER else []


def _soonest(found: Select[Any], place: Place | None, limit: int) -> Select[Any]:
    order = (CASES.c.next_due_at, CASES.c.id)
    found = found.where(CASES.c.next_due_at.is_not(None), CASES.c.ended_at.is_(None))
    if place is not None:
        found = found.where(tuple_(*order) > tuple_(*place))
    return found.order_by(*order).limit(limit + 1)


def _common(query: ListQuery) -> list[ColumnElement[bool]]:
    found = [*equal(CASES.c.sector, query.sector), *equal(CASES.c.provisional, query.provisional)]
    if query.region:
        found += below(CASES.c.region, query.region)
    if query.due_before:
        found.append(CASES.c.next_due_at <= midnight(query.due_before))
    return found


def _overdue(now: datetime) -> ColumnElement[bool]:
    """The term has run out now, or where the case's own clock stands when that has been moved ahead of ours."""
    due, moved = CASES.c.next_due_at, CASES.c.changed_at
    return or_(due <= now, and_(moved > now, due <= moved))


def _overdue_in_order(now: datetime) -> ColumnElement[bool]:
    """The same, said so that no index is chosen for it: the one the list is read by holds what is overdue first."""
    return CASES.c.next_due_at <= func.greatest(now, CASES.c.changed_at)


def below(region: ColumnElement[str], place: str) -> list[ColumnElement[bool]]:
    """A place with everything below it, as bounds an index can use: 3413.., the nation has all."""
    prefix = place.rstrip("0")
    prefix = place[: len(prefix) + len(prefix) % 2]
    return [region >= prefix, region < prefix + "a"] if prefix else []  # digits come before letters


def equal(column: ColumnElement[Any], value: object) -> list[ColumnElement[bool]]:
    return [] if value is None else [column == value]


def _after(
    found: Select[Any], order: tuple[ColumnElement[Any], ColumnElement[Any]], place: Place | None, limit: int
) -> Select[Any]:
    """The rows after a place, one more than asked for, so that a last page is known as the last."""
    if place is not None:
        found = found.where(tuple_(*order) < tuple_(*place))
    return found.order_by(order[0].desc(), order[1].desc()).limit(limit + 1)


def _more(rows: Any, query: ListQuery | NoticeQuery) -> bool:
    return len(rows) > query.limit


def line(row: Row[Any], now: datetime) -> CaseLine:
    late = row.ended_at is None and row.next_due_at is not None and row.next_due_at <= as_of(now, row.changed_at)
    label = STAGES[row.kind](row.stage).label
    return CaseLine.model_validate({**row._mapping, "stage_label": label, "overdue": late})


def _entry(row: Row[Any]) -> TimelineEntry:
    by = row.actor_name or (row.actor_kind.label if row.actor_kind else "")
    return TimelineEntry.model_validate({**row._mapping, "label": row.event.label, "by": by})


def _notices() -> Select[Any]:
    return select(*NOTICE).join(RECIPIENTS, RECIPIENTS.c.id == OUTBOX.c.recipient_id, isouter=True)


def _notice(row: Row[Any]) -> dict[str, Any]:
    about = {"duty_key": row.about.get("duty_key", ""), "title": row.about.get("label", "")}
    labels = {"label": row.kind.label, "status_label": row.status.label}
    return {**row._mapping, **about, **labels, "to": row.to or row.to_role.label}


def _inbox(row: Row[Any]) -> InboxNotice:
    known = ("number", "region", "sector", "insured_name", "insurer_name")
    matter = {name: row.matter[name] for name in known} | {"case_kind": row.matter["kind"]}
    return InboxNotice.model_validate({**_notice(row), **matter, "note": row.about.get("note", "")})
