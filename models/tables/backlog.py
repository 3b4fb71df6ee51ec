"""How long the oldest work of each kind waits: one statement for metrics, pages and letters; nothing is judged here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from models.tables.engine import Within

KINDS = ("letter", "alarm", "payment")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Waits:
    """Zero where nothing of the kind waits."""

    letter: timedelta
    """The oldest letter or urgent notice that has not gone out."""
    alarm: timedelta
    """The case whose next alarm is longest past and was not committed."""
    payment: timedelta
    """The oldest order to pay that is neither confirmed nor refused."""

    @property
    def minutes(self) -> tuple[int, int, int]:
        """Whole minutes of letter, alarm and payment, as people are told."""
        return self.letter // MINUTE, self.alarm // MINUTE, self.payment // MINUTE


@dataclass(frozen=True)
class Bounds:
    """What is too long."""

    letter: timedelta = timedelta(hours=2)
    alarm: timedelta = timedelta(minutes=10)
    payment: timedelta = timedelta(days=1)
    task: timedelta = timedelta(minutes=1)
    """Of what lies in the workflow engine's queue, which no table knows."""

    def exceeded(self, waits: Waits) -> tuple[str, ...]:
        """The kinds of work that wait for longer."""
        return tuple(kind for kind in KINDS if getattr(waits, kind) > getattr(self, kind))


SINCE = text("""
SELECT least(
    (SELECT min(composed_at) FROM mails WHERE status = 'queued' AND sent_at IS NULL),
    (SELECT min(o.queued_at) FROM outbox o JOIN recipients r ON r.id = o.recipient_id AND r.email <> ''
     WHERE o.status = 'queued' AND o.urgency = 'now' AND o.mail_id IS NULL)) AS letter,
    (SELECT min(next_alarm_at) FROM cases WHERE ended_at IS NULL AND next_alarm_at < :now) AS alarm,
    (SELECT min(written_at) FROM payment_orders
     WHERE bank_reference = '' AND state IN ('written', 'sending', 'accepted', 'unknown')) AS payment
""")


async def waits(within: Within, now: datetime) -> Waits:
    """Within the operators' view."""
    row = (await within.execute(SINCE, {"now": now})).one()
    return Waits(*(max(now - since, timedelta()) if since else timedelta() for since in row))
