"""Victims of an accident: sealed as they come in, masked as they go out; every sight of the originals is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from sqlalchemy import Row, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from api import reads
from api.audit import AuditEntry, Origin, note
from api.callers import Entry, Looking, entered
from api.claims.doors import TAG
from api.claims.shapes import VictimEntry, VictimQuery, VictimReading, VictimRef
from api.claims.words import VICTIM_KNOWN, WHY_NEEDED
from api.doors import answered, example
from api.idempotency import Attempt, Key, attempt
from api.problems import FieldProblem, Problem
from api.rows import CASES, VICTIM_SIGHTS, VICTIMS
from api.words import ProblemCode, Scope
from models.contracts.ids import NAMESPACE
from models.contracts.vocabulary import AuditEvent, CaseKind
from models.tables.sealed import FieldOf

SEALED = ("name", "identity_number", "bank_account", "phone")
CREATED = 201
SHOWN = 4
"""How many last characters a masked number keeps."""
MOST_SHOWN = 1_000
"""Victims of one claim: more than an accident has."""
MOST_NAMED = 50
"""How many references of victims one row of the audit trail lists; each has a row in victim_sights anyway."""


def person(_: date) -> dict[str, Any]:
    """An invented person; the number and the account fit no real one."""
    return {
        "employee": True,
        "name": "张某某",
        "identity_number": "341300190001010000",
        "bank_account": "6200000000000000000",
        "phone": "13000000000",
    }


@dataclass(frozen=True)
class Arrival:
    """Somebody who may enter a victim of this claim, under which key."""

    entry: Entry
    claim: Row[Any]
    attempt: Attempt


async def arriving(request: Request, claim_id: UUID, key: Key) -> Any:
    async with entered(request) as entry:
        claim = await reads.case_row(entry, claim_id, CaseKind.CLAIM)
        yield Arrival(entry, claim, attempt(entry.caller.owner, key, request))


def add(router: APIRouter, today: date) -> None:
    """The routes of a claim's victims."""
    shown = Body(openapi_examples=example(person(today)))

    async def victim_enter(
        arrival: Annotated[Arrival, Depends(arriving, scope="function")], victim: Annotated[VictimEntry, shown]
    ) -> Response:
        ref, replayed = await enter(arrival, victim)
        return answered(VictimRef(ref=ref), replayed=replayed, status=CREATED)

    router.add_api_route(
        "/claims/{claim_id:uuid}/victims",
        victim_enter,
        methods=["POST"],
        status_code=CREATED,
        response_model=VictimRef,
        summary="登记受害人 / Enter a victim",
        description="逐项加密保存，此后只以编号指称。 / Sealed field by field; from then on called by reference only.",
        operation_id="victim_enter",
        tags=[TAG],
    )
    router.add_api_route(
        "/claims/{claim_id:uuid}/victims",
        victims,
        methods=["GET"],
        summary="受害人 / Victims of a claim",
        operation_id="victims",
        tags=[TAG],
    )


async def victims(
    request: Request, entry: Looking, claim_id: UUID, query: Annotated[VictimQuery, Query()]
) -> list[VictimReading]:
    """默认脱敏；查看原文须有授权、写明事由，并逐人留痕。 / Masked, unless a scope allows more; sights are recorded."""
    await reads.case_row(entry, claim_id, CaseKind.CLAIM)
    if query.unmasked:
        _require_sight(entry, query)
    found = select(VICTIMS).where(VICTIMS.c.case_id == claim_id).order_by(VICTIMS.c.created_at, VICTIMS.c.ref)
    rows = (await entry.connection.execute(found.limit(MOST_SHOWN))).all()
    read = [_reading(entry, row, masked=not query.unmasked) for row in rows]
    seen = [row for row in rows if row.erased_at is None]
    if query.unmasked and seen:
        await entry.connection.execute(insert(VICTIM_SIGHTS), [_sight(entry, row, query) for row in seen])
        await note(entry.connection, _seen(request, entry, claim_id, seen))
    return read


async def enter(arrival: Arrival, victim: VictimEntry) -> tuple[UUID, bool]:
    """The reference is made of the caller's key, so that a repeat finds what the first one wrote."""
    entry, ref = arrival.entry, uuid5(NAMESPACE, f"victim/{arrival.attempt.id}")
    await _refuse_known(arrival, victim, ref)
    row = {"id": uuid4(), "insurer_id": entry.caller.tenant, "case_id": arrival.claim.id, "ref": ref}
    row |= {"employee": victim.employee, "look_alike": _look_alike(entry, victim)}
    row |= {name: _sealed(entry, victim, name, ref) for name in SEALED}
    written = insert_or_not(VICTIMS).values(row).on_conflict_do_nothing().returning(VICTIMS.c.ref)
    if (await entry.connection.execute(written)).scalar_one_or_none():
        return ref, False
    await _refuse_known(arrival, victim, ref)  # somebody entered the same person a moment ago
    kept = (await entry.connection.execute(select(VICTIMS).where(VICTIMS.c.ref == ref))).one()
    if kept.case_id != arrival.claim.id or kept.erased_at or _opened(entry, kept) != victim:
        raise Problem(ProblemCode.KEY_REUSED)
    return ref, True


async def _refuse_known(arrival: Arrival, victim: VictimEntry, ref: UUID) -> None:
    """One person, one reference among the claims of a policy: the limit per person counts by it."""
    if victim.identity_number is None:
        return
    entry = arrival.entry
    alike = entry.tools.sealing.look_alikes(victim.identity_number, entry.caller.tenant)
    siblings = select(CASES.c.id).where(CASES.c.kind == CaseKind.CLAIM, CASES.c.parent_id == arrival.claim.parent_id)
    found = select(VICTIMS.c.ref).where(
        VICTIMS.c.case_id.in_(siblings), VICTIMS.c.look_alike.in_(alike), VICTIMS.c.ref != ref
    )
    known = (await entry.connection.execute(found.limit(1))).scalar_one_or_none()
    if known:
        raise Problem(ProblemCode.VICTIM_KNOWN, VICTIM_KNOWN.format(ref=known))


def _look_alike(entry: Entry, victim: VictimEntry) -> str:
    if victim.identity_number is None:
        return ""
    return entry.tools.sealing.look_alike(victim.identity_number, entry.caller.tenant)


def _sealed(entry: Entry, victim: VictimEntry, name: str, ref: UUID) -> bytes | None:
    value: str | None = getattr(victim, name)
    return None if value is None else entry.tools.sealing.seal(value, FieldOf(entry.caller.tenant, ref, name))


def _opened(entry: Entry, row: Row[Any]) -> VictimEntry:
    """What a row says, in clear."""
    fields = {
        name: entry.tools.sealing.open(value, FieldOf(entry.caller.tenant, row.ref, name))
        for name in SEALED
        if (value := row._mapping[name]) is not None
    }
    return VictimEntry(employee=row.employee, **fields)


def _require_sight(entry: Entry, query: VictimQuery) -> None:
    entry.caller.require(Scope.VICTIMS_READ)
    if query.why is None:
        raise Problem(ProblemCode.INVALID, errors=[FieldProblem(field="query.why", reason=WHY_NEEDED)])


def _sight(entry: Entry, row: Row[Any], query: VictimQuery) -> dict[str, Any]:
    seen = ",".join(name for name in SEALED if row._mapping[name] is not None)
    return {
        "id": uuid4(),
        "insurer_id": row.insurer_id,
        "case_id": row.case_id,
        "ref": row.ref,
        "actor_kind": entry.caller.kind,
        "actor_id": str(entry.caller.key_id),
        "fields": seen,
        "why": query.why,
    }


def _seen(request: Request, entry: Entry, claim_id: UUID, rows: Sequence[Row[Any]]) -> AuditEntry:
    """Whose originals were seen; why, victim_sights says: a reason may name people."""
    return AuditEntry(
        AuditEvent.SIGHT,
        chain=entry.caller.tenant,
        who=entry.caller.actor,
        about=("victims", str(claim_id)),
        case_id=claim_id,
        said={"victims": len(rows), "first": [str(row.ref) for row in rows[:MOST_NAMED]]},
        origin=Origin.of(request),
    )


def _reading(entry: Entry, row: Row[Any], *, masked: bool) -> VictimReading:
    if row.erased_at:
        gone = {"name": "", "erased_at": row.erased_at, "erased_because": row.erased_because}
        return VictimReading(ref=row.ref, employee=row.employee, masked=masked, created_at=row.created_at, **gone)
    known = _opened(entry, row)
    name, numbers = known.name, (known.identity_number, known.bank_account, known.phone)
    identity, account, phone = (_masked(one or "") if masked else one or "" for one in numbers)
    return VictimReading(
        ref=row.ref,
        employee=row.employee,
        masked=masked,
        name=f"{name[0]}**" if masked else name,
        identity_number=identity,
        bank_account=account,
        phone=phone,
        created_at=row.created_at,
    )


def _masked(number: str) -> str:
    return "*" * (len(number) - SHOWN) + number[-SHOWN:]
