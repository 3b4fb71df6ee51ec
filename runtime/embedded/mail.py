"""The mail catcher: an SMTP server that sends nothing on, keeps every mail as a file, and refuses when told to."""

import asyncio
import os
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from runtime.embedded.ports import LOOPBACK, require_free

MAX_BYTES = 40 * 2**20  # evidence may be attached
OK = "250 OK"


@dataclass(frozen=True)
class CaughtMail:
    """One mail as it came in, for one SMTP transaction."""

    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    path: Path

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"] or "")

    def body(self, kind: str = "plain") -> str:
        """Text of the `plain` or `html` part."""
        part = self.message.get_body(preferencelist=(kind,))
        return str(part.get_content()) if part is not None else ""


@dataclass
class MailCatcher:
    """An SMTP server on 127.0.0.1 in our own event loop.

    `refused` maps an address to the reply its RCPT gets; `replies` are given, one each, to the next DATA before
    mails are accepted again: a 4xx or 5xx line refuses, an empty one closes the connection after the mail was kept.
    """

    folder: Path
    port: int
    setting: str = "SMTP_PORT"
    messages: list[CaughtMail] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    replies: deque[str] = field(default_factory=deque)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await require_free(self.port, "收信箱 (SMTP)", self.setting)
        self._server = await asyncio.get_running_loop().create_server(self._connection, LOOPBACK, self.port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def to(self, address: str) -> list[CaughtMail]:
        """Mails to one address, oldest first."""
        return [mail for mail in self.messages if address in mail.recipients]

    def _connection(self) -> SMTP:
        return SMTP(self, hostname="anze-mail", enable_SMTPUTF8=True, data_size_limit=MAX_BYTES, ident="anze")

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        reply = self.replies.popleft() if self.replies else OK
        if reply[:1] not in ("4", "5"):
            self._keep(envelope)
        if not reply and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return reply or OK

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        recipients = tuple(str(address) for address in envelope.rcpt_tos)
        now = datetime.now(UTC)
        path = self.folder / _file_name(now, len(self.messages) + 1, recipients)
        draft = path.with_suffix(".draft")
        draft.write_bytes(content)
        os.replace(draft, path)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(CaughtMail(now, str(envelope.mail_from), recipients, message, path))


def _file_name(now: datetime, number: int, recipients: tuple[str, ...]) -> str:
    """Sorts by arrival, and says to whom: `20260302T013000.125Z-0007-someone@place.example.eml`."""
    first = re.sub(r"[^\w.@+-]", "_", recipients[0])[:80] if recipients else "nobody"
    return f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03d}Z-{number:04d}-{first}.eml"
