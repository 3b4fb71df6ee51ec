"""The record of a case as sentences with files, and the notices with their delivery; who reads what: audience.py."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from api import reads
from api.callers import Entry
from api.desk.audience import Reader, Shown
from api.shapes import NoticeReading, TimelineEntry
from domain import wording
from models.contracts.base import Attachment
from models.contracts.vocabulary import Event, NoticeKind, NoticeStatus

REACHED: dict[NoticeStatus, str] = {
    NoticeStatus.ACKNOWLEDGED: "ok",
    NoticeStatus.ACCEPTED: "ok",
    NoticeStatus.BOUNCED: "late",
    NoticeStatus.UNDELIVERED: "late",
    NoticeStatus.AMBIGUOUS: "info",
}


@dataclass(frozen=True)
class Line:
    """One thing that happened, as a sentence; files as links."""

    at_said: str
    event: Event
    said: str
    by: str
    files: tuple[tuple[str, str], ...] = ()
    """Name and address."""


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


def line_of(row: Row[Any], entry: TimelineEntry, reader: Reader) -> Line:
    files = _attachments(entry.data) if reader.sees(Shown.EVIDENCE) and reader.hears(entry.event) else ()
    return Line(
        at_said=wording.instant(entry.at),
        event=entry.event,
        said=entry.said if reader.hears(entry.event) else "",
        by=entry.by,
        files=tuple((one.name, f"/evidence/{row.id}/{one.digest}") for one in files),
    )


def _attachments(data: Any) -> Iterator[Attachment]:
    """Every file a line of the record refers to."""
    if isinstance(data, Mapping) and "digest" in data and "name" in data:
        yield Attachment.model_validate(data)
    elif isinstance(data, Mapping):
        yield from (found for part in data.values() for found in _attachments(part))
    elif isinstance(data, list):
        yield from (found for part in data for found in _attachments(part))


async def notices_of(entry: Entry, row: Row[Any], reader: Reader) -> tuple[NoticeShown, ...]:
    if not reader.sees(Shown.NOTICES):
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
