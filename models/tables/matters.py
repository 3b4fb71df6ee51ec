"""The matters of departments: the table, and the statements that keep it right when letters move or are acknowledged.

How matters stand after a step is decided in domain/standing.py and written by `record_step` (migration 20261122_14).
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from models.contracts.vocabulary import CaseKind, NoticeKind, Sector
from models.tables.base import INSTANT, Row, Worded
from models.tables.engine import Within


class Matter(Row, table=True):
    """What one department was told of a case under one subject, as its latest letter says, and how it stands now."""

    __tablename__ = "matters"
    __table_args__ = (
        ForeignKeyConstraint(["insurer_id", "case_id"], ["cases.insurer_id", "cases.id"]),
        Index("ix_matters_places", "recipient_id", "settled", "place_at", "letter_id",
              postgresql_include=["insurer_id", "case_id", "acknowledged_at", "due_at", "late", "major"]),
    )  # fmt: skip

    case_id: UUID = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    """The key of the duty the letters name, or their kind where they name none."""
    recipient_id: UUID = Field(primary_key=True, foreign_key="recipients.id")
    insurer_id: UUID
    letter_id: UUID = Field(foreign_key="outbox.id")
    """The latest letter; `kind`, `told_at` and `acknowledged_at` are its own."""
    kind: NoticeKind = Field(sa_type=Worded(NoticeKind))
    told_at: datetime = Field(sa_type=INSTANT)
    times: int
    """How many letters there were."""
    acknowledged_at: datetime | None = Field(default=None, sa_type=INSTANT)
    ends_when_read: bool
    asks: bool
    """Something is still to be done: the duty is open, or the case whose news it is goes on."""
    duty_key: str
    """The open duty it means now; empty where there is none."""
    due_at: datetime | None = Field(default=None, sa_type=INSTANT)
    late: bool
    """The term had run out where the case's own clock stood at its last step."""
    settled: bool
    """It asks for nothing, or was read and that was all."""
    place_at: datetime = Field(sa_type=INSTANT)
    """Where it stands in the inbox."""
    major: bool
    """It is about a major hazard."""
    case_kind: CaseKind = Field(sa_type=Worded(CaseKind))
    number: str
    policy_number: str
    """Of the policy behind a hazard or a claim."""
    insured_name: str
    region: str
    sector: Sector = Field(sa_type=Worded(Sector))


LOCKED = text("SELECT lock_matters(ARRAY(SELECT DISTINCT case_id FROM outbox WHERE id = ANY (:letters)))")
HEARD = text("SELECT acknowledge_letters(CAST(:letters AS uuid[]), :at)")
# How a matter stands is the same for whoever was told of it; whether it was read is not.
MOVED = text("""
INSERT INTO matters (case_id, subject, recipient_id, insurer_id, letter_id, kind, told_at, times, acknowledged_at,
    ends_when_read, asks, duty_key, due_at, late, settled, place_at, major, case_kind, number, policy_number,
    insured_name, region, sector)
SELECT t.case_id, t.subject, t.recipient_id, t.insurer_id, t.id, t.kind, t.at, t.times, t.acknowledged_at,
    k.ends_when_read, k.asks, k.duty_key, k.due_at, k.late, done.so, matter_place(done.so, k.due_at, t.at), k.major,
    k.case_kind, k.number, k.policy_number, k.insured_name, k.region, k.sector
FROM (
    SELECT DISTINCT ON (o.recipient_id, o.case_id, o.subject) o.*,
        count(*) OVER (PARTITION BY o.recipient_id, o.case_id, o.subject) AS times
    FROM outbox o
    JOIN (SELECT DISTINCT case_id, subject FROM outbox WHERE id = ANY (:letters) AND subject <> '') moved
        USING (case_id, subject)
    WHERE o.recipient_id = ANY (:holders)
    ORDER BY o.recipient_id, o.case_id, o.subject, o.seq DESC, o.at DESC, o.id
) t
CROSS JOIN LATERAL (SELECT * FROM matters WHERE case_id = t.case_id AND subject = t.subject LIMIT 1) k
CROSS JOIN LATERAL (SELECT NOT k.asks OR (k.ends_when_read AND t.acknowledged_at IS NOT NULL) AS so) done
ON CONFLICT (case_id, subject, recipient_id) DO UPDATE SET letter_id = excluded.letter_id, kind = excluded.kind,
    told_at = excluded.told_at, times = excluded.times, acknowledged_at = excluded.acknowledged_at,
    settled = excluded.settled, place_at = excluded.place_at
""")
LEFT = text("""
DELETE FROM matters m USING (SELECT DISTINCT case_id, subject FROM outbox WHERE id = ANY (:letters)) moved
WHERE m.case_id = moved.case_id AND m.subject = moved.subject AND m.recipient_id = ANY (:holders) AND NOT EXISTS (
    SELECT FROM outbox o
    WHERE o.recipient_id = m.recipient_id AND o.case_id = m.case_id AND o.subject = m.subject)
""")


async def heard(within: Within, letters: Collection[UUID], at: datetime) -> int:
    """These letters are acknowledged, and the matters they are the latest of; how many were not before.

    A letter about a duty is acknowledged by the step that takes the department's word, not here.
    """
    return (await within.execute(HEARD, {"letters": list(letters), "at": at})).scalar_one() if letters else 0


async def lock(within: Within, letters: Collection[UUID]) -> None:
    """Of the cases of these letters; taken before the first of the letters is changed, as acknowledging does."""
    await within.execute(LOCKED, {"letters": list(letters)})


async def moved(within: Within, letters: Collection[UUID], holders: Collection[UUID]) -> None:
    """These letters, locked before, went from some of the holders to another, with the rows of all of them open."""
    if letters:
        values = {"letters": list(letters), "holders": list(holders)}
        await within.execute(MOVED, values)
        await within.execute(LEFT, values)
