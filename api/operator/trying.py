"""Who would be told now of every duty of a place, sector and size, at each rung, with the clause; sends nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from api.operator.coverage import Pair, Seat, first_registered
from api.tools import Rules
from domain.ladder import expanded
from domain.routing import departments, is_department
from models.contracts.rulebook import BoundDuty, Rulebook, RulesFor
from models.contracts.vocabulary import By, CaseKind, HazardGrade, NoticeKind, Role, Sector, Size
from rules.reading import moment_text, term


@dataclass(frozen=True)
class Where:
    """The place and kind of business that is asked about."""

    region: str
    sector: Sector
    size: Size


@dataclass(frozen=True)
class Told:
    """One role of a rung: a party of the case, a registered department, or somebody who is missing."""

    role: Role
    seat: Seat | None = None
    missing: Pair | None = None
    """The office the documents name first, where nobody of them is registered."""

    @property
    def party(self) -> bool:
        return not is_department(self.role)


@dataclass(frozen=True)
class Rung:
    moment: str
    notice: NoticeKind
    told: tuple[Told, ...]


@dataclass(frozen=True)
class Tried:
    """One duty as a case signed today would obey it."""

    id: str
    label: str
    case: CaseKind
    grade: HazardGrade | None
    owed_by: Role
    term: str
    number: str
    clause: str
    by: By
    because: str
    rungs: tuple[Rung, ...]

    @property
    def lacking(self) -> bool:
        """Whether a rung tells a department that nobody has registered."""
        return any(told.missing for rung in self.rungs for told in rung.told)


def tried(rules: Rules, where: Where, registered: Mapping[Pair, Seat], on: date) -> list[Tried]:
    """Policy, hazards of both grades, claim; a duty that is alike for both grades is shown once."""
    found: dict[tuple[str, tuple[Rung, ...]], Tried] = {}
    for case, grade in _kinds():
        asked = RulesFor(region=where.region, sector=where.sector, size=where.size, on=on, case=case, grade=grade)
        rulebook = rules.resolve(asked).rulebook
        for one in _duties(rulebook, case, grade, registered):
            key = (one.id + one.term, one.rungs)
            known = found.get(key)
            found[key] = one if known is None else _ungraded(known)
    return list(found.values())


def _kinds() -> Iterator[tuple[CaseKind, HazardGrade | None]]:
    yield CaseKind.POLICY, None
    yield from ((CaseKind.HAZARD, grade) for grade in HazardGrade)
    yield CaseKind.CLAIM, None


def _ungraded(one: Tried) -> Tried:
    return Tried(**{**one.__dict__, "grade": None})


def _duties(
    rulebook: Rulebook, case: CaseKind, grade: HazardGrade | None, registered: Mapping[Pair, Seat]
) -> Iterator[Tried]:
    for bound in rulebook.duties:
        duty = bound.duty
        if duty.case is not case:
            continue
        yield Tried(
            id=duty.id,
            label=duty.label,
            case=case,
            grade=grade,
            owed_by=duty.owed_by,
            term=term(duty),
            number=bound.cites.number,
            clause=bound.cites.clause,
            by=bound.cites.by,
            because=bound.because,
            rungs=tuple(_rungs(bound, rulebook, registered)),
        )


def _rungs(bound: BoundDuty, rulebook: Rulebook, registered: Mapping[Pair, Seat]) -> Iterator[Rung]:
    for moment, rung, _ in expanded(bound.duty):
        told = tuple(_told(role, rulebook, registered) for role in rung.tell)
        yield Rung(moment_text(moment), rung.notice, told)


def _told(role: Role, rulebook: Rulebook, registered: Mapping[Pair, Seat]) -> Told:
    if not is_department(role):
        return Told(role)
    candidates = departments(rulebook, role, rulebook.region, rulebook.sector)
    seat = first_registered(candidates, registered)
    return Told(role, seat, candidates[0] if candidates and seat is None else None)
