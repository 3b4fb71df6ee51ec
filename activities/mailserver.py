"""Hands one message to one mail server and says how that ended; what follows from it is the postman's business."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as CRLF
from email.utils import parseaddr
from enum import Enum
from typing import Literal

import aiosmtplib

REPLY_KEPT = 300
"""Characters of a server's reply that are kept."""
PERMANENT = 500
OVERTAKEN = "overtaken"
"""What stands for a server's reply where another attempt has taken the letter."""
MESSAGE_TOO_BIG = 552
"""What a server answers to a letter above the size it announced (RFC 1870)."""
SIZE_DIGITS = 20
"""Of a size (RFC 1870, 3)."""


@dataclass(frozen=True)
class SmtpSettings:
    """How the mail server is reached. Times in seconds; RFC 5321 asks for ten minutes after the final dot."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = None
    tls: Literal["none", "starttls", "tls"] = "none"
    timeout: float = 60.0
    data_timeout: float = 600.0

    @property
    def address(self) -> str:
        return parseaddr(self.sender)[1]

    @property
    def domain(self) -> str:
        return self.address.partition("@")[2]


class Outcome(Enum):
    """How one attempt ended, seen from here."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The address or the letter is refused for good (5xx)."""
    LATER = "later"
    """Nothing was handed over; try again."""
    UNKNOWN = "unknown"
    """The letter was on its way when the line broke; the server may have it (RFC 1047)."""


@dataclass(frozen=True)
class Verdict:
    """The outcome, with the server's code and reply where there was one."""

    outcome: Outcome
    code: int | None = None
    reply: str = ""
    size: int = 0
    """Bytes of the letter, where it was handed over or refused for itself."""


async def always() -> bool:
    return True


async def hand_over(
    settings: SmtpSettings, message: EmailMessage, to: str, goes_on: Callable[[], Awaitable[bool]] = always
) -> Verdict:
    """One connection, one recipient, one message. Never raises for anything a mail server or the network does.

    `goes_on` is asked when all is said but the letter itself: whether it is still this attempt's to send.
    """
    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.user,
        password=settings.password,
        local_hostname=settings.domain,
        timeout=settings.timeout,
        use_tls=settings.tls == "tls",
        start_tls=settings.tls == "starttls",
    )
    try:
        await client.connect()
        await client.mail(settings.address)
        refusal = await _offer(client, to)
        if not refusal and not await goes_on():
            return Verdict(Outcome.LATER, reply=OVERTAKEN)
        return refusal or await _deliver(client, message, settings.data_timeout)
    except (aiosmtplib.SMTPException, OSError) as error:
        # Before DATA nothing was handed over: our own sender, our password and the network are repaired, not bounced.
        return _later(error)
    except asyncio.CancelledError:
        # What is still in our buffer must not follow: a final dot sent after the end would be a second letter.
        if isinstance(client.transport, asyncio.WriteTransport):
            client.transport.abort()
        raise
    finally:
        client.close()


async def _offer(client: aiosmtplib.SMTP, to: str) -> Verdict | None:
    try:
        await client.rcpt(to)
    except aiosmtplib.SMTPRecipientRefused as refused:
        return _by_code(refused)
    return None


async def _deliver(client: aiosmtplib.SMTP, message: EmailMessage, patience: float) -> Verdict:
    content = message.as_bytes(policy=CRLF)
    largest = _announced(client.esmtp_extensions.get("size", ""))
    if 0 < largest < len(content):
        return Verdict(Outcome.REFUSED, MESSAGE_TOO_BIG, f"SIZE {largest}", len(content))
    try:
        answer = await client.data(content, timeout=patience)
    except aiosmtplib.SMTPResponseException as refused:
        return replace(_by_code(refused), size=len(content))
    except (aiosmtplib.SMTPException, OSError) as broken:
        return Verdict(Outcome.UNKNOWN, reply=type(broken).__name__)
    return Verdict(Outcome.ACCEPTED, answer.code, answer.message[:REPLY_KEPT], len(content))


def _announced(size: str) -> int:
    """The largest letter a server says it takes; none where it names no number (RFC 1870)."""
    return int(size) if size.isascii() and size.isdigit() and len(size) <= SIZE_DIGITS else 0


def _by_code(refused: aiosmtplib.SMTPResponseException) -> Verdict:
    outcome = Outcome.REFUSED if refused.code >= PERMANENT else Outcome.LATER
    return Verdict(outcome, refused.code, refused.message[:REPLY_KEPT])


def _later(error: Exception) -> Verdict:
    code = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None
    return Verdict(Outcome.LATER, code, type(error).__name__)


def unwritable(address: str) -> str:
    """How the address fails that no header and no envelope can carry: nobody can ever be reached there."""
    try:
        Address(addr_spec=address)
        address.encode("ascii")
    except (ValueError, MessageError, LookupError, AttributeError) as error:  # its parser stumbles in all these ways
        return type(error).__name__
    return ""
