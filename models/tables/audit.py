"""The audit trail as it lies in the database: its rows and the heads of its chains; how they are hashed is not here."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field

from models.contracts.vocabulary import ActorKind, AuditEvent, AuditResult
from models.tables.base import DOCUMENT, INSTANT, Row, Worded

COMMON_CHAIN = UUID(int=0)
"""The chain of what belongs to no insurer: operators, departments, and whoever was not recognised."""
VERIFYING = (26_085, 1)
"""The advisory lock, shared, of whoever verifies the trail: it is gone with the connection, however that ends."""


class AuditRow(Row, table=True):
    """What was done or attempted, by whom, and the hash that binds it to the row before it in its chain.

    `chain` is an insurer's id, or COMMON_CHAIN. Written by the function `write_audit` alone, which numbers it after
    taking the chain's lock (promises.md rule 12); never changed, never deleted.
    """

    __tablename__ = "audit"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number_counts_from_one"),
        CheckConstraint("what <> 'step' OR (case_id IS NOT NULL AND seq IS NOT NULL)", name="step_is_named"),
        CheckConstraint("octet_length(said::text) <= 4000", name="said_is_small"),
        Index("uq_audit_step", "case_id", "seq", unique=True, postgresql_where=text("what = 'step'")),
        Index("ix_audit_verified", "chain", "number", postgresql_where=text("what = 'verified'")),
    )

    chain: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    at: datetime = Field(sa_type=INSTANT)
    what: AuditEvent = Field(sa_type=Worded(AuditEvent))
    who_kind: ActorKind | None = Field(default=None, sa_type=Worded(ActorKind))
    """Nothing where nobody was recognised."""
    who_id: str = Field(default="", sa_column_kwargs={"server_default": ""})
    who_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    object_kind: str = Field(default="", sa_column_kwargs={"server_default": ""})
    object_id: str = Field(default="", sa_column_kwargs={"server_default": ""})
    result: AuditResult = Field(sa_type=Worded(AuditResult))
    case_id: UUID | None = None
    seq: int | None = None
    digest: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """SHA-256 of what happened, where it is kept elsewhere: of a step with its cause and its lines of the timeline."""
    ip: str | None = None
    request_id: str | None = None
    said: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT, sa_column_kwargs={"server_default": "{}"})
    previous: str
    hash: str


class AuditHead(Row, table=True):
    """The last row of a chain; locked by whoever adds the next one, until they commit."""

    __tablename__ = "audit_heads"

    chain: UUID = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger)
    hash: str
