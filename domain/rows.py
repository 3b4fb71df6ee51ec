"""What the read model of every kind of case has in common; what only one kind has is in its own views."""

from datetime import datetime
from typing import Any

from domain import duties
from domain.notices import Case
from models.contracts.claim import ClaimBirth
from models.contracts.hazard import HazardBirth
from models.contracts.policy_state import DutyBrief


def standing(state: Case, open_duties: tuple[DutyBrief, ...], alarm: datetime | None) -> dict[str, Any]:
    """How the case stands: its stage, what falls due next, when it rings, and the clock behind it."""
    first = duties.first_due(open_duties)
    return {
        "case_id": state.birth.case_id,
        "insurer_id": state.birth.insurer_id,
        "workflow_id": state.birth.workflow_id,
        "stage": state.stage.value,
        "next_duty": first.key if first else None,
        "next_due_at": first.due_at if first else None,
        "next_alarm_at": alarm,
        "provisional": any(brief.provisional for brief in open_duties),
        "packs": state.rulebook.packs,
        "calendar_through": state.calendar.through,
        "clock": state.clock,
        "lives_on": _living_on(state),
    }


def _living_on(state: Case) -> dict[str, str]:
    closed = (running.key for running in state.clock.duties if not running.is_open)
    meant = ((key, duties.spoken_of(state, key)) for key in closed)
    return {key: following for key, following in meant if following != key}


def of_policy(birth: HazardBirth | ClaimBirth) -> dict[str, Any]:
    """What a companion shows of its policy."""
    shared = ["region", "sector", "size", "insured_id", "insured_name", "signed_on", "effective_on", "expires_on"]
    return {"parent_id": birth.policy_id, **{name: getattr(birth, name) for name in shared}}
