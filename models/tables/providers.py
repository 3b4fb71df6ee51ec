"""Service providers as insurers know them, whom each policy names now, and what of a case is shown them; no people."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field

from models.tables.base import INSTANT, NOW, Row

SHOWN = (
    "id", "kind", "insurer_id", "workflow_id", "parent_id", "number", "region", "sector", "size", "stage", "insured_id",
    "insured_name", "signed_on", "effective_on", "expires_on", "next_due_at", "provisional", "open_hazards", "ended_at",
    "packs", "calendar_through", "clock", "seq", "opened_at", "changed_at", "view",
)  # fmt: skip
"""All that is in `assigned_cases`, the only rows of cases a provider's transaction reads (migration 20261122_25)."""
SHOWN_OF_VIEW = ("criterion", "description", "duties", "found_on", "grade", "place", "policy_number", "rounds", "terms")
"""Keys its `view` has, where the case's has them; what is added to a case is not among them until somebody decides."""
SHOWN_OF_TERMS = ("kind", "out_of_area", "service_items")
"""Of these the first two say which rules hold (api/duties.py: question_of), or a provider would read other terms."""


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
