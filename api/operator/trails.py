"""The audit trail for operators: where each chain stands, the anchors, and the common chain; no insurer's rows."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from sqlalchemy import Row, select, text

from api.callers import Entry
from api.operator.trailwords import readable
from api.operator.visits import Reading
from api.rows import AUDIT, AUDIT_HEADS, INSURERS
from api.trail import TrailQuery, trail
from domain.calendar import DAY, midnight
from domain.wording import instant
from models.contracts.vocabulary import AuditEvent, AuditResult
from models.tables.audit import COMMON_CHAIN, VERIFYING

PER_PAGE = 50
ANCHORS = "*.anchor.json"
"""As the worker and `anze audit anchor` name them (activities/anchoring.py)."""
MOST_ANCHORS = 10
FILTERS = ("what", "result", "who", "about", "since", "until")
UNDER_WAY = text("""
SELECT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = :a AND objid = :b AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
""")
router = APIRouter(prefix="/operator/audit", include_in_schema=False)


@dataclass(frozen=True)
class AnchorShown:
    """One signed file: when it was made, how many chains it holds, and the digest to compare with a copy elsewhere."""

    name: str
    made_at: str
    chains: int
    digest: str


@dataclass(frozen=True)
class Verified:
    """The last time somebody verified the chains: when, who, how many of what, and how much was wrong."""

    at: str
    by: str
    of: str
    """The insurer whose chain it was; empty where it was all of them."""
    chains: int
    rows: int
    steps: int
    anchors: int
    findings: int
    digest: str
    """SHA-256 of the heads as they were then."""


async def last_verified(entry: Entry) -> list[Verified]:
    """By `anze audit verify`: the last time of all chains, and where one insurer's was verified since, that too.

    One chain that held says nothing of the others: it never takes the place of what was found in all of them.
    """
    found = select(AUDIT).where(AUDIT.c.chain == COMMON_CHAIN, AUDIT.c.what == AuditEvent.VERIFIED)
    last = found.order_by(AUDIT.c.number.desc()).limit(1)
    whole = (await entry.connection.execute(last.where(AUDIT.c.object_id == ""))).one_or_none()
    latest = (await entry.connection.execute(last)).one_or_none()
    shown = [whole] if latest is None or (whole and whole.number == latest.number) else [whole, latest]
    return [_verified(row) for row in shown if row is not None]


def _verified(row: Row[Any]) -> Verified:
    counts = {name: int(row.said.get(name, 0)) for name in ("chains", "rows", "steps", "anchors", "findings")}
    return Verified(instant(row.at), row.who_name, row.object_id, digest=row.digest, **counts)


async def verifying(entry: Entry) -> bool:
    """Whether somebody is verifying the chains at this moment."""
    return (await entry.connection.execute(UNDER_WAY, dict(zip("ab", VERIFYING, strict=True)))).scalar_one()


@router.get("")
async def audit(visit: Reading) -> Response:
    """The heads, the latest anchors, and what operators did and strangers tried, newest first."""
    entry, asked = visit.entry, visit.request.query_params
    kept = {name: asked[name] for name in FILTERS if asked.get(name, "").strip()}
    query = replace(query_of(kept), before=_number(asked.get("before", "")), limit=PER_PAGE + 1)
    rows = await trail(entry.connection, query)
    heads = select(*AUDIT_HEADS.c["chain", "number", "hash"], INSURERS.c.name).join(
        INSURERS, INSURERS.c.id == AUDIT_HEADS.c.chain, isouter=True
    )
    found = (await entry.connection.execute(heads.order_by(INSURERS.c.name.nulls_first()))).all()
    folder = entry.tools.anchors
    return visit.page(
        "operator/audit.html.j2",
        rows=rows[:PER_PAGE],
        following=rows[PER_PAGE - 1].number if len(rows) > PER_PAGE else None,
        verified=await last_verified(entry),
        verifying=await verifying(entry),
        heads=found,
        common=COMMON_CHAIN,
        anchors=await asyncio.to_thread(lambda: list(_anchors(folder))) if folder else [],
        kept=kept,
        keep=urlencode(kept),
        events=tuple(AuditEvent),
        results=tuple(AuditResult),
        instant=instant,
        readable=readable,
    )


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
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def _midnight(on: date | None) -> datetime | None:
    return midnight(on) if on else None


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


def _anchors(folder: Path) -> Iterator[AnchorShown]:
    """The latest files, as they say of themselves; whether they are true, `anze audit verify` finds out."""
    for path in sorted(folder.glob(ANCHORS), reverse=True)[:MOST_ANCHORS]:
        text = path.read_bytes()
        try:
            said: dict[str, Any] = json.loads(text)
            made_at = instant(datetime.fromisoformat(said["made_at"]))
            yield AnchorShown(path.name, made_at, len(said["heads"]), sha256(text).hexdigest())
        except (ValueError, KeyError, TypeError):
            yield AnchorShown(path.name, "", 0, sha256(text).hexdigest())
