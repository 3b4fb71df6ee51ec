"""What happened to an insurer's cases, in the order it was committed: how a core system keeps up with all of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, select

from api.callers import Entry, Looking
from api.problems import Problem
from api.reads import lines_of_steps
from api.rows import AUDIT, AUDIT_HEADS, CASES
from api.shapes import TimelineEntry
from api.words import POSITION_AHEAD, ProblemCode
from models.contracts.base import Contract
from models.contracts.vocabulary import ActorKind, AuditEvent, CaseKind

TAG = "变化 / changes"
FURTHEST = 2**62
SPAN = 20_000
"""Rows of the trail one answer looks at: a narrow filter over a long past is read in several."""
router = APIRouter(tags=[TAG])


class ChangesQuery(BaseModel):
    """从哪里接着读。 / From where to read on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[int, Field(ge=0, le=FURTHEST)] = Field(
        0, description="上一次答复的 next；不填从头读起 / `next` of the answer before; from the beginning if left out"
    )
    kind: CaseKind | None = Field(None, description="只要这一种案卷 / cases of this kind only")
    limit: Annotated[int, Field(ge=1, le=200)] = 100


class Change(Contract):
    """一步 / one step of one case: everything that was put on record together."""

    position: int
    case_id: UUID
    kind: CaseKind
    number: str
    policy_id: UUID | None
    """The policy a hazard or a claim belongs to; none for a policy itself."""
    seq: int
    """Steps of one case are numbered without gaps; the same as in its view and its timeline."""
    recorded_at: datetime
    by_kind: ActorKind
    """Who caused it; the system where a term ended or money was answered for."""
    by: str
    happened: tuple[TimelineEntry, ...]


class Changes(Contract):
    """A stretch of the record. `next` is kept and sent as `after`; there is more at once while it is below `latest`."""

    items: tuple[Change, ...]
    next: int
    latest: int
    """The position of what was put on record last."""


@router.get("/changes", summary="变化，按记录先后 / Changes, in the order they were recorded")
async def changes(entry: Looking, query: Annotated[ChangesQuery, Query()]) -> Changes:
    """本机构全部案卷发生的一切，不漏、不重、次序不变，包括到期、部门签收、企业申报和付款结果。

    保存 next，下次填入 after；没有 webhook。

    Everything that happened to one's cases, complete and in an order that never changes: due dates that passed, what
    departments and enterprises did, outcomes of payments. Keep `next` and send it as `after`; there is no webhook.
    """
    latest = await _latest(entry)
    if query.after > latest:  # the books were set back by a restore, and so has to be whoever reads on
        raise Problem(ProblemCode.BAD_CURSOR, POSITION_AHEAD)
    until = min(latest, query.after + SPAN)
    rows = await _steps(entry, query, until)
    lines = await lines_of_steps(entry, [(row.case_id, row.seq) for row in rows])
    items = tuple(_change(row, lines.get((row.case_id, row.seq), [])) for row in rows)
    return Changes(items=items, next=items[-1].position if len(items) == query.limit else until, latest=latest)


async def _latest(entry: Entry) -> int:
    """Read first: whoever numbers a row holds the head until they commit, so all rows up to it are there to be read."""
    found = select(AUDIT_HEADS.c.number).where(AUDIT_HEADS.c.chain == entry.caller.tenant)
    return (await entry.connection.execute(found)).scalar_one_or_none() or 0


async def _steps(entry: Entry, query: ChangesQuery, until: int) -> Sequence[Row[Any]]:
    found = (
        select(*AUDIT.c["number", "at", "case_id", "seq", "who_kind", "who_name"])
        .add_columns(CASES.c.kind, CASES.c.number.label("case_number"), CASES.c.parent_id)
        .join(CASES, CASES.c.id == AUDIT.c.case_id)
        .where(AUDIT.c.chain == entry.caller.tenant, AUDIT.c.what == AuditEvent.STEP)
        .where(AUDIT.c.number > query.after, AUDIT.c.number <= until)
        .order_by(AUDIT.c.number)
        .limit(query.limit)
    )
    if query.kind is not None:
        found = found.where(AUDIT.c.object_kind == query.kind.value)
    return (await entry.connection.execute(found)).all()


def _change(row: Row[Any], lines: Sequence[Row[Any]]) -> Change:
    by = row.who_name or row.who_kind.label
    told = {"by": "" if row.who_kind is ActorKind.SYSTEM else by}  # as timelines say it
    happened = (TimelineEntry.model_validate({**line._mapping, **told, "label": line.event.label}) for line in lines)
    return Change(
        position=row.number,
        case_id=row.case_id,
        kind=row.kind,
        number=row.case_number,
        policy_id=row.parent_id,
        seq=row.seq,
        recorded_at=row.at,
        by_kind=row.who_kind,
        by=by,
        happened=tuple(happened),
    )
