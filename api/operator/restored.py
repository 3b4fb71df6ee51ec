"""What a restore stopped until a person releases it, as operators see it: counts and one sum, of nobody by name."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlmodel import col

from api.callers import Entry
from domain.wording import TOLD_BEFORE_RESTORE
from models.tables.recovery import STOPPED, Restoration, asked_of_stopped


@dataclass(frozen=True)
class Stopped:
    """Since which instant the books may lack something, and what waits for `anze recover release`."""

    as_of: datetime
    restored_at: datetime
    why: str
    payments: int
    amount: Decimal
    """Yuan, of all these payments together."""
    letters: int


async def stopped(entry: Entry) -> Stopped | None:
    """`None` where no restore is held."""
    held = select(col(Restoration.as_of), col(Restoration.restored_at), col(Restoration.why))
    held = held.where(col(Restoration.released_at).is_(None)).order_by(col(Restoration.as_of)).limit(1)
    row = (await entry.connection.execute(held)).one_or_none()
    if row is None:
        return None
    found = (await entry.connection.exec_driver_sql(STOPPED, asked_of_stopped(TOLD_BEFORE_RESTORE))).one()
    return Stopped(row.as_of, row.restored_at, row.why, found.payments, found.yuan, found.letters)
