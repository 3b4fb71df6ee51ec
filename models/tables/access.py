"""Links in mails: what their holder may do and what was done; the token itself is nowhere."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field

from models.contracts.vocabulary import LinkPurpose
from models.tables.base import INSTANT, NOW, Row, Worded


class Link(Row, table=True):
    """A capability to one case for one recipient; found by the SHA-256 of its token alone."""

    __tablename__ = "links"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        Index(None, "case_id"),
        Index(None, "notice_id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    token_hash: str = Field(unique=True)
    insurer_id: UUID
    case_id: UUID
    recipient_id: UUID = Field(foreign_key="recipients.id")
    notice_id: UUID | None = Field(default=None, foreign_key="outbox.id")
    purpose: LinkPurpose = Field(sa_type=Worded(LinkPurpose))
    duty_key: str = ""
    expires_at: datetime = Field(sa_type=INSTANT)
    revoked_at: datetime | None = Field(default=None, sa_type=INSTANT)
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)


class LinkUse(Row, table=True):
    """An action a link was used for; the primary key makes it single-use however many click at once (promises P16)."""

    __tablename__ = "link_uses"

    link_id: UUID = Field(primary_key=True, foreign_key="links.id")
    action: str = Field(primary_key=True)
    used_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    command_id: str | None = None
