"""Who comes in and by what: users, sessions, letters they asked for, the places and sectors of departments."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlmodel import Field

from models.contracts.vocabulary import ActorKind, AskedFor, CameBy
from models.tables.base import INSTANT, NOW, Row, Worded

ORGANISATION = ("insurer_id", "recipient_id", "provider_id")
"""What says together where a user belongs; operators have none of them."""


class User(Row, table=True):
    """One membership: somebody of an insurer, a department, a service provider or the operators.

    Who it is, the OIDC provider says: `issuer` and `subject` are bound when this organisation is first entered with
    this address. The posts are kept here, not there. The same address may be registered by several organisations, and
    none of them learns of the others; one identity is one user of each (four eyes are two people).
    """

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email", *ORGANISATION, postgresql_nulls_not_distinct=True),
        UniqueConstraint("insurer_id", "id"),
        UniqueConstraint("recipient_id", "id"),
        ForeignKeyConstraint(["insurer_id", "provider_id"], ["providers.insurer_id", "providers.id"]),
        CheckConstraint("(kind IN ('insurer', 'provider')) = (insurer_id IS NOT NULL)", name="insurers_people"),
        CheckConstraint("(kind = 'provider') = (provider_id IS NOT NULL)", name="assessor_has_provider"),
        CheckConstraint("(kind = 'department') = (recipient_id IS NOT NULL)", name="officer_has_department"),
        CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="identity_is_whole"),
        CheckConstraint("email = lower(email)", name="email_is_lower_case"),
        Index(None, "insurer_id"),
        Index(
            "ix_users_bound",
            "issuer",
            "subject",
            *ORGANISATION,
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("issuer IS NOT NULL"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kind: ActorKind = Field(sa_type=Worded(ActorKind))
    insurer_id: UUID | None = Field(default=None, foreign_key="insurers.id")
    recipient_id: UUID | None = Field(default=None, foreign_key="recipients.id")
    provider_id: UUID | None = None
    """Of a service provider, as the insurer it works for knows it."""
    email: str
    name: str
    posts: list[str] = Field(default_factory=list, sa_type=ARRAY(String()), sa_column_kwargs={"server_default": "{}"})
    issuer: str | None = None
    subject: str | None = None
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    disabled_at: datetime | None = Field(default=None, sa_type=INSTANT)
    sessions_ended_at: datetime | None = Field(default=None, sa_type=INSTANT)
    """Since when a session wants a sign-in of its own: what the provider said before lets nobody in any more."""


class Session(Row, table=True):
    """One browser that has come in, found by the SHA-256 of its cookie alone; ends by time, by leaving, by revocation.

    A user came by OIDC; a recipient (an enterprise or a department's address) came by a code mailed to it.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (recipient_id IS NULL)", name="one_holder"),
        CheckConstraint("(choice IS NULL) = (vouched_email IS NULL)", name="choice_is_whole"),
        CheckConstraint("choice IS NULL OR user_id IS NOT NULL", name="users_choose"),
        UniqueConstraint("choice"),
        Index(None, "user_id"),
        Index(None, "recipient_id"),
    )

    token_hash: str = Field(primary_key=True)
    user_id: UUID | None = Field(default=None, foreign_key="users.id")
    recipient_id: UUID | None = Field(default=None, foreign_key="recipients.id")
    came_by: CameBy = Field(sa_type=Worded(CameBy))
    choice: UUID | None = None
    """By which choosing among several organisations it began; each begins one session."""
    vouched_email: str | None = None
    """The address the provider had verified when its owner chose, or nothing; for choosing another organisation."""
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    seen_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    expires_at: datetime = Field(sa_type=INSTANT)
    revoked_at: datetime | None = Field(default=None, sa_type=INSTANT)


class AskedLetter(Row, table=True):
    """What the holder of an address asked to be mailed: a code to come in or to act with, or a fresh link.

    The code itself is nowhere: it is derived from the installation's secret and this row's id.
    """

    __tablename__ = "asked_letters"
    __table_args__ = (
        CheckConstraint("tries >= 0", name="tries_not_negative"),
        CheckConstraint("(asked_for = 'code_to_enter') = (link_id IS NULL)", name="link_is_named"),
        Index(None, "recipient_id", "asked_at"),
        Index("ix_asked_letters_waiting", "recipient_id", postgresql_where=text("mail_id IS NULL")),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    recipient_id: UUID = Field(foreign_key="recipients.id")
    asked_for: AskedFor = Field(sa_type=Worded(AskedFor))
    link_id: UUID | None = Field(default=None, foreign_key="links.id")
    asked_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    expires_at: datetime = Field(sa_type=INSTANT)
    tries: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    used_at: datetime | None = Field(default=None, sa_type=INSTANT)
    mail_id: UUID | None = Field(default=None, foreign_key="mails.id")


class DepartmentScope(Row, table=True):
    """Whose cases a department sees: a place with everything below it, and one sector or (`*`) all of them.

    `prefix` is the leading digits the place stands for: 3413 for 341300, 34 for 340000, nothing for the nation.
    """

    __tablename__ = "department_scopes"

    recipient_id: UUID = Field(primary_key=True, foreign_key="recipients.id")
    prefix: str = Field(primary_key=True)
    sector: str = Field(primary_key=True)
