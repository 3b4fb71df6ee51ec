"""What a letter shows of its notices: a few in full; of many the most urgent, their number by kind, and all as a table.

Nothing is read from the database here and nothing is sent.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from jinja2 import TemplateError
from structlog import get_logger

from activities.letters import Enclosed, Kind, Letters, Piece, ordered
from activities.links import DEPARTMENTS, address, purpose
from activities.mailbook import Opened
from activities.matters import Matter, for_operators, matter
from domain import wording
from domain.workbook import Sheet, Value, written
from models.contracts.vocabulary import CaseKind, NoticeKind, Role
from models.tables.outbox import OutboxNotice

SHOWN = 20
"""Notices in full in one letter; where there are more, all of them are in the enclosed table."""
LETTER = 60_000
"""Bytes of text and HTML, before they are encoded, after which no further notice is shown in full: a phone opens a
letter of 200 kB, and no relay cuts it."""
MOST_KINDS = 40
ROOMS: dict[Role, str] = {
    **dict.fromkeys(DEPARTMENTS, "/department?overdue=true"),
    Role.INSURER: "/insurer/due?overdue=true&order=due",
    Role.INSURED: "/enterprise",
    Role.HUMAN_QUEUE: "/operator",
}
"""Where a recipient finds what it is told of, and more."""
CASES: dict[tuple[Role, CaseKind], str] = {
    (Role.INSURER, CaseKind.POLICY): "/insurer/policies/{}",
    (Role.INSURER, CaseKind.HAZARD): "/insurer/hazards/{}",
    (Role.INSURER, CaseKind.CLAIM): "/insurer/claims/{}",
    (Role.INSURED, CaseKind.POLICY): "/enterprise/policies/{}",
    (Role.INSURED, CaseKind.HAZARD): "/enterprise/hazards/{}",
    (Role.INSURED, CaseKind.CLAIM): "/enterprise#claims",
    **{(Role.HUMAN_QUEUE, kind): "/operator/cases/{}" for kind in CaseKind},
}
"""Where a recipient who signs in finds the case a letter is about."""
BROKEN = (TemplateError, ValueError, KeyError, TypeError, AttributeError)
"""How a notice shows itself that cannot be written."""

log = get_logger(__name__)


@dataclass(frozen=True)
class Writing:
    """Who makes links, and where they lead; `base_url` has no trailing slash."""

    letters: Letters
    secret: bytes
    base_url: str


@dataclass(frozen=True)
class Contents:
    """What a letter says, and the notices that could not be written."""

    pieces: tuple[Piece, ...] = ()
    enclosed: Enclosed | None = None
    broken: tuple[OutboxNotice, ...] = ()


def contents(writing: Writing, opened: Opened) -> Contents:
    """Every notice in words; the most urgent in full. Takes a second of CPU for some thousands: call it beside others.

    A notice whose words fail is set aside and does not hold up the rest.
    """
    told, broken = _in_words(writing, opened)
    ranked = ordered(told, lambda one: one[1])
    pieces, unwritten = _pieces(writing.letters, ranked)
    failed = {row.id for row in unwritten}
    left = [known for row, known in ranked if row.id not in failed]
    enclosed = _enclosed(writing, opened, left) if len(left) > len(pieces) else None
    return Contents(tuple(pieces), enclosed, (*broken, *unwritten))


def _in_words(writing: Writing, opened: Opened) -> tuple[list[tuple[OutboxNotice, Matter]], list[OutboxNotice]]:
    told: list[tuple[OutboxNotice, Matter]] = []
    broken: list[OutboxNotice] = []
    for row in opened.notices:
        try:
            told.append((row, _matter(writing, row, opened)))
        except BROKEN as error:
            broken.append(_set_aside(row, error))
    return told, broken


def _pieces(letters: Letters, ranked: Iterable[tuple[OutboxNotice, Matter]]) -> tuple[list[Piece], list[OutboxNotice]]:
    """In full, as many as a letter bears; at least one."""
    pieces: list[Piece] = []
    broken: list[OutboxNotice] = []
    size = 0
    for row, known in ranked:
        if len(pieces) == SHOWN or size > LETTER:
            break
        try:
            pieces.append(letters.piece(known))
        except BROKEN as error:
            broken.append(_set_aside(row, error))
            continue
        size += len(pieces[-1].text.encode()) + len(pieces[-1].html.encode())
    return pieces, broken


def _set_aside(row: OutboxNotice, error: Exception) -> OutboxNotice:
    log.error("notice_unwritten", notice=str(row.id), kind=row.kind.value, error=type(error).__name__)
    return row


def _matter(writing: Writing, row: OutboxNotice, opened: Opened) -> Matter:
    # a report is met by being told: that is no news to the department it tells
    reports = row.kind is NoticeKind.MAJOR_HAZARD_REPORT
    over = not reports and (row.case_id, row.about.get("duty_key")) in opened.settled
    holder, letter = opened.to.role, opened.mail.id if row.id in opened.anew else None
    # a link is bound to the one it was made for, and a copy is for somebody else
    link = None if opened.copy_for else address(writing.base_url, writing.secret, row, holder, letter)
    told = matter(row, opened.mail.composed_at, link, wording.SETTLED if over else "")
    theirs = wording.forwarded(row.to_role, holder)
    if holder is Role.HUMAN_QUEUE:
        told = replace(for_operators(told), forwarded="", by_hand=bool(theirs))
    room = CASES.get((holder, told.of))
    return replace(
        told,
        forwarded=theirs or told.forwarded,
        link_for=(link and purpose(row, holder)) or "",
        room=f"{writing.base_url}{room.format(row.case_id)}" if room else "",
        copy_for=opened.copy_for,
    )


def _enclosed(writing: Writing, opened: Opened, told: Sequence[Matter]) -> Enclosed:
    room = None if opened.copy_for else ROOMS.get(opened.to.role)
    at = opened.mail.composed_at
    return Enclosed(
        total=len(told),
        overdue=sum(one.overdue for one in told),
        kinds=tuple(_kinds(told)),
        name=wording.DIGEST_FILE.format(day=wording.plain_day(wording.local_date(at))),
        workbook=partial(_workbook, opened.to.name, at, told),
        room=f"{writing.base_url}{room}" if room else "",
    )


def _kinds(told: Iterable[Matter]) -> Iterator[Kind]:
    """By what is told of which duty, the most overdue first."""
    total: Counter[str] = Counter()
    late: Counter[str] = Counter()
    for one in told:
        kind = NoticeKind(one.kind).label
        label = kind if one.duty == kind else f"{kind}：{one.duty}"
        total[label] += 1
        late[label] += one.overdue
    for label in sorted(total, key=lambda label: (-late[label], -total[label], label))[:MOST_KINDS]:
        yield Kind(label, total[label], late[label])


def _workbook(to: str, at: datetime, told: Sequence[Matter]) -> bytes:
    """Every notice with its case, parties, term and clause."""
    about: list[tuple[str, Value]] = [
        (wording.DIGEST_TO, to),
        (wording.DIGEST_AT, at),
        (wording.DIGEST_LINES, len(told)),
        (wording.DIGEST_LATE, sum(one.overdue for one in told)),
        (wording.DIGEST_REMARK, wording.DIGEST_REMARKED),
    ]
    sheet = Sheet(wording.DIGEST_COVER, wording.DIGEST_SHEET, about, tuple(COLUMNS))
    return written(sheet, ([say(one) for say in COLUMNS.values()] for one in told))


COLUMNS: dict[str, Callable[[Matter], Value]] = dict(
    zip(
        wording.DIGEST_HEADINGS,
        (
            lambda one: NoticeKind(one.kind).label,
            lambda one: one.duty,
            lambda one: one.number or one.policy_number,
            lambda one: one.policy_number,
            lambda one: one.insured,
            lambda one: one.insurer,
            lambda one: one.place,
            lambda one: one.owed_by,
            lambda one: one.due_by,
            lambda one: one.left,
            lambda one: "；".join(filter(None, (one.cites or wording.PRODUCT_ONLY, one.by))),
            lambda one: one.counting,
            lambda one: one.provisional,
            lambda one: "；".join(filter(None, (one.settled, one.forwarded, one.note))),
            lambda one: one.hazard.description if one.hazard else "",
            lambda one: one.link or one.room,
        ),
        strict=True,
    )
)
