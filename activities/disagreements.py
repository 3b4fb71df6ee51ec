"""What a reconciliation finds, and how it waits in the operators' queue: once, and until it is found no more."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from domain.claim import wording
from models.contracts.ids import NAMESPACE
from models.contracts.vocabulary import TaskKind
from models.tables.outbox import Task

KINDS = (TaskKind.PAYMENT_UNKNOWN, TaskKind.BOOKS_DIFFER)
"""Lines that only a reconciliation writes."""


@dataclass(frozen=True)
class Finding:
    """One line of the report; no name and no account."""

    insurer: str
    order_key: str
    amount: str
    state: str
    reference: str = ""
    note: str = ""
    case_id: UUID | None = None


@dataclass
class Report:
    """What was found, by kind; everything empty means that both sides' books agree."""

    orders: int = 0
    settled: list[Finding] = field(default_factory=list)
    """Open before, and clear now that the core system was asked by key."""
    without_reference: list[Finding] = field(default_factory=list)
    without_order: list[Finding] = field(default_factory=list)
    different: list[Finding] = field(default_factory=list)
    """Another amount or another reference on the other side."""
    one_reference: list[Finding] = field(default_factory=list)
    """Orders that say to be paid by a transfer another order names too; the others are the note."""
    silent: list[str] = field(default_factory=list)
    """Insurers whose statement could not be had."""

    @property
    def count(self) -> int:
        found = (self.without_reference, self.without_order, self.different, self.one_reference, self.silent)
        return sum(map(len, found))

    @property
    def agrees(self) -> bool:
        return self.count == 0

    def as_document(self) -> dict[str, Any]:
        return {**asdict(self), "agrees": self.agrees}


@dataclass(frozen=True)
class Line:
    """One line for the queue; the same finding gives the same line on every day."""

    kind: TaskKind
    insurer: str
    about: str
    said: str
    case_id: UUID | None = None
    returns: bool = False
    """Whether it waits again although it was put away."""

    @property
    def id(self) -> UUID:
        return uuid5(NAMESPACE, f"disagreement/{self.kind.value}/{self.insurer}/{self.about}")


async def queue(connection: AsyncConnection, report: Report, insurers: Mapping[str, UUID]) -> None:
    """Queue what is new, leave what a person has put away, close what is found no more; on the operators' connection.

    What was found in an insurer's statement stays open while that insurer is silent.
    """
    lines = {line.id: line for line in _lines(report)}
    for line in lines.values():
        row = insert(Task).values(
            id=line.id, kind=line.kind, insurer_id=insurers[line.insurer], case_id=line.case_id, said=line.said
        )
        again = row.on_conflict_do_update(index_elements=["id"], set_={"done_at": None})
        await connection.execute(again if line.returns else row.on_conflict_do_nothing())
    unheard = [insurers[code] for code in report.silent]
    gone = (
        select(col(Task.id))
        .where(col(Task.kind).in_(KINDS), col(Task.notice_id).is_(None), col(Task.done_at).is_(None))
        .where(col(Task.id).not_in(lines), col(Task.insurer_id).not_in(unheard))
    )
    await connection.execute(update(Task).where(col(Task.id).in_(gone)).values(done_at=datetime.now(UTC)))


def _lines(report: Report) -> Iterator[Line]:
    for one in report.without_reference:
        said = wording.without_reference(one.order_key, one.amount, one.note)
        yield Line(TaskKind.PAYMENT_UNKNOWN, one.insurer, one.order_key, said, one.case_id)
    for one in report.without_order:
        said = wording.without_order(one.order_key, one.reference)
        yield Line(TaskKind.BOOKS_DIFFER, one.insurer, f"{one.order_key}/{one.reference}", said)
    for one in report.different:
        said = wording.differs(one.order_key, one.amount, one.note)
        yield Line(TaskKind.BOOKS_DIFFER, one.insurer, f"{one.order_key}/{one.note}", said, one.case_id)
    for one in report.one_reference:
        said = wording.one_reference(one.order_key, one.amount, one.reference, one.note)
        yield Line(TaskKind.BOOKS_DIFFER, one.insurer, f"{one.order_key}/same/{one.reference}", said, one.case_id)
    for code in report.silent:
        yield Line(TaskKind.BOOKS_DIFFER, code, "silent", wording.silent(code), returns=True)
