"""The postman: looks into the outbox, composes mails, hands them over and records how that ended; waits for nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from structlog import get_logger
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import asked as letters_asked
from activities import attempts, copies, digests, lookout, refusing
from activities import mailbook as book
from activities.answering import answering
from activities.beating import beating
from activities.letters import Envelope, Letters
from activities.links import DEPARTMENTS
from activities.mailserver import Outcome, SmtpSettings, Verdict, hand_over, unwritable
from domain import wording
from domain.calendar import opens_at
from models.contracts import ports
from models.contracts.calendar import WorkCalendar
from models.contracts.mailroom import Compose, Composed, Delivery, Waiting
from models.contracts.vocabulary import NoticeStatus, TaskKind, Urgency
from models.tables.engine import recipient as for_recipient
from models.tables.outbox import Mail
from models.tables.parties import Recipient

TRY_LATER = "mail_try_later"
"""Type of the error that makes Temporal try again, with growing pauses."""

BOOKS, LINES = 8, 16
"""Letters of this process in the database, and on their way to the mail server, at one time: half of the connections
stay with the cases, and of a thousand letters some are finished before all are begun."""

T = TypeVar("T")

log = get_logger(__name__)


class Calendars(Protocol):
    """The library, as far as office hours need it."""

    def calendar(self) -> WorkCalendar: ...


@dataclass(frozen=True)
class Draft:
    """A letter before it is written out; writing may fail on an address no header can carry."""

    subject: str
    write: Callable[[], EmailMessage]


class MailPostman(ports.Postman):
    """Mail from the outbox to a mail server. `secret` makes the links' tokens; `base_url` has no trailing slash."""

    def __init__(
        self, engine: AsyncEngine, library: Calendars, smtp: SmtpSettings, secret: bytes, base_url: str
    ) -> None:
        self._engine = engine
        self._library = library
        self._smtp = smtp
        self._secret = secret
        self._base_url = base_url.rstrip("/")
        self._letters = Letters()
        self._writing = digests.Writing(self._letters, secret, self._base_url)
        self._going: dict[UUID, asyncio.Task[Delivery]] = {}
        self._open_books, self._lines = asyncio.Semaphore(BOOKS), asyncio.Semaphore(LINES)

    @activity.defn(name="查看待发")
    async def look_in(self, asked: ports.LookIn) -> Waiting:
        """What waits for the recipient, and when its office opens; one without an address is not written to."""
        opens = opens_at(self._library.calendar(), asked.now)
        async with beating(), self._books(asked.recipient_id) as session:
            if not await _has_address(session, asked.recipient_id):
                return Waiting(urgent=0, digest=0, opens_at=opens)
            found = Counter(await book.counted(session, asked.recipient_id))
            personal = await letters_asked.counted(session, asked.recipient_id)
            personal += await lookout.counted(session, asked.recipient_id)
            found += await copies.counted(session, asked.recipient_id)
        return Waiting(urgent=found[Urgency.NOW] + personal, digest=found[Urgency.DIGEST], opens_at=opens)

    @activity.defn(name="成文")
    async def compose(self, asked: Compose) -> Composed:
        """Mails of this urgency that are to be sent: earlier ones whose end is unknown, and new ones for what waits.

        Of urgent ones only so many at a time as one workflow may have under way.
        """
        async with beating(), self._books(asked.recipient_id) as session:
            earlier = await book.unsent(session, asked.recipient_id, asked.urgency)
            room = max(0, book.AT_ONCE - len(earlier)) if asked.urgency is Urgency.NOW else None
            sender = self._sender(await session.get_one(Recipient, asked.recipient_id))
            new = [mail async for mail in book.composed(session, asked, sender, room)]
            if asked.urgency is Urgency.NOW:
                new += await letters_asked.put_into_mails(session, asked.recipient_id, asked.now, sender)
        mails = (*earlier, *new)
        return Composed(mails=mails[: book.AT_ONCE], more=room is not None and len(mails) >= book.AT_ONCE)

    @activity.defn(name="投递")
    async def send(self, asked: ports.Send) -> Delivery:
        """One attempt. Raises a retryable error where the server asks for patience or the outcome is unknown once."""
        async with beating():
            going = self._going.get(asked.mail_id)
            if going is None:
                going = self._going[asked.mail_id] = asyncio.create_task(self._attempt(asked))
                going.add_done_callback(lambda _: self._going.pop(asked.mail_id, None))
            # A starved attempt is called off and tried again while it still goes on here: its end is waited for.
            return await asyncio.shield(going)

    @activity.defn(name="登记未送达")
    async def give_up(self, asked: ports.Send) -> Delivery:
        """After days of trying: an operator's task for each notice; the mail is tried no more."""
        async with beating(), self._books(asked.recipient_id) as session:
            opened = await _opened(session, asked)
            if isinstance(opened, Delivery):
                return opened
            await book.queue_tasks(session, TaskKind.UNDELIVERED, opened.notices, wording.MAIL_UNDELIVERED)
            await book.settle(session, asked.mail_id, NoticeStatus.UNDELIVERED, asked.now)
        return Delivery(mail_id=asked.mail_id, status=NoticeStatus.UNDELIVERED)

    async def _attempt(self, asked: ports.Send) -> Delivery:
        async with self._lines:
            at = max(datetime.now(UTC), asked.now)
            async with self._books(asked.recipient_id) as session:
                opened = await _opened(session, asked)
                if isinstance(opened, Delivery):
                    return opened
                envelope = self._envelope(opened, await answering(session, opened.to))
                draft = await self._draft(session, opened, envelope)
                if draft is None:
                    await book.settle(session, asked.mail_id, NoticeStatus.UNDELIVERED, at)
                    return Delivery(mail_id=asked.mail_id, status=NoticeStatus.UNDELIVERED)
                opened.mail.subject = draft.subject
                number = await book.begin_attempt(session, opened.mail, at)
            verdict = await self._hand_over(opened, envelope, draft, number)
            return await self._record(opened, number, verdict, max(datetime.now(UTC), asked.now))

    @asynccontextmanager
    async def _books(self, recipient_id: UUID) -> AsyncIterator[AsyncSession]:
        """One transaction over what was addressed to the recipient."""
        async with self._open_books, book.session_for(self._engine) as session, session.begin():
            await for_recipient(session, recipient_id)
            yield session

    async def _draft(self, session: AsyncSession, opened: book.Opened, envelope: Envelope) -> Draft | None:
        """The letter of this mail; `None` where nothing is left to say."""
        if lookout.is_backlog(opened.mail):
            waits = await lookout.piece_of(session, self._base_url)
            wrote = partial(self._letters.backlog, envelope, waits) if waits else None
            return Draft(self._letters.backlog_subject(), wrote) if wrote else None
        copied = await copies.original(session, opened)
        if copied is not None:
            opened, envelope = copied, replace(envelope, copy_for=copied.copy_for)
        elif not opened.notices:
            letter = await letters_asked.of_mail(session, opened.mail.id)
            piece = await letters_asked.piece_of(session, letter, self._secret, self._base_url) if letter else None
            if piece is None:
                return None
            return Draft(self._letters.asked_subject(piece), partial(self._letters.asked, envelope, piece))
        told = await _aside(opened, partial(digests.contents, self._writing, opened))
        if copied is None:
            await book.queue_tasks(session, TaskKind.UNDELIVERED, told.broken, wording.NOTICE_UNWRITTEN)
            for row in told.broken:
                row.status = NoticeStatus.UNDELIVERED
        if not told.pieces:
            return None
        said = envelope, told.pieces, told.enclosed
        return Draft(self._letters.subject(*said), partial(self._letters.message, *said))

    def _envelope(self, opened: book.Opened, answers: tuple[str, str]) -> Envelope:
        return Envelope(
            mail_id=str(opened.mail.id),
            sender=self._smtp.sender,
            to_name=opened.to.name,
            to_address=opened.to.email,
            composed_at=opened.mail.composed_at,
            grouped=opened.to.role in DEPARTMENTS,
            answers=answers,
            page=opened.page,
            pages=opened.pages,
        )

    async def _hand_over(self, opened: book.Opened, envelope: Envelope, draft: Draft, number: int) -> Verdict:
        why = unwritable(envelope.to_address)
        if why:
            return Verdict(Outcome.REFUSED, reply=why)
        try:
            message = await _aside(opened, draft.write)
        except ValueError as broken:
            return Verdict(Outcome.REFUSED, reply=type(broken).__name__)
        return await hand_over(self._smtp, message, envelope.to_address, partial(self._goes_on, opened, number))

    async def _goes_on(self, opened: book.Opened, number: int) -> bool:
        """Whether no other worker took this attempt for dead and has begun another."""
        async with self._books(opened.to.id) as session:
            return (await session.get_one(Mail, opened.mail.id)).attempts == number

    async def _record(self, opened: book.Opened, number: int, verdict: Verdict, at: datetime) -> Delivery:
        """How the attempt ended. One that was overtaken changes nothing, unless the server has the letter now."""
        mail_id = opened.mail.id
        divided = verdict.outcome is Outcome.REFUSED and refusing.in_halves(opened, verdict)
        if verdict.outcome is Outcome.REFUSED and not divided:
            await self._hand_on(opened, number, at)
        async with self._books(opened.to.id) as session:
            mail = await session.get_one(Mail, mail_id, with_for_update=True)
            own = await attempts.end(session, mail, number, verdict, at)
            if not own:
                log.warning("mail_overtaken", mail=str(mail_id), outcome=verdict.outcome.value, attempt=number)
                if verdict.outcome is not Outcome.ACCEPTED:
                    raise ApplicationError(wording.MAIL_LATER, type=TRY_LATER)
            if mail.status in book.FINAL:
                return _delivery(mail)
            status = attempts.ended(verdict, await book.broken_lines(session, mail_id, number))
            moved_to = None
            if divided:
                opens = opens_at(self._library.calendar(), at)
                await refusing.divide(session, opened, opens, self._sender(opened.to))
            elif status is NoticeStatus.BOUNCED:
                moved_to = await refusing.end(session, opened, at)
            if status:
                await book.settle(session, mail_id, status, at, moved_to)
            if status in attempts.ARRIVED:
                await copies.beside(session, opened, at, self._smtp.sender)
        if status is None:
            pause = attempts.pause(number)
            raise ApplicationError(wording.MAIL_LATER, verdict.code, type=TRY_LATER, next_retry_delay=pause)
        log.info("mail_sent", mail=str(mail_id), status=status.value, code=verdict.code, attempt=number)
        return Delivery(mail_id=mail_id, status=status, code=verdict.code, moved_to=moved_to)

    async def _hand_on(self, opened: book.Opened, number: int, at: datetime) -> None:
        """All but the last portion of a refused digest; a crash leaves the rest to the mail's next attempt."""
        for portion in refusing.portions(opened)[0]:
            async with self._books(opened.to.id) as session:
                mail = await session.get_one(Mail, opened.mail.id, with_for_update=True)
                if mail.attempts != number or mail.status in book.FINAL:
                    return
                await refusing.hand_on(session, opened.to, portion, at)

    def _sender(self, to: Recipient) -> book.Sender:
        return book.Sender(self._smtp.sender, self._secret, to.role)


async def _aside(opened: book.Opened, work: Callable[[], T]) -> T:
    """Seconds of CPU for a long digest leave the loop to others; a short letter is written sooner where it is."""
    return await asyncio.to_thread(work) if len(opened.notices) > digests.SHOWN else work()


async def _opened(session: AsyncSession, asked: ports.Send) -> book.Opened | Delivery:
    """The mail, or how it ended; books that were set back by a restore may know nothing of it any more."""
    try:
        opened = await book.open_mail(session, asked.recipient_id, asked.mail_id)
    except LookupError:
        log.warning("mail_forgotten", mail=str(asked.mail_id))
        return Delivery(mail_id=asked.mail_id, status=NoticeStatus.UNDELIVERED)
    return _delivery(opened.mail) if opened.mail.status in book.FINAL else opened


async def _has_address(session: AsyncSession, recipient_id: UUID) -> bool:
    found = await session.get(Recipient, recipient_id)
    return bool(found and found.email)


def _delivery(mail: Mail) -> Delivery:
    return Delivery(mail_id=mail.id, status=mail.status, code=mail.last_code, moved_to=mail.moved_to)
