"""What goes into the audit trail besides steps: acts of people, in their own transaction, and what was refused them.

How a row is numbered and hashed is the database's business (docs/decisions/0040-audit.md); reading is in api/trail.py.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fastapi import Request
from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.contracts.base import Actor
from models.contracts.vocabulary import AuditEvent, AuditResult
from models.tables.audit import COMMON_CHAIN
from models.tables.engine import tenant

WRITE = text("SELECT write_audit(jsonb_populate_record(NULL::audit, CAST(:entry AS jsonb)))")


@dataclass(frozen=True)
class Origin:
    """Where a request came from; neither is a secret, and neither comes from a part of the address."""

    ip: str | None = None
    request_id: str | None = None

    @classmethod
    def of(cls, request: Request) -> "Origin":
        return cls(request.client.host if request.client else None, request.scope.get("request_id"))


NOWHERE = Origin()
"""Of acts that came by no request."""


@dataclass(frozen=True)
class AuditEntry:
    """One row to be. `chain` is the insurer concerned, COMMON_CHAIN where there is none; `who` is None for a stranger.

    `about` is the kind and the id of the object. `said` is small (4,000 bytes as JSON), and holds no personal data and
    no secret: a row of the trail cannot be taken back.
    """

    what: AuditEvent
    chain: UUID = COMMON_CHAIN
    who: Actor | None = None
    about: tuple[str, str] = ("", "")
    case_id: UUID | None = None
    result: AuditResult = AuditResult.DONE
    digest: str = ""
    said: dict[str, Any] = field(default_factory=dict)
    origin: Origin = NOWHERE


async def note(connection: AsyncConnection, entry: AuditEntry) -> None:
    """Add a row in the caller's transaction: with it the row stands or falls.

    Call it last: it locks the chain until the transaction ends, and every step of that insurer waits for this lock.
    The transaction must see the chain: by `tenant`, or as `operator`; to the common chain everybody may add.
    """
    row = {
        "chain": entry.chain,
        "what": entry.what,
        "who_kind": entry.who.kind if entry.who else None,
        "who_id": entry.who.id if entry.who else "",
        "who_name": entry.who.name if entry.who else "",
        "object_kind": entry.about[0],
        "object_id": entry.about[1],
        "result": entry.result,
        "case_id": entry.case_id,
        "digest": entry.digest,
        "ip": entry.origin.ip,
        "request_id": entry.origin.request_id,
        "said": entry.said,
    }
    await connection.execute(WRITE, {"entry": to_json(row).decode()})


async def noted(engine: AsyncEngine, entry: AuditEntry) -> None:
    """Add a row in a transaction of its own: for what was refused, whose transaction is rolled back."""
    async with engine.begin() as connection:
        if entry.chain != COMMON_CHAIN:
            await tenant(connection, entry.chain)
        await note(connection, entry)
