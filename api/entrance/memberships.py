"""The organisations of one identity: found for whom the provider vouched, bound when entered; no page, no cookie."""

from typing import Any

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.entrance.words import NoEntry, NotLetIn
from api.identity import Vouched
from api.rows import INSURERS, PROVIDERS, RECIPIENTS, USERS
from models.tables import engine as settings
from models.tables.people import ORGANISATION

WITH_ORGANISATION = select(
    USERS,
    INSURERS.c.name.label("insurer"),
    RECIPIENTS.c.name.label("office"),
    PROVIDERS.c.name.label("provider"),
).select_from(
    USERS.outerjoin(INSURERS, INSURERS.c.id == USERS.c.insurer_id)
    .outerjoin(RECIPIENTS, RECIPIENTS.c.id == USERS.c.recipient_id)
    .outerjoin(PROVIDERS, PROVIDERS.c.id == USERS.c.provider_id)
)
"""Users, with what their organisation is called: a department is an `office`, a provider also has its `insurer`."""


async def memberships(connection: AsyncConnection, vouched: Vouched) -> list[Row[Any]]:
    """The users this identity may be now, at least one, by organisation. Raises NotLetIn.

    Those it is bound to, whatever its address is today; and those registered with its verified address that nobody has
    entered yet, but none of an organisation where it is somebody already. A disabled one is none.
    """
    bound = await _found(connection, f"{vouched.issuer} {vouched.subject}", _bound_to(vouched))
    unbound = (USERS.c.email == vouched.email) & USERS.c.issuer.is_(None)
    free = await _found(connection, vouched.email, unbound) if vouched.email else []
    held = {_organisation(row) for row in bound}
    known = bound + [row for row in free if _organisation(row) not in held]
    if not known:
        raise NotLetIn(NoEntry.UNKNOWN if vouched.email else NoEntry.UNVERIFIED)
    live = [row for row in known if row.disabled_at is None]
    if not live:
        raise NotLetIn(NoEntry.DISABLED)
    return sorted(live, key=lambda row: (row.insurer or row.office or "", row.provider or "", row.id))


async def current(connection: AsyncConnection, vouched: Vouched, user: Row[Any]) -> Row[Any]:
    """A membership as it is now; until the transaction ends nobody ends its sessions. Raises NotLetIn."""
    proven = vouched.email if user.issuer is None else f"{vouched.issuer} {vouched.subject}"
    await settings.identity(connection, proven)
    held = select(USERS).where(USERS.c.id == user.id, USERS.c.disabled_at.is_(None)).with_for_update(key_share=True)
    row = (await connection.execute(held)).one_or_none()
    if row is None:
        raise NotLetIn(NoEntry.DISABLED)
    return row


async def bind(connection: AsyncConnection, vouched: Vouched, user: Row[Any]) -> None:
    """Once, by the address; one that is bound to another identity by now is not given away again. Raises NotLetIn.

    Only the organisation that is entered: another would see by it that somebody of its own signs in elsewhere.
    """
    if user.issuer is not None:
        return
    await settings.identity(connection, vouched.email)
    free = (USERS.c.email == vouched.email) & USERS.c.issuer.is_(None) & USERS.c.disabled_at.is_(None)
    binding = update(USERS).where(USERS.c.id == user.id, free | _bound_to(vouched))
    bound = binding.values(issuer=vouched.issuer, subject=vouched.subject).returning(USERS.c.id)
    if (await connection.execute(bound)).one_or_none() is None:
        raise NotLetIn(NoEntry.UNKNOWN)


def _bound_to(vouched: Vouched) -> ColumnElement[bool]:
    return (USERS.c.issuer == vouched.issuer) & (USERS.c.subject == vouched.subject)


async def _found(connection: AsyncConnection, proven: str, condition: ColumnElement[bool]) -> list[Row[Any]]:
    await settings.identity(connection, proven)
    return list((await connection.execute(WITH_ORGANISATION.where(condition))).all())


def _organisation(user: Row[Any]) -> tuple[Any, ...]:
    return tuple(user._mapping[name] for name in ORGANISATION)
