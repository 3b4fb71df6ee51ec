"""What claims keep beside their cases: limits in use, payment orders and their answers, victims, insurers' figures."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Numeric,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from models.contracts.vocabulary import ActorKind
from models.tables.base import DOCUMENT, INSTANT, NOW, Row, Worded

YUAN = Numeric(18, 2)
NAMED = "name IS NOT NULL"
NAMELESS = "num_nonnulls(name, identity_number, bank_account, phone) = 0 AND look_alike = '' AND erased_because <> ''"
MOST = "< 10000000000000000"  # NaN is greater than every number in PostgreSQL, so an upper bound refuses it (E14)


class ClaimLimit(Row, table=True):
    """The limits of one policy as last used; whoever takes from them locks this row first (promises.md rule 18)."""

    __tablename__ = "claim_limits"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "policy_id"], ["cases.insurer_id", "cases.id"]),
        CheckConstraint(f"per_person >= 0 AND per_person {MOST}", name="per_person_is_money"),
        CheckConstraint(f"per_accident >= 0 AND per_accident {MOST}", name="per_accident_is_money"),
        CheckConstraint(f"aggregate >= 0 AND aggregate {MOST}", name="aggregate_is_money"),
        CheckConstraint(f"rescue >= 0 AND rescue {MOST}", name="rescue_is_money"),
        CheckConstraint(f"costs >= 0 AND costs {MOST}", name="costs_is_money"),
    )

    insurer_id: UUID = Field(primary_key=True)
    policy_id: UUID = Field(primary_key=True)
    per_person: Decimal | None = Field(default=None, sa_type=YUAN)
    per_accident: Decimal | None = Field(default=None, sa_type=YUAN)
    aggregate: Decimal | None = Field(default=None, sa_type=YUAN)
    rescue: Decimal | None = Field(default=None, sa_type=YUAN)
    costs: Decimal | None = Field(default=None, sa_type=YUAN)
    changed_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)


class LimitReservation(Row, table=True):
    """That a payment takes from the limits; its number is used once per insurer, for ever.

    `standards` is what its claim gives employees by head and grade: another claim of the accident may not give another.
    """

    __tablename__ = "reservations"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        ForeignKeyConstraint(["insurer_id", "policy_id"], ["claim_limits.insurer_id", "claim_limits.policy_id"]),
        CheckConstraint(f"amount > 0 AND amount {MOST}", name="amount_is_money"),
        Index(None, "insurer_id", "policy_id", "accident"),
    )

    insurer_id: UUID = Field(primary_key=True)
    number: str = Field(primary_key=True)
    case_id: UUID
    policy_id: UUID
    accident: str
    amount: Decimal = Field(sa_type=YUAN)
    fingerprint: str
    standards: list[dict[str, Any]] = Field(default_factory=list, sa_type=DOCUMENT)
    reserved_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)


class LimitMovement(Row, table=True):
    """What was taken from a limit, or (negative) given back; what is in use is their sum. Never changed or deleted.

    Lines without a person add up to the payment by pot; lines with one are that person's share of the indemnity.
    """

    __tablename__ = "limit_movements"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "number"], ["reservations.insurer_id", "reservations.number"]),
        CheckConstraint(f"amount <> 0 AND abs(amount) {MOST}", name="amount_is_money"),
        Index(None, "insurer_id", "person"),
    )

    insurer_id: UUID = Field(primary_key=True)
    number: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    line: int = Field(primary_key=True)
    pot: str
    person: UUID | None = None
    amount: Decimal = Field(sa_type=YUAN)
    at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)


class StoredOrder(Row, table=True):
    """One payment order, written before it is sent; its number is used once per insurer, for ever (promises.md P7).

    `state`: written, sending, accepted, confirmed, refused, unknown.
    """

    __tablename__ = "payment_orders"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        UniqueConstraint("order_key"),
        CheckConstraint(f"amount > 0 AND amount {MOST}", name="amount_is_money"),
        CheckConstraint("state <> 'confirmed' OR bank_reference <> ''", name="confirmed_has_reference"),
        Index(None, "insurer_id", "case_id"),
        Index("ix_payment_orders_open", "insurer_id", "written_at", postgresql_where=text("bank_reference = ''")),
    )

    insurer_id: UUID = Field(primary_key=True)
    number: str = Field(primary_key=True)
    case_id: UUID
    workflow_id: str
    order_key: str
    kind: str
    amount: Decimal = Field(sa_type=YUAN)
    payee: str
    payee_ref: UUID | None = None
    channel: str
    fingerprint: str
    state: str
    bank_reference: str = Field(default="", sa_column_kwargs={"server_default": ""})
    code: str = Field(default="", sa_column_kwargs={"server_default": ""})
    written_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    sent_at: datetime | None = Field(default=None, sa_type=INSTANT)
    attempt: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The attempt that sends it, or was the last to; no other one changes the row while it may still be sending."""
    answered_at: datetime | None = Field(default=None, sa_type=INSTANT)


class PaymentAnswer(Row, table=True):
    """One thing a core system or a person said about a payment; kept for ever, also where it fits no order.

    `source`: instructed, asked, confirmation, statement. `outcome`: accepted, confirmed, refused, unknown.
    """

    __tablename__ = "payment_answers"
    __table_args__ = (
        Index(None, "insurer_id", "order_key"),
        CheckConstraint(f"amount >= 0 AND amount {MOST}", name="amount_is_money"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    insurer_id: UUID = Field(foreign_key="insurers.id")
    order_key: str
    source: str
    outcome: str
    bank_reference: str = Field(default="", sa_column_kwargs={"server_default": ""})
    code: str = Field(default="", sa_column_kwargs={"server_default": ""})
    amount: Decimal | None = Field(default=None, sa_type=YUAN)
    at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)


class Victim(Row, table=True):
    """A person hurt or bereaved in an accident; everywhere else they are only `ref`.

    What is sealed is opened with models/tables/sealed.py; `look_alike` finds the same person entered twice. Once erased
    (runtime/erasing.py) the reference is all that is left of them, with the day and the reason.
    """

    __tablename__ = "victims"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        UniqueConstraint("insurer_id", "ref"),
        Index("uq_victims_look_alike", "insurer_id", "case_id", "look_alike", unique=True,
              postgresql_where=text("look_alike <> ''")),
        CheckConstraint(f"erased_at IS NOT NULL OR ({NAMED})", name="named_until_erased"),
        CheckConstraint(f"erased_at IS NULL OR ({NAMELESS})", name="erased_is_empty"),
    )  # fmt: skip

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    insurer_id: UUID
    case_id: UUID
    ref: UUID = Field(default_factory=uuid4)
    employee: bool
    name: bytes | None = Field(default=None, sa_type=LargeBinary)
    identity_number: bytes | None = Field(default=None, sa_type=LargeBinary)
    bank_account: bytes | None = Field(default=None, sa_type=LargeBinary)
    phone: bytes | None = Field(default=None, sa_type=LargeBinary)
    look_alike: str = Field(default="", sa_column_kwargs={"server_default": ""})
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    erased_at: datetime | None = Field(default=None, sa_type=INSTANT)
    erased_because: str = Field(default="", sa_column_kwargs={"server_default": ""})


class VictimSight(Row, table=True):
    """Somebody, or a payment order, saw a victim's data unmasked: who, which fields, why. Never changed or deleted."""

    __tablename__ = "victim_sights"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        Index(None, "insurer_id", "ref"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    insurer_id: UUID
    case_id: UUID
    ref: UUID
    actor_kind: ActorKind = Field(sa_type=Worded(ActorKind))
    actor_id: str
    fields: str
    why: str
    at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)


class ErasureHold(Row, table=True):
    """That a claim's personal data is not to be erased, however old: a lawsuit, an inspection; until it is released."""

    __tablename__ = "erasure_holds"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        Index(None, "insurer_id", "case_id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    insurer_id: UUID
    case_id: UUID
    because: str
    held_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    released_at: datetime | None = Field(default=None, sa_type=INSTANT)
    released_because: str = Field(default="", sa_column_kwargs={"server_default": ""})


class ClaimRules(Row, table=True):
    """An insurer's own figures for claims from a day on; a new row replaces, nothing is changed.

    `figures` is a `ClaimTerms` as JSON; among the rows of one day the one recorded last counts.
    """

    __tablename__ = "insurer_claim_rules"
    __table_args__ = (Index(None, "insurer_id", "in_force_on", "recorded_at"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    insurer_id: UUID = Field(foreign_key="insurers.id")
    in_force_on: date
    figures: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    recorded_by: str
    recorded_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
