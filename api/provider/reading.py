"""What a service provider is shown of one policy and of one hazard; its list is board.py, its acts are acting.py."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, select

from api import reads
from api.callers import Entry
from api.desk.audience import Reader
from api.desk.caseduties import DutyShown, duties_of, policy_life
from api.desk.casefile import Companion, companions_in, companions_of
from api.desk.evidence import file_address
from api.desk.matters import HazardMatter, PolicyMatter, hazard_matter, policy_matter
from api.desk.ways_back import WaysBack
from api.duties import read_duties
from api.problems import not_found
from api.rows import ASSIGNMENTS, RECIPIENTS
from api.tools import Tools
from domain.calendar import local_date
from models.contracts.vocabulary import CaseKind, Event

ROOM = "/provider"
WAYS = WaysBack(ROOM, frozenset({ROOM}))
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


def address(kind: CaseKind, case_id: UUID, onward: str = ROOM) -> str:
    """Where a case stands in this room; `onward` is the list one came from."""
    return f"{ROOM}/{'hazards' if kind is CaseKind.HAZARD else 'policies'}/{case_id}{WAYS.trail(onward)}"


def _own(entry: Entry) -> ColumnElement[bool]:
    return ASSIGNMENTS.c.provider_id == entry.caller.provider_id


def assigned(entry: Entry) -> Select[UUID]:
    """The policies that name the calling provider."""
    return select(ASSIGNMENTS.c.policy_id).where(_own(entry))


async def _contact(entry: Entry, row: Row[Any]) -> str:
    """Whom to write to before one comes."""
    found = select(RECIPIENTS.c.email).where(
        RECIPIENTS.c.insurer_id == row.insurer_id, RECIPIENTS.c.insured_id == row.insured_id
    )
    return (await entry.connection.execute(found)).scalar_one_or_none() or ""
