"""What a restore stopped until a person releases it, as operators see it: counts and one sum, of nobody by name."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import and_, func, or_, select
from sqlmodel import col

from api.callers import Entry
from api.rows import ORDERS, TASKS
from domain.wording import TOLD_BEFORE_RESTORE
from models.contracts.vocabulary import OrderResult, TaskKind
from models.tables.recovery import AFTER_RESTORE, UNSENT, Restoration

PAYMENTS = and_(
    ORDERS.c.bank_reference == "",
    or_(
        ORDERS.c.state.in_(UNSENT),
        and_(ORDERS.c.state == OrderResult.UNKNOWN, ORDERS.c.code == AFTER_RESTORE),
    ),
)
"""Orders that were asked for by their key and not sent, and those whose turn has not come."""
LETTERS = and_(TASKS.c.done_at.is_(None), TASKS.c.kind == TaskKind.UNDELIVERED, TASKS.c.said == TOLD_BEFORE_RESTORE)


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
    orders = select(func.count().label("n"), func.coalesce(func.sum(ORDERS.c.amount), 0).label("yuan")).where(PAYMENTS)
    waiting = (await entry.connection.execute(orders)).one()
    letters = (await entry.connection.execute(select(func.count()).where(LETTERS))).scalar_one()
    return Stopped(row.as_of, row.restored_at, row.why, waiting.n, waiting.yuan, letters)
