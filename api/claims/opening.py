"""Opening a claim under a policy: what it is born with is read from the policy's row, whether or not that one lives."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Response
from sqlalchemy import Row, select

from api.claims.doors import TAG, report
from api.claims.rules import in_force, together
from api.doors import answered, example
from api.gateway import open_claim
from api.insurer.opening import CREATED, Opening, opening
from api.reads import case_row
from api.rows import CASES, STEPS, TIMELINE
from domain.calendar import local_date
from models.contracts import ids
from models.contracts.base import Given
from models.contracts.claim import ClaimBirth, ReportClaim
from models.contracts.claim_state import ClaimView
from models.contracts.claim_terms import Limits
from models.contracts.policy_terms import Terms
from models.contracts.vocabulary import CaseKind, Event


def add(router: APIRouter, today: date) -> None:
    """The route; its example is an accident of the day before `today`."""
    shown = Body(openapi_examples=example(report(today)))

    async def claim_open(
        opened: Annotated[Opening, Depends(opening)], policy_id: UUID, command: Annotated[ReportClaim, shown]
    ) -> Response:
        view, replayed = await opened_claim(opened, policy_id, command)
        return answered(view, replayed=replayed, status=CREATED)

    router.add_api_route(
        "/policies/{policy_id:uuid}/claims",
        claim_open,
        methods=["POST"],
        status_code=CREATED,
        response_model=ClaimView,
        summary="报案 / Report a claim under a policy",
        description="同一赔案号重复提交得到同一赔案；赔案在保单终止后继续。 / The same number gives the same claim.",
        operation_id="claim_open",
        tags=[TAG],
    )


async def opened_claim(opened: Opening, policy_id: UUID, command: ReportClaim) -> tuple[ClaimView, bool]:
    """End the transaction and open the claim; the flag tells a repeated answer. Raises Problem."""
    if opened.stored and not opened.stored.is_young:
        return ClaimView.model_validate(opened.stored.answer), True
    policy = await case_row(opened.entry, policy_id, CaseKind.POLICY)
    recorded, born = await _on_record(opened, command.number)
    birth = born or await _birth(opened, policy, command)
    await opened.leave()
    made = opened.attempt
    given = Given[ReportClaim](
        command_id=made.id,
        actor=opened.entry.caller.actor,
        fingerprint=made.fingerprint,
        command=command,
        recorded=recorded,
    )
    return await open_claim(opened.entry.tools, birth, given, opened.entry.deadline), opened.stored is not None


async def _on_record(opened: Opening, number: str) -> tuple[int, ClaimBirth | None]:
    """How many steps of the claim are on record, and what it was born with: a run that was lost is born so again."""
    known = ids.claim_id(opened.entry.caller.tenant, number)
    first = (STEPS.c.case_id == CASES.c.id) & (STEPS.c.seq == 1)
    found = select(CASES.c.seq, STEPS.c.cause["body"]["birth"].label("birth")).join(STEPS, first)
    row = (await opened.entry.connection.execute(found.where(CASES.c.id == known))).one_or_none()
    return (row.seq if row else 0), (ClaimBirth.model_validate(row.birth) if row and row.birth else None)


async def _birth(opened: Opening, row: Row[Any], command: ReportClaim) -> ClaimBirth:
    """Limits and figures as they stand at the report, each figure with its source; later changes touch it no more."""
    entry, caller = opened.entry, opened.entry.caller
    terms = Terms.model_validate(row.view["terms"])
    own = await in_force(entry.connection, command.on or local_date(entry.tools.now()))
    return ClaimBirth(
        case_id=ids.claim_id(caller.tenant, command.number),
        policy_id=row.id,
        insurer_id=caller.tenant,
        insurer_code=caller.insurer_code,
        insurer_name=caller.name,
        workflow_id=ids.claim_workflow_id(caller.insurer_code, command.number),
        policy_number=row.number,
        **_place(row),
        surrendered_on=await _surrendered_on(opened, row.id),
        number=command.number,
        limits=Limits(
            per_person=terms.limit_per_person,
            per_accident=terms.limit_per_accident,
            aggregate=terms.limit_aggregate,
            rescue=terms.limit_rescue,
        ),
        terms=together(terms.claim_terms, own),
    )


def _place(row: Row[Any]) -> dict[str, Any]:
    kept = ("region", "sector", "size", "insured_id", "insured_name", "signed_on", "effective_on", "expires_on")
    return {name: row._mapping[name] for name in kept} | {"packs": row.packs}


async def _surrendered_on(opened: Opening, policy_id: UUID) -> date | None:
    """The day the surrender is true of, not the one it was recorded on."""
    found = select(TIMELINE.c.at).where(TIMELINE.c.case_id == policy_id, TIMELINE.c.event == Event.POLICY_SURRENDERED)
    at = (await opened.entry.connection.execute(found.limit(1))).scalar_one_or_none()
    return local_date(at) if at else None
