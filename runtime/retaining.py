"""How long each policy's people are kept, read from its rows: whose term is over, and what of it is still there."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.calendar import local_date
from domain.retention import Facts, Retention, retention
from models.contracts.vocabulary import PolicyStage

# All claims of a policy stand together: a person has one reference among them, and is needed as long as any of them.
POLICIES = """
SELECT p.id, p.number, p.insured_id, p.effective_on, p.expires_on, p.stage, p.ended_at, claims.*,
    (SELECT count(*) FROM victims v JOIN cases c ON c.id = v.case_id
     WHERE c.insurer_id = p.insurer_id AND c.parent_id = p.id AND v.erased_at IS NULL) AS persons,
    EXISTS (SELECT FROM erasure_holds h JOIN cases c ON c.id = h.case_id
            WHERE c.insurer_id = p.insurer_id AND c.parent_id = p.id AND h.released_at IS NULL) AS held,
    EXISTS (SELECT FROM payment_orders o JOIN cases c ON c.id = o.case_id
            WHERE c.insurer_id = p.insurer_id AND c.parent_id = p.id
                AND o.state IN ('written', 'sending', 'accepted', 'unknown')) AS ordered
FROM cases p CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(c.number ORDER BY c.number), '{}') AS claims,
        max(greatest(c.ended_at, c.changed_at)) AS last_at,
        coalesce(bool_or(c.ended_at IS NULL), false) AS claim_open,
        coalesce(bool_or(EXISTS (SELECT FROM jsonb_array_elements(c.view->'payments') one
                                 WHERE one->>'status' NOT IN ('confirmed', 'voided'))), false) AS unpaid
    FROM cases c WHERE c.insurer_id = p.insurer_id AND c.parent_id = p.id AND c.kind = 'claim'
) claims
WHERE p.kind = 'policy' AND p.insurer_id = :insurer
"""
WITH_PEOPLE = " AND p.id IN (SELECT c.parent_id FROM victims v JOIN cases c ON c.id = v.case_id)"
ONE = " AND p.id = :policy"
OF_INSUREDS = " AND p.insured_id = ANY (:insureds)"
ORDER = " ORDER BY p.number, p.id"
# No policy of theirs is open, nor anything else; what is past its term is reckoned policy by policy.
CONTACTS = text("""
SELECT r.id, r.insured_id FROM recipients r
WHERE r.insurer_id = :insurer AND r.insured_id IS NOT NULL AND r.email <> ''
    AND (CAST(:only AS uuid) IS NULL OR r.id = :only)
    AND NOT EXISTS (SELECT FROM cases c WHERE c.insured_id = r.insured_id AND c.ended_at IS NULL)
    AND EXISTS (SELECT FROM cases c WHERE c.insured_id = r.insured_id AND c.kind = 'policy')
ORDER BY r.id
""")


@dataclass(frozen=True)
class Keeping:
    """A policy whose claims hold something about people, and until when."""

    insurer_id: UUID
    policy_id: UUID
    insured_id: UUID
    number: str
    claims: tuple[str, ...]
    persons: int
    """Not erased yet."""
    retention: Retention


@dataclass(frozen=True)
class Contact:
    """The address of an enterprise that has no open case."""

    recipient_id: UUID
    retention: tuple[Retention, ...]

    def is_due(self, today: date) -> bool:
        return all(one.is_due(today) for one in self.retention)


async def with_people(connection: AsyncConnection, insurer_id: UUID, years: int) -> list[Keeping]:
    """Within the insurer's view."""
    return await _read(connection, POLICIES + WITH_PEOPLE + ORDER, years, insurer=insurer_id)


async def keeping(connection: AsyncConnection, insurer_id: UUID, policy_id: UUID, years: int) -> Keeping:
    """One policy, within the insurer's view."""
    return (await _read(connection, POLICIES + ONE, years, insurer=insurer_id, policy=policy_id))[0]


async def contacts(
    connection: AsyncConnection, insurer_id: UUID, years: int, only: UUID | None = None
) -> list[Contact]:
    """Within the insurer's view: enterprises without an open case that can still be written to; all, or `only` one."""
    found = (await connection.execute(CONTACTS, {"insurer": insurer_id, "only": only})).all()
    insureds = [row.insured_id for row in found]
    kept = defaultdict[UUID, list[Retention]](list)
    for one in await _read(connection, POLICIES + OF_INSUREDS, years, insurer=insurer_id, insureds=insureds):
        kept[one.insured_id].append(one.retention)
    return [Contact(row.id, tuple(kept[row.insured_id])) for row in found]


async def _read(connection: AsyncConnection, statement: str, years: int, **given: Any) -> list[Keeping]:
    rows = (await connection.execute(text(statement), given)).all()
    return [_keeping(given["insurer"], row, years) for row in rows]


def _keeping(insurer_id: UUID, row: Row[Any], years: int) -> Keeping:
    ended_on = local_date(row.ended_at) if row.ended_at else None
    facts = Facts(
        effective_on=row.effective_on,
        expires_on=row.expires_on,
        surrendered_on=ended_on if row.stage == PolicyStage.SURRENDERED else None,
        policy_open=ended_on is None,
        claim_open=row.claim_open,
        payment_open=row.unpaid or row.ordered,
        held=row.held,
        last_claim_on=local_date(row.last_at) if row.last_at else None,
    )
    return Keeping(
        insurer_id, row.id, row.insured_id, row.number, tuple(row.claims), row.persons, retention(facts, years)
    )
