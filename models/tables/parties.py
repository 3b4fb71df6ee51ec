"""Who takes part: insurers, the insured, everybody who can be written to, and the keys of the API."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlmodel import Field

from models.contracts.vocabulary import ActorKind, Role
from models.tables.base import INSTANT, NOW, Row, Worded


class Insurer(Row, table=True):
    """An insurer: the tenant."""

    __tablename__ = "insurers"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    code: str = Field(unique=True)
    name: str
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)


class Insured(Row, table=True):
    """An enterprise as one insurer knows it; its id is `ids.insured_id`."""

    __tablename__ = "insureds"
    __table_args__ = (UniqueConstraint("insurer_id", "credit_code"), UniqueConstraint("insurer_id", "id"))

    id: UUID = Field(primary_key=True)
    insurer_id: UUID = Field(foreign_key="insurers.id")
    credit_code: str
    name: str
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)


class Recipient(Row, table=True):
    """An address that can be told something: a department (no insurer), an insurer's desk, an insured, the operators.

    `department` is the department's name as its place's notice routes to it; `fallback_id` takes over after a refusal.
    """

    __tablename__ = "recipients"
    __table_args__ = (
        UniqueConstraint("region", "department"),
        UniqueConstraint("insured_id"),
        Index("uq_recipients_desk", "insurer_id", "role", unique=True, postgresql_where=text("insured_id IS NULL")),
        ForeignKeyConstraint(["insurer_id", "insured_id"], ["insureds.insurer_id", "insureds.id"]),
        CheckConstraint("insured_id IS NULL OR insurer_id IS NOT NULL", name="insured_has_insurer"),
        CheckConstraint("(region IS NULL) = (department IS NULL)", name="department_has_place"),
        CheckConstraint("department IS NULL OR insurer_id IS NULL", name="department_is_nobodys"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    role: Role = Field(sa_type=Worded(Role))
    insurer_id: UUID | None = Field(default=None, foreign_key="insurers.id")
    insured_id: UUID | None = None
    region: str | None = None
    department: str | None = None
    name: str
    email: str
    fallback_id: UUID | None = Field(default=None, foreign_key="recipients.id")
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)


class Cover(Row, table=True):
    """Days, in Shanghai and the last one included, on which a department's letters go to another one as well."""

    __tablename__ = "covers"
    __table_args__ = (
        CheckConstraint("cover_id <> recipient_id", name="somebody_else"),
        CheckConstraint("from_on <= until_on", name="days_in_order"),
    )

    recipient_id: UUID = Field(primary_key=True, foreign_key="recipients.id")
    cover_id: UUID = Field(foreign_key="recipients.id")
    from_on: date
    until_on: date
    set_by: str
    """Who of the operators, as the audit trail names them."""
    set_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)


class ApiKey(Row, table=True):
    """A key of the API: the hash alone is kept, `prefix` tells people which one it is; `scopes` are further rights."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("(kind = 'insurer') = (insurer_id IS NOT NULL)", name="insurer_key_has_insurer"),
        CheckConstraint("kind <> 'department' OR recipient_id IS NOT NULL", name="department_key_has_recipient"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kind: ActorKind = Field(sa_type=Worded(ActorKind))
    insurer_id: UUID | None = Field(default=None, foreign_key="insurers.id", index=True)
    recipient_id: UUID | None = Field(default=None, foreign_key="recipients.id")
    name: str
    prefix: str
    key_hash: str = Field(unique=True)
    scopes: list[str] = Field(default_factory=list, sa_type=ARRAY(String()), sa_column_kwargs={"server_default": "{}"})
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    expires_at: datetime | None = Field(default=None, sa_type=INSTANT)
    revoked_at: datetime | None = Field(default=None, sa_type=INSTANT)
