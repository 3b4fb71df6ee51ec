"""Before a command of a claim: as for every case, and the victims it names are victims of this policy's claims."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import select

from api.admission import Admitted, admit
from api.callers import Entry, entered
from api.problems import Problem
from api.rows import CASES, VICTIMS
from api.words import ProblemCode
from api.written import id_of
from models.contracts.vocabulary import CaseKind, PayeeKind


async def admit_claim(request: Request, case_id: UUID, kind: CaseKind, key: str) -> Admitted:
    """An insurer at one of its own claims; 404 for any other, 422 for a victim nobody entered."""
    async with entered(request) as entry:
        admitted = await admit(request, entry, case_id, kind, key)
        if admitted.answer is None:
            await _know(entry, case_id, set(_persons(request.scope["checked_body"].value)))
        return admitted


async def _know(entry: Entry, case_id: UUID, named: set[UUID]) -> None:
    if not named:
        return
    policy = select(CASES.c.parent_id).where(CASES.c.id == case_id).scalar_subquery()
    siblings = select(CASES.c.id).where(CASES.c.kind == CaseKind.CLAIM, CASES.c.parent_id == policy)
    found = select(VICTIMS.c.ref).where(VICTIMS.c.ref.in_(named), VICTIMS.c.case_id.in_(siblings))
    if named - set((await entry.connection.execute(found)).scalars()):
        raise Problem(ProblemCode.UNKNOWN_VICTIM)


def _persons(body: Any) -> Iterator[UUID]:
    """Every victim a checked body names: persons of losses and payments, and a victim who is paid.

    What is no reference at all is left to the contract, which refuses it with its field.
    """
    if isinstance(body, dict):
        yield from _ref(body.get("person"))
        if body.get("kind") == PayeeKind.VICTIM.value:
            yield from _ref(body.get("ref"))
        body = list(body.values())
    if isinstance(body, list):
        for part in body:
            yield from _persons(part)


def _ref(value: Any) -> Iterator[UUID]:
    ref = id_of(value) if isinstance(value, str) else None
    if ref is not None:
        yield ref
