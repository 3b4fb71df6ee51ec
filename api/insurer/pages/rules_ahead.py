"""Which terms a policy would have before it is opened: duties, days, clauses by place, sector, size and dates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError

from api.tools import Tools
from domain.calendar import local_date, noon
from domain.rehearsal import Books, Rehearsal, rehearse
from domain.retelling import Fact
from domain.wording import citation, place_line, plain_day
from models.contracts.base import FactDate, FactInstant, Region
from models.contracts.clock import Projection
from models.contracts.rulebook import BoundDuty, Rulebook, RulesFor
from models.contracts.vocabulary import By, CaseKind, Event, PolicyField, PolicyKind, Role, Sector, Size

REGION, SIGNED, DAY = TypeAdapter(Region), TypeAdapter(FactInstant), TypeAdapter(FactDate)


@dataclass(frozen=True)
class DutyAhead:
    """One term that would run, and until when."""

    label: str
    owed_by: Role
    due: str
    on: date | None
    provisional: bool
    cites: str
    by: By


@dataclass(frozen=True)
class Ahead:
    """What would apply: the documents, the terms with their days, and what the contract must say."""

    place: str
    documents: tuple[str, ...]
    duties: tuple[DutyAhead, ...]
    required: tuple[tuple[PolicyField, str], ...]


def ahead(tools: Tools, terms: Mapping[str, Any]) -> Ahead | None:
    """The rules for what was filled in so far, `None` until place, sector and size are known.

    Days not filled in are taken as today: the terms can be seen before the contract is complete.
    """
    asked = _asked(tools, terms)
    if asked is None:
        return None
    resolved = tools.rules.resolve(asked)
    books = Books(resolved.rulebook, {}, resolved.calendar)
    facts = tuple(_facts(terms, asked.on))
    told = rehearse(books, facts, max(local_date(fact.at) for fact in facts[:2]))
    return Ahead(
        place=place_line(asked.region, asked.sector, asked.size),
        documents=tuple(dict.fromkeys(bound.cites.number for bound in resolved.rulebook.duties)),
        duties=tuple(sorted(_duties(resolved.rulebook, told), key=lambda one: (one.on is None, one.on or asked.on))),
        required=tuple((one.required.field, citation(one.cites)) for one in resolved.rulebook.required_fields),
    )


def _asked(tools: Tools, terms: Mapping[str, Any]) -> RulesFor | None:
    try:
        return RulesFor(
            region=REGION.validate_python(terms.get("region")),
            sector=Sector(terms.get("sector", "")),
            size=Size(terms.get("size", "")),
            on=_signed(tools, terms),
            case=CaseKind.POLICY,
            out_of_area=terms.get("out_of_area") is True,
            kind=PolicyKind(terms.get("kind") or PolicyKind.ANNUAL),
        )
    except (ValidationError, ValueError):
        return None


def _signed(tools: Tools, terms: Mapping[str, Any]) -> date:
    return local_date(_read(SIGNED, terms.get("signed_at"), tools.now()))


def _read(kind: TypeAdapter[Any], value: object, otherwise: Any) -> Any:
    try:
        return kind.validate_python(value) if value else otherwise
    except ValidationError:
        return otherwise


def _facts(terms: Mapping[str, Any], signed: date) -> Iterator[Fact]:
    """The signing, the day the contract takes effect, and its last day where it is known."""
    yield Fact(Event.POLICY_SIGNED, noon(signed))
    effective: date = _read(DAY, terms.get("effective_on"), signed)
    yield Fact(Event.POLICY_EFFECTIVE, noon(effective))
    expires: date | None = _read(DAY, terms.get("expires_on"), None)
    if expires:
        yield Fact(Event.POLICY_EXPIRES, noon(expires))


def _duties(rulebook: Rulebook, told: Rehearsal) -> Iterator[DutyAhead]:
    due = told.due
    for bound in rulebook.duties:
        if bound.duty.id in due:
            yield _duty(bound, due[bound.duty.id])


def _duty(bound: BoundDuty, term: Projection) -> DutyAhead:
    return DutyAhead(
        label=bound.duty.label,
        owed_by=bound.duty.owed_by,
        due=plain_day(term.effective) if term.effective else "",
        on=term.effective,
        provisional=term.provisional,
        cites=citation(bound.cites),
        by=bound.cites.by,
    )
