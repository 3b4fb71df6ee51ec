"""How a hazard is shown: the view that answers commands and the row that lists read."""

from typing import Any

from domain import duties
from domain.hazard.asking import asked_time
from domain.hazard.life import next_alarm
from domain.policy.views import first_due
from models.contracts.hazard import HazardState, HazardView
from models.contracts.step import CaseRow
from models.contracts.vocabulary import CaseKind


def view(state: HazardState) -> HazardView:
    birth, open_duties = state.birth, duties.briefs(state)
    return HazardView(
        id=birth.case_id,
        policy_id=birth.policy_id,
        number=birth.hazard.number,
        policy_number=birth.policy_number,
        grade=birth.hazard.grade,
        stage=state.stage,
        seq=state.seq,
        description=birth.hazard.description,
        place=birth.hazard.place,
        criterion=birth.hazard.criterion,
        found_on=birth.found_on,
        rounds=state.rounds,
        refused=state.refused,
        objection=state.objection,
        more_time=asked_time(state),
        insured_name=birth.insured_name,
        region=birth.region,
        sector=birth.sector,
        duties=open_duties,
        provisional=any(brief.provisional for brief in open_duties),
        packs=state.rulebook.packs,
    )


def row(state: HazardState, answer: HazardView, shown: dict[str, Any]) -> CaseRow:
    """The read model after a step."""
    birth, first = state.birth, first_due(answer.duties)
    return CaseRow(
        case_id=birth.case_id,
        kind=CaseKind.HAZARD,
        insurer_id=birth.insurer_id,
        workflow_id=birth.workflow_id,
        parent_id=birth.policy_id,
        number=birth.hazard.number,
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
        rate_review=state.refused,
        ended_at=state.ended_at,
        packs=state.rulebook.packs,
        calendar_through=state.calendar.through,
        clock=state.clock,
        view=shown,
    )
