"""The audit trail for operators: where each chain stands, the anchors, and the common chain; no insurer's rows."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import select

from api.callers import Entry
from api.chains import Verified, asked_of
from api.operator.visits import Reading
from api.rows import AUDIT, AUDIT_HEADS, INSURERS
from domain.wording import instant
from models.contracts.vocabulary import AuditEvent
from models.tables.audit import COMMON_CHAIN

ANCHORS = "*.anchor.json"
"""As the worker and `anze audit anchor` name them (activities/anchoring.py)."""
MOST_ANCHORS = 10
router = APIRouter(prefix="/operator/audit", include_in_schema=False)


@dataclass(frozen=True)
class AnchorShown:
    """One signed file: when it was made, how many chains it holds, and the digest to compare with a copy elsewhere."""

    name: str
    made_at: str
    chains: int
    digest: str


async def last_verified(entry: Entry) -> list[Verified]:
    """By `anze audit verify`: the last time of all chains, and where one insurer's was verified since, that too.

    One chain that held says nothing of the others: it never takes the place of what was found in all of them.
    """
    found = select(AUDIT).where(AUDIT.c.chain == COMMON_CHAIN, AUDIT.c.what == AuditEvent.VERIFIED)
    last = found.order_by(AUDIT.c.number.desc()).limit(1)
    whole = (await entry.connection.execute(last.where(AUDIT.c.object_id == ""))).one_or_none()
    latest = (await entry.connection.execute(last)).one_or_none()
    shown = [whole] if latest is None or (whole and whole.number == latest.number) else [whole, latest]
    return [Verified.of_row(row) for row in shown if row is not None]


@router.get("")
async def audit(visit: Reading) -> Response:
    """The heads, the latest anchors, and what operators did and strangers tried, newest first."""
    entry = visit.entry
    heads = select(*AUDIT_HEADS.c["chain", "number", "hash"], INSURERS.c.name).join(
        INSURERS, INSURERS.c.id == AUDIT_HEADS.c.chain, isouter=True
    )
    found = (await entry.connection.execute(heads.order_by(INSURERS.c.name.nulls_first()))).all()
    folder = entry.tools.anchors
    return visit.page(
        "operator/audit.html.j2",
        verified=await last_verified(entry),
        heads=found,
        common=COMMON_CHAIN,
        anchors=await asyncio.to_thread(lambda: list(_anchors(folder))) if folder else [],
        **await asked_of(visit, COMMON_CHAIN),
    )


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
