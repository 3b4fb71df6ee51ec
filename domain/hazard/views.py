"""How a hazard is shown: the view that answers commands and the row that lists read."""

from typing import Any

from domain import duties
from domain.hazard.asking import asked_time
from domain.hazard.life import next_alarm
from domain.rows import of_policy, standing
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
    birth = state.birth
    return CaseRow(
        **standing(state, answer.duties, next_alarm(state)),
        **of_policy(birth),
        kind=CaseKind.HAZARD,
        number=birth.hazard.number,
        rate_review=state.refused,
        ended_at=state.ended_at,
        view=shown,
    )
