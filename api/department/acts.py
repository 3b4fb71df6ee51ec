"""What a department does with a matter on its case page: acknowledge, take over, answer, pass on; each once."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, select, update
from starlette.datastructures import FormData, UploadFile

from api import files
from api.callers import Caller, Entry, speak_for
from api.desk.frame import Visit
from api.files import Acceptable
from api.offices import named
from api.rows import MATTERS, OUTBOX
from api.shapes import TimelineEntry
from api.tools import Tools
from domain.wording import instant
from models.contracts import policy
from models.contracts.base import Command
from models.contracts.vocabulary import Event, NoticeStatus
from models.tables import matters as kept

TOLD = (NoticeStatus.QUEUED, NoticeStatus.ACCEPTED, NoticeStatus.AMBIGUOUS)


KEY = func.coalesce(OUTBOX.c.about["duty_key"].astext, "")
OF_MATTER = and_(
    MATTERS.c.case_id == OUTBOX.c.case_id,
    MATTERS.c.subject == OUTBOX.c.subject,
    MATTERS.c.recipient_id == OUTBOX.c.recipient_id,
)


class Act(StrEnum):
    """A form of the case page; named as the update it becomes."""

    ACKNOWLEDGE = "acknowledge"
    TAKE_OVER = "take_over"
    ANSWER = "answer"
    PASS_ON = "pass_on"  # noqa: S105 - the name of an update


COMMANDS: dict[Act, type[Command]] = {
    Act.ACKNOWLEDGE: policy.AcknowledgeDuty,
    Act.TAKE_OVER: policy.TakeOverDuty,
    Act.ANSWER: policy.AnswerDuty,
    Act.PASS_ON: policy.PassOn,
}
DONE: dict[Event, Act] = {
    Event.DUTY_ACKNOWLEDGED: Act.ACKNOWLEDGE,
    Event.DUTY_TAKEN_OVER: Act.TAKE_OVER,
    Event.DEPARTMENT_ANSWERED: Act.ANSWER,
    Event.HAZARD_ANSWERED: Act.ANSWER,
    Event.DUTY_PASSED_ON: Act.PASS_ON,
}
ENDS = {
    Act.ACKNOWLEDGE: frozenset({Act.ACKNOWLEDGE, Act.TAKE_OVER, Act.PASS_ON}),
    Act.TAKE_OVER: frozenset({Act.TAKE_OVER, Act.PASS_ON}),
    Act.ANSWER: frozenset({Act.PASS_ON}),
    Act.PASS_ON: frozenset({Act.PASS_ON}),
}
"""After which of its own acts a department is not offered this one again; answers may be several."""


@dataclass(frozen=True)
class Matter:
    """A duty this department was told about, what it did so far, and what it may do now."""

    duty: str
    """The key the department was told under: what its commands name."""
    shown: str
    """The key of the open duty that is meant by it."""
    title: str
    offered: tuple[Act, ...]
    done: tuple[tuple[Act, str, str], ...]
    """Act, when, in which words."""


async def matters(entry: Entry, row: Row[Any], happened: list[TimelineEntry]) -> tuple[Matter, ...]:
    """Every duty of the case this department was told about, in the order it was told; then letters that name none."""
    about = (KEY.label("key"), OUTBOX.c.about["label"].astext.label("title"))
    meant = MATTERS.c.duty_key.label("meant")
    found = select(OUTBOX.c.kind, OUTBOX.c.acknowledged_at, meant, *about).join(MATTERS, OF_MATTER)
    mine = found.where(OUTBOX.c.case_id == row.id, OUTBOX.c.recipient_id == entry.caller.recipient_id)
    told = (await entry.connection.execute(mine.order_by(OUTBOX.c.at, OUTBOX.c.id))).all()
    keys = {one.key: one for one in told if one.key}
    news = {one.kind: one for one in told if not one.key}
    return (
        *(_matter(entry.caller, row, one, happened) for one in keys.values()),
        *(_news(one) for one in news.values()),
    )


def _news(told: Any) -> Matter:
    """A letter that names no duty can only be acknowledged; nothing in the case changes by it."""
    read = told.acknowledged_at
    return Matter(
        duty="",
        shown="",
        title=told.kind.label,
        offered=() if read else (Act.ACKNOWLEDGE,),
        done=((Act.ACKNOWLEDGE, instant(read), ""),) if read else (),
    )


def _matter(caller: Caller, row: Row[Any], told: Any, happened: list[TimelineEntry]) -> Matter:
    standing = _standing(row, told)
    keys = {told.key, standing["key"] if standing else told.key}
    mine = [one for one in happened if one.event in DONE and one.duty_key in keys and one.by == caller.name]
    done = {DONE[one.event] for one in mine}
    return Matter(
        duty=told.key,
        shown=standing["key"] if standing else "",
        title=standing["label"] if standing else told.title or "",
        offered=tuple(act for act in Act if standing and not ENDS[act] & done),
        done=tuple((DONE[one.event], instant(one.at), one.said) for one in mine),
    )


def _standing(row: Row[Any], told: Any) -> dict[str, Any] | None:
    """The open duty that is meant by the one it was told about."""
    return next((one for one in row.view.get("duties", ()) if one["key"] == told.meant), None)


@dataclass(frozen=True)
class Sent:
    """A form of the case page as it was sent, with its file once that was looked at."""

    case_id: UUID
    act: Act
    form: FormData
    file: Acceptable | None = None

    @property
    def part(self) -> UploadFile | None:
        part = self.form.get("file") if self.act is Act.ANSWER else None
        return part if isinstance(part, UploadFile) and part.filename else None


async def looked_at(tools: Tools, part: UploadFile) -> Acceptable:
    """A file that may be kept; outside any transaction. Raises Problem 413, 422 or 503."""
    content = await part.read(tools.budgets.file + 1)
    return await files.looked_at(tools, (files.display_name(part.filename or ""), part.content_type or ""), content)


async def body_of(visit: Visit, sent: Sent) -> dict[str, Any]:
    """What the command says, from the form; a file is kept before. Raises Problem 404."""
    act, form = sent.act, sent.form
    words = str(form.get("words") or "").strip()
    body: dict[str, Any] = {"duty": str(form.get("duty") or "")}
    match act:
        case Act.ANSWER:
            body |= {"answer": words, "file": await _file(visit.entry, sent)}
        case Act.PASS_ON:
            region, department = named(str(form.get("to") or ""))
            body |= {"to_region": region, "to_department": department, "reason": words}
        case _:
            body |= {"note": words}
    return {name: value for name, value in body.items() if value not in ("", None)}


async def _file(entry: Entry, sent: Sent) -> dict[str, str] | None:
    if sent.file is None:
        return None
    insurer_id = await speak_for(entry, sent.case_id, None)
    await files.store(entry.tools, entry.connection, insurer_id, sent.file)
    return sent.file.attachment.model_dump()


async def heard(entry: Entry, case_id: UUID, duties: Iterable[str]) -> None:
    """Every letter to this department about these duties ("" for those that name none) is acknowledged, once."""
    mine = update(OUTBOX).where(
        OUTBOX.c.case_id == case_id,
        OUTBOX.c.recipient_id == entry.caller.recipient_id,
        KEY.in_(tuple(duties)),
        OUTBOX.c.acknowledged_at.is_(None),
    )
    now = entry.tools.now()
    read = mine.where(OUTBOX.c.status.in_(TOLD)).values(status=NoticeStatus.ACKNOWLEDGED, acknowledged_at=now)
    letters = await entry.connection.execute(read.returning(OUTBOX.c.id))
    await kept.heard(entry.connection, letters.scalars().all(), now)
