"""The record of a case as sentences, its files, and the notices with their delivery; who reads what: audience.py."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from api import reads
from api.callers import Entry
from api.desk.audience import Part, Reader
from api.desk.evidence import file_address
from api.evidence import FOR_VISITORS, VISIBLE, Piece, pieces
from api.shapes import NoticeReading, TimelineEntry
from domain import wording
from models.contracts.vocabulary import ActorKind, Event, NoticeKind, NoticeStatus

REACHED: dict[NoticeStatus, str] = {
    NoticeStatus.ACKNOWLEDGED: "ok",
    NoticeStatus.ACCEPTED: "ok",
    NoticeStatus.BOUNCED: "late",
    NoticeStatus.UNDELIVERED: "late",
    NoticeStatus.AMBIGUOUS: "info",
}


@dataclass(frozen=True)
class RecordLine:
    """One thing that happened, as a sentence."""

    at_said: str
    event: Event
    said: str
    by: str


@dataclass(frozen=True)
class FileShown:
    """A photograph or a document somebody handed in, and with what."""

    name: str
    href: str
    is_picture: bool
    event: Event | None
    at_said: str
    by: str


@dataclass(frozen=True)
class NoticeShown:
    """A notice and how its delivery stands."""

    kind: NoticeKind
    to: str
    title: str
    at_said: str
    status: NoticeStatus
    tone: str
    acknowledged: str = ""


def line_of(entry: TimelineEntry, reader: Reader) -> RecordLine:
    """What says no more than the name of what happened is not said twice."""
    heard = reader.hears(entry.event) and entry.said != entry.event.label
    return RecordLine(
        at_said=wording.instant(entry.at),
        event=entry.event,
        said=entry.said if heard else "",
        by=entry.by,
    )


async def files_of(entry: Entry, row: Row[Any], reader: Reader) -> tuple[FileShown, ...]:
    """Photographs and documents of the case this reader may open, latest first; api/evidence.py lets them out."""
    own = reader.kind is ActorKind.INSURER
    if not reader.sees(Part.EVIDENCE) or not (own or row.kind in FOR_VISITORS):
        return ()
    found = await pieces(entry.connection, row.id, None if own else VISIBLE.get(reader.kind, {}))
    return tuple(file_shown(one) for one in reversed(found))


def file_shown(one: Piece, address: Callable[[Piece], str] = file_address) -> FileShown:
    """A file for a page; `address` says where it lies for its reader."""
    return FileShown(
        name=one.name,
        href=address(one),
        is_picture=one.is_picture,
        event=one.event,
        at_said=wording.instant(one.at),
        by=one.by,
    )


async def notices_of(entry: Entry, row: Row[Any], reader: Reader) -> tuple[NoticeShown, ...]:
    if not reader.sees(Part.NOTICES):
        return ()
    told = await reads.notices(entry, row.id)
    return tuple(_notice(one) for one in told if reader.reads_of(one.to_role))


def _notice(one: NoticeReading) -> NoticeShown:
    return NoticeShown(
        kind=one.kind,
        to=one.to,
        title=one.title,
        at_said=wording.instant(one.at),
        status=one.status,
        tone=REACHED.get(one.status, "wait"),
        acknowledged=wording.instant(one.acknowledged_at) if one.acknowledged_at else "",
    )
