"""Letters somebody asked for, a code or a fresh link: which wait, their mails and links; how they read is not here."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, inspect, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from activities.letters import AskedPiece, message_id
from activities.links import LASTS, token, token_hash
from activities.mailbook import Sender
from domain import wording
from domain.codes import code_of
from models.contracts.ids import fresh_link_id
from models.contracts.vocabulary import AskedFor, NoticeStatus, TaskKind, Urgency
from models.tables.access import Link
from models.tables.outbox import Mail, OutboxNotice, Task
from models.tables.people import AskedLetter

LINKS = inspect(Link).columns
SAME_ACT = ("case_id", "recipient_id", "notice_id", "purpose", "duty_key")


def _now() -> datetime:
    # a code lives in the minutes of the one who asked, by the wall clock; a mailroom's own clock may have been moved
    return datetime.now(UTC)


def _alive() -> ColumnElement[bool]:
    return col(AskedLetter.expires_at) > _now()


async def counted(session: AsyncSession, recipient_id: UUID) -> int:
    """Asked letters not sent yet; one that expired before it was put into a mail is quietly left where it is."""
    unsent = select(col(Mail.id)).where(col(Mail.recipient_id) == recipient_id, col(Mail.status) == NoticeStatus.QUEUED)
    waiting = (col(AskedLetter.mail_id).is_(None) & _alive(), col(AskedLetter.mail_id).in_(unsent))
    number = select(func.count()).where(col(AskedLetter.recipient_id) == recipient_id, or_(*waiting))
    return await session.scalar(number) or 0


async def put_into_mails(session: AsyncSession, recipient_id: UUID, now: datetime, sender: Sender) -> list[UUID]:
    """One mail for each letter that waits; a fresh link comes to be here, and the one it replaces ends."""
    waiting = await session.scalars(
        select(AskedLetter)
        .where(col(AskedLetter.recipient_id) == recipient_id, col(AskedLetter.mail_id).is_(None), _alive())
        .order_by(col(AskedLetter.asked_at), col(AskedLetter.id))
        .with_for_update()
    )
    return [await _put_into_mail(session, letter, now, sender) for letter in waiting.all()]


async def _put_into_mail(session: AsyncSession, letter: AskedLetter, now: datetime, sender: Sender) -> UUID:
    mail_id = uuid4()
    mail = Mail(
        id=mail_id,
        recipient_id=letter.recipient_id,
        message_id=message_id(str(mail_id), sender.address),
        urgency=Urgency.NOW,
        composed_at=now,
    )
    session.add(mail)
    await session.flush()
    letter.mail_id = mail_id
    if letter.asked_for is AskedFor.FRESH_LINK and letter.link_id:
        await _renew(session, letter, letter.link_id, sender.secret)
    await session.flush()
    return mail_id


async def _renew(session: AsyncSession, letter: AskedLetter, link_id: UUID, secret: bytes) -> None:
    """A new link for the same act; every earlier one for it ends, so that only one letter works."""
    old = await session.get_one(Link, link_id)
    new = Link(
        id=fresh_link_id(letter.id),
        token_hash=token_hash(token(secret, letter.id, letter.recipient_id)),
        expires_at=letter.asked_at + LASTS,
        **old.model_dump(include={"insurer_id", "case_id", "recipient_id", "notice_id", "purpose", "duty_key"}),
    )
    earlier = [LINKS[name].is_not_distinct_from(getattr(old, name)) for name in SAME_ACT]
    await session.execute(update(Link).where(*earlier, col(Link.revoked_at).is_(None)).values(revoked_at=_now()))
    session.add(new)


async def of_mail(session: AsyncSession, mail_id: UUID) -> AskedLetter | None:
    """The letter this mail was made for, if it was asked for."""
    return (await session.scalars(select(AskedLetter).where(col(AskedLetter.mail_id) == mail_id))).one_or_none()


async def piece_of(session: AsyncSession, letter: AskedLetter, secret: bytes, base_url: str) -> AskedPiece | None:
    """What it says; nothing for a letter that has run out by now: it would only mislead."""
    if letter.expires_at <= _now():
        return None
    about = await _about(session, letter)
    if letter.asked_for is not AskedFor.FRESH_LINK:
        return AskedPiece(letter.asked_for, wording.instant(letter.expires_at), about, code=code_of(secret, letter.id))
    fresh = await session.get_one(Link, fresh_link_id(letter.id))
    address = f"{base_url}/l/{token(secret, letter.id, letter.recipient_id)}"
    ends = wording.instant(fresh.expires_at)
    return AskedPiece(letter.asked_for, ends, about, link=address, link_for=fresh.purpose.value)


async def _about(session: AsyncSession, letter: AskedLetter) -> str:
    """The number of the case it concerns, as the notice behind its link told it."""
    link = await session.get(Link, letter.link_id) if letter.link_id else None
    notice = await session.get(OutboxNotice, link.notice_id) if link and link.notice_id else None
    return str(notice.matter.get("number") or "") if notice else ""


async def report_bounced(session: AsyncSession, recipient_id: UUID, said: str) -> None:
    """A person looks at the address; one line for one address. Nobody takes over a code: it was asked for there."""
    known = select(col(Task.id)).where(
        col(Task.kind) == TaskKind.BOUNCED,
        col(Task.recipient_id) == recipient_id,
        col(Task.notice_id).is_(None),
        col(Task.done_at).is_(None),
    )
    if (await session.scalars(known.limit(1))).first() is None:
        session.add(Task(kind=TaskKind.BOUNCED, recipient_id=recipient_id, said=said))
