"""The documents in force and what is known of them; of an older one, what a newer one would change; adopts nothing.

A running case keeps the version it was signed under; no command makes it take another.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import Row, func, select

from api.operator.visits import Reading
from api.problems import not_found
from api.rows import CASES
from api.tools import Rules, Tools
from domain import clock as clocks
from domain.calendar import local_date
from domain.explaining import explain
from domain.places import full_region_name
from domain.wording import plain_day
from models.contracts.clock import Clock, RunningDuty
from models.contracts.rulebook import PackRef, Rulebook, RulesFor, WorkCalendar
from models.contracts.vocabulary import CaseKind, HazardGrade
from rules.difference import changes
from rules.library import LoadedPack
from rules.lock import digests, read_lock
from rules.reading import rung_text, term

ADDRESS = "/operator/packs"
SHORT = 16
"""Hexadecimal digits a digest is shown with, and found by."""
MOST_TRIED = 100
"""Running cases a newer version is tried on."""
router = APIRouter(prefix=ADDRESS, include_in_schema=False)


@dataclass(frozen=True)
class Shelf:
    """A pack as the list shows it."""

    loaded: LoadedPack
    standing: str
    """in_force, replaced, ended, to_come: a key of the template's words."""
    locked: str
    """released, changed, draft."""

    @property
    def short(self) -> str:
        return self.loaded.ref.digest[:SHORT]

    @property
    def place(self) -> str:
        return full_region_name(self.loaded.ref.region)


@dataclass(frozen=True)
class Moved:
    """What a newer version would do to one duty of the cases it was tried on."""

    label: str
    counts: Counter[str]
    """earlier, later, same, gone."""


@router.get("")
async def shelf(visit: Reading) -> Response:
    """Every document by place, with its digest and its questions, and the calendars."""
    rules, today = visit.entry.tools.rules, local_date(visit.entry.tools.now())
    found = _shelves(rules, today)
    places = {one.loaded.ref.region: [] for one in found}
    for one in found:
        places[one.loaded.ref.region].append(one)
    return visit.page(
        "operator/packs.html.j2",
        places=[(full_region_name(region), shelves) for region, shelves in places.items()],
        years=sorted(rules.calendar().years, key=lambda year: year.year),
        warnings=rules.warnings(today),
        questions=sum(len(one.loaded.pack.open_questions) for one in found if one.standing == "in_force"),
        plain_day=plain_day,
    )


def _shelves(rules: Rules, today: date) -> list[Shelf]:
    packs, locked = rules.packs(), read_lock()
    present = {digest: name for name, digest in digests(packs).items()}
    names = set(present.values()) & locked.keys()
    return [Shelf(pack, _standing(packs, pack, today), _lock(pack, present, locked, names)) for pack in packs]


def _lock(pack: LoadedPack, present: dict[str, str], locked: dict[str, str], names: set[str]) -> str:
    name = present.get(pack.ref.digest, "")
    if name not in names:
        return "draft"
    return "released" if locked[name] == pack.ref.digest else "changed"


def _standing(packs: Sequence[LoadedPack], pack: LoadedPack, today: date) -> str:
    ends_on = pack.pack.instrument.ends_on
    if pack.ref.in_force_on > today:
        return "to_come"
    newer = _newer(packs, pack)
    if newer and newer.ref.in_force_on <= today:
        return "replaced"
    return "ended" if ends_on and ends_on < today else "in_force"


def _newer(packs: Iterable[LoadedPack], pack: LoadedPack) -> LoadedPack | None:
    """The next version of the same document, where there is one."""
    later = [one for one in packs if one.path.parent == pack.path.parent and one.ref.in_force_on > pack.ref.in_force_on]
    return min(later, key=lambda one: one.ref.in_force_on, default=None)


@router.get("/{short}")
async def document(visit: Reading, short: str) -> Response:
    """One document: its duties, questions, the cases that obey it; of an older one, what the newer one changes."""
    entry, rules = visit.entry, visit.entry.tools.rules
    found = _shelves(rules, local_date(entry.tools.now()))
    one = next((shelf for shelf in found if shelf.short == short), None)
    if one is None:
        raise not_found()
    obeys = CASES.c.packs.contains([{"digest": one.loaded.ref.digest}]) & CASES.c.ended_at.is_(None)
    running = (await entry.connection.execute(select(func.count()).where(obeys))).scalar_one()
    newer = _newer(rules.packs(), one.loaded)
    moved: list[Moved] = []
    if newer and running:
        rows = (await entry.connection.execute(select(CASES).where(obeys).order_by(CASES.c.id).limit(MOST_TRIED))).all()
        moved = await asyncio.to_thread(_tried, entry.tools, rows, (one.loaded.ref, newer.ref))
    return visit.page(
        "operator/pack.html.j2",
        one=one,
        pack=one.loaded.pack,
        duties=[(duty, term(duty), [rung_text(rung) for rung in duty.ladder]) for duty in one.loaded.pack.duties],
        running=running,
        newer=newer,
        newer_short=newer.ref.digest[:SHORT] if newer else "",
        differences=[str(change) for change in changes(one.loaded.pack, newer.pack)] if newer else [],
        moved=moved,
        tried=min(running, MOST_TRIED),
        plain_day=plain_day,
    )


def _tried(tools: Tools, rows: Sequence[Row[Any]], instead: tuple[PackRef, PackRef]) -> list[Moved]:
    """The last days of these cases' open duties under the newer version beside the ones they have."""
    told: dict[str, Moved] = {}
    for row in rows:
        before, calendar = _rulebook(tools.rules, row, None)
        after, _ = _rulebook(tools.rules, row, instead)
        clock = Clock.model_validate(row.clock)
        for running in (duty for duty in clock.duties if duty.is_open):
            label = clocks.bound(before, running.duty).duty.label
            moved = told.setdefault(running.duty, Moved(label, Counter()))
            moved.counts[_compared((before, after), running, clock, calendar)] += 1
    return list(told.values())


def _compared(books: tuple[Rulebook, Rulebook], running: RunningDuty, clock: Clock, calendar: WorkCalendar) -> str:
    before, after = books
    new = next((one.duty for one in after.duties if one.duty.id == running.duty), None)
    if new is None:
        return "gone"
    old_day = explain(clocks.bound(before, running.duty).duty, running, clock, calendar).effective
    new_day = explain(new, running, clock, calendar).effective
    if old_day == new_day or old_day is None or new_day is None:
        return "same"
    return "earlier" if new_day < old_day else "later"


def _rulebook(rules: Rules, row: Row[Any], instead: tuple[PackRef, PackRef] | None) -> tuple[Rulebook, WorkCalendar]:
    refs = tuple(PackRef.model_validate(ref) for ref in row.packs)
    if instead:
        refs = tuple(instead[1] if ref.digest == instead[0].digest else ref for ref in refs)
    grade = HazardGrade(row.view["grade"]) if row.kind is CaseKind.HAZARD else None
    given = {"region": row.region, "sector": row.sector, "size": row.size, "on": row.signed_on, "case": row.kind}
    away = row.view.get("terms", {}).get("out_of_area", False)
    asked = RulesFor.model_validate({**given, "grade": grade, "packs": refs, "out_of_area": away})
    resolved = rules.resolve(asked)
    known = tuple(year for year in resolved.calendar.years if year.year <= row.calendar_through)
    return resolved.rulebook, WorkCalendar(years=known)
