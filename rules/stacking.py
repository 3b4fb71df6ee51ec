"""How nation, province and city combine into what one case obeys, with the reasons; pure: no files, no clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from models.contracts.duty import Duty, When, Within
from models.contracts.pack import Gate, Pack, PathRule, Rate
from models.contracts.rulebook import (
    BoundDuty,
    BoundFees,
    BoundField,
    BoundGate,
    BoundPath,
    BoundRate,
    BoundRoute,
    BoundSurrender,
    Citation,
    PackRef,
    Rulebook,
    RulesFor,
)
from models.contracts.vocabulary import By, CaseKind, ClaimPath, Combine, FirstDay
from rules import reasons

LEAN: dict[str, object] = {"proves": (), "source": None}
"""What a reader of the file needs and a running case does not: it would travel in every workflow history."""


@dataclass(frozen=True)
class Level:
    """One pack at its place in the stack."""

    ref: PackRef
    pack: Pack

    @property
    def name(self) -> str:
        instrument = self.pack.instrument
        return reasons.place_name(self.ref.region, instrument.place, instrument.number)

    def cite(self, clause: str, by: By, document: str | None = None) -> Citation:
        """Cites the pack's own instrument, or the other document an entry says its clause stands in."""
        return Citation(region=self.ref.region, number=document or self.pack.instrument.number, clause=clause, by=by)


def stack(levels: Sequence[Level], asked: RulesFor) -> Rulebook:
    """Combine levels, the nation first, into the rulebook of one case; the levels must be free of contradictions."""
    names = {level.ref.region: level.name for level in levels}
    policy = asked.case is CaseKind.POLICY
    return Rulebook(
        packs=tuple(level.ref for level in levels),
        region=asked.region,
        sector=asked.sector,
        size=asked.size,
        duties=_duties(levels, asked, names),
        rates=_rates(levels, names) if policy else {},
        gates=_gates(levels, asked),
        paths=_paths(levels) if asked.case is CaseKind.CLAIM else (),
        required_fields=_fields(levels, asked) if policy else (),
        surrender=tuple(_surrender(levels, asked)) if policy else (),
        fees=tuple(_fees(levels)) if policy else (),
        routes=tuple(_routes(levels, asked)),
    )


def applies(when: When, asked: RulesFor) -> bool:
    """Whether a condition holds for the case that asks; what it does not mention does not matter."""
    return (
        (not when.sectors or asked.sector in when.sectors)
        and (not when.sizes or asked.size in when.sizes)
        and (not when.kinds or asked.kind in when.kinds)
        and (when.grade is None or when.grade is asked.grade)
        and (when.out_of_area is None or when.out_of_area is asked.out_of_area)
    )


def _duties(levels: Sequence[Level], asked: RulesFor, names: dict[str, str]) -> tuple[BoundDuty, ...]:
    held: dict[str, BoundDuty] = {}
    for level in levels:
        for duty in level.pack.duties:
            if duty.enabled and duty.case is asked.case and applies(duty.when, asked):
                held = _with_duty(held, level, duty, names)
    return tuple(held.values())


def _with_duty(held: dict[str, BoundDuty], level: Level, duty: Duty, names: dict[str, str]) -> dict[str, BoundDuty]:
    new = BoundDuty(duty=duty.model_copy(update=LEAN), cites=level.cite(duty.clause, duty.by.within, duty.document))
    old = held.get(duty.overrides or duty.id)
    if old is None:
        return {**held, duty.id: new}
    kept = _replacing(old, new, names) if duty.overrides else _stricter(old, new, names)
    without = {ident: bound for ident, bound in held.items() if ident != duty.overrides}
    return {**without, kept.duty.id: kept}


def _replacing(old: BoundDuty, new: BoundDuty, names: dict[str, str]) -> BoundDuty:
    words = reasons.length(new.duty), reasons.cited(names, new.cites), reasons.cited(names, old.cites)
    return new.model_copy(update={"because": reasons.replaced(*words)})


def _stricter(old: BoundDuty, new: BoundDuty, names: dict[str, str]) -> BoundDuty:
    """The shorter of two terms for the same duty; where they are equal, the more specific level speaks."""
    before, after = _days(old.duty.within), _days(new.duty.within)
    winner, loser = (old, new) if before < after else (new, old)
    words = reasons.length(winner.duty), reasons.cited(names, winner.cites), reasons.cited(names, loser.cites)
    because = reasons.same(*words) if before == after else reasons.stricter(*words)
    return winner.model_copy(update={"because": because})


def _days(within: Within) -> int:
    return within.amount - (within.first_day is FirstDay.INCLUDED)


def _rates(levels: Sequence[Level], names: dict[str, str]) -> dict[str, BoundRate]:
    held: dict[str, BoundRate] = {}
    for level in levels:
        for ident, rate in level.pack.rates.items():
            if rate.enabled:
                cites = level.cite(rate.clause, rate.by, rate.document)
                new = BoundRate(rate=rate.model_copy(update=LEAN), cites=cites)
                held[ident] = _combined(held[ident], new, names) if ident in held else new
    return held


def _combined(old: BoundRate, new: BoundRate, names: dict[str, str]) -> BoundRate:
    """Floor and ceiling by the rule the lower level states (二(六), 五 … of the notices give the floors)."""
    before, after, combine = old.rate.amount, new.rate.amount, new.rate.combine
    keeps_old = {Combine.MAX: before > after, Combine.MIN: before < after, Combine.REPLACE: False}[combine]
    winner, loser = (old, new) if keeps_old else (new, old)
    speak = {Combine.MAX: reasons.higher, Combine.MIN: reasons.lower, Combine.REPLACE: reasons.replaced}[combine]
    if before == after and combine is not Combine.REPLACE:
        speak = reasons.same
    words = reasons.figure(winner.rate), reasons.cited(names, winner.cites), reasons.cited(names, loser.cites)
    return winner.model_copy(update={"because": speak(*words)})


def _gates(levels: Sequence[Level], asked: RulesFor) -> tuple[BoundGate, ...]:
    held: dict[str, BoundGate] = {}
    for level in levels:
        for gate in level.pack.gates:
            if gate.before.case is asked.case and applies(gate.when, asked):
                held.pop(gate.overrides or gate.id, None)
                lean = gate.model_copy(update={"proves": ()})
                held[gate.id] = BoundGate(gate=lean, cites=level.cite(gate.clause, gate.by, gate.document))
    return tuple(held.values())


def _paths(levels: Sequence[Level]) -> tuple[BoundPath, ...]:
    """What any level demands of a path holds; the most specific level that speaks of it is cited."""
    held: dict[ClaimPath, BoundPath] = {}
    for level in levels:
        for rule in level.pack.paths:
            upper = held.get(rule.path)
            cites = level.cite(rule.clause, rule.by, rule.document)
            held[rule.path] = BoundPath(rule=_united(upper.rule if upper else rule, rule), cites=cites)
    return tuple(held.values())


def _united(upper: PathRule, rule: PathRule) -> PathRule:
    """All that either demands, in the order of the upper level."""
    both = {
        "facts": tuple(dict.fromkeys((*upper.facts, *rule.facts))),
        "figures": tuple(dict.fromkeys((*upper.figures, *rule.figures))),
        "pays": tuple(dict.fromkeys((*upper.pays, *rule.pays))),
        "proves": (),
    }
    return rule.model_copy(update=both)


def _fields(levels: Sequence[Level], asked: RulesFor) -> tuple[BoundField, ...]:
    """Every field any level requires; the most specific level that does is cited."""
    held: dict[str, BoundField] = {}
    for level in levels:
        for item in level.pack.required_fields:
            if applies(item.when, asked):
                lean = item.model_copy(update={"proves": ()})
                held[item.field] = BoundField(required=lean, cites=level.cite(item.clause, item.by))
    return tuple(held.values())


def _surrender(levels: Sequence[Level], asked: RulesFor) -> Iterable[BoundSurrender]:
    """All lists that apply; a reason is lawful where every one of them has it."""
    for level in levels:
        if (rule := level.pack.surrender) and applies(rule.when, asked):
            lean = rule.model_copy(update={"proves": ()})
            yield BoundSurrender(surrender=lean, cites=level.cite(rule.clause, rule.by))


def _fees(levels: Sequence[Level]) -> Iterable[BoundFees]:
    """All levels that speak; setting aside is allowed where one allows it and none forbids it."""
    for level in levels:
        if rule := level.pack.fees:
            yield BoundFees(fees=rule.model_copy(update={"proves": ()}), cites=level.cite(rule.clause, rule.by))


def _routes(levels: Sequence[Level], asked: RulesFor) -> Iterable[BoundRoute]:
    """The most specific level first; within a level, routes for named sectors before those for all."""
    for level in reversed(levels):
        for route in sorted(level.pack.routes, key=lambda route: not route.sectors):
            if not route.sectors or asked.sector in route.sectors:
                yield BoundRoute(route=route.model_copy(update={"proves": ()}), region=level.ref.region)


@dataclass(frozen=True)
class Contradiction:
    """Two levels that cannot be stacked: which file, which entry, and why."""

    ref: PackRef
    place: tuple[str | int, ...]
    reason: str


def contradictions(levels: Sequence[Level]) -> tuple[Contradiction, ...]:
    """Everything that forbids stacking these levels, the nation first, for any case."""
    checks = (_duty_clashes, _rate_clashes, _gate_clashes)
    found: list[Contradiction] = []
    for index, level in enumerate(levels):
        found += reduce(lambda all_so_far, check: [*all_so_far, *check(level, levels[:index])], checks, [])
    return tuple(found)


def _duty_clashes(level: Level, above: Sequence[Level]) -> Iterable[Contradiction]:
    for index, duty in enumerate(level.pack.duties):
        uppers = [(upper, other) for upper in above for other in upper.pack.duties]
        if duty.overrides:
            if not any(other.id == duty.overrides for _, other in uppers):
                yield Contradiction(level.ref, ("duties", index, "overrides"), reasons.absent(duty.overrides))
            continue
        clash = next((upper for upper, other in reversed(uppers) if _clash(duty, other)), None)
        if clash:
            yield Contradiction(level.ref, ("duties", index, "id"), reasons.incomparable(duty.id, clash.name))


def _clash(duty: Duty, upper: Duty) -> bool:
    if duty.id != upper.id or not (duty.enabled and upper.enabled) or disjoint(duty.when, upper.when):
        return False
    return duty.within.unit is not upper.within.unit or set(duty.anchor) != set(upper.anchor)


def disjoint(one: When, other: When) -> bool:
    """Whether no case can fulfil both conditions."""
    lists = ((one.sectors, other.sectors), (one.sizes, other.sizes), (one.kinds, other.kinds))
    apart = [bool(a and b) and not set(a) & set(b) for a, b in lists]
    pairs = ((one.grade, other.grade), (one.out_of_area, other.out_of_area))
    return any(apart) or any(a is not None and b is not None and a is not b for a, b in pairs)


def _rate_clashes(level: Level, above: Sequence[Level]) -> Iterable[Contradiction]:
    for ident, rate in level.pack.rates.items():
        upper = next((upper for upper in reversed(above) if ident in upper.pack.rates), None)
        if upper and rate.enabled and _unlike(rate, upper.pack.rates[ident]):
            yield Contradiction(level.ref, ("rates", ident), reasons.clashing_rates(ident, upper.name))


def _unlike(rate: Rate, upper: Rate) -> bool:
    if not upper.enabled or rate.combine is Combine.REPLACE:
        return False
    return rate.base is not upper.base or {rate.combine, upper.combine} == {Combine.MAX, Combine.MIN}


def _gate_clashes(level: Level, above: Sequence[Level]) -> Iterable[Contradiction]:
    for index, gate in enumerate(level.pack.gates):
        uppers = [(upper, other) for upper in above for other in upper.pack.gates]
        if gate.overrides:
            if not any(other.id == gate.overrides for _, other in uppers):
                yield Contradiction(level.ref, ("gates", index, "overrides"), reasons.absent(gate.overrides))
            continue
        clash = next((upper for upper, other in reversed(uppers) if _other_gate(gate, other)), None)
        if clash:
            yield Contradiction(level.ref, ("gates", index, "id"), reasons.clashing_gates(gate.id, clash.name))


def _other_gate(gate: Gate, upper: Gate) -> bool:
    return gate.id == upper.id and (gate.before, gate.needs) != (upper.before, upper.needs)
