"""The mailroom of one recipient: what it holds, what it may ask, and how a delivery ended."""

from datetime import datetime
from uuid import UUID

from models.contracts.base import Contract
from models.contracts.vocabulary import NoticeStatus, Urgency


class MailroomState(Contract):
    """What a mailroom remembers across continue-as-new; everything else is rows."""

    recipient_id: UUID
    delivered: int = 0
    """Mails whose end is known."""
    last_digest_at: datetime | None = None


class Waiting(Contract):
    """What lies in the outbox for one recipient, and when its office opens next."""

    urgent: int
    digest: int
    opens_at: datetime
    """Now, where the office is open."""


class Compose(Contract):
    """Put waiting notices into mails: each urgent one by itself, the rest into one digest."""

    recipient_id: UUID
    urgency: Urgency
    now: datetime


class Composed(Contract):
    """Mails that are ready to be sent, by id; composing again gives the same ones until they are sent."""

    mails: tuple[UUID, ...]
    more: bool = False
    """Others may wait until some of these are on their way."""


class Delivery(Contract):
    """How one attempt ended."""

    mail_id: UUID
    status: NoticeStatus
    code: int | None = None
    moved_to: UUID | None = None
    """The recipient that takes over after a refusal."""
