"""Mails as operators see them: to whom, when, how often tried, with which answer; never what is written in them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Row, func, select, tuple_

from api.callers import Entry
from api.cursors import Cursors
from api.desk.filters import legible
from api.operator.engine import ui_address
from api.operator.visits import Reading
from api.operator.waiting import RETURNED, shown_address
from api.problems import not_found
from api.rows import ATTEMPTS, CASES, MAILS, OUTBOX, RECIPIENTS, TASKS
from api.shapes import Page
from domain.wording import instant
from models.contracts.ids import mailroom_workflow_id
from models.contracts.vocabulary import NoticeStatus, Role, Urgency

PER_PAGE = 40
MOST_NOTICES = 100
router = APIRouter(prefix="/operator/mails", include_in_schema=False)


class MailFilters(BaseModel):
    """What a list of mails is asked for by; `q` is a part of the recipient's name."""

    status: NoticeStatus | None = None
    recipient: UUID | None = None
    role: Role | None = None
    urgency: Urgency | None = None
    retried: bool | None = None
    q: Annotated[str, Field(max_length=80)] | None = None
    cursor: Annotated[str, Field(max_length=400)] | None = None
    limit: int = PER_PAGE

    @classmethod
    def read(cls, asked: Any) -> Self:
        """From an address: what is empty, unknown or unreadable is left out."""
        known = {name: value.strip() for name, value in asked.items() if value.strip() and name in cls.model_fields}
        known.pop("limit", None)
        return legible(cls, known)

    @property
    def kept(self) -> dict[str, Any]:
        """The filters that are set, without the place in the list."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"cursor", "limit"})


@router.get("")
async def mails_page(visit: Reading) -> Response:
    """Latest first."""
    filters = MailFilters.read(visit.request.query_params)
    page = await mails(visit.entry, filters)
    named = select(RECIPIENTS.c.name).where(RECIPIENTS.c.id == filters.recipient)
    holder = (await visit.entry.connection.execute(named)).scalar_one_or_none() if filters.recipient else None
    engine = await mailroom(visit.entry, filters.recipient) if filters.recipient else ""
    words = {"statuses": tuple(NoticeStatus)[:-1], "roles": tuple(Role), "urgencies": tuple(Urgency)}
    shown = {"f": filters, "page": page, "holder": holder, "engine": engine, "instant": instant}
    return visit.page("operator/mails.html.j2", **shown, **words)


async def mailroom(entry: Entry, recipient_id: UUID) -> str:
    """Where the Temporal UI shows a recipient's mailroom; empty without a UI, and where it was never written to."""
    written_to = select(MAILS.c.id).where(MAILS.c.recipient_id == recipient_id).exists()
    lives = (await entry.connection.execute(select(written_to))).scalar_one()
    return ui_address(entry.tools, mailroom_workflow_id(recipient_id)) if lives else ""


async def mails(entry: Entry, filters: MailFilters) -> Page[dict[str, Any]]:
    """One page of mails, with how many notices each carries."""
    cursors = Cursors(entry.tools.secret, entry.caller.owner, "operator/mails", filters)
    place, order = cursors.read(filters.cursor), (MAILS.c.composed_at, MAILS.c.id)
    carried = select(func.count()).where(OUTBOX.c.mail_id == MAILS.c.id).scalar_subquery().label("notices")
    moved = RECIPIENTS.alias("moved")
    found = (
        select(*_SHOWN, *RECIPIENTS.c["name", "role", "email", "insured_id"], carried, moved.c.name.label("moved_name"))
        .join(RECIPIENTS, RECIPIENTS.c.id == MAILS.c.recipient_id)
        .join(moved, moved.c.id == MAILS.c.moved_to, isouter=True)
        .where(*_conditions(filters))
    )
    if place is not None:
        found = found.where(tuple_(*order) < tuple_(*place))
    found = found.order_by(*(one.desc() for one in order)).limit(PER_PAGE + 1)
    rows = (await entry.connection.execute(found)).all()
    last = rows[PER_PAGE - 1] if len(rows) > PER_PAGE else None
    following = cursors.write(last.composed_at, last.id) if last else None
    return Page(items=[_line(row) for row in rows[:PER_PAGE]], next=following)


_SHOWN = (
    *MAILS.c["id", "recipient_id", "message_id", "urgency", "status", "attempts", "composed_at", "sent_at"],
    *MAILS.c["next_try_at", "last_code", "copy_of"],
)
"""Without the subject: it may name what is in the letter."""


def _line(row: Row[Any]) -> dict[str, Any]:
    return {**row._mapping, "address": shown_address(row), "email": ""}


def _conditions(filters: MailFilters) -> Iterator[ColumnElement[bool]]:
    if filters.status:
        yield MAILS.c.status == filters.status
    if filters.recipient:
        yield MAILS.c.recipient_id == filters.recipient
    if filters.role:
        yield RECIPIENTS.c.role == filters.role
    if filters.urgency:
        yield MAILS.c.urgency == filters.urgency
    if filters.retried:
        yield MAILS.c.attempts > 1
    if filters.q:
        yield RECIPIENTS.c.name.contains(filters.q, autoescape=True)


@router.get("/{mail_id}")
async def mail_page(visit: Reading, mail_id: UUID) -> Response:
    """One mail: each try with the server's code, and which notices it carries; no text of any."""
    connection = visit.entry.connection
    found = (
        select(*_SHOWN, *RECIPIENTS.c["name", "role", "email", "insured_id"])
        .join(RECIPIENTS, RECIPIENTS.c.id == MAILS.c.recipient_id)
        .where(MAILS.c.id == mail_id)
    )
    row = (await connection.execute(found)).one_or_none()
    if row is None:
        raise not_found()
    tries = select(*ATTEMPTS.c["number", "started_at", "ended_at", "outcome", "code"])
    tries = tries.where(ATTEMPTS.c.mail_id == mail_id).order_by(ATTEMPTS.c.number)
    carried = (
        select(*OUTBOX.c["id", "kind", "status", "case_id", "queued_at"], CASES.c.number)
        .join(CASES, CASES.c.id == OUTBOX.c.case_id)
        .where(OUTBOX.c.mail_id == mail_id)
        .order_by(OUTBOX.c.at, OUTBOX.c.id)
        .limit(MOST_NOTICES)
    )
    waits = select(func.count()).where(
        TASKS.c.recipient_id == row.recipient_id, TASKS.c.kind.in_(RETURNED), TASKS.c.done_at.is_(None)
    )
    return visit.page(
        "operator/mail.html.j2",
        mail=_line(row),
        tries=(await connection.execute(tries)).all(),
        notices=(await connection.execute(carried)).all(),
        waiting=(await connection.execute(waits)).scalar_one(),
        engine=ui_address(visit.entry.tools, mailroom_workflow_id(row.recipient_id)),
        seconds=_seconds,
        instant=instant,
    )


def _seconds(begun: datetime, ended: datetime | None) -> str:
    return f"{(ended - begun).total_seconds():.1f}" if ended else ""
