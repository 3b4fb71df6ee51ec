"""Which departments the documents in force need, place by place, and which of them nobody has registered; no page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from uuid import UUID

from sqlalchemy import select

from api.callers import Entry
from api.rows import RECIPIENTS
from api.tools import Rules
from domain.places import NAMES, NATION, region_name
from domain.routing import departments, is_department
from models.contracts.ids import ancestors
from models.contracts.rulebook import RulesFor
from models.contracts.vocabulary import CaseKind, Role, Sector, Size

Pair = tuple[str, str]
"""(region, department as the document names it)."""


@dataclass(frozen=True)
class Seat:
    """A registered department."""

    id: UUID
    region: str
    department: str
    name: str
    role: Role
    email: str


@dataclass(frozen=True)
class Need:
    """One role in one place, for the sectors for which it is looked for in the same offices."""

    role: Role
    sectors: tuple[Sector, ...]
    candidates: tuple[Pair, ...]
    """In the order they are looked for; empty where the documents name nobody."""


@dataclass(frozen=True)
class Covered:
    """A need, and who is told: the first candidate that is registered with an address."""

    need: Need
    seat: Seat | None
    region: str

    @property
    def missing(self) -> bool:
        """The documents name somebody, and nobody is registered."""
        return bool(self.need.candidates) and self.seat is None

    @property
    def above(self) -> str:
        """The place whose department is told instead, where this place has none of its own."""
        return region_name(self.seat.region) if self.seat and self.seat.region != self.region else ""


@dataclass(frozen=True)
class Place:
    """A place of the tree, with what lies below it."""

    code: str
    name: str
    registered: int
    missing: int
    below: tuple["Place", ...] = ()

    @property
    def wanting(self) -> int:
        """Places below this one that lack somebody."""
        return sum(bool(one.missing) + one.wanting for one in self.below)

    def holds(self, code: str) -> bool:
        """Whether a place is this one or lies below it."""
        return self.code == code or any(one.holds(code) for one in self.below)


async def seats(entry: Entry) -> dict[Pair, Seat]:
    """Every registered department, also one whose address was taken away."""
    columns = RECIPIENTS.c["id", "region", "department", "name", "role", "email"]
    found = select(*columns).where(RECIPIENTS.c.department.is_not(None)).order_by(RECIPIENTS.c.region)
    return {(row.region, row.department): Seat(**row._mapping) for row in await entry.connection.execute(found)}


@lru_cache(maxsize=1024)
def needs(rules: Rules, region: str, on: date) -> tuple[Need, ...]:
    """What the documents in force there need; kept, because packs do not change while a process lives."""
    by_answer: dict[tuple[Role, tuple[Pair, ...]], list[Sector]] = {}
    for sector in Sector:
        packs = [pack for pack in rules.pack_for(region, on) if pack.speaks_of(sector)]
        asked = RulesFor(region=region, sector=sector, size=Size.MEDIUM, on=on, case=CaseKind.POLICY)
        duties = [duty for pack in packs for duty in pack.pack.duties if duty.enabled]
        told = {role for duty in duties for rung in duty.ladder for role in rung.tell}
        rulebook = rules.resolve(asked).rulebook
        for role in sorted(role for role in told if is_department(role)):
            by_answer.setdefault((role, departments(rulebook, role, region, sector)), []).append(sector)
    return tuple(Need(role, tuple(sectors), pairs) for (role, pairs), sectors in sorted(by_answer.items()))


def covered(wanted: Iterable[Need], registered: Mapping[Pair, Seat], region: str) -> list[Covered]:
    """Each need with who is told now; sectors whose notices reach the same department stand together."""
    told: dict[tuple[Role, UUID | tuple[Pair, ...]], Covered] = {}
    for need in wanted:
        seat = first_registered(need.candidates, registered)
        key = (need.role, seat.id if seat else need.candidates)
        before = told[key].need.sectors if key in told else ()
        sectors = tuple(sector for sector in Sector if sector in {*before, *need.sectors})
        told[key] = Covered(replace(need, sectors=sectors), seat, region)
    return list(told.values())


def first_registered(candidates: Iterable[Pair], registered: Mapping[Pair, Seat]) -> Seat | None:
    known = (registered[pair] for pair in candidates if pair in registered)
    return next((seat for seat in known if seat.email), None)


def tree(rules: Rules, registered: Mapping[Pair, Seat], on: date) -> tuple[Place, ...]:
    """The places where a document beyond the nation's is in force, provinces first, what is below inside."""
    regional = {pack.ref.region for pack in rules.packs() if pack.ref.region != NATION}
    known = [code for code in NAMES if code != NATION and regional & set(ancestors(code))]
    return tuple(_place(code, known, (rules, registered, on)) for code in known if code.endswith("0000"))


def _place(code: str, known: list[str], given: tuple[Rules, Mapping[Pair, Seat], date]) -> Place:
    rules, registered, on = given
    below = tuple(_place(one, known, given) for one in known if one != code and ancestors(one)[1] == code)
    own = sum(1 for region, _ in registered if region == code)
    missing = sum(one.missing for one in covered(needs(rules, code, on), registered, code))
    return Place(code, region_name(code), own, missing, below)
