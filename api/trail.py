"""What the audit trail says, for people: one page of one chain, newest first; nothing is written here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.rows import AUDIT
from models.contracts.vocabulary import AuditEvent, AuditResult
from models.tables.audit import COMMON_CHAIN

MOST = 500


@dataclass(frozen=True)
class TrailQuery:
    """Which rows; what is left out does not narrow. `who` and `about` are ids, whole or the end of them."""

    chain: UUID = COMMON_CHAIN
    what: frozenset[AuditEvent] = frozenset()
    result: AuditResult | None = None
    who: str | None = None
    called: frozenset[str] = frozenset()
    """Ids of persons `who` is a name of; the trail itself keeps none."""
    about: str | None = None
    case_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Only rows with a smaller number: the last one of the page before."""
    limit: int = 50


async def trail(connection: AsyncConnection, query: TrailQuery) -> list[Row[Any]]:
    """Rows of `audit`, newest first. The transaction must see the chain; another's chain is empty."""
    found = select(AUDIT).where(AUDIT.c.chain == query.chain, *_conditions(query))
    newest_first = found.order_by(AUDIT.c.number.desc()).limit(min(query.limit, MOST))
    return list(await connection.execute(newest_first))


def _conditions(query: TrailQuery) -> Iterator[ColumnElement[bool]]:
    if query.what:
        yield AUDIT.c.what.in_(query.what)
    if query.result is not None:
        yield AUDIT.c.result == query.result
    if query.who is not None:
        named = AUDIT.c.who_id.in_(query.called)
        yield or_(_ends(AUDIT.c.who_id, query.who), _ends(AUDIT.c.who_name, query.who), named)
    if query.about is not None:
        yield _ends(AUDIT.c.object_id, query.about)
    if query.case_id is not None:
        yield AUDIT.c.case_id == query.case_id
    if query.since is not None:
        yield AUDIT.c.at >= query.since
    if query.until is not None:
        yield AUDIT.c.at < query.until
    if query.before is not None:
        yield AUDIT.c.number < query.before


def _ends(column: ColumnElement[str], end: str) -> ColumnElement[bool]:
    return column.endswith(end, autoescape=True)
