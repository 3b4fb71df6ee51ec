"""Six-digit codes mailed to a registered address: asking for one, using it once; how the letter reads is not here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit import NOWHERE, AuditEntry, Origin, note, noted
from api.rows import ASKED_LETTERS, NUDGES, RECIPIENTS
from api.tools import Tools
from domain.codes import is_code
from models.contracts.vocabulary import AskedFor, AuditEvent, AuditResult
from models.tables import engine as settings
from models.tables.audit import COMMON_CHAIN

LASTS = timedelta(minutes=10)
TRIES = 5
MOST_AN_HOUR = {AskedFor.CODE_TO_ENTER: 5, AskedFor.CODE_TO_ACT: 5, AskedFor.FRESH_LINK: 1}
"""To one address for each kind, for each link in the case of fresh links: whoever knows a company's credit code can use
up its codes to enter, but not what the holders of its mailed links need."""
HOUR = timedelta(hours=1)
# Two who ask at once count one after the other.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('asked letters of ' || :recipient, 0))")


@dataclass(frozen=True)
class Asked:
    """Which code: of which address, for what, behind which link; `letter_id` where the one who asked is remembered."""

    recipient_id: UUID
    asked_for: AskedFor
    link_id: UUID | None = None
    letter_id: UUID | None = None


async def ask(
    tools: Tools, connection: AsyncConnection, asked: Asked, origin: Origin = NOWHERE, lasts: timedelta = LASTS
) -> UUID | None:
    """Have a letter mailed to the registered address; the letter's id, or `None` where it had enough this hour.

    The transaction then sees the recipient's rows and its insurer's. Do it last: it is put on record.
    """
    await settings.recipient(connection, asked.recipient_id)
    await connection.execute(ONE_AT_A_TIME, {"recipient": str(asked.recipient_id)})
    now, letter_id = tools.now(), uuid4()
    if await _asked_since(connection, asked, now - HOUR) >= MOST_AN_HOUR[asked.asked_for]:
        return None
    row = {"id": letter_id, "recipient_id": asked.recipient_id, "asked_for": asked.asked_for}
    row |= {"link_id": asked.link_id, "asked_at": now, "expires_at": now + lasts}
    await connection.execute(insert(ASKED_LETTERS).values(row))
    await connection.execute(insert(NUDGES).values(recipient_id=asked.recipient_id))
    await note(connection, await _entry(connection, AuditEvent.CODE_SENT, asked, origin))
    return letter_id


async def use(tools: Tools, asked: Asked, typed: str, origin: Origin = NOWHERE) -> UUID | None:
    """The letter whose code was typed, used up by this; `None` for every other reason there is.

    The try is counted and committed before the code is looked at: a crash or a crowd of guesses gives no free try.
    """
    async with tools.engine.begin() as connection:
        await settings.recipient(connection, asked.recipient_id)
        letter_id = await _spend_try(tools, connection, asked)
    if letter_id is None:
        return None
    if not is_code(tools.secret, letter_id, typed):
        return await _failed(tools, asked, origin)
    async with tools.engine.begin() as connection:
        await settings.recipient(connection, asked.recipient_id)
        unused = (ASKED_LETTERS.c.id == letter_id) & ASKED_LETTERS.c.used_at.is_(None)
        used = update(ASKED_LETTERS).where(unused).values(used_at=tools.now()).returning(ASKED_LETTERS.c.id)
        return (await connection.execute(used)).scalar_one_or_none()


async def _spend_try(tools: Tools, connection: AsyncConnection, asked: Asked) -> UUID | None:
    """Of the newest letter only: a later one makes every earlier one worthless."""
    of = (
        (ASKED_LETTERS.c.recipient_id == asked.recipient_id)
        & (ASKED_LETTERS.c.asked_for == asked.asked_for)
        & ASKED_LETTERS.c.link_id.is_not_distinct_from(asked.link_id)
    )
    newest = select(ASKED_LETTERS.c.id).where(of).order_by(ASKED_LETTERS.c.asked_at.desc()).limit(1)
    usable = (
        (ASKED_LETTERS.c.id == newest.scalar_subquery())
        & ASKED_LETTERS.c.used_at.is_(None)
        & (ASKED_LETTERS.c.tries < TRIES)
        & (ASKED_LETTERS.c.expires_at > tools.now())
    )
    if asked.letter_id is not None:
        usable &= ASKED_LETTERS.c.id == asked.letter_id
    tried = update(ASKED_LETTERS).where(usable).values(tries=ASKED_LETTERS.c.tries + 1)
    return (await connection.execute(tried.returning(ASKED_LETTERS.c.id))).scalar_one_or_none()


async def _asked_since(connection: AsyncConnection, asked: Asked, since: datetime) -> int:
    alike = (ASKED_LETTERS.c.recipient_id == asked.recipient_id) & (ASKED_LETTERS.c.asked_for == asked.asked_for)
    if asked.asked_for is AskedFor.FRESH_LINK:
        alike &= ASKED_LETTERS.c.link_id == asked.link_id
    number = select(func.count()).where(alike, ASKED_LETTERS.c.asked_at > since)
    return (await connection.execute(number)).scalar_one()


async def _failed(tools: Tools, asked: Asked, origin: Origin) -> None:
    """On record; a try was spent, so nobody fills the trail with these."""
    async with tools.engine.begin() as connection:
        await settings.recipient(connection, asked.recipient_id)
        entry = await _entry(connection, AuditEvent.CODE_FAILED, asked, origin)
    await noted(tools.engine, entry)


async def _entry(connection: AsyncConnection, what: AuditEvent, asked: Asked, origin: Origin) -> AuditEntry:
    """About the address, in the chain of its insurer; a code that failed is a refusal."""
    of = select(RECIPIENTS.c.insurer_id).where(RECIPIENTS.c.id == asked.recipient_id)
    insurer_id = (await connection.execute(of)).scalar_one_or_none()
    if insurer_id is not None:
        await settings.tenant(connection, insurer_id)
    return AuditEntry(
        what,
        insurer_id or COMMON_CHAIN,
        about=("recipient", str(asked.recipient_id)),
        result=AuditResult.REFUSED if what is AuditEvent.CODE_FAILED else AuditResult.DONE,
        said={"asked_for": asked.asked_for},
        origin=origin,
    )
