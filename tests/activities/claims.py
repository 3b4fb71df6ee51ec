"""Reservations, releases and payment orders of one policy with any number of claims, and the rows they rest on."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from models.contracts.base import CaseKey
from models.contracts.claim_terms import Limits
from models.contracts.ids import NAMESPACE, payment_order_key
from models.contracts.payment import PaymentLine, PaymentOrder, PersonShare, PotShare, Release, Reservation
from models.contracts.vocabulary import LimitPot, LossHead, PayeeKind, PaymentKind
from tests.conftest import Database
from tests.tables.rows import A, known, seed

AT = datetime(2024, 5, 1, 4, tzinfo=UTC)
POLICY = known(A, "case")
ANNA, BO = uuid5(NAMESPACE, "anna"), uuid5(NAMESPACE, "bo")
# of the aggregate 5 yuan are taken by the seeded payment
LIMITS = Limits(
    per_person=Decimal("100.00"),
    per_accident=Decimal("250.00"),
    aggregate=Decimal("405.00"),
    rescue=Decimal("50.00"),
    costs=Decimal("20.00"),
)


def claim(number: str) -> UUID:
    return uuid5(NAMESPACE, f"claim {number}")


async def claims(database: Database, *numbers: str) -> None:
    """Two insurers with a policy each, and claims of the first one beside its policy."""
    await seed(database)
    admin = await asyncpg.connect(database.admin)
    try:
        for number in numbers:
            await admin.execute(
                "INSERT INTO cases SELECT (c).* FROM (SELECT jsonb_populate_record(cases, jsonb_build_object('id', "
                "$1::text, 'kind', 'claim', 'number', $2::text, 'parent_id', id, 'workflow_id', 'claim/a/' || $2)) c"
                " FROM cases WHERE id = $3) s",
                str(claim(number)),
                number,
                POLICY,
            )
    finally:
        await admin.close()


def reservation(number: str, amount: str, of_claim: str = "C-1", **more: Any) -> Reservation:
    """Room for an indemnity; of one person where `person` says so."""
    person, pot = more.pop("person", None), more.pop("pot", LimitPot.INDEMNITY)
    plain: dict[str, Any] = {
        "insurer_id": A,
        "policy_id": POLICY,
        "claim_id": claim(of_claim),
        "claim_number": of_claim,
        "accident_number": "S-9",
        "payment_number": number,
        "amount": Decimal(amount),
        "pots": (PotShare(pot=pot, amount=Decimal(amount)),),
        "persons": (PersonShare(person=person, amount=Decimal(amount)),) if person else (),
        "limits": LIMITS,
    }
    return Reservation.model_validate(plain | more)


def release(of: Reservation, key: str = "voided") -> Release:
    """All of a reservation given back."""
    return Release(
        key=key,
        insurer_id=of.insurer_id,
        policy_id=of.policy_id,
        claim_id=of.claim_id,
        payment_number=of.payment_number,
        pots=of.pots,
        persons=of.persons,
    )


def order(number: str = "Z-1", amount: str = "88.50", of_claim: str = "C-1", **more: Any) -> PaymentOrder:
    plain: dict[str, Any] = {
        "key": payment_order_key("a", of_claim, number),
        "case": CaseKey(case_id=claim(of_claim), insurer_id=A, workflow_id=f"claim/a/{of_claim}"),
        "policy_id": POLICY,
        "insurer_code": "a",
        "policy_number": "P-1",
        "claim_number": of_claim,
        "payment_number": number,
        "kind": PaymentKind.SETTLEMENT,
        "amount": Decimal(amount),
        "payee_kind": PayeeKind.SUPPLIER,
        "payee_ref": known(A, "victim"),
        "insured_id": known(A, "insured"),
        "lines": (PaymentLine(head=LossHead.RESCUE, amount=Decimal(amount)),),
        "approved_at": AT,
    }
    return PaymentOrder.model_validate(plain | more)
