"""Whose mailbox an answer to a letter goes to: the insurer's for its insured, the operators' for everybody else."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from activities.mailserver import unwritable
from models.contracts.vocabulary import Role
from models.tables.engine import no_tenant, tenant
from models.tables.parties import Recipient


async def answering(session: AsyncSession, to: Recipient) -> tuple[str, str]:
    """Name and address; both empty where nobody is registered, or where it would be the reader itself."""
    found = await _desk(session, to) or await _operators(session)
    fits = found is not None and found.id != to.id and not unwritable(found.email)
    return (found.name, found.email) if found and fits else ("", "")


async def _desk(session: AsyncSession, to: Recipient) -> Recipient | None:
    if to.role is not Role.INSURED or to.insurer_id is None:
        return None
    await tenant(session, to.insurer_id)
    desk = select(Recipient).where(
        col(Recipient.insurer_id) == to.insurer_id,
        col(Recipient.role) == Role.INSURER,
        col(Recipient.insured_id).is_(None),
        col(Recipient.email) != "",
    )
    found = (await session.scalars(desk.limit(1))).first()
    await no_tenant(session)
    return found


async def _operators(session: AsyncSession) -> Recipient | None:
    them = select(Recipient).where(col(Recipient.role) == Role.HUMAN_QUEUE, col(Recipient.email) != "")
    return (await session.scalars(them.limit(1))).first()
