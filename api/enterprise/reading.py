"""What is open at one enterprise, most urgent first, and what was done there; one matter is told in matters.py."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row, select, tuple_

from api import reads
from api.callers import Entry
from api.cursors import Cursors
from api.desk.deeds import BEFORE_CLAIM
from api.desk.due import when_due
from api.desk.tones import tone_of
from api.problems import not_found
from api.rows import CASES, STEPS
from domain import wording
from models.contracts.vocabulary import ActorKind, CaseKind, ClaimStage, Event, HazardGrade, HazardStage, Role, Word

MOST_CASES = 300
AHEAD = timedelta(days=60)
"""What an enterprise owes under its policy stands on its list from this long before it is due: a renewal is no task for
a year. By our choice; what needs an earlier word has its own letter.
"""
PER_PAGE = 30
ROOM = "/enterprise"


@dataclass(frozen=True)
class Item:
    """One thing to do; `what` is rectify, plan, rate or duty, the words are the template's."""

    what: str
    href: str
    number: str
    policy_number: str
    said: str = ""
    due_day: str = ""
    left: str = ""
    late: bool = False
    provisional: bool = False
    major: bool = False
    due_at: datetime | None = None


@dataclass(frozen=True)
class Brief:
    """A case in one line, for looking it up."""

    href: str
    number: str
    stage: Word
    tone: str
    said: str = ""
    due_day: str = ""
    left: str = ""
    late: bool = False
    amount: str = ""


@dataclass(frozen=True)
class Board:
    """The first page of an enterprise."""

    items: tuple[Item, ...]
    waiting: tuple[Brief, ...]
    """Hazards whose recheck is the insurer's next step."""
    claims: tuple[Brief, ...]
    policies: tuple[Brief, ...]

    @property
    def late(self) -> int:
        return sum(one.late for one in self.items)


@dataclass(frozen=True)
class Done:
    """One act of this enterprise, as it stands in the record."""

    at_said: str
    number: str
    kind: CaseKind
    href: str
    lines: tuple[tuple[Event, str], ...]


class HistoryQuery(BaseModel):
    """Where a page of the history begins."""

    cursor: str | None = Field(None, max_length=400)
    limit: int = Field(PER_PAGE, ge=1, le=100)


async def board(entry: Entry) -> Board:
    """Everything that is open at the calling enterprise, overdue first, then by the day it is due."""
    own = select(CASES).where(CASES.c.insured_id == entry.caller.insured_id, CASES.c.ended_at.is_(None))
    rows = (await entry.connection.execute(own.order_by(CASES.c.opened_at.desc()).limit(MOST_CASES))).all()
    now = entry.tools.now()
    hazards = [row for row in rows if row.kind is CaseKind.HAZARD]
    policies = [row for row in rows if row.kind is CaseKind.POLICY]
    items = [_hazard(row, now) for row in hazards if row.stage in BEFORE_CLAIM]
    for row in policies:
        items.extend(_duties(row, now))
    items.extend(await _of_services(entry, policies))
    return Board(
        items=tuple(sorted(items, key=_order)),
        waiting=tuple(_line(row, now) for row in hazards if row.stage == HazardStage.CLAIMED),
        claims=tuple(_claim(row, now) for row in rows if row.kind is CaseKind.CLAIM),
        policies=tuple(_line(row, now) for row in policies),
    )


async def own_case(entry: Entry, case_id: UUID, kind: CaseKind) -> Row[Any]:
    """A case of the calling enterprise; 404 for every other one (said here and by row-level security)."""
    row = await reads.case_row(entry, case_id, kind)
    if row.insured_id != entry.caller.insured_id:
        raise not_found()
    return row


async def history(entry: Entry, query: HistoryQuery) -> tuple[list[Done], str | None]:
    """What the enterprise did, latest first, and the cursor of what follows."""
    cursors = Cursors(entry.tools.secret, entry.caller.key_id, "history", query)
    place = cursors.read(query.cursor)
    found = (
        select(*STEPS.c["case_id", "seq", "at"], *CASES.c["number", "kind", "parent_id"])
        .join(CASES, CASES.c.id == STEPS.c.case_id)
        .where(CASES.c.insured_id == entry.caller.insured_id, STEPS.c.actor_kind == ActorKind.ENTERPRISE)
    )
    if place is not None:
        found = found.where(tuple_(STEPS.c.at, STEPS.c.case_id) < tuple_(*place))
    found = found.order_by(STEPS.c.at.desc(), STEPS.c.case_id.desc()).limit(query.limit + 1)
    rows = (await entry.connection.execute(found)).all()
    shown = rows[: query.limit]
    following = cursors.write(shown[-1].at, shown[-1].case_id) if len(rows) > query.limit else None
    lines = await reads.lines_of_steps(entry, [(row.case_id, row.seq) for row in shown])
    return [_done(row, lines.get((row.case_id, row.seq), ())) for row in shown], following


def _done(row: Row[Any], lines: Iterable[Row[Any]]) -> Done:
    happened = tuple((one.event, one.said) for one in lines)
    return Done(wording.instant(row.at), row.number, row.kind, address(row.kind, row.case_id), happened)


def address(kind: CaseKind, case_id: UUID) -> str:
    """Where a case stands in this room; claims have no page of their own."""
    shelf = {CaseKind.HAZARD: "hazards", CaseKind.POLICY: "policies"}.get(kind)
    return f"{ROOM}/{shelf}/{case_id}" if shelf else f"{ROOM}#claims"


def _hazard(row: Row[Any], now: datetime) -> Item:
    own = _own(row)
    return Item(
        what="rectify",
        href=address(row.kind, row.id),
        number=row.number,
        policy_number=row.view["policy_number"],
        said=row.view["description"],
        major=row.view["grade"] == HazardGrade.MAJOR,
        **(when_due(own[0], reads.as_of(now, row.changed_at)) if own else {}),
    )


def _duties(row: Row[Any], now: datetime) -> Iterator[Item]:
    """What the enterprise owes under its policy before long: renewal, a filing; what has no day is owed now."""
    at = reads.as_of(now, row.changed_at)
    for duty in _own(row):
        due = when_due(duty, at)
        if due["due_at"] is not None and due["due_at"] - at > AHEAD:
            continue
        yield Item("duty", address(row.kind, row.id), row.number, row.number, said=duty["label"], **due)


def _own(row: Row[Any]) -> list[dict[str, Any]]:
    return [one for one in row.view.get("duties", ()) if one["owed_by"] == Role.INSURED]


async def _of_services(entry: Entry, policies: list[Row[Any]]) -> list[Item]:
    """Plans that wait for a yes, services that wait for their stars."""
    command = STEPS.c.cause["body"]["command"]
    found = select(*STEPS.c["case_id", "command_name"], command["number"].astext.label("number")).where(
        STEPS.c.case_id.in_([row.id for row in policies]),
        STEPS.c.command_name.in_(("FilePlan", "ConfirmPlan", "RecordVisit")),
    )
    steps: dict[UUID, list[Any]] = {}
    for step in await entry.connection.execute(found.order_by(STEPS.c.seq)):
        steps.setdefault(step.case_id, []).append(step)
    return [item for row in policies for item in _waiting(row, steps.get(row.id, []))]


def _waiting(row: Row[Any], steps: list[Any]) -> Iterator[Item]:
    here = address(row.kind, row.id)
    plans = [one.command_name for one in steps if one.command_name != "RecordVisit"]
    if plans and plans[-1] == "FilePlan":
        yield Item("plan", f"{here}/plan", row.number, row.number)
    rated = {one["visit"] for one in row.view.get("ratings", ())}
    for step in steps:
        if step.command_name == "RecordVisit" and step.number not in rated:
            yield Item("rate", f"{here}/visits/{step.number}", step.number, row.number)


def _line(row: Row[Any], now: datetime) -> Brief:
    stage = reads.STAGES[row.kind](row.stage)
    return Brief(address(row.kind, row.id), row.number, stage, tone_of(stage), row.view.get("description", ""))


def _claim(row: Row[Any], now: datetime) -> Brief:
    """Few fields: how far it is, what is to be paid once that is determined, the next day; nobody who was hurt."""
    at, stage = reads.as_of(now, row.changed_at), ClaimStage(row.stage)
    briefs = [one for one in row.view.get("duties", ()) if one["due_at"]]
    first = min(briefs, key=lambda one: one["due_at"], default=None)
    due = when_due(first, at) if first else {}
    payable = row.view["money"].get("payable") if row.view.get("covered") is not None else None
    return Brief(
        href=address(row.kind, row.id),
        number=row.number,
        stage=stage,
        tone=tone_of(stage),
        said=first["label"] if first else "",
        due_day=due.get("due_day", ""),
        left=due.get("left", ""),
        late=due.get("late", False),
        amount=wording.money(Decimal(str(payable))) if payable is not None else "",
    )


def _order(one: Item) -> tuple[bool, str]:
    """Overdue ones are the earliest; what has no day comes last."""
    return one.due_at is None, one.due_at.isoformat() if one.due_at else one.what + one.number
