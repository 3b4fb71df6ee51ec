"""What is to be told and how telling went: notices, nudges, mails, attempts, and the operators' queue."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from models.contracts.vocabulary import NoticeKind, NoticeStatus, Role, TaskKind, Urgency
from models.tables.base import DOCUMENT, INSTANT, NOW, Row, Worded


class OutboxNotice(Row, table=True):
    """One notice to one recipient, written in the transaction of the step that caused it.

    `matter` is the case as it then was, so that a mailroom needs no access to cases: kind, number, region, sector,
    size, stage, insured_id, insured_name, insurer_name, signed_on, effective_on, expires_on, provisional, parent_id,
    and `view` without its duties, hazards, packs and terms.

    `subject` is what a letter to a department is about (domain/standing.py), empty for one to a party of the policy.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        Index("ix_outbox_waiting", "recipient_id", "urgency", postgresql_where=text("mail_id IS NULL")),
        Index("ix_outbox_queued", "queued_at", postgresql_where=text("status = 'queued'")),
        Index(None, "insurer_id", "case_id"),
        Index(None, "recipient_id", "queued_at"),
        Index(None, "recipient_id", "case_id", postgresql_include=["insurer_id"]),
        Index(None, "mail_id"),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    notice_key: str = Field(unique=True)
    insurer_id: UUID
    case_id: UUID
    seq: int
    kind: NoticeKind = Field(sa_type=Worded(NoticeKind))
    to_role: Role = Field(sa_type=Worded(Role))
    recipient_id: UUID = Field(foreign_key="recipients.id")
    urgency: Urgency = Field(sa_type=Worded(Urgency))
    at: datetime = Field(sa_type=INSTANT)
    about: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    cites: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    matter: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    status: NoticeStatus = Field(
        default=NoticeStatus.QUEUED, sa_type=Worded(NoticeStatus), sa_column_kwargs={"server_default": "queued"}
    )
    mail_id: UUID | None = Field(default=None, foreign_key="mails.id")
    queued_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    told_at: datetime | None = Field(default=None, sa_type=INSTANT)
    acknowledged_at: datetime | None = Field(default=None, sa_type=INSTANT)
    subject: str = Field(default="", sa_column_kwargs={"server_default": ""})


class Nudge(Row, table=True):
    """A recipient's mailroom has something to look at; carries nothing of any insurer."""

    __tablename__ = "nudges"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    recipient_id: UUID


class Mail(Row, table=True):
    """One mail to one recipient; the same mail always carries the same Message-ID, on every attempt."""

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        CheckConstraint("(copy_of IS NULL) = (copy_for IS NULL)", name="copy_is_whole"),
        Index("ix_mails_unsent", "recipient_id", postgresql_where=text("sent_at IS NULL")),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    recipient_id: UUID = Field(foreign_key="recipients.id", index=True)
    message_id: str = Field(unique=True)
    urgency: Urgency = Field(sa_type=Worded(Urgency))
    subject: str | None = None
    status: NoticeStatus = Field(
        default=NoticeStatus.QUEUED, sa_type=Worded(NoticeStatus), sa_column_kwargs={"server_default": "queued"}
    )
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    composed_at: datetime = Field(sa_type=INSTANT)
    sent_at: datetime | None = Field(default=None, sa_type=INSTANT)
    next_try_at: datetime | None = Field(default=None, sa_type=INSTANT)
    moved_to: UUID | None = Field(default=None, foreign_key="recipients.id")
    last_code: int | None = None
    copy_of: UUID | None = Field(default=None, foreign_key="mails.id")
    """The letter this one tells again to who covers for its recipient; it carries no notices of its own."""
    copy_for: UUID | None = Field(default=None, foreign_key="recipients.id")
    """That recipient."""


class Attempt(Row, table=True):
    """One try to hand a mail to its server, and what the server said."""

    __tablename__ = "attempts"

    mail_id: UUID = Field(primary_key=True, foreign_key="mails.id")
    number: int = Field(primary_key=True)
    started_at: datetime = Field(sa_type=INSTANT)
    ended_at: datetime | None = Field(default=None, sa_type=INSTANT)
    outcome: NoticeStatus | None = Field(default=None, sa_type=Worded(NoticeStatus))
    code: int | None = None
    reply: str | None = None


class Task(Row, table=True):
    """Something that waits for a person in the operators' queue."""

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("kind", "notice_id"),
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        Index("ix_tasks_open", "created_at", postgresql_where=text("done_at IS NULL")),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kind: TaskKind = Field(sa_type=Worded(TaskKind))
    insurer_id: UUID | None = None
    case_id: UUID | None = None
    recipient_id: UUID | None = Field(default=None, foreign_key="recipients.id")
    notice_id: UUID | None = Field(default=None, foreign_key="outbox.id")
    said: str
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    done_at: datetime | None = Field(default=None, sa_type=INSTANT)
