"""How a claim is shown: the view that answers commands and the row that lists read."""

from typing import Any

from domain import duties
from domain.claim import money
from domain.claim.life import next_alarm
from domain.claim_paths import registry
from domain.rows import of_policy, standing
from models.contracts.claim_state import ClaimState, ClaimView
from models.contracts.step import CaseRow
from models.contracts.vocabulary import CaseKind


def view(state: ClaimState) -> ClaimView:
    birth, open_duties = state.birth, duties.briefs(state)
    return ClaimView(
        id=birth.case_id,
        policy_id=birth.policy_id,
        number=birth.number,
        policy_number=birth.policy_number,
        stage=state.stage,
        seq=state.seq,
        path=state.path,
        paths=state.paths,
        choices=registry.choices(state),
        allowances=registry.allowances(state),
        grade=state.grade,
        grade_because=state.grade_because,
        accident=state.accident,
        accident_number=state.accident_number,
        reported_on=state.reported_on,
        documents_complete=state.documents_complete,
        asked=state.asked,
        facts_true=state.facts_true,
        liability_clear=state.liability_clear,
        covered=state.covered,
        agreed=state.agreed,
        losses=state.losses,
        payments=state.payments,
        money=money.totals(state),
        limits=state.limits,
        limits_unknown=state.limits.unknown,
        terms=birth.terms,
        insured_name=birth.insured_name,
        region=birth.region,
        sector=birth.sector,
        duties=open_duties,
        provisional=any(brief.provisional for brief in open_duties),
        packs=state.rulebook.packs,
    )


def row(state: ClaimState, answer: ClaimView, shown: dict[str, Any]) -> CaseRow:
    """The read model after a step; a closed claim counts as ended though it can still be reopened."""
    birth = state.birth
    return CaseRow(
        **standing(state, answer.duties, next_alarm(state)),
        **of_policy(birth),
        kind=CaseKind.CLAIM,
        number=birth.number,
        ended_at=state.ended_at or state.closed_at,
        view=shown,
    )
