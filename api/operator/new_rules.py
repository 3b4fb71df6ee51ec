"""Brings a newer version of a document to running cases: which they are, what would change, how each took it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.client import Client

from api import reads
from api.operator.pinned import facts_of, obeyed, packs_of, resolved
from api.operator.sending import AT_ONCE, Outcome, Result, send
from api.rows import CASES, TIMELINE
from api.tools import Rules
from domain.calendar import local_date
from domain.new_rules import Shift, Standing, shifted
from domain.policy.transitions import ENDED
from models.contracts.base import Actor, Given
from models.contracts.case import AdoptRules
from models.contracts.rulebook import Rulebook
from models.contracts.vocabulary import ActorKind, CaseKind, Event, RuleShift, Sector
from models.tables.cases import Case
from models.tables.engine import connected, operator
from rules.library import LoadedPack

AT_A_TIME = 200
"""Cases read at one time; the next ones are read when these are done."""
OPERATOR = Actor(kind=ActorKind.OPERATOR, id="anze-rules", name="运维")
CENT = Decimal("0.01")
FLOOR = "prevention_spend_floor"


@dataclass(frozen=True)
class Turn:
    """From one version of a document to another."""

    before: LoadedPack
    after: LoadedPack

    @property
    def digest(self) -> str:
        """The same turn always has the same digest."""
        return sha256(f"{self.before.ref.digest}:{self.after.ref.digest}".encode()).hexdigest()

    def in_force(self, on: date) -> bool:
        return self.after.ref.in_force_on <= on

    def packs(self, case: Case) -> tuple[Any, ...]:
        """The case's packs with the newer version in the place of the older; without it where it is not about them."""
        gone, new = self.before.ref.digest, self.after
        refs = (new.ref if ref.digest == gone else ref for ref in packs_of(case))
        return tuple(ref for ref in refs if ref.digest != new.ref.digest or new.speaks_of(case.sector))


def open_below(pack: LoadedPack) -> list[ColumnElement[bool]]:
    """Open cases of a document's place, which an index knows; whether one obeys it, each is asked."""
    return [*reads.below(CASES.c.region, pack.ref.region), CASES.c.ended_at.is_(None)]


def _obeys(pack: LoadedPack) -> ColumnElement[bool]:
    return CASES.c.packs.contains([{"digest": pack.ref.digest}])


@dataclass(frozen=True)
class Selection:
    """Whose cases: a place with all below it, a sector; everybody's where nothing is said."""

    place: str = ""
    sector: Sector | None = None

    def among(self, turn: Turn) -> list[ColumnElement[bool]]:
        """Open cases, whichever version they obey; a policy whose cover has ended keeps what it has."""
        ended = (CASES.c.kind == CaseKind.POLICY) & CASES.c.stage.in_([stage.value for stage in ENDED])
        found = [*open_below(turn.before), ~ended]
        found += reads.below(CASES.c.region, self.place) if self.place else []
        return found + ([CASES.c.sector == self.sector] if self.sector else [])

    def conditions(self, turn: Turn) -> list[ColumnElement[bool]]:
        """Those of them that obey the older one."""
        return [*self.among(turn), _obeys(turn.before)]


@dataclass(frozen=True)
class Obeying:
    """How many cases of each kind obey a document, out of how many that were asked."""

    kinds: Mapping[CaseKind, int] = field(default_factory=dict)
    rows: int = 0

    @property
    def total(self) -> int:
        return sum(self.kinds.values())


@dataclass(frozen=True)
class Foreseen:
    """What one case would make of it."""

    case: Case
    shifts: tuple[Shift, ...]
    rulebook: Rulebook | None = None
    """What it would be sent; nothing where it cannot be worked out."""
    floors: tuple[Decimal, Decimal] | None = None
    """The least to be spent on prevention in yuan before and after, where that changes."""
    why: str = ""

    @property
    def said(self) -> dict[str, str]:
        return {shift.key: shift.said for shift in self.shifts}


@dataclass
class Tally:
    """Cases by kind, and of the duties by what would become of them; amounts in yuan."""

    cases: int = 0
    moved: int = 0
    """Cases of which anything changes."""
    duties: dict[str, dict[RuleShift, int]] = field(default_factory=dict)
    """By the duty's label."""
    spending: Decimal = Decimal("0.00")
    """How much more, or less, is to be spent at least."""

    @classmethod
    def of(cls, cases: Iterable[Foreseen]) -> "Tally":
        tally = cls()
        for one in cases:
            tally.cases += 1
            tally.moved += bool(one.shifts)
            tally.spending += one.floors[1] - one.floors[0] if one.floors else 0
            for shift in one.shifts:
                counts = tally.duties.setdefault(shift.label, {})
                counts[shift.how] = counts.get(shift.how, 0) + 1
        return tally


async def count(connection: AsyncConnection, pack: LoadedPack, among: Iterable[ColumnElement[bool]]) -> Obeying:
    """How many obey a document, by asking every one of these: some two seconds for a million."""
    asked = select(CASES.c.kind, func.count().filter(_obeys(pack)).label("n"), func.count().label("asked"))
    found = {row.kind: row for row in await connection.execute(asked.where(*among).group_by(CASES.c.kind))}
    kinds = {kind: found[kind].n for kind in CaseKind if kind in found and found[kind].n}
    return Obeying(kinds, sum(row.asked for row in found.values()))


async def insurers(connection: AsyncConnection, turn: Turn, selection: Selection) -> list[UUID]:
    """Whose cases they are."""
    asked = select(CASES.c.insurer_id).distinct().where(*selection.conditions(turn))
    return list((await connection.execute(asked)).scalars())


async def some(
    connection: AsyncConnection, turn: Turn, selection: Selection, most: int, after: UUID | None = None
) -> list[tuple[Case, Mapping[Event, date]]]:
    """The next cases by their ids, each with its facts by their first day."""
    asked = select(CASES).where(*selection.conditions(turn)).order_by(CASES.c.id).limit(most)
    asked = asked.where(CASES.c.id > after) if after else asked
    cases = [Case.model_validate(dict(row)) for row in (await connection.execute(asked)).mappings()]
    facts: dict[UUID, dict[Event, date]] = {case.id: {} for case in cases}
    happened = select(TIMELINE.c.case_id, TIMELINE.c.event, func.min(TIMELINE.c.at))
    happened = happened.where(TIMELINE.c.case_id.in_(facts)).group_by(TIMELINE.c.case_id, TIMELINE.c.event)
    for case_id, event, at in await connection.execute(happened):
        facts[case_id][event] = local_date(at)
    return [(case, _known_beforehand(case) | facts[case.id]) for case in cases]


def _known_beforehand(case: Case) -> dict[Event, date]:
    return {Event.POLICY_EXPIRES: case.expires_on} if case.kind is CaseKind.POLICY else {}


def foreseen(library: Rules, case: Case, facts: Mapping[Event, date], turn: Turn, now: datetime) -> Foreseen:
    """What the case would make of it, decided by the very function the case decides by; nothing is sent."""
    try:
        before, new = facts_of(library, case), resolved(library, case, turn.packs(case))
    except LookupError as unknown:
        return Foreseen(case, (), why=str(unknown))
    _, shifts = shifted(Standing(before, facts, obeyed(case, new), now))
    return Foreseen(case, shifts, new, _floors(case, before.rulebook, new))


def _floors(case: Case, before: Rulebook, after: Rulebook) -> tuple[Decimal, Decimal] | None:
    premium = Decimal(str((case.view.get("terms") or {}).get("premium_total") or 0))
    if case.kind is not CaseKind.POLICY or not premium:
        return None
    old, new = (_floor(book, premium) for book in (before, after))
    return (old, new) if old != new else None


def _floor(book: Rulebook, premium: Decimal) -> Decimal:
    bound = book.rates.get(FLOOR)
    return (premium * bound.rate.amount).quantize(CENT, ROUND_CEILING) if bound else Decimal("0.00")


@dataclass(frozen=True)
class Errand:
    """What is brought to whom, why, and in whose name."""

    turn: Turn
    selection: Selection
    reason: str
    by: Actor = OPERATOR


async def carry_out(
    tools: tuple[Client, AsyncEngine, Rules],
    errand: Errand,
    now: Callable[[], datetime],
    done: Callable[[Result], None],
) -> None:
    """Every case of the selection, some at a time; one that fails holds up no other; begun again, nothing repeats."""
    client, engine, library = tools
    async for cases in _parcels(engine, errand):
        places = asyncio.Semaphore(AT_ONCE)

        async def one(case: Case, facts: Mapping[Event, date], places: asyncio.Semaphore = places) -> None:
            async with places:
                expected = await asyncio.to_thread(foreseen, library, case, facts, errand.turn, now())
                done(await _send(client, expected, errand))

        ends = await asyncio.gather(*(one(case, facts) for case, facts in cases), return_exceptions=True)
        for error in filter(None, ends):  # the others have had their answer first, and are counted
            raise error


async def _parcels(engine: AsyncEngine, errand: Errand) -> AsyncIterator[Sequence[tuple[Case, Mapping[Event, date]]]]:
    after: UUID | None = None
    while True:
        async with connected(engine) as connection:
            await operator(connection)
            cases = await some(connection, errand.turn, errand.selection, AT_A_TIME, after)
        if not cases:
            return
        yield cases
        after = cases[-1][0].id


async def _send(client: Client, expected: Foreseen, errand: Errand) -> Result:
    """Its key is made of the turn and of the case as it stood; a case that has turned already refuses another key."""
    case = expected.case
    if expected.rulebook is None:
        return Result(case.workflow_id, Outcome.REFUSED, why=expected.why)
    given = Given[AdoptRules](
        command_id=f"rules:{errand.turn.digest[:16]}:{case.id}:{case.seq}",
        actor=errand.by,
        fingerprint=errand.turn.digest,
        command=AdoptRules(rulebook=expected.rulebook, instead_of=packs_of(case), reason=errand.reason),
        recorded=case.seq,
        insurer_id=case.insurer_id,
    )
    return await send(client, case, "adopt_rules", given, lambda _: expected.said)
