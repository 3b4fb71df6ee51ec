"""The rows of a mailroom: what waits, what is composed, what was tried; no mail server and no wording here."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Uuid, any_, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col

from activities.letters import message_id
from activities.links import link_for, link_id
from models.contracts.mailroom import Compose
from models.contracts.vocabulary import NoticeStatus, Role, TaskKind, Urgency
from models.tables import matters
from models.tables.access import Link
from models.tables.engine import no_tenant, tenant
from models.tables.engine import recipient as for_recipients
from models.tables.outbox import Attempt, Mail, Nudge, OutboxNotice, Task
from models.tables.parties import Recipient

AT_ONCE = 300
"""Urgent mails of one mailroom under way at a time: the engine takes two thousand activities of one workflow."""
PAGE = 20_000
"""Notices in one digest, which shows the most urgent of them and carries all; more go into further mails."""
# Read where it stands: a case's clock is a hundred times as long as what is asked of it here.
OVER = text("""
SELECT c.id, duty->>'key' FROM cases c CROSS JOIN LATERAL jsonb_array_elements(c.clock->'duties') duty
WHERE c.id = ANY (:cases) AND (duty->>'met_at' IS NOT NULL OR duty->>'stopped_at' IS NOT NULL)
""")
FINAL = frozenset({NoticeStatus.ACCEPTED, NoticeStatus.AMBIGUOUS, NoticeStatus.BOUNCED, NoticeStatus.UNDELIVERED})


@dataclass(frozen=True)
class Opened:
    """A mail with everything it speaks of, its recipient, and which of several composed together it is."""

    mail: Mail
    to: Recipient
    notices: tuple[OutboxNotice, ...]
    settled: frozenset[tuple[UUID, str]]
    """(case, duty) pairs that have been met or stopped since the notice was written."""
    page: int
    pages: int
    anew: frozenset[UUID]
    """Notices whose earlier letter carried a link already; this one carries another."""
    copy_for: str = ""
    """Of a copy, the name of the department the letter was written to (copies.py)."""


def among(column: UUID, ids: Iterable[UUID]) -> ColumnElement[bool]:
    """One of these, however many: a statement takes no more than 32,767 values one by one."""
    return col(column) == any_(literal(list(ids), ARRAY(Uuid)))


def session_for(engine: AsyncEngine) -> AsyncSession:
    return AsyncSession(engine, expire_on_commit=False)


async def counted(session: AsyncSession, recipient_id: UUID) -> dict[Urgency, int]:
    """Notices not told yet, by urgency; those already put into a mail that is not sent count as well."""
    rows = await session.execute(
        select(col(OutboxNotice.urgency), func.count())
        .where(col(OutboxNotice.recipient_id) == recipient_id, col(OutboxNotice.status) == NoticeStatus.QUEUED)
        .group_by(col(OutboxNotice.urgency))
    )
    return {row[0]: row[1] for row in rows}


async def unsent(session: AsyncSession, recipient_id: UUID, urgency: Urgency) -> list[UUID]:
    """Mails that were composed and whose end is not known."""
    rows = await session.scalars(
        select(col(Mail.id))
        .where(
            col(Mail.recipient_id) == recipient_id,
            col(Mail.urgency) == urgency,
            col(Mail.status) == NoticeStatus.QUEUED,
        )
        .order_by(col(Mail.composed_at), col(Mail.id))
    )
    return list(rows)


async def take_waiting(session: AsyncSession, recipient_id: UUID, urgency: Urgency, most: int) -> list[OutboxNotice]:
    """Notices that are in no mail yet, locked; those somebody else is just composing are passed over."""
    rows = await session.scalars(
        select(OutboxNotice)
        .where(
            col(OutboxNotice.recipient_id) == recipient_id,
            col(OutboxNotice.urgency) == urgency,
            col(OutboxNotice.status) == NoticeStatus.QUEUED,
            col(OutboxNotice.mail_id).is_(None),
        )
        .order_by(col(OutboxNotice.at), col(OutboxNotice.notice_key))
        .limit(most)
        .with_for_update()
    )
    return list(rows)


@dataclass(frozen=True)
class Sender:
    """Who writes, with which key, to a recipient of which role."""

    address: str
    secret: bytes
    holder: Role


async def composed(session: AsyncSession, asked: Compose, sender: Sender, room: int | None) -> AsyncIterator[UUID]:
    """New mails for what waits: each urgent notice by itself, as many as there is `room` for; all the rest in digests.

    Taken a letter at a time: what waited for days would be more than one statement may read.
    """
    most = PAGE if room is None else room
    while rows := await take_waiting(session, asked.recipient_id, asked.urgency, most):
        for page in [rows] if room is None else [[row] for row in rows]:
            yield await put_into_mail(session, page, asked.now, sender)
        if room is not None or len(rows) < most:
            return


async def put_into_mail(session: AsyncSession, rows: list[OutboxNotice], now: datetime, sender: Sender) -> UUID:
    """One mail for these notices of one recipient, with the links they carry."""
    mail_id = uuid4()
    mail = Mail(
        id=mail_id,
        recipient_id=rows[0].recipient_id,
        message_id=message_id(str(mail_id), sender.address),
        urgency=rows[0].urgency,
        composed_at=now,
    )
    session.add(mail)
    await session.flush()
    await session.execute(
        update(OutboxNotice).where(among(OutboxNotice.id, (row.id for row in rows))).values(mail_id=mail_id)
    )
    linked = await _linked(session, {link_id(row.id, row.recipient_id): row.id for row in rows})
    made = [link_for(row, sender.holder, sender.secret, now, mail_id if row.id in linked else None) for row in rows]
    links = [link for link in made if link]
    if links:
        values = [link.model_dump(exclude={"created_at"}) for link in links]
        await session.execute(insert(Link).on_conflict_do_nothing(), values)
    return mail_id


async def _linked(session: AsyncSession, notices: Mapping[UUID, UUID]) -> frozenset[UUID]:
    """Of these notices, by the links they would carry, those whose link there is."""
    found = await session.scalars(select(col(Link.id)).where(among(Link.id, notices)))
    return frozenset(notices[one] for one in found)


async def open_mail(session: AsyncSession, recipient_id: UUID, mail_id: UUID) -> Opened:
    """The mail, locked, with its notices. Raises LookupError where the recipient has no such mail."""
    mail = await session.get(Mail, mail_id, with_for_update=True)
    to = await session.get(Recipient, recipient_id)
    if mail is None or to is None or mail.recipient_id != recipient_id:
        raise LookupError(mail_id)
    rows = await session.scalars(
        select(OutboxNotice)
        .where(col(OutboxNotice.mail_id) == mail_id)
        .order_by(col(OutboxNotice.at), col(OutboxNotice.notice_key))
    )
    together = list(
        await session.scalars(
            select(col(Mail.id))
            .where(
                col(Mail.recipient_id) == recipient_id,
                col(Mail.urgency) == Urgency.DIGEST,
                col(Mail.composed_at) == mail.composed_at,
                col(Mail.copy_of).is_(None),
            )
            .order_by(col(Mail.id))
        )
    )
    pages = together if mail.urgency is Urgency.DIGEST and mail.copy_of is None else [mail_id]
    notices = tuple(rows)
    settled = await _settled(session, notices)
    anew = await _linked(session, {link_id(row.id, recipient_id, mail_id): row.id for row in notices})
    return Opened(mail, to, notices, settled, pages.index(mail_id) + 1, len(pages), anew)


async def _settled(session: AsyncSession, notices: Sequence[OutboxNotice]) -> frozenset[tuple[UUID, str]]:
    """Which of the duties spoken of are no longer open, each insurer's cases read as that insurer's."""
    found: set[tuple[UUID, str]] = set()
    cases: dict[UUID, set[UUID]] = defaultdict(set)
    for row in notices:
        cases[row.insurer_id].add(row.case_id)
    for insurer_id, mine in cases.items():
        await tenant(session, insurer_id)
        found |= {(row[0], row[1]) for row in await session.execute(OVER, {"cases": list(mine)})}
    await no_tenant(session)
    return frozenset(found)


async def begin_attempt(session: AsyncSession, mail: Mail, at: datetime) -> int:
    """A new try, on record before a byte is sent; an earlier one without an end was a crash and is called ambiguous."""
    await session.execute(
        update(Attempt)
        .where(col(Attempt.mail_id) == mail.id, col(Attempt.ended_at).is_(None))
        .values(ended_at=at, outcome=NoticeStatus.AMBIGUOUS, reply="interrupted")
    )
    mail.attempts += 1
    session.add(Attempt(mail_id=mail.id, number=mail.attempts, started_at=at))
    return mail.attempts


async def broken_lines(session: AsyncSession, mail_id: UUID, before: int) -> int:
    """How many earlier tries ended with the line broken after the letter was on its way (crashes are not counted)."""
    number = await session.scalar(
        select(func.count())
        .select_from(Attempt)
        .where(
            col(Attempt.mail_id) == mail_id,
            col(Attempt.number) < before,
            col(Attempt.outcome) == NoticeStatus.AMBIGUOUS,
            col(Attempt.reply) != "interrupted",
        )
    )
    return number or 0


async def settle(
    session: AsyncSession, mail_id: UUID, status: NoticeStatus, at: datetime, moved_to: UUID | None = None
) -> None:
    """The mail has ended; unless it moved, its notices that were still waiting share its end."""
    told = status in (NoticeStatus.ACCEPTED, NoticeStatus.AMBIGUOUS)
    await session.execute(
        update(Mail)
        .where(col(Mail.id) == mail_id)
        .values(status=status, moved_to=moved_to, next_try_at=None, **({"sent_at": at} if told else {}))
    )
    if moved_to is None:
        await session.execute(
            update(OutboxNotice)
            .where(col(OutboxNotice.mail_id) == mail_id, col(OutboxNotice.status) == NoticeStatus.QUEUED)
            .values(status=status, told_at=at if told else None)
        )


async def queue_tasks(session: AsyncSession, kind: TaskKind, notices: Iterable[OutboxNotice], said: str) -> None:
    """One line in the operators' queue for each notice, once."""
    values = [
        {
            "id": uuid4(),
            "kind": kind,
            "insurer_id": row.insurer_id,
            "case_id": row.case_id,
            "recipient_id": row.recipient_id,
            "notice_id": row.id,
            "said": said,
        }
        for row in notices
    ]
    if values:
        await session.execute(insert(Task).on_conflict_do_nothing(), values)


def waiting(notices: Iterable[OutboxNotice]) -> list[OutboxNotice]:
    """Those that are not told yet; one that could not be written is with an operator."""
    return [row for row in notices if row.status is NoticeStatus.QUEUED]


async def have_moved(session: AsyncSession, notices: Sequence[OutboxNotice]) -> bool:
    """Whether one of these notices was refused somewhere before."""
    ids = [row.id for row in notices]
    known = select(col(Task.id)).where(col(Task.kind) == TaskKind.BOUNCED, col(Task.notice_id).in_(ids)).limit(1)
    return (await session.scalars(known)).first() is not None


async def move(session: AsyncSession, notices: Sequence[OutboxNotice], to: UUID, at: datetime) -> None:
    """These notices of one refused mail wait again, now for the recipient that takes over; the old links die."""
    old, ids = notices[0].recipient_id, [row.id for row in notices]
    await for_recipients(session, (old, to))
    await matters.lock(session, ids)
    await session.execute(
        update(Link)
        .where(col(Link.notice_id).in_(ids), col(Link.recipient_id) == old, col(Link.revoked_at).is_(None))
        .values(revoked_at=at)
    )
    await session.execute(
        update(OutboxNotice)
        .where(col(OutboxNotice.id).in_(ids), col(OutboxNotice.status) == NoticeStatus.QUEUED)
        .values(recipient_id=to, mail_id=None)
    )
    await matters.moved(session, ids, (old, to))
    session.add(Nudge(recipient_id=to))
