"""An insurer's own audit trail, for its auditors and administrators; the operators' page is api/operator/trails.py."""

from dataclasses import dataclass

from fastapi import APIRouter, Response
from sqlalchemy import select

from api.callers import Entry
from api.chains import Verified, asked_of
from api.insurer.pages.cases import case_address
from api.insurer.pages.visits import Reading
from api.rows import AUDIT, AUDIT_HEADS
from models.contracts.vocabulary import AuditEvent

router = APIRouter(prefix="/insurer/audit", include_in_schema=False)


@dataclass(frozen=True)
class Chain:
    """Where the insurer's chain stands: its last entry, whether its head agrees with it, the last verification."""

    number: int
    hash: str
    fits: bool
    """A head that differs from the last row was moved, or rows were added or cut off past the system."""
    verified: list[Verified]
    """One or none."""


@router.get("")
async def audit(visit: Reading) -> Response:
    """What was done and refused in this insurer's name and with its cases, newest first; whether the chain holds."""
    return visit.page(
        "insurer/audit.html.j2",
        chain=await _chain(visit.entry),
        address=case_address,
        **await asked_of(visit, visit.caller.tenant),
    )


async def _chain(entry: Entry) -> Chain:
    rows = select(AUDIT).where(AUDIT.c.chain == entry.caller.tenant).order_by(AUDIT.c.number.desc()).limit(1)
    last = (await entry.connection.execute(rows)).one_or_none()
    verified = (await entry.connection.execute(rows.where(AUDIT.c.what == AuditEvent.VERIFIED))).one_or_none()
    heads = select(AUDIT_HEADS).where(AUDIT_HEADS.c.chain == entry.caller.tenant)
    head = (await entry.connection.execute(heads)).one_or_none()
    ends = [(one.number, one.hash) if one else (0, "") for one in (last, head)]
    return Chain(*ends[0], ends[0] == ends[1], [Verified.of_row(verified)] if verified else [])
