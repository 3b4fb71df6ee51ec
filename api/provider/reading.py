"""What a service provider is shown: its assignments by the day a service is due, one policy, one hazard; no acts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select

from api import reads
from api.callers import Entry
from api.desk.audience import Reader
from api.desk.caseduties import DutyShown, duties_of, policy_life
from api.desk.casefile import Companion, companions_in, companions_of
from api.desk.due import when_due
from api.desk.matters import HazardMatter, PolicyMatter, hazard_matter, policy_matter
from api.desk.tones import tone_of
from api.duties import read_duties
from api.evidence import Piece
from api.problems import not_found
from api.rows import ASSIGNED_CASES, ASSIGNMENTS, RECIPIENTS
from api.tools import Tools
from domain import wording
from domain.calendar import local_date
from models.contracts.vocabulary import CaseKind, Event, PolicyStage, Word

MOST_CASES = 300
ROOM = "/provider"
SERVICES = frozenset(
    {
        Event.VISIT_RECORDED,
        Event.FIRST_SERVICE_DONE,
        Event.QUALIFIED_SERVICE_DONE,
        Event.CONTRACT_SERVICES_DONE,
        Event.SERVICE_COMPLETED,
    }
)
"""What ends a term that is the provider's to keep in time, whoever owes it."""


@dataclass(frozen=True)
class Assigned:
    """One policy this provider serves, in one line."""

    href: str
    insured: str
    number: str
    place: str
    stage: Word
    tone: str
    said: str = ""
    due_day: str = ""
    left: str = ""
    late: bool = False
    provisional: bool = False
    open_hazards: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True)
class Board:
    """The first page: what has a day, what has none, what has ended."""

    due: tuple[Assigned, ...]
    served: tuple[Assigned, ...]
    ended: tuple[Assigned, ...]
    more: bool
    """There are others than these, to be looked for by name or number."""

    @property
    def late(self) -> int:
        return sum(one.late for one in self.due)


@dataclass(frozen=True)
class PolicyShown:
    """A policy as whoever serves it needs it: where to go, until when, by which plan, what was found."""

    matter: PolicyMatter
    contact: str
    """The registered address of the insured."""
    duties: tuple[DutyShown, ...]
    life: str
    hazards: tuple[Companion, ...]
    open: bool
    completed: bool
    """The report of the signing term is in."""


async def board(entry: Entry, asked: str = "") -> Board:
    """The assignments of the calling provider, overdue first, then by the day a service is due.

    `asked` is how a policy's number begins or a part of the enterprise's name; empty for all.
    """
    cases = ASSIGNED_CASES.c
    own = select(ASSIGNED_CASES).where(cases.kind == CaseKind.POLICY, cases.id.in_(_assigned(entry)))
    called = or_(func.starts_with(cases.number, asked), func.strpos(cases.insured_name, asked) > 0)
    own = own.where(called) if asked else own
    order = (cases.ended_at.is_not(None), cases.next_due_at, cases.id)
    found = (await entry.connection.execute(own.order_by(*order).limit(MOST_CASES + 1))).all()
    rows = found[:MOST_CASES]
    services, now = services_of(entry.tools), entry.tools.now()
    running = [_line(row, services, now) for row in rows if row.ended_at is None]
    return Board(
        due=tuple(sorted((one for one in running if one.due_at), key=lambda one: (one.due_at, one.number))),
        served=tuple(one for one in running if one.due_at is None),
        ended=tuple(_line(row, frozenset(), now) for row in rows if row.ended_at is not None),
        more=len(found) > MOST_CASES,
    )


async def own_case(entry: Entry, case_id: UUID, kind: CaseKind) -> Row[Any]:
    """A case of the calling provider; 404 for every other one (said here and by row-level security)."""
    row = await reads.case_row(entry, case_id, kind)
    mine = select(ASSIGNMENTS.c.policy_id).where(ASSIGNMENTS.c.policy_id == (row.parent_id or row.id), _own(entry))
    if (await entry.connection.execute(mine)).scalar_one_or_none() is None:
        raise not_found()
    return row


async def policy(entry: Entry, case_id: UUID, reader: Reader) -> PolicyShown:
    """The policy with what is to be done there. Raises Problem 404."""
    row = await own_case(entry, case_id, CaseKind.POLICY)
    at = reads.as_of(entry.tools.now(), row.changed_at)
    services, duties = services_of(entry.tools), await read_duties(entry, row)
    happened = await reads.timeline(entry, row.id)
    named = {one.key for one in duties.items if one.duty in services and one.state == "open"}
    first = next((one.key for one in duties.items if one.key in named), "")
    hazards = await companions_in(entry, row, reader)
    matter = await policy_matter(entry, row, reader, file_address)
    return PolicyShown(
        matter=matter,
        contact=await _contact(entry, row),
        duties=tuple(one for one in duties_of(row, duties, happened, reader, first) if one.key in named),
        life=policy_life(row, duties, happened, hazards, local_date(at), reader),
        hazards=companions_of(CaseKind.HAZARD, hazards, at, reader),
        open=row.ended_at is None,
        completed=any(one.event is Event.SERVICE_COMPLETED for one in happened),
    )


async def hazard(entry: Entry, case_id: UUID, reader: Reader) -> HazardMatter:
    """A hazard of a policy this provider serves. Raises Problem 404."""
    row = await own_case(entry, case_id, CaseKind.HAZARD)
    return await hazard_matter(entry, row, reader, file_address)


def services_of(tools: Tools) -> frozenset[str]:
    """The duties, as all packs name them, that a visit or the report of a service ends."""
    listed = (duty for one in tools.rules.packs() for duty in one.pack.duties)
    return frozenset(duty.id for duty in listed if not SERVICES.isdisjoint(duty.met_by))


def address(kind: CaseKind, case_id: UUID) -> str:
    """Where a case stands in this room."""
    return f"{ROOM}/{'hazards' if kind is CaseKind.HAZARD else 'policies'}/{case_id}"


def file_address(piece: Piece) -> str:
    return f"/evidence/{piece.case_id}/{piece.digest}"


def _own(entry: Entry) -> ColumnElement[bool]:
    return ASSIGNMENTS.c.provider_id == entry.caller.provider_id


def _assigned(entry: Entry) -> Any:
    return select(ASSIGNMENTS.c.policy_id).where(_own(entry))


def _line(row: Row[Any], services: frozenset[str], now: datetime) -> Assigned:
    stage, at = PolicyStage(row.stage), reads.as_of(now, row.changed_at)
    due = [one for one in row.view.get("duties", ()) if one["key"].partition("#")[0] in services and one["due_at"]]
    first = min(due, key=lambda one: one["due_at"], default=None)
    return Assigned(
        href=address(row.kind, row.id),
        insured=row.insured_name,
        number=row.number,
        place=wording.place_line(row.region, row.sector, row.size),
        stage=stage,
        tone=tone_of(stage),
        open_hazards=row.open_hazards,
        **({"said": first["label"], **when_due(first, at)} if first else {}),
    )


async def _contact(entry: Entry, row: Row[Any]) -> str:
    """Whom to write to before one comes."""
    found = select(RECIPIENTS.c.email).where(
        RECIPIENTS.c.insurer_id == row.insurer_id, RECIPIENTS.c.insured_id == row.insured_id
    )
    return (await entry.connection.execute(found)).scalar_one_or_none() or ""
