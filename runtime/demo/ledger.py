"""What the account of a story reads from PostgreSQL: mails, notices, totals, and whether anything was lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.tables.engine import connected, operator, tenant

MAILS = text(
    "SELECT m.id, m.message_id, m.composed_at, m.status, m.last_code, r.name AS recipient, r.role, r.email,"
    " h.name AS moved_to FROM mails m JOIN recipients r ON r.id = m.recipient_id"
    " LEFT JOIN recipients h ON h.id = m.moved_to WHERE m.sent_at IS NOT NULL OR m.status = 'bounced'"
    " ORDER BY m.composed_at, m.id"
)
NOTICES_OF = (
    "SELECT o.id, o.mail_id, o.notice_key, o.kind, o.to_role, o.status, o.about, o.cites, o.matter, o.case_id,"
    " r.name AS recipient, r.role FROM outbox o JOIN recipients r ON r.id = o.recipient_id"
)
NOTICES = text(f"{NOTICES_OF} ORDER BY o.at, o.notice_key")
NOTICES_IN = text(f"{NOTICES_OF} WHERE o.mail_id = ANY (:mails) ORDER BY o.at, o.notice_key")
TASKS = text("SELECT t.kind, t.said, t.notice_id FROM tasks t ORDER BY t.created_at")
CASES = text("SELECT kind, stage, count(*) AS number FROM cases GROUP BY kind, stage ORDER BY kind, stage")
INSURERS = text("SELECT id FROM insurers")
STEPS = text("SELECT count(*) FROM steps")
FIRED = text("SELECT case_id, duty_key, data FROM timeline WHERE event = 'rung_fired'")
SENT = {"accepted", "acknowledged", "ambiguous"}


@dataclass(frozen=True)
class Books:
    """Everything that was written down until now."""

    mails: tuple[Any, ...]
    notices: tuple[Any, ...]
    tasks: tuple[Any, ...]
    cases: tuple[Any, ...]
    steps: int
    due: frozenset[str]
    """Keys of the notices that fired rungs must have caused."""

    def told(self) -> list[Any]:
        """The mails that carry notices, and those whose notices moved on when they bounced."""
        carried = self._carried()
        return [mail for mail in self.mails if not was_asked_for(mail, carried.get(mail.id, ()))]

    def asked_for(self) -> list[Any]:
        """The mails with a code or a fresh link."""
        carried = self._carried()
        return [mail for mail in self.mails if was_asked_for(mail, carried.get(mail.id, ()))]

    def _carried(self) -> dict[UUID, list[Any]]:
        found: dict[UUID, list[Any]] = {}
        for notice in self.notices:
            if notice.mail_id is not None:
                found.setdefault(notice.mail_id, []).append(notice)
        return found


def was_asked_for(mail: Any, notices: Sequence[Any]) -> bool:
    """Whether somebody asked to be mailed this: it carries no notice. Who asked for it only its recipient may see."""
    return not notices and mail.status != "bounced"


async def read_books(engine: AsyncEngine) -> Books:
    """All of it, in the operators' view; the record of steps insurer by insurer, as row-level security wants it."""
    async with connected(engine) as connection, connection.begin():
        await operator(connection)
        mails, notices, tasks, cases = [
            tuple((await connection.execute(statement)).all()) for statement in (MAILS, NOTICES, TASKS, CASES)
        ]
        steps, due = 0, set[str]()
        for insurer_id in (await connection.execute(INSURERS)).scalars().all():
            await tenant(connection, insurer_id)
            steps += (await connection.execute(STEPS)).scalar_one()
            due |= {key for row in await connection.execute(FIRED) for key in _keys(row)}
    return Books(mails, notices, tasks, cases, steps, frozenset(due))


async def mails_since(engine: AsyncEngine, known: set[UUID]) -> list[tuple[Any, list[Any]]]:
    """Mails whose end became known since the last look, with their notices; `known` grows by them."""
    async with connected(engine) as connection, connection.begin():
        await operator(connection)
        new = [row for row in await connection.execute(MAILS) if row.id not in known]
        if not new:
            return []
        notices = (await connection.execute(NOTICES_IN, {"mails": [row.id for row in new]})).all()
    known.update(row.id for row in new)
    return [(row, [notice for notice in notices if notice.mail_id == row.id]) for row in new]


def _keys(row: Any) -> list[str]:
    data: Mapping[str, Any] = row.data
    return [f"{row.case_id}:{row.duty_key}:{data['moment']}:{role}" for role in data["tell"]]


def faults(books: Books, caught: list[str]) -> list[str]:
    """What must not be: a notice lost, doubled or left lying. `caught`: Message-IDs the mail server took."""
    written = {notice.notice_key for notice in books.notices}
    queued = {task.notice_id for task in books.tasks}
    lying = [one for one in books.notices if one.status not in SENT and one.id not in queued]
    sent = [mail for mail in books.mails if mail.status != "bounced"]
    found = {
        "级别已触发而没有通知 / rungs without a notice": len(books.due - written),
        "没有送达也不在人工队列的通知 / notices left lying": len(lying),
        "收到两次的邮件 / mails that came twice": len(caught) - len(set(caught)),
        "记为送达而没有收到的邮件 / mails that never came": abs(len(sent) - len(set(caught))),
    }
    return [f"{said}：{number}" for said, number in found.items() if number]


def cited(notices: list[Any]) -> str:
    """Number and clause of each notice, once."""
    known = [f"{one.cites['number']} {one.cites['clause']}" for one in notices if one.cites]
    return "；".join(dict.fromkeys(known))
