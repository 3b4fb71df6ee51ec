"""Victims' fields and look-alike digests sealed again under the current key, batch by batch; nobody sees a value."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from models.tables.claims import Victim
from models.tables.engine import connected, operator, tenant
from models.tables.parties import Insurer
from models.tables.sealed import FieldKeys, FieldOf, Unreadable

BATCH = 200
"""Persons in one transaction: well inside the statement limit, and little is repeated after an interruption."""
SEALED = ("name", "identity_number", "bank_account", "phone")
IDENTITY = "identity_number"


@dataclass
class Resealed:
    """How it ended; persons by their opaque references only."""

    persons: int = 0
    resealed: int = 0
    unreadable: list[str] = field(default_factory=list)
    """Whose key is not here, or whose fields were damaged; left as they are."""
    doubled: list[str] = field(default_factory=list)
    """Entered twice in one claim, seen only now that both digests are of one key; the digest is left as it is."""
    retired: bool = False
    """Whether the older keys may go: nothing lies under them, and no process is left that would seal under them."""

    def as_document(self) -> dict[str, Any]:
        return asdict(self)


class Resealer:
    """Walks through every insurer's victims in the order of their ids; what is current already is passed over.

    Each batch is a transaction of its own, so that it may be stopped at any time and simply run again.
    """

    def __init__(self, engine: AsyncEngine, keys: FieldKeys, batch: int = BATCH) -> None:
        self._engine = engine
        self._keys = keys
        self._batch = batch

    async def count(self, *those: ColumnElement[bool]) -> int:
        """All victims of all insurers, or those."""
        counted = 0
        for insurer_id in await self._insurers():
            async with connected(self._engine) as connection, connection.begin():
                await tenant(connection, insurer_id)
                mine = select(func.count()).select_from(Victim).where(col(Victim.insurer_id) == insurer_id, *those)
                counted += (await connection.execute(mine)).scalar_one()
        return counted

    async def left(self) -> int:
        """Victims of whom something does not lie under the current key."""
        head = self._keys.head
        sealed = (getattr(Victim, name) for name in SEALED)
        return await self.count(or_(*(func.substr(col(one), 1, len(head)) != head for one in sealed)))

    async def run(self, done: Callable[[int], None] = lambda _: None) -> Resealed:
        """Until the last person; `done` hears of each batch. Raises what the database raises."""
        ended = Resealed()
        for insurer_id in await self._insurers():
            after: UUID | None = None
            while rows := await self._one_batch(insurer_id, after, ended):
                after = rows[-1].id
                done(len(rows))
        return ended

    async def _insurers(self) -> Sequence[UUID]:
        async with connected(self._engine) as connection, connection.begin():
            await operator(connection)
            return (await connection.execute(select(col(Insurer.id)).order_by(col(Insurer.code)))).scalars().all()

    async def _one_batch(self, insurer_id: UUID, after: UUID | None, ended: Resealed) -> Sequence[Row[Any]]:
        """Resealed and committed, or not begun."""
        batch = Resealed()
        async with connected(self._engine) as connection, connection.begin():
            await tenant(connection, insurer_id)
            wanted = select(Victim.__table__).where(col(Victim.insurer_id) == insurer_id)  # pyright: ignore
            if after is not None:
                wanted = wanted.where(col(Victim.id) > after)
            rows = (
                await connection.execute(wanted.order_by(col(Victim.id)).limit(self._batch).with_for_update())
            ).all()
            for row in rows:
                await self._one(connection, row, batch)
        ended.persons += len(rows)
        ended.resealed += batch.resealed
        ended.unreadable += batch.unreadable
        ended.doubled += batch.doubled
        return rows

    async def _one(self, connection: AsyncConnection, row: Row[Any], batch: Resealed) -> None:
        try:
            changed = self._changed(row)
        except Unreadable:
            batch.unreadable.append(str(row.ref))
            return
        if not changed:
            return
        mine = update(Victim).where(col(Victim.insurer_id) == row.insurer_id, col(Victim.id) == row.id)
        try:
            async with connection.begin_nested():
                await connection.execute(mine.values(**changed))
        except IntegrityError:
            batch.doubled.append(str(row.ref))
            del changed["look_alike"]
            if changed:
                await connection.execute(mine.values(**changed))
        batch.resealed += 1

    def _changed(self, row: Row[Any]) -> dict[str, Any]:
        """What of a row is not under the current key, as it must be. Raises Unreadable."""
        sealed = {name: row._mapping[name] for name in SEALED if row._mapping[name] is not None}
        changed: dict[str, Any] = {
            name: self._keys.seal(self._open(row, name), FieldOf(row.insurer_id, row.ref, name))
            for name, value in sealed.items()
            if not self._keys.is_current(value)
        }
        if row.look_alike and not row.look_alike.startswith(f"{self._keys.current}:"):
            changed["look_alike"] = self._keys.look_alike(self._open(row, IDENTITY), row.insurer_id)
        return changed

    def _open(self, row: Row[Any], name: str) -> str:
        return self._keys.open(row._mapping[name], FieldOf(row.insurer_id, row.ref, name))
