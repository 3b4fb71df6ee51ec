"""What commands for the server itself share: one transaction with the operators' view, and whom a name means."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import typer
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.rows import INSURERS, PROVIDERS, RECIPIENTS
from models.contracts.ids import provider_id
from models.tables.engine import make_engine, operator
from runtime import addresses
from runtime.settings import Settings

T = TypeVar("T")
FAILED = 1


class Unanswerable(Exception):
    """What was named does not exist, not once, or cannot be; the text is for people."""


def done(act: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Carry it out in one transaction; what cannot be answered ends the command with a sentence."""

    async def run() -> T:
        engine = make_engine(addresses.database(Settings()), 1)
        try:
            async with engine.begin() as connection:
                await operator(connection)
                return await act(connection)
        finally:
            await engine.dispose()

    try:
        return asyncio.run(run())
    except (Unanswerable, LookupError) as error:
        typer.echo(str(error.args[0]), err=True)
        sys.exit(FAILED)


async def insurer_named(connection: AsyncConnection, code: str) -> UUID:
    """Raises Unanswerable."""
    return await _id(connection, INSURERS.c.id, INSURERS.c.code == code, f"没有保险机构 {code}")


async def department_named(connection: AsyncConnection, written: str) -> UUID:
    """A department written `REGION:NAME`. Raises Unanswerable."""
    region, _, office = written.partition(":")
    named = (RECIPIENTS.c.region == region) & (RECIPIENTS.c.department == office)
    return await _id(connection, RECIPIENTS.c.id, named, f"没有登记的部门 {written}")


async def provider_named(connection: AsyncConnection, insurer_id: UUID, credit_code: str) -> UUID:
    """A provider in the register of an insurer. Raises Unanswerable."""
    known = PROVIDERS.c.id == provider_id(insurer_id, credit_code)
    return await _id(connection, PROVIDERS.c.id, known, f"该保险机构没有登记服务机构 {credit_code}")


async def _id(
    connection: AsyncConnection, column: ColumnElement[UUID], named: ColumnElement[bool], absent: str
) -> UUID:
    found = (await connection.execute(select(column).where(named))).scalar_one_or_none()
    if found is None:
        raise Unanswerable(f"{absent} / not found")
    return found
