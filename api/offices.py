"""Which department speaks: its seat in the directory, and the roles in which it was told of a case."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.rows import OUTBOX, RECIPIENTS
from models.contracts.base import Office


async def office_of(connection: AsyncConnection, recipient_id: UUID, case_id: UUID) -> Office | None:
    """`None` for a recipient that is no department; one department may be told in several roles."""
    seat = (await connection.execute(select(RECIPIENTS).where(RECIPIENTS.c.id == recipient_id))).one_or_none()
    if seat is None or seat.region is None:
        return None
    told = select(OUTBOX.c.to_role).distinct()
    told = told.where(OUTBOX.c.case_id == case_id, OUTBOX.c.recipient_id == recipient_id)
    roles = (await connection.execute(told.order_by(OUTBOX.c.to_role))).scalars()
    return Office(region=seat.region, department=seat.department, roles=tuple(roles))
