"""What a department is answered: the one duty it spoke of, never the whole case of an insurer."""

from uuid import UUID

from sqlalchemy import select

from api.admission import Admitted
from api.rows import TIMELINE
from domain.standing import SPOKEN
from models.contracts.base import Contract
from models.contracts.case import AcknowledgeDuty, AnswerDuty, PassOn, TakeOverDuty
from models.contracts.claim_state import ClaimView
from models.contracts.hazard import HazardView
from models.contracts.policy_state import DutyBrief, PolicyView
from models.contracts.vocabulary import CaseKind, ClaimStage, HazardStage, PolicyStage
from models.tables.engine import tenant

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


async def short(
    admitted: Admitted,
    view: PolicyView | HazardView | ClaimView,
    command: AcknowledgeDuty | TakeOverDuty | AnswerDuty | PassOn,
) -> DutyAnswer:
    """A case's view, fresh or stored, for a department; after a report, with what a department owes from then on."""
    meant = await _meant(admitted, view.seq) or command.duty
    return DutyAnswer(
        id=view.id,
        kind=KINDS[type(view)],
        number=view.number,
        stage=view.stage,
        stage_label=view.stage.label,
        duty=next((duty for duty in view.duties if duty.key == meant), None),
    )


async def _meant(admitted: Admitted, seq: int) -> str | None:
    """The duty that was heard, answered or passed on, as the case itself put it on record with that step."""
    asked = select(TIMELINE.c.duty_key, TIMELINE.c.data["meant"].astext.label("meant")).where(
        TIMELINE.c.case_id == admitted.case.id, TIMELINE.c.seq == seq, TIMELINE.c.event.in_(SPOKEN)
    )
    async with admitted.tools.engine.begin() as connection:
        await tenant(connection, admitted.case.insurer_id)
        row = (await connection.execute(asked.order_by(TIMELINE.c.line).limit(1))).one_or_none()
    return (row.meant or row.duty_key) if row else None
