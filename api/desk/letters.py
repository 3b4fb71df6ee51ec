"""Acknowledging a letter that names no duty; about a duty, the step that takes the word of a department does it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit import AuditEntry, Origin, note
from api.rows import OUTBOX
from models.contracts.base import Actor
from models.contracts.vocabulary import AuditEvent, NoticeKind
from models.tables import matters


@dataclass(frozen=True)
class News:
    """Letters of one kind about one case that name no duty, to one recipient, and who has read them."""

    kind: NoticeKind
    case: Row[Any]
    """With its id, kind, insurer_id and workflow_id."""
    recipient_id: UUID
    reader: Actor


async def acknowledge_news(connection: AsyncConnection, news: News, at: datetime, origin: Origin) -> None:
    """Nothing of the case changes, so no step says it: it is put on record here. The transaction must see the insurer's
    rows, and ends with this.
    """
    of = (OUTBOX.c.case_id == news.case.id) & (OUTBOX.c.recipient_id == news.recipient_id)
    found = select(OUTBOX.c.id).where(of, OUTBOX.c.subject == news.kind.value, OUTBOX.c.acknowledged_at.is_(None))
    letters = (await connection.execute(found)).scalars().all()
    if await matters.heard(connection, letters, at):
        entry = AuditEntry(
            AuditEvent.ACKNOWLEDGED,
            chain=news.case.insurer_id,
            who=news.reader,
            about=(news.case.kind.value, news.case.workflow_id),
            case_id=news.case.id,
            said={"letter": news.kind.value, "notices": len(letters)},
            origin=origin,
        )
        await note(connection, entry)
