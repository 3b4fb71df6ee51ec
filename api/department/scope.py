"""Which cases a department reads: those in its places and sectors, and those it was told about; said again to RLS.

Row-level security holds the same predicate (migration 20261122_7); neither relies on the other (promises.md P19).
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Row, and_, exists, false, or_, select

from api.callers import Entry
from api.problems import not_found
from api.rows import CASES, DEPARTMENT_SCOPES, OUTBOX
from models.contracts.vocabulary import CaseKind

EVERY_SECTOR = "*"
IN_SCOPE = (CaseKind.POLICY, CaseKind.HAZARD)
"""Claims are read by whoever was told of them, and by no other department (docs/decisions/0041)."""


@dataclass(frozen=True)
class Scope:
    """One place with everything below it, and one sector or all (`*`) of them."""

    prefix: str
    sector: str

    def covers(self, table: FromClause) -> ColumnElement[bool]:
        """As bounds of the place, so that an index on (region, sector) can be used under row-level security."""
        region, sector = table.c.region, table.c.sector
        inside = (
            [region >= self.prefix, region < self.prefix + "a"] if self.prefix else []
        )  # digits come before letters
        if self.sector != EVERY_SECTOR:
            inside.append(sector == self.sector)
        return and_(*inside) if inside else region >= ""


async def scopes(entry: Entry) -> tuple[Scope, ...]:
    """The calling department's places and sectors, on current data."""
    mine = DEPARTMENT_SCOPES.c.recipient_id == entry.caller.recipient_id
    rows = await entry.connection.execute(select(*DEPARTMENT_SCOPES.c["prefix", "sector"]).where(mine))
    return tuple(sorted((Scope(row.prefix, row.sector) for row in rows), key=lambda one: (one.prefix, one.sector)))


def within(mine: tuple[Scope, ...], table: FromClause = CASES) -> ColumnElement[bool]:
    """Policies and hazards in these places and sectors; without any, nothing."""
    inside = or_(false(), *(one.covers(table) for one in mine))
    return and_(table.c.kind.in_(IN_SCOPE), inside)


def told(recipient_id: UUID | None) -> ColumnElement[bool]:
    """Whether this department was ever told about the case."""
    return exists().where(OUTBOX.c.case_id == CASES.c.id, OUTBOX.c.recipient_id == recipient_id)


@dataclass(frozen=True)
class Opened:
    """A case the department may read, and whether it was told about it and so may act."""

    row: Row[Any]
    told: bool
    mine: tuple[Scope, ...]


async def opened(entry: Entry, case_id: UUID) -> Opened:
    """The case, where it lies in the department's scope or the department was told about it; 404 for any other."""
    mine, heard = await scopes(entry), told(entry.caller.recipient_id)
    found = select(CASES, heard.label("told")).where(CASES.c.id == case_id, or_(within(mine), heard))
    row = (await entry.connection.execute(found)).one_or_none()
    if row is None:
        raise not_found()
    return Opened(row, told=row.told, mine=mine)
