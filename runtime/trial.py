"""Puts a place and events to library and rehearsal and compares with what an example expects; prints nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from domain.calendar import local_date
from domain.claim.contract_terms import with_terms
from domain.rehearsal import Books, Fact, Misplaced, Rehearsal, rehearse
from domain.routing import departments, is_department
from models.contracts.claim_terms import ClaimTerms
from models.contracts.clock import Projection
from models.contracts.pack import HUMAN_QUEUE
from models.contracts.rulebook import BoundDuty, Rulebook, RulesFor
from models.contracts.vocabulary import CaseKind, Event, HazardGrade, PolicyKind, Role, Sector, Size
from rules.examples import Example, Expected, Given, Occurrence
from rules.library import Library
from runtime import path_trial

NOTHING_AGREED = ClaimTerms()
Told = dict[date, dict[str, tuple[Role, ...]]]


@dataclass(frozen=True)
class Situation:
    """The place and kind of business whose rules are asked for, on a day."""

    region: str
    sector: Sector
    size: Size
    on: date
    out_of_area: bool = False
    terms: ClaimTerms = NOTHING_AGREED
    """Figures of the contract; claim duties whose length is not agreed do not arise."""
    kind: PolicyKind = PolicyKind.ANNUAL


def books(library: Library, situation: Situation) -> Books:
    """The rulebooks of the policy, of hazards and claims under it, pinned as they would be on that day."""
    asked = RulesFor(
        region=situation.region,
        sector=situation.sector,
        size=situation.size,
        on=situation.on,
        case=CaseKind.POLICY,
        out_of_area=situation.out_of_area,
        kind=situation.kind,
    )
    policy = library.resolve(asked)
    pinned = asked.model_copy(update={"packs": policy.rulebook.packs})
    hazards = {grade: _companion(library, pinned, CaseKind.HAZARD, grade) for grade in HazardGrade}
    claim = with_terms(_companion(library, pinned, CaseKind.CLAIM), situation.terms)
    return Books(policy.rulebook, hazards, policy.calendar, claim)


def claim_book(library: Library, situation: Situation) -> Rulebook:
    """What claims obey there, with the duties whose length only a contract gives."""
    held = books(library, situation).policy
    asked = RulesFor(
        region=held.region, sector=held.sector, size=held.size, on=situation.on, case=CaseKind.CLAIM, packs=held.packs
    )
    return _companion(library, asked, CaseKind.CLAIM)


def _companion(library: Library, pinned: RulesFor, case: CaseKind, grade: HazardGrade | None = None) -> Rulebook:
    """What a case beside the policy obeys; nothing where no notice is known."""
    if not pinned.packs:
        return Rulebook(packs=(), region=pinned.region, sector=pinned.sector, size=pinned.size)
    return library.resolve(pinned.model_copy(update={"case": case, "grade": grade})).rulebook


def facts(events: Mapping[Event, Iterable[Occurrence]]) -> tuple[Fact, ...]:
    return tuple(_fact(event, one) for event, occurrences in events.items() for one in occurrences)


def _fact(event: Event, one: Occurrence) -> Fact:
    return Fact(
        event,
        one.on,
        major=one.major,
        due=one.due,
        number=one.number,
        duty=one.duty,
        role=one.role,
        days=one.days,
        until=one.until,
        documents_complete=one.documents_complete,
        covered=one.covered,
    )


def signed_on(events: Mapping[Event, Iterable[Occurrence]]) -> date:
    """The day whose packs hold: signing, else the first event known."""
    signing = list(events.get(Event.POLICY_SIGNED, ()))
    instants: list[datetime] = [one.on for one in signing or [one for many in events.values() for one in many]]
    return local_date(min(instants))


def rungs_to(bound: BoundDuty, rulebook: Rulebook) -> tuple[str, ...]:
    """The departments the rungs of a duty reach, as the notice names them; human_queue where it names nobody."""
    roles = dict.fromkeys(role for rung in bound.duty.ladder for role in rung.tell if is_department(role))
    return tuple(dict.fromkeys(first_department(rulebook, role) for role in roles))


def first_department(rulebook: Rulebook, role: Role) -> str:
    found = departments(rulebook, role, rulebook.region, rulebook.sector)
    return found[0][1] if found else HUMAN_QUEUE


def found_duty(held: Books, duty: str, first: Rulebook | None = None) -> tuple[BoundDuty, Rulebook] | None:
    """A duty of the policy or of a hazard or claim under it, with the rulebook it stands in."""
    companions = (held.hazards[HazardGrade.MAJOR], *held.hazards.values(), *((held.claim,) if held.claim else ()))
    shelf = (*((first,) if first else ()), held.policy, *companions)
    return next(((bound, book) for book in shelf for bound in book.duties if bound.duty.id == duty), None)


@dataclass
class Outcome:
    """How one example ended: what was expected, what came, and each difference in a sentence."""

    example: Example
    actual: dict[str, Any] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.differences

    @property
    def expected(self) -> dict[str, Any]:
        told = {
            str(day): {duty: _words(roles) for duty, roles in duties.items()}
            for day, duties in sorted(self.example.told.items())
        }
        due = {
            duty: term.model_dump(mode="json", exclude_unset=True) if term else None
            for duty, term in self.example.due.items()
        }
        path = {"path": self.example.path.model_dump(mode="json")} if self.example.path else {}
        to = {duty: sorted(names) for duty, names in self.example.to.items()}
        return {"due": due, "told": told, "to": to, **path}


def tried(library: Library, example: Example) -> Outcome:
    """Run one example and compare it; a wrong event order or an unknown duty is a difference too."""
    outcome = Outcome(example)
    given = example.given
    on = signed_on(given.events)
    place = given.region, given.sector, given.size
    situation = Situation(*place, on, given.out_of_area, given.agreed.terms, given.kind)
    held = books(library, situation)
    known = {duty.id for pack in library.packs() for duty in pack.pack.duties}
    outcome.differences += [f"没有名为 {duty} 的义务" for duty in sorted(example.duties - known)]
    if not held.policy.packs:
        outcome.differences.append(f"{given.region} 在 {situation.on} 没有已施行的规则包")
        return outcome
    try:
        rehearsed = rehearse(held, facts(given.events), given.until)
    except Misplaced as misplaced:
        outcome.differences.append(str(misplaced))
        return outcome
    _compare_due(outcome, rehearsed.due)
    _compare_told(outcome, _fired(rehearsed, given))
    _compare_to(outcome, held, rehearsed)
    if example.path and held.claim:
        came = path_trial.taken(given, held.claim, held.calendar)
        outcome.actual["path"] = came
        outcome.differences += path_trial.differences(example.path, came)
    return outcome


def _fired(rehearsed: Rehearsal, given: Given) -> Told:
    fired: Told = {}
    for told in rehearsed.told:
        day = fired.setdefault(told.on, {})
        day[told.duty] = tuple(dict.fromkeys((*day.get(told.duty, ()), *told.tell)))
    return {day: duties for day, duties in fired.items() if day <= given.until}


def _compare_due(outcome: Outcome, due: Mapping[str, Projection]) -> None:
    outcome.actual["due"] = {}
    for duty, expected in outcome.example.due.items():
        actual = due.get(duty)
        outcome.actual["due"][duty] = actual.model_dump(mode="json") if actual else None
        if expected is None and actual:
            outcome.differences.append(f"{duty}：不应产生，实际 {actual.nominal} 到期")
        elif expected and actual is None:
            outcome.differences.append(f"{duty}：应有期限，实际未产生（检查起算事件和适用条件）")
        elif expected and actual:
            outcome.differences += _unlike(duty, expected, actual)


LABELS = {"nominal": "末日", "effective": "顺延后末日", "due_at": "到期时刻", "provisional": "暂定"}


def _unlike(duty: str, expected: Expected, actual: Projection) -> list[str]:
    found = []
    for name in sorted(expected.model_fields_set):
        wanted, came = getattr(expected, name), getattr(actual, name)
        if wanted != came:
            found.append(f"{duty}：{LABELS[name]}应为 {_said(wanted)}，实际为 {_said(came)}")
    return found


def _said(value: object) -> str:
    if value is None:
        return "无"
    return {True: "是", False: "否"}[value] if isinstance(value, bool) else str(value)


def _compare_told(outcome: Outcome, fired: Told) -> None:
    example = outcome.example
    named = {duty for duties in example.told.values() for duty in duties}
    outcome.actual["told"] = {
        str(day): told
        for day, duties in sorted(fired.items())
        if (told := {duty: _words(roles) for duty, roles in duties.items() if duty in named})
    }
    for day in sorted({*example.told, *fired}):
        for duty in sorted(named):
            wanted, came = (_words(told.get(day, {}).get(duty, ())) for told in (example.told, fired))
            if wanted != came:
                outcome.differences.append(f"{day} {duty}：应告知 {_list(wanted)}，实际告知 {_list(came)}")


def _compare_to(outcome: Outcome, held: Books, rehearsed: Rehearsal) -> None:
    outcome.actual["to"] = {}
    for duty, names in outcome.example.to.items():
        life = next((one for one in reversed(rehearsed.lives) if any(d.duty == duty for d in one.clock.duties)), None)
        found = found_duty(held, duty, life.rulebook if life else None)
        came = sorted(rungs_to(*found)) if found else []
        outcome.actual["to"][duty] = came
        if sorted(set(names)) != came:
            outcome.differences.append(f"{duty}：应送达 {_list(sorted(set(names)))}，实际送达 {_list(came)}")


def _words(roles: Iterable[Role]) -> list[str]:
    return sorted({role.value for role in roles})


def _list(words: Iterable[str]) -> str:
    return "、".join(words) or "无人"
