"""What a department is answered: the one duty it spoke of, never the whole case of an insurer."""

from uuid import UUID

from domain.routing import is_department
from models.contracts.base import Contract
from models.contracts.case import AcknowledgeDuty, AnswerDuty, PassOn, TakeOverDuty
from models.contracts.claim_state import ClaimView
from models.contracts.hazard import HazardView
from models.contracts.policy_state import DutyBrief, PolicyView
from models.contracts.vocabulary import CaseKind, ClaimStage, HazardStage, PolicyStage

KINDS: dict[type[Contract], CaseKind] = {
    PolicyView: CaseKind.POLICY,
    HazardView: CaseKind.HAZARD,
    ClaimView: CaseKind.CLAIM,
}


class DutyAnswer(Contract):
    """The case in one line and the duty as it stands now; `duty` is null once it is met or has ended."""

    id: UUID
    kind: CaseKind
    number: str
    stage: PolicyStage | HazardStage | ClaimStage
    stage_label: str
    duty: DutyBrief | None = None


def short(
    view: PolicyView | HazardView | ClaimView, command: AcknowledgeDuty | TakeOverDuty | AnswerDuty | PassOn
) -> DutyAnswer:
    """A case's view, fresh or stored, for a department; after a report, with what a department owes from then on."""
    return DutyAnswer(
        id=view.id,
        kind=KINDS[type(view)],
        number=view.number,
        stage=view.stage,
        stage_label=view.stage.label,
        duty=_standing(view.duties, command.duty),
    )


def _standing(duties: tuple[DutyBrief, ...], key: str) -> DutyBrief | None:
    named = next((duty for duty in duties if duty.key == key), None)
    return named or next((duty for duty in duties if is_department(duty.owed_by)), None)
