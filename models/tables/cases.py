"""The read model of every case and its unchangeable record (steps, timeline, commands); no mail."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from models.contracts.vocabulary import ActorKind, CaseKind, Event, Sector, Size
from models.tables.base import DOCUMENT, INSTANT, NOW, Row, Worded


class Case(Row, table=True):
    """A policy, a hazard or a claim as it stands after step `seq`; `changed_at` is that step's time in the case."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("insurer_id", "id"),
        # The index name starts with the tenant: the same number under two insurers is no collision (promises.md 5.2).
        Index("uq_cases_number", "insurer_id", "kind", "parent_id", "number", unique=True,
              postgresql_nulls_not_distinct=True),
        ForeignKeyConstraint(["insurer_id", "parent_id"], ["cases.insurer_id", "cases.id"]),
        ForeignKeyConstraint(["insurer_id", "insured_id"], ["insureds.insurer_id", "insureds.id"]),
        Index(None, "insurer_id", "kind", "changed_at", "id"),
        Index(None, "insurer_id", "kind", "opened_at", "id"),
        Index("ix_cases_own_terms", "insurer_id", "kind", "next_due_at", "id",
              postgresql_where=text("ended_at IS NULL")),
        Index("ix_cases_own_provisional", "insurer_id", "kind", "next_due_at", "id",
              postgresql_where=text("provisional AND ended_at IS NULL")),
        Index("ix_cases_own_major", "insurer_id", "kind", "opened_at", "id",
              postgresql_where=text("view ->> 'grade' = 'major'")),
        Index("ix_cases_own_rate_review", "insurer_id", "kind", "opened_at", "id",
              postgresql_where=text("rate_review")),
        Index("ix_cases_major", "kind", "opened_at", "id", postgresql_where=text("view ->> 'grade' = 'major'")),
        Index("ix_cases_terms", "kind", "next_due_at", "id", postgresql_where=text("ended_at IS NULL")),
        Index(None, "insured_id", "opened_at"),
        Index(None, "insurer_id", "stage"),
        Index(None, "insurer_id", "parent_id"),
        Index(None, "region", "sector"),
        Index(None, "kind", "opened_at", "id"),
        Index(None, "next_alarm_at"),
        Index("ix_cases_provisional", "calendar_through", "id",
              postgresql_include=["insurer_id", "insured_id", "parent_id", "kind", "region", "sector", "ended_at"],
              postgresql_where=text("provisional")),
        CheckConstraint("seq >= 1", name="seq_counts_from_one"),
        CheckConstraint("open_hazards >= 0", name="open_hazards_not_negative"),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    kind: CaseKind = Field(sa_type=Worded(CaseKind))
    insurer_id: UUID = Field(foreign_key="insurers.id")
    workflow_id: str = Field(unique=True)
    parent_id: UUID | None = None
    number: str
    region: str
    sector: Sector = Field(sa_type=Worded(Sector))
    size: Size = Field(sa_type=Worded(Size))
    stage: str
    insured_id: UUID
    insured_name: str
    signed_on: date
    effective_on: date
    expires_on: date
    next_duty: str | None = None
    next_due_at: datetime | None = Field(default=None, sa_type=INSTANT)
    next_alarm_at: datetime | None = Field(default=None, sa_type=INSTANT)
    provisional: bool = False
    rate_review: bool = False
    open_hazards: int = 0
    ended_at: datetime | None = Field(default=None, sa_type=INSTANT)
    packs: list[dict[str, Any]] = Field(default_factory=list, sa_type=DOCUMENT)
    calendar_through: int = 0
    clock: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    view: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    seq: int
    opened_at: datetime = Field(sa_type=INSTANT)
    changed_at: datetime = Field(sa_type=INSTANT)


class CaseFigures(Row, table=True):
    """A case in figures, for counting; the database keeps it beside every change of the case. Money in 分."""

    __tablename__ = "case_figures"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        Index("ix_case_figures_scope", "kind", "region", "sector",
              postgresql_include=["insurer_id", "stage", "signed_on", "opened_at", "ended_at", "next_due_at",
                                  "changed_at", "major", "premium_fen", "spent_fen", "floor_fen"]),
        Index("ix_case_figures_numbers", "insurer_id", "kind", "number",
              postgresql_include=["case_id", "region", "sector"]),
        Index("ix_case_figures_own_terms", "insurer_id", "next_due_at",
              postgresql_include=["kind", "region", "sector"], postgresql_where=text("ended_at IS NULL")),
        Index("ix_case_figures_running", "insurer_id", "kind", "stage",
              postgresql_include=["region", "sector", "provisional", "major", "assessed_fen", "reached_fen",
                                  "premium_fen", "spent_fen", "floor_fen"],
              postgresql_where=text("ended_at IS NULL")),
        Index("ix_case_figures_providers", "insurer_id", "provider_name",
              postgresql_include=["kind", "region", "sector", "stage", "service_next", "next_due_at", "rated",
                                  "attitude", "professionalism", "timeliness"],
              postgresql_where=text("ended_at IS NULL AND provider_name IS NOT NULL")),
        Index("ix_case_figures_waiting", "insurer_id", "changed_at", postgresql_where=text("waiting")),
    )  # fmt: skip

    case_id: UUID = Field(primary_key=True)
    insurer_id: UUID
    kind: CaseKind = Field(sa_type=Worded(CaseKind))
    region: str
    sector: Sector = Field(sa_type=Worded(Sector))
    stage: str
    major: bool
    """A major hazard."""
    open_hazards: int
    signed_on: date
    opened_at: datetime = Field(sa_type=INSTANT)
    changed_at: datetime = Field(sa_type=INSTANT)
    next_due_at: datetime | None = Field(default=None, sa_type=INSTANT)
    ended_at: datetime | None = Field(default=None, sa_type=INSTANT)
    premium_fen: int | None = Field(default=None, sa_type=BigInteger)
    spent_fen: int | None = Field(default=None, sa_type=BigInteger)
    floor_fen: int | None = Field(default=None, sa_type=BigInteger)
    number: str
    insured_name: str
    provisional: bool
    waiting: bool
    """An objection, a request for more time or a proposed payment waits for the insurer's own word."""
    assessed_fen: int | None = Field(default=None, sa_type=BigInteger)
    reached_fen: int | None = Field(default=None, sa_type=BigInteger)
    """What a claim has been paid so far: settlement, prepayments and advances, less what came back."""
    provider_name: str | None = None
    """The institution or expert a policy named last."""
    service_next: bool
    """The term that ends next is the one by which the service is to be done."""
    rated: int
    """How many ratings the view shows; the sums of their stars follow, by dimension."""
    attitude: int | None = None
    professionalism: int | None = None
    timeliness: int | None = None


class InsuredName(Row, table=True):
    """What is left of an enterprise's name from one of its letters (16 of them at most), and where it has cases.

    The database writes it when a case is opened; a step of a running case leaves it alone.
    """

    __tablename__ = "insured_names"

    part: str = Field(primary_key=True)
    insurer_id: UUID = Field(primary_key=True)
    insured_id: UUID = Field(primary_key=True)
    region: str = Field(primary_key=True)
    sector: Sector = Field(primary_key=True, sa_type=Worded(Sector))


class RecordedStep(Row, table=True):
    """One step of a case, and who caused it; never changed, never deleted."""

    __tablename__ = "steps"
    __table_args__ = (ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),)

    case_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    insurer_id: UUID
    at: datetime = Field(sa_type=INSTANT)
    recorded_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    command_id: str | None = None
    command_name: str | None = None
    actor_kind: ActorKind | None = Field(default=None, sa_type=Worded(ActorKind))
    actor_id: str | None = None
    actor_name: str | None = None
    cause: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)


class TimelineLine(Row, table=True):
    """One thing that happened to a case; `at` is when it is true of the world. Never changed, never deleted."""

    __tablename__ = "timeline"
    __table_args__ = (ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),)

    case_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    line: int = Field(primary_key=True)
    insurer_id: UUID
    event: Event = Field(sa_type=Worded(Event))
    at: datetime = Field(sa_type=INSTANT)
    duty_key: str = ""
    said: str = ""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)


class RecordedCommand(Row, table=True):
    """A command that was carried out, and the answer it got, for ever repeatable.

    The key is unique within its case: the same key under another insurer is another key (promises.md P18, P23).
    """

    __tablename__ = "commands"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        Index(None, "insurer_id", "command_id"),
    )

    case_id: UUID = Field(primary_key=True)
    command_id: str = Field(primary_key=True)
    insurer_id: UUID
    seq: int
    fingerprint: str
    answer: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    at: datetime = Field(sa_type=INSTANT)


class StoredFile(Row, table=True):
    """A file an insurer or its insured handed in, by its SHA-256; the bytes lie in the file store."""

    __tablename__ = "files"

    digest: str = Field(primary_key=True)
    insurer_id: UUID = Field(primary_key=True, foreign_key="insurers.id")
    name: str
    media_type: str
    size: int = Field(sa_type=BigInteger)
    stored_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
