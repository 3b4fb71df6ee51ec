"""The documents in force and what is known of them; of an older one, what a newer one says; adopts nothing.

A running case keeps the version it was signed under until an operator lets it take another (turning.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Response

from api.operator.absent import absent
from api.operator.new_rules import count, open_below
from api.operator.visits import Reading
from api.problems import not_found
from api.tools import Rules
from domain.calendar import local_date
from domain.places import full_region_name
from domain.wording import instant, plain_day
from rules.difference import changes
from rules.library import LoadedPack
from rules.lock import digests, read_lock
from rules.reading import rung_text, term

ADDRESS = "/operator/packs"
SHORT = 16
"""Hexadecimal digits a digest is shown with, and found by."""
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


@router.get("")
async def shelf(visit: Reading) -> Response:
    """Every document by place, with its digest and its questions, and the calendars; first, which ones are missing."""
    rules, today = visit.entry.tools.rules, local_date(visit.entry.tools.now())
    found = _shelves(rules, today)
    places = {one.loaded.ref.region: [] for one in found}
    for one in found:
        places[one.loaded.ref.region].append(one)
    return visit.page(
        "operator/packs.html.j2",
        absent=await absent(visit.entry),
        instant=instant,
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


def successor(rules: Rules, pack: LoadedPack, today: date) -> LoadedPack | None:
    """The version of the same document that cases would take: the latest in force, else the next one."""
    later = [
        one
        for one in rules.packs()
        if one.path.parent.name == pack.path.parent.name and one.ref.in_force_on > pack.ref.in_force_on
    ]
    begun = [one for one in later if one.ref.in_force_on <= today]
    return max(begun, key=_begins) if begun else min(later, key=_begins, default=None)


def _begins(pack: LoadedPack) -> date:
    return pack.ref.in_force_on


@router.get("/{short}")
async def document(visit: Reading, short: str) -> Response:
    """One document: its duties, questions, the cases that obey it; of an older one, what the newer one changes."""
    entry, rules = visit.entry, visit.entry.tools.rules
    found = _shelves(rules, local_date(entry.tools.now()))
    one = next((shelf for shelf in found if shelf.short == short), None)
    if one is None:
        raise not_found()
    pack, now = one.loaded, entry.tools.now()
    obeying = await entry.tools.kept.figures(
        ("obeying", pack.ref.digest), now, lambda: count(entry.connection, pack, open_below(pack))
    )
    newer = successor(rules, one.loaded, local_date(entry.tools.now()))
    return visit.page(
        "operator/pack.html.j2",
        one=one,
        pack=one.loaded.pack,
        duties=[(duty, term(duty), [rung_text(rung) for rung in duty.ladder]) for duty in one.loaded.pack.duties],
        running=obeying.figures.total,
        as_of=obeying.as_of and instant(obeying.as_of),
        newer=newer,
        newer_short=newer.ref.digest[:SHORT] if newer else "",
        differences=[str(change) for change in changes(one.loaded.pack, newer.pack)] if newer else [],
        plain_day=plain_day,
    )
