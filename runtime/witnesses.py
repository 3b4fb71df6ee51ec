"""Whether the keys of this process are those the system was sealed with, found out before it takes any work."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Literal
from uuid import UUID

import asyncpg
from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from models.tables.engine import LOST, connected, is_lost
from models.tables.sealed import FieldKeys, FieldOf, Unreadable
from models.tables.witnesses import KeyWitness
from runtime.settings import Settings

Purpose = Literal["field", "payload"]
NOBODY = UUID(int=0)
SAID = "能读"
RESTARTING = timedelta(hours=1)
"""In which every process has been restarted with the new key; until then some still sealed under the old one."""
AGAIN = 1.0  # seconds between looks while the database is away
SETTINGS: dict[Purpose, str] = {"field": "ANZE_FIELD_KEYS", "payload": "ANZE_PAYLOAD_KEYS"}

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('key witnesses', 0))")

log = logging.getLogger(__name__)


class WrongKeys(Exception):
    """A key is missing here, or is another one than the one of that name everybody else has."""


def keys_of(settings: Settings) -> Iterator[tuple[Purpose, FieldKeys | None]]:
    """The keys of this process by what they are for; `None` where it was given none."""
    yield "field", settings.sealing
    told = settings.payload_keys
    yield "payload", FieldKeys.parse(told.get_secret_value()) if told is not None else None


async def prove(engine: AsyncEngine, settings: Settings) -> None:
    """Leave a witness of the key we seal with and open every one. Raises WrongKeys, and what the database raises.

    One process after the other, and ours before theirs are opened: of those that start together with different keys,
    also of one name, the first alone goes on. Of a process that may not start nothing stays.
    """
    async with connected(engine) as connection, connection.begin():
        await connection.execute(ONE_AT_A_TIME)
        for purpose, keys in keys_of(settings):
            if keys is not None:
                await _leave(connection, purpose, keys)
            await _open_all(connection, purpose, keys)


async def proved(engine: AsyncEngine, settings: Settings) -> None:
    """The same, waiting for the database where it is away. Raises WrongKeys."""
    while True:
        try:
            return await prove(engine, settings)
        except (SQLAlchemyError, *LOST) as error:
            if isinstance(error, DBAPIError) and not is_lost(error) and not _is_starting(error):
                raise
            log.warning("keys are not proved yet, the database is away: %s", type(error).__name__)
            await asyncio.sleep(AGAIN)


async def witnesses(connection: AsyncConnection) -> list[KeyWitness]:
    """Every key something is sealed under, the oldest of each purpose first."""
    order = (col(KeyWitness.purpose), col(KeyWitness.since), col(KeyWitness.name))
    columns = (col(KeyWitness.purpose), col(KeyWitness.name), col(KeyWitness.sealed), col(KeyWitness.since))
    return [KeyWitness(**row._mapping) for row in await connection.execute(select(*columns).order_by(*order))]


async def unfit(connection: asyncpg.Connection, settings: Settings) -> list[str]:
    """The keys something lies under that these settings lack or have wrong, by setting and name; looks, and no more."""
    found = await connection.fetch("SELECT purpose, name, sealed FROM key_witnesses ORDER BY purpose, since")
    return [
        f"{SETTINGS[purpose]} {row['name']}"
        for purpose, keys in keys_of(settings)
        for row in found
        if row["purpose"] == purpose and not _fits(keys, purpose, row["sealed"])
    ]


async def retire(connection: AsyncConnection, purpose: Purpose, name: str) -> bool:
    """Nothing is sealed under this key any more: processes may start without it. Whether there was a witness."""
    mine = delete(KeyWitness).where(col(KeyWitness.purpose) == purpose, col(KeyWitness.name) == name)
    return bool((await connection.execute(mine)).rowcount)


async def settled(engine: AsyncEngine, purpose: Purpose, current: str) -> bool:
    """Whether this key has been in use for so long that no process is left which seals under an older one."""
    mine = select(col(KeyWitness.name)).where(col(KeyWitness.purpose) == purpose, col(KeyWitness.name) == current)
    async with connected(engine) as connection:
        found = await connection.execute(mine.where(col(KeyWitness.since) < func.now() - RESTARTING))
        return found.one_or_none() is not None


async def retire_others(engine: AsyncEngine, purpose: Purpose, current: str) -> None:
    """Everything lies under the current key, which has settled: processes may start without the others."""
    async with connected(engine) as connection, connection.begin():
        others = delete(KeyWitness).where(col(KeyWitness.purpose) == purpose, col(KeyWitness.name) != current)
        await connection.execute(others)


async def _open_all(connection: AsyncConnection, purpose: Purpose, keys: FieldKeys | None) -> None:
    found = select(col(KeyWitness.name), col(KeyWitness.sealed)).where(col(KeyWitness.purpose) == purpose)
    for name, sealed in await connection.execute(found):
        if not _fits(keys, purpose, sealed):
            raise WrongKeys(
                f"{SETTINGS[purpose]} 中没有密钥 {name}，或者不是原来的那一把；不启动，以免写下无法读出的内容。\n"
                f"{SETTINGS[purpose]} lacks the key {name}, or has another one of that name: refusing to start."
            )


def _fits(keys: FieldKeys | None, purpose: Purpose, sealed: bytes) -> bool:
    try:
        return keys is not None and keys.open(sealed, _place(purpose)) == SAID
    except Unreadable:
        return False


async def _leave(connection: AsyncConnection, purpose: Purpose, keys: FieldKeys) -> None:
    """Of the current one alone: the others are here to open with, and what they sealed has its witness already."""
    row = {"purpose": purpose, "name": keys.current, "sealed": keys.seal(SAID, _place(purpose))}
    await connection.execute(insert(KeyWitness).values(row).on_conflict_do_nothing())


def _place(purpose: Purpose) -> FieldOf:
    return FieldOf(NOBODY, NOBODY, f"witness/{purpose}")


def _is_starting(error: DBAPIError) -> bool:
    """57P03: the server is there and not ready yet."""
    return getattr(error.orig, "sqlstate", None) == "57P03"
