"""Who has a case in hand: a person of its insurer, one of each department; what they may do is elsewhere."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field

from models.tables.base import INSTANT, Row


class Hand(Row, table=True):
    """One person of the insurer, at most. One who was disabled or lost the post keeps the row and is shown no more."""

    __tablename__ = "hands"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        ForeignKeyConstraint(["insurer_id", "user_id"], ["users.insurer_id", "users.id"]),
        ForeignKeyConstraint(["insurer_id", "given_by"], ["users.insurer_id", "users.id"]),
        Index(None, "user_id", "case_id"),
    )

    case_id: UUID = Field(primary_key=True)
    insurer_id: UUID
    user_id: UUID
    given_by: UUID
    given_at: datetime = Field(sa_type=INSTANT)


class OfficeHand(Row, table=True):
    """One officer of each department that reads the case, at most; no insurer and no other department sees it."""

    __tablename__ = "office_hands"
    __table_args__ = (
        ForeignKeyConstraint(["recipient_id", "user_id"], ["users.recipient_id", "users.id"]),
        ForeignKeyConstraint(["recipient_id", "given_by"], ["users.recipient_id", "users.id"]),
        Index(None, "user_id", "case_id"),
    )

    recipient_id: UUID = Field(primary_key=True)
    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    user_id: UUID
    given_by: UUID
    given_at: datetime = Field(sa_type=INSTANT)
