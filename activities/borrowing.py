"""A connection for the length of an activity, and what its failures become; no statement is written here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.exceptions import ApplicationError

from models.tables.engine import DATABASE_FAULTS, connected, is_lost

OUT_OF_ORDER = "AZ001"


@asynccontextmanager
async def borrowed(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection; whatever goes wrong becomes an error without a word of the row in it (promises.md P28)."""
    async with as_activity(), connected(engine) as connection:
        yield connection


@asynccontextmanager
async def as_activity() -> AsyncIterator[None]:
    """Whatever the database refuses inside becomes an error that Temporal may show and repeat."""
    try:
        yield
    except DATABASE_FAULTS as error:
        raise _failure(error) from None


def _failure(error: BaseException) -> ApplicationError:
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    if state == OUT_OF_ORDER:
        return ApplicationError("前一步尚未记入台账", type="out_of_order")
    if is_lost(error):
        return ApplicationError("数据库连接中断，结果不明", type="database_lost")
    return ApplicationError(f"数据库未能记入（{state or type(error).__name__}）", type="database_refused")
