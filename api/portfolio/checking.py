"""Looks at rows without sending them: the API's own contract and what the place requires; nothing is changed."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError

from api.portfolio.columns import TITLES
from api.portfolio.reading import Fault
from api.reasons import reason_of
from api.shapes import PolicyApplication
from api.tools import Rules
from domain.policy.refusals import refuse_opening, rules_for
from domain.wording import with_clause
from models.contracts import ids
from models.contracts.policy import OpenPolicy


def contract_faults(body: Mapping[str, Any]) -> tuple[PolicyApplication | None, tuple[Fault, ...]]:
    """The application as the API would read it, or every field it would refuse."""
    try:
        return PolicyApplication.model_validate(body), ()
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_input=False)
        return None, tuple(Fault(_column(one["loc"]), reason_of(one, on_page=True)) for one in found)


def rule_faults(rules: Rules, application: PolicyApplication, today: date) -> tuple[Fault, ...]:
    """What the rules of its place and day would refuse, with the clause."""
    command = OpenPolicy(
        terms=application.terms,
        insured_id=ids.HUMAN_QUEUE,  # any id will do: no rule looks at it
        insured_name=application.insured.name,
        facts=application.facts,
    )
    refusal = refuse_opening(rules.resolve(rules_for(application.terms)).rulebook, command, today)
    return (Fault("", with_clause(refusal.says, refusal.clause)),) if refusal else ()


def _column(location: tuple[int | str, ...]) -> str:
    """The column a field came from; the row as a whole where it is about several."""
    path = ".".join(str(part) for part in location if isinstance(part, str))
    return TITLES.get(path) or TITLES.get(path.partition(".")[0], "")
