"""The rules and the clock of a case from its row, as the case itself has them, or under other documents; reads only."""

from api.duties import question_of
from api.tools import Rules
from domain.claim.contract_terms import with_terms
from domain.notices import CaseFacts
from models.contracts.calendar import WorkCalendar
from models.contracts.claim_terms import ClaimTerms
from models.contracts.clock import Clock
from models.contracts.rulebook import PackRef, Rulebook
from models.contracts.vocabulary import CaseKind
from models.tables.cases import Case


def packs_of(case: Case) -> tuple[PackRef, ...]:
    return tuple(PackRef.model_validate(ref) for ref in case.packs)


def resolved(library: Rules, case: Case, packs: tuple[PackRef, ...] | None = None) -> Rulebook:
    """The rulebook as the documents give it, of the pinned packs where no others are named. Raises UnknownPack."""
    asked = question_of(case)
    return library.resolve(asked if packs is None else asked.model_copy(update={"packs": packs})).rulebook


def obeyed(case: Case, rulebook: Rulebook) -> Rulebook:
    """The rulebook as the case obeys it: a claim with the terms of its contract."""
    if case.kind is not CaseKind.CLAIM:
        return rulebook
    return with_terms(rulebook, ClaimTerms.model_validate(case.view.get("terms") or {}))


def facts_of(library: Rules, case: Case) -> CaseFacts:
    """The case under its own rules, with the calendar years it counts with. Raises UnknownPack."""
    known = tuple(year for year in library.calendar().years if year.year <= case.calendar_through)
    return CaseFacts(
        case_id=case.id,
        region=case.region,
        sector=case.sector,
        rulebook=obeyed(case, resolved(library, case)),
        calendar=WorkCalendar(years=known),
        clock=Clock.model_validate(case.clock),
    )
