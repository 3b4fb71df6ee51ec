"""The postman: looks into the outbox, composes mails, hands them over and records how that ended; waits for nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from functools import partial
from typing import Protocol
from uuid import UUID

from jinja2 import TemplateError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col
from structlog import get_logger
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import asked as letters_asked
from activities import mailbook as book
from activities.beating import beating
from activities.letters import Envelope, Letters, Piece
from activities.links import DEPARTMENTS, address
from activities.mailserver import Outcome, SmtpSettings, Verdict, hand_over
from activities.matters import matter
from domain import wording
from domain.calendar import opens_at
from models.contracts import ports
from models.contracts.calendar import WorkCalendar
from models.contracts.mailroom import Compose, Composed, Delivery, Waiting
from models.contracts.vocabulary import NoticeKind, NoticeStatus, Role, TaskKind, Urgency
from models.tables.engine import recipient as for_recipient
from models.tables.outbox import Attempt, Mail, OutboxNotice
from models.tables.parties import Recipient

TRY_LATER = "mail_try_later"
"""Type of the error that makes Temporal try again, with growing pauses."""

PATIENCE = timedelta(minutes=1), timedelta(hours=6)
"""The first pause before a mail server that asked for patience is asked again, and the longest; each is doubled."""

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

    @activity.defn(name="查看待发")
    async def look_in(self, asked: ports.LookIn) -> Waiting:
        """What waits for the recipient, and when its office opens; one without an address is not written to."""
        opens = opens_at(self._library.calendar(), asked.now)
        async with book.session_for(self._engine) as session, session.begin():
            await for_recipient(session, asked.recipient_id)
            if not await _has_address(session, asked.recipient_id):
                return Waiting(urgent=0, digest=0, opens_at=opens)
            found = await book.counted(session, asked.recipient_id)
            personal = await letters_asked.counted(session, asked.recipient_id)
        return Waiting(urgent=found.get(Urgency.NOW, 0) + personal, digest=found.get(Urgency.DIGEST, 0), opens_at=opens)

    @activity.defn(name="成文")
    async def compose(self, asked: Compose) -> Composed:
        """Mails of this urgency that are to be sent: earlier ones whose end is unknown, and new ones for what waits."""
        async with book.session_for(self._engine) as session, session.begin():
            await for_recipient(session, asked.recipient_id)
            earlier = await book.unsent(session, asked.recipient_id, asked.urgency)
            rows = await book.take_waiting(session, asked.recipient_id, asked.urgency)
            to = await session.get_one(Recipient, asked.recipient_id)
            desk = book.Desk(self._smtp.sender, self._secret, to.role)
            new = [await book.put_into_mail(session, page, asked.now, desk) for page in book.paged(rows, asked.urgency)]
            if asked.urgency is Urgency.NOW:
                sender = (self._smtp.sender, self._secret)
                new += await letters_asked.put_into_mails(session, asked.recipient_id, asked.now, sender)
        return Composed(mails=(*earlier, *new))

    @activity.defn(name="投递")
    async def send(self, asked: ports.Send) -> Delivery:
        """One attempt. Raises a retryable error where the server asks for patience or the outcome is unknown once."""
        at = max(datetime.now(UTC), asked.now)
        async with book.session_for(self._engine) as session, session.begin():
            await for_recipient(session, asked.recipient_id)
            opened = await _opened(session, asked)
            if isinstance(opened, Delivery):
                return opened
            envelope = self._envelope(opened)
            draft = await self._draft(session, opened, envelope)
            if draft is None:
                await book.settle(session, asked.mail_id, NoticeStatus.UNDELIVERED, at)
                return Delivery(mail_id=asked.mail_id, status=NoticeStatus.UNDELIVERED)
            opened.mail.subject = draft.subject
            number = await book.begin_attempt(session, opened.mail, at)
        async with beating():
            verdict = await self._hand_over(envelope, draft)
            return await self._record(opened, number, verdict, max(datetime.now(UTC), asked.now))

    @activity.defn(name="登记未送达")
    async def give_up(self, asked: ports.Send) -> Delivery:
        """After days of trying: an operator's task for each notice; the mail is tried no more."""
        async with book.session_for(self._engine) as session, session.begin():
            await for_recipient(session, asked.recipient_id)
            opened = await _opened(session, asked)
            if isinstance(opened, Delivery):
                return opened
            await book.queue_tasks(session, TaskKind.UNDELIVERED, opened.notices, wording.MAIL_UNDELIVERED)
            await book.settle(session, asked.mail_id, NoticeStatus.UNDELIVERED, asked.now)
        return Delivery(mail_id=asked.mail_id, status=NoticeStatus.UNDELIVERED)

    async def _draft(self, session: AsyncSession, opened: book.Opened, envelope: Envelope) -> Draft | None:
        """The letter of this mail; `None` where nothing is left to say."""
        if not opened.notices:
            letter = await letters_asked.of_mail(session, opened.mail.id)
            piece = await letters_asked.piece_of(session, letter, self._secret, self._base_url) if letter else None
            if piece is None:
                return None
            return Draft(self._letters.asked_subject(piece), partial(self._letters.asked, envelope, piece))
        pieces = await self._pieces(session, opened)
        if not pieces:
            return None
        return Draft(self._letters.subject(envelope, pieces), partial(self._letters.message, envelope, pieces))

    async def _pieces(self, session: AsyncSession, opened: book.Opened) -> list[Piece]:
        """Every notice rendered; one whose template fails becomes an operator's task and does not hold up the rest."""
        pieces: list[Piece] = []
        for row in opened.notices:
            try:
                pieces.append(self._piece(row, opened))
            except (TemplateError, ValueError, KeyError, TypeError, AttributeError) as error:
                log.error("notice_unwritten", notice=str(row.id), kind=row.kind.value, error=type(error).__name__)
                await book.queue_tasks(session, TaskKind.UNDELIVERED, [row], wording.NOTICE_UNWRITTEN)
                row.status = NoticeStatus.UNDELIVERED
        return pieces

    def _piece(self, row: OutboxNotice, opened: book.Opened) -> Piece:
        # a report is met by being told: that is no news to the department it tells
        reports = row.kind is NoticeKind.MAJOR_HAZARD_REPORT
        over = not reports and (row.case_id, row.about.get("duty_key")) in opened.settled
        letter = opened.mail.id if row.id in opened.anew else None
        link = address(self._base_url, self._secret, row, opened.to.role, letter)
        told = matter(row, opened.mail.composed_at, link, wording.SETTLED if over else "")
        return self._letters.piece(
            replace(told, forwarded=wording.forwarded(row.to_role, opened.to.role) or told.forwarded)
        )

    def _envelope(self, opened: book.Opened) -> Envelope:
        return Envelope(
            mail_id=str(opened.mail.id),
            sender=self._smtp.sender,
            to_name=opened.to.name,
            to_address=opened.to.email,
            composed_at=opened.mail.composed_at,
            grouped=opened.to.role in DEPARTMENTS,
            page=opened.page,
            pages=opened.pages,
        )

    async def _hand_over(self, envelope: Envelope, draft: Draft) -> Verdict:
        unwritable = _unwritable(envelope.to_address)
        if unwritable:
            return Verdict(Outcome.REFUSED, reply=unwritable)
        try:
            message = draft.write()
        except ValueError as broken:
            return Verdict(Outcome.REFUSED, reply=type(broken).__name__)
        return await hand_over(self._smtp, message, envelope.to_address)

    async def _record(self, opened: book.Opened, number: int, verdict: Verdict, at: datetime) -> Delivery:
        mail_id = opened.mail.id
        async with book.session_for(self._engine) as session, session.begin():
            await for_recipient(session, opened.to.id)
            mail = await session.get_one(Mail, mail_id, with_for_update=True)
            if not await _end_attempt(session, mail, number, verdict, at):
                log.warning("mail_overtaken", mail=str(mail_id), outcome=verdict.outcome.value, attempt=number)
                raise ApplicationError(wording.MAIL_LATER, type=TRY_LATER)
            if mail.status in book.FINAL:
                return _delivery(mail)
            status = _status(verdict, await book.broken_lines(session, mail_id, number))
            moved_to = await self._bounce(session, opened, at) if status is NoticeStatus.BOUNCED else None
            if status:
                await book.settle(session, mail_id, status, at, moved_to)
        if status is None:
            pause = _pause(number)
            raise ApplicationError(wording.MAIL_LATER, verdict.code, type=TRY_LATER, next_retry_delay=pause)
        log.info("mail_sent", mail=str(mail_id), status=status.value, code=verdict.code, attempt=number)
        return Delivery(mail_id=mail_id, status=status, code=verdict.code, moved_to=moved_to)

    async def _bounce(self, session: AsyncSession, opened: book.Opened, at: datetime) -> UUID | None:
        if not opened.notices:
            await letters_asked.report_bounced(session, opened.to.id)
            return None
        waiting = [row for row in opened.notices if row.status is NoticeStatus.QUEUED]
        heir = await _heir(session, opened.to, again=await book.have_moved(session, waiting))
        said = wording.MAIL_MOVED if heir else wording.MAIL_STUCK
        await book.queue_tasks(session, TaskKind.BOUNCED, waiting, said)
        if heir is None:
            return None
        await book.move(session, opened, heir, at)
        return heir.id


def _pause(number: int) -> timedelta:
    """After so many attempts; growing, because who is refused too often is refused for good (RFC 5321 4.5.4.1)."""
    first, longest = PATIENCE
    return min(first * 2 ** min(number - 1, 16), longest)


async def _opened(session: AsyncSession, asked: ports.Send) -> book.Opened | Delivery:
    """The mail, or how it ended; books that were set back by a restore may know nothing of it any more."""
    try:
        opened = await book.open_mail(session, asked.recipient_id, asked.mail_id)
    except LookupError:
        log.warning("mail_forgotten", mail=str(asked.mail_id))
        return Delivery(mail_id=asked.mail_id, status=NoticeStatus.UNDELIVERED)
    return _delivery(opened.mail) if opened.mail.status in book.FINAL else opened


def _unwritable(address: str) -> str:
    """How the address fails that no header and no envelope can carry: nobody can ever be reached there."""
    try:
        Address(addr_spec=address)
        address.encode("ascii")
    except (ValueError, MessageError, LookupError, AttributeError) as error:  # its parser stumbles in all these ways
        return type(error).__name__
    return ""


def _status(verdict: Verdict, broken_before: int) -> NoticeStatus | None:
    """How the mail ended; `None`: to be tried again. A line broken twice is left at that (P14)."""
    if verdict.outcome is Outcome.UNKNOWN:
        return NoticeStatus.AMBIGUOUS if broken_before else None
    ends = {Outcome.ACCEPTED: NoticeStatus.ACCEPTED, Outcome.REFUSED: NoticeStatus.BOUNCED}
    return ends.get(verdict.outcome)


async def _end_attempt(session: AsyncSession, mail: Mail, number: int, verdict: Verdict, at: datetime) -> bool:
    """Whether it was this attempt's to end: one a later attempt called interrupted stays ambiguous on record (P14)."""
    outcomes = {
        Outcome.ACCEPTED: NoticeStatus.ACCEPTED,
        Outcome.REFUSED: NoticeStatus.BOUNCED,
        Outcome.UNKNOWN: NoticeStatus.AMBIGUOUS,
        Outcome.LATER: NoticeStatus.QUEUED,
    }
    attempt = await session.get_one(Attempt, (mail.id, number))
    if attempt.ended_at is not None:
        return False
    attempt.ended_at, attempt.outcome = at, outcomes[verdict.outcome]
    attempt.code, attempt.reply = verdict.code, verdict.reply
    mail.last_code = verdict.code
    await session.flush()
    return True


async def _heir(session: AsyncSession, refused: Recipient, *, again: bool) -> Recipient | None:
    """Who takes over: the registered fallback, the second time the operators; never another insurer."""
    if refused.role is Role.HUMAN_QUEUE:
        return None
    if refused.fallback_id and not again:
        await for_recipient(session, (refused.id, refused.fallback_id))
        heir = await session.get(Recipient, refused.fallback_id)
        if heir and heir.email and heir.insurer_id in (None, refused.insurer_id):
            return heir
    operators = await session.scalars(select(Recipient).where(col(Recipient.role) == Role.HUMAN_QUEUE).limit(1))
    found = operators.first()
    return found if found and found.email else None


async def _has_address(session: AsyncSession, recipient_id: UUID) -> bool:
    found = await session.get(Recipient, recipient_id)
    return bool(found and found.email)


def _delivery(mail: Mail) -> Delivery:
    return Delivery(mail_id=mail.id, status=mail.status, code=mail.last_code, moved_to=mail.moved_to)
