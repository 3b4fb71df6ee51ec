"""Turns notices into letters: one template per kind, one frame for letter and digest, text and HTML; sends nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import TypeVar

from css_inline import CSSInliner
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from activities.headers import LETTER
from activities.matters import Matter
from domain import wording
from domain.workbook import MEDIA_TYPE
from models.contracts.vocabulary import AskedFor

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
OF_LETTERS = ("mail", "parts", "asked", "backlog")
"""Folders of the templates that letters are made of."""
DIGEST = ("parts/letter.txt.j2", "parts/letter.html.j2")
ASKED = ("asked/letter.txt.j2", "asked/letter.html.j2")
BACKLOG = ("backlog/letter.txt.j2", "backlog/letter.html.j2")
LONGEST_SUBJECT = 160
"""Characters; a phone shows about thirty, and servers fold what is longer."""
T = TypeVar("T")


def environment(folder: Path = TEMPLATES) -> Environment:
    """Templates that escape everything but plain-text parts, and fail on a name that is not there.

    All are read now: while the next version is laid over a running worker's files, none of its words fail this code.
    """
    paths = (path for part in OF_LETTERS for path in (folder / part).rglob("*") if path.is_file())
    return Environment(
        loader=DictLoader({path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


@dataclass(frozen=True)
class Piece:
    """One notice, rendered; `html` is safe because only its own template wrote it."""

    matter: Matter
    subject: str
    text: str
    html: Markup


@dataclass(frozen=True)
class AskedPiece:
    """What an asked letter says: six digits or an address; `about` is the number of the case, where there is one."""

    asked_for: AskedFor
    expires: str
    about: str = ""
    code: str = ""
    link: str = ""
    link_for: str = ""
    """What the link lets its holder do (LinkPurpose)."""


@dataclass(frozen=True)
class BacklogPiece:
    """How many minutes the oldest work of each kind waits, for operators; `link` leads to their page."""

    letter: int
    alarm: int
    payment: int
    link: str


@dataclass(frozen=True)
class Kind:
    """How many notices of one kind a digest holds."""

    label: str
    total: int
    overdue: int


@dataclass(frozen=True)
class Enclosed:
    """Of a digest that shows only its most urgent notices: what all of them are, and the table that holds them."""

    total: int
    overdue: int
    kinds: tuple[Kind, ...]
    name: str
    """The table's file name."""
    workbook: Callable[[], bytes]
    room: str
    """The address of the recipient's own pages; empty where it has none."""


@dataclass(frozen=True)
class Group:
    """Notices under one heading; no heading where there is only one."""

    heading: str
    notices: tuple[Piece, ...]


@dataclass(frozen=True)
class Envelope:
    """Who writes to whom, in which mail, and when it was composed."""

    mail_id: str
    sender: str
    to_name: str
    to_address: str
    composed_at: datetime
    grouped: bool = False
    """Whether notices are grouped by insurer and place, as a department reads them."""
    answers: tuple[str, str] = ("", "")
    """Whose mailbox an answer goes to, and its address; empty where nobody would read it."""
    page: int = 1
    pages: int = 1
    copy_for: str = ""
    """Whose contact the reader covers for; empty where the letter is no copy."""

    @property
    def message_id(self) -> str:
        return message_id(self.mail_id, self.sender)


def message_id(mail_id: str, sender: str) -> str:
    """The same mail is always called the same, whatever happens on its way (promises.md P14)."""
    return f"<{mail_id}@{parseaddr(sender)[1].partition('@')[2]}>"


class Letters:
    """The templates of the start, compiled once; plain text has an environment of its own: it must not be escaped."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self.html = environment(folder)
        self.plain = self.html.overlay(autoescape=False)
        # What cannot stand beside an element, the colours of a dark screen, stays in the head.
        self._inline = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, minify_css=True)

    def piece(self, matter: Matter) -> Piece:
        """One notice in both forms. Raises what the template raises."""
        said = {"n": matter}
        return Piece(
            matter=matter,
            subject=_one_line(self.plain.get_template("parts/subject.j2").render(said)),
            text=self.plain.get_template(f"mail/{matter.kind}.txt.j2").render(said).strip(),
            html=Markup(self.html.get_template(f"mail/{matter.kind}.html.j2").render(said)),  # noqa: S704
        )

    def message(self, envelope: Envelope, pieces: Sequence[Piece], enclosed: Enclosed | None = None) -> EmailMessage:
        """One letter with one notice or many, overdue first; needs at least one."""
        said = {
            "groups": grouped(pieces) if envelope.grouped else (Group("", _by_rank(pieces)),),
            "total": enclosed.total if enclosed else len(pieces),
            "overdue": enclosed.overdue if enclosed else _late(pieces),
            "shown": len(pieces),
            "enclosed": enclosed,
            "page": envelope.page,
            "pages": envelope.pages,
            "copy_for": envelope.copy_for,
        }
        message = self._written(envelope, DIGEST, self.subject(envelope, pieces, enclosed), said)
        if enclosed:
            kind, _, of = MEDIA_TYPE.partition("/")
            message.add_attachment(enclosed.workbook(), maintype=kind, subtype=of, filename=enclosed.name)
        return message

    def backlog_subject(self) -> str:
        """The same every day; the figures are inside."""
        return _one_line(self.plain.get_template("backlog/subject.j2").render())

    def backlog(self, envelope: Envelope, piece: BacklogPiece) -> EmailMessage:
        """What waits too long, to the operators."""
        return self._written(envelope, BACKLOG, self.backlog_subject(), {"n": piece})

    def asked_subject(self, piece: AskedPiece) -> str:
        """Without the code: a subject is read over shoulders, and kept."""
        return _one_line(self.plain.get_template("asked/subject.j2").render(n=piece))

    def asked(self, envelope: Envelope, piece: AskedPiece) -> EmailMessage:
        """A code or a fresh link, by itself."""
        return self._written(envelope, ASKED, self.asked_subject(piece), {"n": piece})

    def _written(
        self, envelope: Envelope, parts: tuple[str, str], subject: str, said: Mapping[str, object]
    ) -> EmailMessage:
        """Every letter there is, in the one frame of all: as text and as HTML."""
        said = {
            **said,
            "recipient": envelope.to_name,
            "composed": wording.instant(envelope.composed_at),
            "answers": envelope.answers[0],
        }
        text = self.plain.get_template(parts[0]).render(said)
        html = self.html.get_template(parts[1]).render(said, subject=subject)
        return _message(envelope, subject, text, self._inline.inline(html))

    def subject(self, envelope: Envelope, pieces: Sequence[Piece], enclosed: Enclosed | None = None) -> str:
        """What a phone's list shows: the matter itself, or how many there are and how many are late."""
        if len(pieces) == 1 and not enclosed:
            return pieces[0].subject
        total, late = (enclosed.total, enclosed.overdue) if enclosed else (len(pieces), _late(pieces))
        words = self.plain.get_template("parts/subject_digest.j2")
        said = {"total": total, "overdue": late, "page": envelope.page, "pages": envelope.pages}
        return _one_line(words.render(said, copy_for=envelope.copy_for))


def _late(pieces: Sequence[Piece]) -> int:
    return sum(piece.matter.overdue for piece in pieces)


def ordered(told: Iterable[T], of: Callable[[T], Matter]) -> tuple[T, ...]:
    """Overdue first, then by due instant; what has none comes last. Equals keep their order."""
    return tuple(sorted(told, key=lambda one: _rank(of(one))))


def grouped(pieces: Sequence[Piece]) -> tuple[Group, ...]:
    """By insurer and place, groups with overdue matters first."""
    by_heading: dict[str, list[Piece]] = {}
    for piece in _by_rank(pieces):
        by_heading.setdefault(f"{piece.matter.insurer} · {piece.matter.region}", []).append(piece)
    if len(by_heading) == 1:
        return (Group("", _by_rank(pieces)),)
    return tuple(Group(heading, tuple(found)) for heading, found in by_heading.items())


def _by_rank(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    return ordered(pieces, lambda piece: piece.matter)


def _rank(matter: Matter) -> tuple[bool, bool, float]:
    due = matter.due_at
    return (not matter.overdue, due is None, due.timestamp() if due else 0.0)


def _message(envelope: Envelope, subject: str, text: str, html: str) -> EmailMessage:
    message = EmailMessage(policy=LETTER)
    name, address = parseaddr(envelope.sender)
    message["From"] = Address(display_name=name, addr_spec=address)
    message["To"] = Address(display_name=_one_line(envelope.to_name), addr_spec=envelope.to_address)
    if envelope.answers[1]:
        answering, at = envelope.answers
        message["Reply-To"] = Address(display_name=_one_line(answering), addr_spec=at)
    message["Subject"] = subject
    message["Date"] = format_datetime(envelope.composed_at)
    message["Message-ID"] = envelope.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["Content-Language"] = "zh-CN"
    # Chinese is a third shorter in base64 than quoted, and a line of it is never too long for a relay.
    message.set_content(_squeezed(text), cte="base64")
    message.add_alternative(html, subtype="html", cte="base64")
    return message


def _one_line(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= LONGEST_SUBJECT else f"{line[: LONGEST_SUBJECT - 1]}…"


def _squeezed(text: str) -> str:
    """At most one empty line in a row, whatever conditions left out."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"
