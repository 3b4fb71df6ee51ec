"""The list of cases as a workbook for a department: same filters, same scope; that it was taken is on record."""

from dataclasses import dataclass

from api.audit import AuditEntry, Origin, note
from api.department import words
from api.department.scope import EVERY_SECTOR, Scope
from api.desk.export import MOST_ROWS, Sheet, Value, asked_in_words
from api.desk.frame import Visit
from api.desk.lists import Asked, CaseShown, every
from api.desk.words import namer, translator
from domain.places import region_name
from models.contracts.vocabulary import AuditEvent, CaseKind, Sector


@dataclass(frozen=True)
class Taken:
    """What was read for a workbook, on its way out of the transaction."""

    sheet: Sheet
    rows: tuple[CaseShown, ...]
    name: str


async def taken(visit: Visit, asked: Asked, mine: tuple[Scope, ...], total: int) -> Taken:
    """What the file is made of; the audit row stands in the transaction that read the lines."""
    t = translator(visit.language)
    name = t(words.HAZARDS if asked.kind is CaseKind.HAZARD else words.POLICIES)
    about: list[tuple[str, Value]] = [
        (t(words.TAKEN_BY), visit.caller.name),
        (t(words.TAKEN_AT), visit.entry.tools.now()),
        (t(words.SCOPE), "；".join(_scope(one, visit) for one in mine)),
        (t(words.FILTERED_BY), asked_in_words(visit, asked)),
        (t(words.LINES), total),
        (t(words.REMARK), t(words.PROVISIONAL_REMARK)),
    ]
    sheet = Sheet(t(words.COVER), name, about, [t(one) for one in words.HEADINGS])
    rows = tuple([one async for one in every(visit.entry, asked, MOST_ROWS)])
    entry = AuditEntry(
        AuditEvent.EXPORTED,
        who=visit.caller.actor,
        about=("list", asked.kind.value),
        said={"rows": total, "filters": asked.filters.address()[:1000]},
        origin=Origin.of(visit.request),
    )
    await note(visit.entry.connection, entry)
    return Taken(sheet, rows, f"{name}-{visit.entry.tools.now():%Y%m%d}.xlsx")


def _scope(one: Scope, visit: Visit) -> str:
    """宿州市 · 危险化学品"""
    t, say = translator(visit.language), namer(visit.language)
    place = region_name(one.prefix.ljust(6, "0")) if one.prefix else t(words.EVERYWHERE)
    return f"{place} · {t(words.EVERY_SECTOR) if one.sector == EVERY_SECTOR else say(Sector(one.sector))}"


def line(one: CaseShown, visit: Visit) -> list[Value]:
    t, say = translator(visit.language), namer(visit.language)
    yes = t(words.YES)
    return [
        one.number, one.policy_number, one.insurer, one.insured_name, one.place, one.region, say(one.sector),
        say(one.size), say(one.stage_word), say(one.grade_word) if one.grade_word else "", one.description,
        one.next_label, one.due_on, t(words.PROVISIONAL) if one.provisional else "", yes if one.overdue else "",
        one.open_hazards, one.signed_on, one.effective_on, one.expires_on, one.ended_at,
    ]  # fmt: skip
