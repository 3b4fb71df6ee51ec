"""A list taken away as a workbook, in every room alike: what it holds, and that it was taken; no list is here."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from api.audit import AuditEntry, Origin, note
from api.desk import exportwords as words
from api.desk.export import MOST_ROWS, alone, asked_in_words, download, workbook
from api.desk.frame import Visit, visited
from api.desk.lists import Asked, CaseShown, counted, parcel
from api.desk.words import namer, translator
from api.problems import one_field
from api.words import Reason
from domain.workbook import Sheet, Value
from models.contracts.vocabulary import ActorKind, AuditEvent
from models.tables.audit import COMMON_CHAIN

Cell = Callable[[CaseShown, Callable[[Any], str], Callable[[str], str]], Value]
"""What a line holds in a column, given how words and sentences are said in the reader's language."""
COLUMNS: tuple[tuple[str, Cell, str], ...] = (
    ("number", lambda one, say, t: one.number, ""),
    ("policy_number", lambda one, say, t: one.policy_number, ""),
    ("insurer", lambda one, say, t: one.insurer, "insurer"),
    ("insured_name", lambda one, say, t: one.insured_name, ""),
    ("place", lambda one, say, t: one.place, ""),
    ("region", lambda one, say, t: one.region, ""),
    ("sector", lambda one, say, t: say(one.sector), ""),
    ("size", lambda one, say, t: say(one.size), ""),
    ("stage", lambda one, say, t: say(one.stage_word), ""),
    ("grade", lambda one, say, t: say(one.grade_word) if one.grade_word else "", ""),
    ("description", lambda one, say, t: one.description, ""),
    ("next_label", lambda one, say, t: one.next_label, ""),
    ("due_on", lambda one, say, t: one.due_on, ""),
    ("provisional", lambda one, say, t: t(words.PROVISIONAL) if one.provisional else "", ""),
    ("overdue", lambda one, say, t: t(words.YES) if one.overdue else "", ""),
    ("open_hazards", lambda one, say, t: one.open_hazards, ""),
    ("signed_on", lambda one, say, t: one.signed_on, ""),
    ("effective_on", lambda one, say, t: one.effective_on, ""),
    ("expires_on", lambda one, say, t: one.expires_on, ""),
    ("ended_at", lambda one, say, t: one.ended_at, ""),
    ("assessed", lambda one, say, t: one.assessed, "money"),
    ("paid", lambda one, say, t: one.paid, "money"),
)
"""Name, cell, and the part of a list it belongs to: a room that does not show that part does not give it out either."""


@dataclass(frozen=True)
class Taking:
    """Which list, how it is called, and over which places and sectors it goes where the room is bounded by them."""

    asked: Asked
    name: str
    scope: str = ""


async def taken(request: Request, takes: Callable[[Visit], Awaitable[Taking]]) -> Response:
    """The list with the filters of its address, made after the transactions that read it.

    Each parcel of lines is read in a transaction of its own, by whoever may see it then: all together take longer than
    a page may. Raises Problem 422 for a place nobody knows, 429 while another one is made.
    """
    with ExitStack() as running:
        async with visited(request) as visit:
            running.enter_context(alone(visit))
            taking = await takes(visit)
            if taking.asked.filters.lost:
                raise one_field("query.region", Reason.PATTERN)
            total = await counted(visit.entry, taking.asked, MOST_ROWS)
            if total > MOST_ROWS:
                again = f"{taking.asked.address}?{taking.asked.filters.address()}"
                return visit.page("desk/list/narrow.html.j2", 422, most=MOST_ROWS, again=again)
        lines = await _lines(request, takes)
        async with visited(request) as visit:
            sheet = _sheet(visit, taking, len(lines))
            await note(visit.entry.connection, _on_record(visit, taking.asked, len(lines)))
        content = await workbook(sheet, lines, lambda line: line)
    return download(content, f"{sheet.name}-{visit.entry.tools.now():%Y%m%d}.xlsx")


async def _lines(request: Request, takes: Callable[[Visit], Awaitable[Taking]]) -> list[Sequence[Value]]:
    """What stands in the cells, of all lines; the lines themselves would take far more room."""
    lines, after = list[Sequence[Value]](), None
    while True:
        async with visited(request) as visit:
            asked, t, say = (await takes(visit)).asked, translator(visit.language), namer(visit.language)
            page = await parcel(visit.entry, asked, after)
        columns = _columns(asked)
        lines += [[cell(one, say, t) for _, cell, _ in columns] for one in page.items]
        after = page.next
        if after is None or len(lines) >= MOST_ROWS:
            return lines[:MOST_ROWS]


def _columns(asked: Asked) -> list[tuple[str, Cell, str]]:
    return [one for one in COLUMNS if one[2] not in asked.without]


def _sheet(visit: Visit, taking: Taking, total: int) -> Sheet:
    t = translator(visit.language)
    about: list[tuple[str, Value]] = [
        (t(words.TAKEN_BY), visit.caller.name),
        (t(words.TAKEN_AT), visit.entry.tools.now()),
        *([(t(words.SCOPE), taking.scope)] if taking.scope else []),
        (t(words.FILTERED_BY), asked_in_words(visit, taking.asked)),
        (t(words.LINES), total),
        (t(words.REMARK), t(words.PROVISIONAL_REMARK)),
    ]
    headings = [t(words.HEADINGS[name]) for name, _, _ in _columns(taking.asked)]
    return Sheet(t(words.COVER), t(taking.name), about, headings)


def _on_record(visit: Visit, asked: Asked, total: int) -> AuditEntry:
    """In the insurer's own chain, where it is an insurer that takes it."""
    return AuditEntry(
        AuditEvent.EXPORTED,
        chain=visit.caller.tenant if visit.caller.kind is ActorKind.INSURER else COMMON_CHAIN,
        who=visit.caller.actor,
        about=("list", asked.kind.value),
        said={"rows": total, "filters": asked.filters.address()[:1000]},
        origin=Origin.of(visit.request),
    )
