"""That the database was restored to an earlier state, what that stopped, and whether a person has looked since."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from models.tables.base import INSTANT, NOW, Row

AFTER_RESTORE = "after-restore"
"""Code of an order that was asked for and not sent, because the books had been set back."""
WRITTEN, SENDING = "written", "sending"
UNSENT = frozenset({WRITTEN, SENDING})
"""States of an order that has no answer yet."""
STOPPED = """
SELECT count(*) AS payments, coalesce(sum(amount), 0) AS yuan,
    (SELECT count(*) FROM tasks WHERE done_at IS NULL AND kind = 'undelivered' AND said = $3) AS letters
FROM payment_orders
WHERE bank_reference = '' AND (state = ANY ($1) OR (state = 'unknown' AND code = $2))
"""
"""What waits for `anze recover release`, counted with `asked_of_stopped`: orders that were asked for by their key and
not sent with those whose turn has not come, their sum, and letters. The driver's own SQL: the doctor has no other."""


def asked_of_stopped(said: str) -> tuple[list[str], str, str]:
    """The values of STOPPED; `said` is on every task for a letter that may have gone before the restore."""
    return sorted(UNSENT), AFTER_RESTORE, said


class Restoration(Row, table=True):
    """One restore. Until it is released no order is sent that nobody is sure has not been sent before."""

    __tablename__ = "restorations"
    __table_args__ = (
        CheckConstraint("(released_at IS NULL) = (released_why IS NULL)", name="release_has_reason"),
        Index("ix_restorations_held", "restored_at", postgresql_where=text("released_at IS NULL")),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    as_of: datetime = Field(sa_type=INSTANT)
    """The instant the rows are of: what happened later is not in them."""
    why: str
    restored_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    released_at: datetime | None = Field(default=None, sa_type=INSTANT)
    released_why: str | None = None
