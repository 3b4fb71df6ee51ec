"""Copies for whoever covers for a department's absent contact: when one is made, and of what; see decision 0067."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from activities import mailbook as book
from activities.letters import message_id
from domain.calendar import local_date
from models.contracts.ids import NAMESPACE
from models.contracts.vocabulary import NoticeStatus, Urgency
from models.tables.engine import recipient as for_recipients
from models.tables.outbox import Mail, Nudge
from models.tables.parties import Cover, Recipient


def copy_id(mail_id: UUID) -> UUID:
    """The same for the same letter: it is copied once, however often its end is told."""
    return uuid5(NAMESPACE, f"copy/{mail_id}")


async def beside(session: AsyncSession, opened: book.Opened, at: datetime, sender: str) -> None:
    """A letter with notices that went out is copied to who covers for its recipient on this day, in Shanghai.

    The copy is a mail of its own, in the other's mailroom: how it ends touches neither the letter nor its notices.
    """
    to = await _cover(session, opened.to.id, at) if opened.notices else None
    if to is None:
        return
    await for_recipients(session, (opened.to.id, to))
    mail_id = copy_id(opened.mail.id)
    row = {"id": mail_id, "recipient_id": to, "message_id": message_id(str(mail_id), sender)}
    row |= {"urgency": opened.mail.urgency, "composed_at": opened.mail.composed_at}
    row |= {"copy_of": opened.mail.id, "copy_for": opened.to.id}
    made = insert(Mail).values(row).on_conflict_do_nothing().returning(col(Mail.id))
    if (await session.execute(made)).first() is not None:
        session.add(Nudge(recipient_id=to))


async def _cover(session: AsyncSession, recipient_id: UUID, at: datetime) -> UUID | None:
    today = local_date(at)
    found = (
        select(col(Cover.cover_id))
        .join(Recipient, col(Recipient.id) == col(Cover.cover_id))
        .where(col(Cover.recipient_id) == recipient_id, col(Cover.from_on) <= today, col(Cover.until_on) >= today)
        .where(col(Recipient.department).is_not(None), col(Recipient.email) != "")
    )
    return await session.scalar(found)


async def counted(session: AsyncSession, recipient_id: UUID) -> Counter[Urgency]:
    """Copies that have not gone out, by urgency."""
    waiting = (
        select(col(Mail.urgency), func.count())
        .where(col(Mail.recipient_id) == recipient_id, col(Mail.sent_at).is_(None))
        .where(col(Mail.status) == NoticeStatus.QUEUED, col(Mail.copy_of).is_not(None))
        .group_by(col(Mail.urgency))
    )
    return Counter({row[0]: row[1] for row in await session.execute(waiting)})


async def original(session: AsyncSession, opened: book.Opened) -> book.Opened | None:
    """Of a copy, what its letter told, as it is told to the reader; `None` for every other mail."""
    mail = opened.mail
    if mail.copy_of is None or mail.copy_for is None:
        return None
    await for_recipients(session, (opened.to.id, mail.copy_for))
    written = await book.open_mail(session, mail.copy_for, mail.copy_of)
    name = written.to.name
    return replace(written, mail=mail, to=opened.to, page=1, pages=1, anew=frozenset(), copy_for=name)
