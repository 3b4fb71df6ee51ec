"""Which department speaks, in which roles it was told of a case, and to which others it may pass a matter on."""

from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.rows import OUTBOX, RECIPIENTS
from domain.places import NATION, full_region_name
from models.contracts.base import Office

MOST_NEIGHBOURS = 300
"""Departments one may choose from; the farthest are left off."""


async def office_of(connection: AsyncConnection, recipient_id: UUID, case_id: UUID) -> Office | None:
    """`None` for a recipient that is no department; one department may be told in several roles."""
    seat = (await connection.execute(select(RECIPIENTS).where(RECIPIENTS.c.id == recipient_id))).one_or_none()
    if seat is None or seat.region is None:
        return None
    told = select(OUTBOX.c.to_role).distinct()
    told = told.where(OUTBOX.c.case_id == case_id, OUTBOX.c.recipient_id == recipient_id)
    roles = (await connection.execute(told.order_by(OUTBOX.c.to_role))).scalars()
    return Office(region=seat.region, department=seat.department, roles=tuple(roles))


async def neighbours(connection: AsyncConnection, region: str, without: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Registered departments with an address: of `region`, its city, its province, the nation, as (value, words).

    `without` is the region and name of the one that asks.
    """
    seat, city, province = RECIPIENTS.c, RECIPIENTS.c.region.like(f"{region[:4]}%"), f"{region[:2]}%"
    distance = case((seat.region == region, 0), (city, 1), (seat.region != NATION, 2), else_=3)
    found = select(seat.region, seat.department, seat.name).where(
        seat.insurer_id.is_(None),
        seat.department.is_not(None),
        seat.email != "",
        seat.region.like(province) | (seat.region == NATION),
    )
    found = found.order_by(distance, seat.region, seat.department).limit(MOST_NEIGHBOURS + 1)
    rows = [one for one in await connection.execute(found) if (one.region, one.department) != without]
    return tuple((value_of(one.region, one.department), _words(one.name, one.region)) for one in rows[:MOST_NEIGHBOURS])


def value_of(region: str, department: str) -> str:
    """How a form names a department."""
    return f"{region}|{department}"


def named(value: str) -> tuple[str, str]:
    """Region and department a form names; empty where it names none."""
    region, _, department = value.partition("|")
    return region, department


def _words(name: str, region: str) -> str:
    return f"{name}（{full_region_name(region)}）"
