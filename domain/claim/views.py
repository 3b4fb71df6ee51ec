"""How a claim is shown: the view that answers commands and the row that lists read."""

from typing import Any

from domain import duties
from domain.claim import money
from domain.claim.life import next_alarm
from domain.claim_paths import registry
from domain.policy.views import first_due
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
    birth, first = state.birth, first_due(answer.duties)
    return CaseRow(
        case_id=birth.case_id,
        kind=CaseKind.CLAIM,
        insurer_id=birth.insurer_id,
        workflow_id=birth.workflow_id,
        parent_id=birth.policy_id,
        number=birth.number,
        region=birth.region,
        sector=birth.sector,
        size=birth.size,
        stage=state.stage.value,
        insured_id=birth.insured_id,
        insured_name=birth.insured_name,
        signed_on=birth.signed_on,
        effective_on=birth.effective_on,
        expires_on=birth.expires_on,
        next_duty=first.key if first else None,
        next_due_at=first.due_at if first else None,
        next_alarm_at=next_alarm(state),
        provisional=answer.provisional,
        ended_at=state.ended_at or state.closed_at,
        packs=state.rulebook.packs,
        calendar_through=state.calendar.through,
        clock=state.clock,
        view=shown,
    )
