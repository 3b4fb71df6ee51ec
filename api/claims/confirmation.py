"""What a core system says of one payment, at the payment's own address; it needs a key made for that."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Request, Response

from api.admission import Admitted, admit_insurer, carry_out
from api.claims.doors import TAG
from api.claims.shapes import Confirmation
from api.doors import answered, example
from api.idempotency import Key
from models.contracts.base import Number
from models.contracts.claim import RecordOutcome
from models.contracts.claim_state import ClaimView
from models.contracts.vocabulary import CaseKind


async def confirming(request: Request, claim_id: UUID, key: Key) -> Admitted:
    return await admit_insurer(request, claim_id, CaseKind.CLAIM, key)


def confirmed(_: date) -> dict[str, Any]:
    """The bank's word that the money has arrived."""
    return {"result": "confirmed", "reference": "BK20261122000001"}


def add(router: APIRouter, today: date) -> None:
    """The one route."""
    shown = Body(openapi_examples=example(confirmed(today)))
    named = Path(description="付款编号 / number of the payment")

    async def payment_confirm(
        admitted: Annotated[Admitted, Depends(confirming)],
        number: Annotated[Number, named],
        said: Annotated[Confirmation, shown],
    ) -> Response:
        command = RecordOutcome(number=number, **said.model_dump())
        view, replayed = await carry_out(admitted, "record_outcome", command)
        return answered(view, replayed=replayed)

    router.add_api_route(
        "/claims/{claim_id:uuid}/payments/{number}/confirmation",
        payment_confirm,
        methods=["POST"],
        response_model=ClaimView,
        summary="回报付款结果 / Say what became of a payment",
        description="由核心系统以带 payments:confirm 授权的密钥调用。 / For the core system, with the scope for it.",
        operation_id="payment_confirm",
        tags=[TAG],
    )
