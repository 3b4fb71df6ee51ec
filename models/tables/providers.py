"""Service providers as insurers know them, and which of them each policy names now; their people stand in people.py."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field

from models.tables.base import INSTANT, NOW, Row


class Provider(Row, table=True):
    """An institution that does the accident-prevention visits for one insurer; its id is `ids.provider_id`."""

    __tablename__ = "providers"
    __table_args__ = (UniqueConstraint("insurer_id", "credit_code"), UniqueConstraint("insurer_id", "id"))

    id: UUID = Field(primary_key=True)
    insurer_id: UUID = Field(foreign_key="insurers.id")
    credit_code: str
    name: str
    qualification: str | None = None
    email: str
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)


class Assignment(Row, table=True):
    """Which provider a policy names at this moment, registered or not; the database keeps it beside the policy.

    Whoever is named no more has no row, and with it no case; `provider_id` is null where the last one named has a name
    alone.
    """

    __tablename__ = "assignments"
    __table_args__ = (ForeignKeyConstraint(["insurer_id", "policy_id"], ["cases.insurer_id", "cases.id"]),)

    policy_id: UUID = Field(primary_key=True)
    insurer_id: UUID
    provider_id: UUID | None = Field(default=None, index=True)
