"""The past of a policy as it is entered: its contract's dates, then what happened, in order; no duty is known here."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from domain.calendar import local_date, noon
from domain.clock import YEARS
from domain.decision import fact_instant
from domain.policy.years import year_on, year_start
from models.contracts.policy import OpenPolicy, PastFact
from models.contracts.policy_terms import Terms
from models.contracts.step import Happening
from models.contracts.vocabulary import Event


def year_begins(services_per_year: int | None, at: datetime) -> tuple[Happening, ...]:
    """A policy year, and a year of the contract's services where it says how many."""
    contract = (Happening(event=Event.CONTRACT_YEAR_STARTED, at=at),) if services_per_year else ()
    return (Happening(event=Event.POLICY_YEAR_STARTED, at=at), *contract)


def history(command: OpenPolicy, now: datetime) -> list[Happening]:
    """The dates of the contract, as a policy entered at signing knows them; then the past.

    A later year has begun before anything else of its first day.
    """
    terms = command.terms
    known = [
        Happening(event=Event.POLICY_SIGNED, at=terms.signed_at, said=f"保单 {terms.number} 签署"),
        Happening(event=Event.POLICY_EXPIRES, at=noon(terms.expires_on)),
        Happening(event=Event.POLICY_EFFECTIVE, at=noon(terms.effective_on)),
        *year_begins(terms.services_per_year, noon(terms.effective_on)),
    ]
    past = [*_later_years(terms, now), *_facts(command, now)]
    return known + sorted(past, key=lambda one: (local_date(one.at), one.event not in YEARS, one.at))


def on_record(happened: Iterable[Happening]) -> tuple[Happening, ...]:
    """What stands in the timeline, by its instant; the end of cover has not come yet."""
    told = (one for one in happened if one.event is not Event.POLICY_EXPIRES)
    return tuple(sorted(told, key=lambda one: one.at))


def tallies(command: OpenPolicy, year: int) -> dict[str, int]:
    """How many services of the policy year that runs, and of the one before it, are among the facts."""
    held = Counter(year_on(command.terms.effective_on, fact.on) for fact in _visits(command))
    return {"visits_this_year": held[year], "visits_last_year": held[year - 1]}


def _later_years(terms: Terms, now: datetime) -> list[Happening]:
    found: list[Happening] = []
    year = 2
    while (started := year_start(terms.effective_on, year)) <= local_date(now):
        found += year_begins(terms.services_per_year, noon(started))
        year += 1
    return found


def _facts(command: OpenPolicy, now: datetime) -> list[Happening]:
    """The facts that were given, with what a service brings with it; on the day of signing nothing came before it."""
    signed = command.terms.signed_at
    told = {fact.event for fact in command.facts}
    found = [
        Happening(event=fact.event, at=max(fact_instant(fact.on, now), signed), said="补录既往事实")
        for fact in command.facts
    ]
    for event, fact in _brought(command):
        if event not in told:
            found.append(Happening(event=event, at=max(fact_instant(fact.on, now), signed)))
    return found


def _brought(command: OpenPolicy) -> list[tuple[Event, PastFact]]:
    """The first service under the contract in effect, and in each year the one that makes up the contract's number."""
    effective, often = command.terms.effective_on, command.terms.services_per_year
    held = Counter[int]()
    found: list[tuple[Event, PastFact]] = []
    for fact in _visits(command):
        year = year_on(effective, fact.on)
        held[year] += 1
        if held[year] == often:
            found.append((Event.CONTRACT_SERVICES_DONE, fact))
    first = next((fact for fact in _visits(command) if fact.on >= effective), None)
    return found + ([(Event.FIRST_SERVICE_DONE, first)] if first else [])


def _visits(command: OpenPolicy) -> list[PastFact]:
    return sorted((fact for fact in command.facts if fact.event is Event.VISIT_RECORDED), key=lambda fact: fact.on)
