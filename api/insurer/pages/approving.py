"""What the second person sees before a payment leaves: why it is allowed, how much is left of the limits, to whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy import Row

from api import reads
from api.claims import reads as claim_reads
from api.claims.explaining import explanation
from api.claims.ledger import ledger
from api.claims.shapes import VictimReading
from api.desk.forms import Form
from api.duties import read_duties
from api.insurer.pages.cases import WAYS, case_address
from api.insurer.pages.choices import called, known_victims
from api.insurer.pages.signing import signers
from api.insurer.pages.visits import Reading, may_approve, must_leave
from api.problems import not_found
from models.contracts.claim import ApprovePayment, VoidPayment
from models.contracts.claim_state import ClaimView
from models.contracts.payment import Payment
from models.contracts.vocabulary import CaseKind, LimitKind, LimitPot, PayeeKind, PaymentStatus

router = APIRouter(prefix="/insurer/claims/{claim_id:uuid}/payments", include_in_schema=False)


@dataclass(frozen=True)
class Left:
    """One limit of the claim: what it is, what this claim has taken of it, and what would be left after the payment."""

    kind: LimitKind
    limit: Decimal | None
    taken: Decimal
    left: Decimal | None


@router.get("/{number}")
async def payment(visit: Reading, claim_id: UUID, number: str) -> Response:
    """One payment with everything that speaks for or against it; who may not approve only reads."""
    row = await reads.case_row(visit.entry, claim_id, CaseKind.CLAIM)
    view = claim_reads.view(row)
    found = next((one for one in view.payments if one.number == number), None)
    if found is None:
        raise not_found()
    people = {one.ref: one for one in await known_victims(visit.request, visit.entry, row)}
    told = explanation(view, await read_duties(visit.entry, row))
    return visit.page(
        "insurer/payment.html.j2",
        row=row,
        view=view,
        payment=found,
        signers=await signers(visit.entry, row.view),
        payee=_payee(row, found, people),
        lines=[(line, _named(people, line.person)) for line in found.lines],
        limits=_limits(view, found),
        checks=ledger(view, reads.as_of(visit.entry.tools.now(), row.changed_at)).checks,
        told=told,
        why=next((one for one in told.payments if number in one.question), None),
        proposed=found.status is PaymentStatus.PROPOSED,
        own=must_leave(visit.caller, found, view.terms),
        may=may_approve(visit.caller),
        acts=case_address(CaseKind.CLAIM, claim_id),
        trail=WAYS[CaseKind.CLAIM].led(visit.request),
        voids=Form(VoidPayment, visit.language, {"number": number}),
        approves=Form(ApprovePayment, visit.language, {"number": number}),
    )


def _payee(row: Row[Any], payment: Payment, people: Mapping[UUID, VictimReading]) -> str:
    """Never more than what a list shows: names and numbers are masked."""
    if payment.payee.kind is PayeeKind.INSURED:
        return row.insured_name
    return _named(people, payment.payee.ref) or str(payment.payee.ref or "")


def _named(people: Mapping[UUID, VictimReading], ref: UUID | None) -> str:
    person = people.get(ref) if ref else None
    return called(person) if person else ""


def _limits(view: ClaimView, payment: Payment) -> list[Left]:
    """Limits the payment counts against; what other claims of the policy took is asked when it is instructed."""
    pot = payment.lines[0].head.pot
    taken = sum((one.net for one in view.payments if one.lines[0].head.pot is pot), Decimal("0.00"))
    kinds = {
        LimitPot.INDEMNITY: (LimitKind.PER_ACCIDENT, LimitKind.AGGREGATE),
        LimitPot.RESCUE: (LimitKind.RESCUE,),
        LimitPot.COSTS: (LimitKind.COSTS,),
    }[pot]
    found = [_left(view, kind, taken) for kind in kinds]
    persons = {line.person for line in payment.lines if line.person}
    for person in persons if pot is LimitPot.INDEMNITY else ():
        paid = (one for one in view.payments if one.status is not PaymentStatus.VOIDED)
        share = sum((line.amount for one in paid for line in one.lines if line.person == person), Decimal("0.00"))
        found.append(_left(view, LimitKind.PER_PERSON, share))
    return found


def _left(view: ClaimView, kind: LimitKind, taken: Decimal) -> Left:
    limit = view.limits.rescue_ceiling if kind is LimitKind.RESCUE else view.limits.of(kind)
    return Left(kind, limit, taken, None if limit is None else limit - taken)
