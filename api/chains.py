"""One chain of the audit trail as a page: what is asked of it, its rows, its verifications; whose it is, rooms say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select, text

from api.callers import Entry
from api.desk.frame import Visit
from api.reads import lines_of_steps
from api.rows import USERS
from api.trail import TrailQuery, trail
from api.trailwords import readable
from api.written import day_of, id_of
from domain.calendar import DAY, midnight
from domain.wording import instant
from models.contracts.base import EARLIEST, LATEST
from models.contracts.vocabulary import ActorKind, AuditEvent, AuditResult, Event
from models.tables.audit import COMMON_CHAIN, VERIFYING

PER_PAGE = 50
FILTERS = ("what", "result", "who", "about", "since", "until")
UNDER_WAY = text("""
SELECT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = :a AND objid = :b AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
""")


@dataclass(frozen=True)
class Verified:
    """One time somebody verified chains: when, who, how many of what, and how much was wrong."""

    at: str
    by: str
    of: str
    """The insurer whose chain it was; empty where it was all of them, and on an insurer's own page."""
    chains: int
    rows: int
    steps: int
    anchors: int
    findings: int
    up_to: int
    """The last entry that was looked at, as an insurer's own chain has it; nothing where several chains were."""
    digest: str
    """SHA-256 of the heads as they were then."""

    @classmethod
    def of_row(cls, row: Row[Any]) -> "Verified":
        names = ("chains", "rows", "steps", "anchors", "findings", "up_to")
        counts = {name: int(row.said.get(name, 0)) for name in names}
        of = row.object_id if row.chain == COMMON_CHAIN else ""
        return cls(instant(row.at), row.who_name, of, digest=row.digest, **counts)


async def verifying(entry: Entry) -> bool:
    """Whether somebody is verifying the chains at this moment."""
    return (await entry.connection.execute(UNDER_WAY, dict(zip("ab", VERIFYING, strict=True)))).scalar_one()


async def asked_of(visit: Visit, chain: UUID) -> dict[str, Any]:
    """What a page of this chain is drawn with: its rows as the address asks for them, newest first, and the words."""
    asked = visit.request.query_params
    kept = {name: asked[name] for name in FILTERS if asked.get(name, "").strip()}
    query = replace(query_of(kept), chain=chain, before=_number(asked.get("before", "")), limit=PER_PAGE + 1)
    query = replace(query, called=await _called(visit.entry, chain, query.who))
    rows = await trail(visit.entry.connection, query)
    shown = rows[:PER_PAGE]
    return {
        "rows": shown,
        "happened": await _happened(visit.entry, shown),
        "people": await _people(visit.entry, chain, shown),
        "following": shown[-1].number if len(rows) > PER_PAGE else None,
        "verifying": await verifying(visit.entry),
        "kept": kept,
        "keep": urlencode(kept),
        "events": [one for one in AuditEvent if chain != COMMON_CHAIN or one is not AuditEvent.STEP],
        "results": tuple(AuditResult),
        "instant": instant,
        "readable": readable,
    }


async def _happened(entry: Entry, rows: Sequence[Row[Any]]) -> dict[tuple[UUID, int], list[Event]]:
    """What each step among these rows was, by its case and number."""
    steps = [(row.case_id, row.seq) for row in rows if row.what == AuditEvent.STEP]
    lines = await lines_of_steps(entry, steps)
    return {step: list(dict.fromkeys(one.event for one in told)) for step, told in lines.items()}


async def _people(entry: Entry, chain: UUID, rows: Sequence[Row[Any]]) -> dict[str, str]:
    """By the number an entry names them with: the reader's own people; a chain keeps no names, which may be erased."""
    numbers = {number for row in rows if (number := id_of(row.who_id))}  # others act too: keys, the command line
    asked = select(USERS.c.id, USERS.c.name).where(USERS.c.id.in_(numbers), _own(chain))
    return {str(one.id): one.name for one in await entry.connection.execute(asked)}


async def _called(entry: Entry, chain: UUID, who: str | None) -> frozenset[str]:
    """The numbers of the reader's own people in whose name this stands."""
    if not who:
        return frozenset()
    asked = select(USERS.c.id).where(USERS.c.name.contains(who, autoescape=True), _own(chain))
    return frozenset(str(one) for one in (await entry.connection.execute(asked)).scalars())


def _own(chain: UUID) -> ColumnElement[bool]:
    """The people of whoever reads this chain."""
    return USERS.c.kind == ActorKind.OPERATOR if chain == COMMON_CHAIN else USERS.c.insurer_id == chain


def query_of(asked: Mapping[str, str]) -> TrailQuery:
    """What the address asks for; what is unknown or unreadable does not narrow."""
    what, result = asked.get("what", ""), asked.get("result", "")
    until = _day(asked.get("until", ""))
    return TrailQuery(
        what=frozenset({AuditEvent(what)}) if what in set(AuditEvent) else frozenset(),
        result=AuditResult(result) if result in set(AuditResult) else None,
        who=asked.get("who", "").strip()[:80] or None,
        about=asked.get("about", "").strip()[:80] or None,
        since=_midnight(_day(asked.get("since", ""))),
        until=_midnight(until + DAY if until else None),
    )


def _day(given: str) -> date | None:
    """A day there may be entries of; whatever else was written does not narrow."""
    day = day_of(given)
    return day if day and EARLIEST <= day < LATEST else None


def _midnight(on: date | None) -> datetime | None:
    return midnight(on) if on else None


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
