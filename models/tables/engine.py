"""The connection pool and the transaction-local settings row-level security reads; no query of any room here."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
from pydantic_core import to_json
from sqlalchemy import ColumnElement, Text, cast, func, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

# Milliseconds. A statement that waits longer than this is a fault to be seen and repeated, not to be sat out
# (promises.md F17).
LIMITS = {"lock_timeout": "2000", "statement_timeout": "10000", "idle_in_transaction_session_timeout": "30000"}
CONNECT_WITHIN = 5.0  # seconds
POOL_WAIT = 4.0  # seconds; below the API's budget of five

# After any of these nobody knows whether the statement was carried out, and the connection must not be used again; a
# killed server shows itself as InternalClientError more often than not (E5, promises.md rule 10).
LOST = (
    asyncpg.InternalClientError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    OSError,
)

DATABASE_FAULTS = (SQLAlchemyError, OSError, asyncpg.InternalClientError, asyncpg.InterfaceError)
"""What a statement may raise where the database is away or refuses; whoever works in rounds tries again in the next."""

Within = AsyncConnection | AsyncSession

TENANT = "anze.tenant"
SET = text("SELECT set_config(:name, :value, true)")
"""Made once: a text looked through for its parameters at each request cost half as much as carrying it out."""


def make_engine(url: str, pool_size: int = 5) -> AsyncEngine:
    """A pool for the application role; `url` is `postgresql+asyncpg://…`. At most `pool_size` connections."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # what is written in a row does not belong in logs or in Temporal's failures
        pool_timeout=POOL_WAIT,
        json_serializer=_to_json,
        connect_args={
            "timeout": CONNECT_WITHIN,
            "server_settings": {**LIMITS, "application_name": "anze", "jit": "off"},
        },
    )


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection that goes back to the pool, or is thrown away when it was lost on the way."""
    async with engine.connect() as connection:
        try:
            yield connection
        except Exception as error:
            if is_lost(error):
                await connection.invalidate()
            raise


def is_lost(error: BaseException | None) -> bool:
    """Whether the connection was lost and the outcome is unknown; looks through SQLAlchemy's wrapping."""
    while error is not None:
        if isinstance(error, LOST) or (isinstance(error, DBAPIError) and error.connection_invalidated):
            return True
        error = error.__cause__
    return False


async def tenant(within: Within, insurer_id: UUID) -> None:
    """Rows of this insurer, until the transaction ends."""
    await _set(within, TENANT, str(insurer_id))


def tenant_with(insurer_id: ColumnElement[UUID | None]) -> ColumnElement[str]:
    """The same as a column of a statement that finds one row: what is asked after it sees that row's insurer's rows."""
    return func.set_config(TENANT, func.coalesce(cast(insurer_id, Text), ""), True)


async def no_tenant(within: Within) -> None:
    """Rows of no insurer again, for the rest of the transaction."""
    await _set(within, TENANT, "")


async def recipient(within: Within, recipient_ids: UUID | Iterable[UUID]) -> None:
    """What was addressed to these recipients, of whichever insurer, until the transaction ends."""
    ids = [recipient_ids] if isinstance(recipient_ids, UUID) else recipient_ids
    await _set(within, "anze.recipient", ",".join(str(one) for one in ids))


async def operator(within: Within) -> None:
    """The operators' view: every case's row, every task, every notice, the directory of parties."""
    await _set(within, "anze.operator", "on")


async def link(within: Within, token_hash: str) -> None:
    """The one link whose token hashes to this, until the transaction ends."""
    await _set(within, "anze.link", token_hash)


async def api_key(within: Within, key_hash: str) -> None:
    """The one API key that hashes to this, until the transaction ends."""
    await _set(within, "anze.key", key_hash)


async def session(within: Within, token_hash: str) -> None:
    """The one session whose cookie hashes to this, and its user, until the transaction ends."""
    await _set(within, "anze.session", token_hash)


async def identity(within: Within, vouched_for: str) -> None:
    """The user an OIDC provider has just vouched for: the address, or `issuer subject`."""
    await _set(within, "anze.identity", vouched_for)


async def user(within: Within, user_id: UUID) -> None:
    """The sessions of this user, until the transaction ends; whoever asks has looked the user up before."""
    await _set(within, "anze.user", str(user_id))


async def office(within: Within, recipient_id: UUID) -> None:
    """The cases in the places and sectors of this department, until the transaction ends."""
    await _set(within, "anze.office", str(recipient_id))


async def insured(within: Within, insured_id: UUID) -> None:
    """The cases of this enterprise, as one insurer knows it, until the transaction ends."""
    await _set(within, "anze.insured", str(insured_id))


async def provider(within: Within, provider_id: UUID) -> None:
    """The policies that name this service provider now, and their hazards, until the transaction ends."""
    await _set(within, "anze.provider", str(provider_id))


async def _set(within: Within, name: str, value: str) -> None:
    # Transaction-local always: a setting of the session would leak into the next user of a pooled connection (E10).
    await within.execute(SET, {"name": name, "value": value})


def _to_json(value: object) -> str:
    return to_json(value).decode()
