"""How a policy is shown: the view that answers commands and the row that lists read."""

from decimal import ROUND_CEILING, Decimal
from typing import Any

from domain import duties
from domain.calendar import local_date
from domain.policy.life import CLOSED_HAZARD, next_alarm
from domain.rows import standing
from models.contracts.policy_state import PolicyState, PolicyView
from models.contracts.step import CaseRow
from models.contracts.vocabulary import CaseKind

CENT = Decimal("0.01")
LATEST = 12
"""How many ratings a view shows; all are in the timeline."""


def spend_floor(state: PolicyState) -> Decimal | None:
    """The least that is to be spent on prevention, in yuan, where the place sets a share of the premium.

    A fraction of a fen counts as one: less would be below the share (不得低于).
    """
    floor = state.rulebook.rates.get("prevention_spend_floor")
    return (state.terms.premium_total * floor.rate.amount).quantize(CENT, ROUND_CEILING) if floor else None


def view(state: PolicyState) -> PolicyView:
    terms, open_duties = state.terms, duties.briefs(state)
    return PolicyView(
        id=state.birth.case_id,
        number=terms.number,
        stage=state.stage,
        seq=state.seq,
        region=terms.region,
        sector=terms.sector,
        size=terms.size,
        insured_name=state.insured_name,
        signed_at=terms.signed_at,
        effective_on=terms.effective_on,
        expires_on=terms.expires_on,
        duties=open_duties,
        hazards=state.hazards,
        ratings=state.ratings[: -LATEST - 1 : -1],
        provider_name=state.provider_name,
        provider_id=state.provider_id,
        spent=state.spent,
        provided=state.provided,
        spend_floor=spend_floor(state),
        rate_review=state.rate_review,
        provisional=any(brief.provisional for brief in open_duties),
        packs=state.rulebook.packs,
    )


def row(state: PolicyState, answer: PolicyView, shown: dict[str, Any]) -> CaseRow:
    """The read model after a step; `shown` is the answer as JSON, kept once more with all terms of the contract."""
    terms = state.terms
    return CaseRow(
        **standing(state, answer.duties, next_alarm(state)),
        kind=CaseKind.POLICY,
        number=terms.number,
        region=terms.region,
        sector=terms.sector,
        size=terms.size,
        insured_id=state.insured_id,
        insured_name=state.insured_name,
        signed_on=local_date(terms.signed_at),
        effective_on=terms.effective_on,
        expires_on=terms.expires_on,
        rate_review=state.rate_review,
        open_hazards=sum(brief.stage not in CLOSED_HAZARD for brief in state.hazards),
        ended_at=state.ended_at,
        view={**shown, "terms": terms.model_dump(mode="json")},
    )
