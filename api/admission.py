"""Before a command: one transaction that knows the caller, the case, the repeat and the files; after it, one call."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import ARRAY, ColumnElement, Text, and_, any_, bindparam, func, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.callers import Caller, Entry, entered, speak_for
from api.gateway import VIEWS, FoundCase, act
from api.idempotency import Attempt, attempt
from api.offices import office_of
from api.problems import Problem, not_found
from api.rows import ASSIGNED_CASES, CASES, COMMANDS, FILES
from api.tools import Tools
from api.words import ProblemCode
from models.contracts import ids
from models.contracts.base import Command, Contract, Given, Office
from models.contracts.policy import UploadPolicy
from models.contracts.vocabulary import ActorKind, CaseKind


def _handed_in(insurer_id: ColumnElement[UUID]) -> ColumnElement[list[str]]:
    """Which of the digests this insurer has handed in: nobody learns what another one has."""
    asked = any_(bindparam("digests", type_=ARRAY(Text)))
    return func.array(
        select(FILES.c.digest).where(FILES.c.insurer_id == insurer_id, FILES.c.digest == asked).scalar_subquery()
    )


CASE_AND_REPEAT = (
    select(
        *CASES.c["id", "kind", "insurer_id", "workflow_id", "ended_at", "seq"],
        *COMMANDS.c["fingerprint", "answer"],
        _handed_in(CASES.c.insurer_id).label("handed_in"),
    )
    .select_from(
        CASES.outerjoin(
            COMMANDS,
            and_(COMMANDS.c.insurer_id == CASES.c.insurer_id, COMMANDS.c.command_id == bindparam("command_id")),
        )
    )
    .where(CASES.c.id == bindparam("case_id"), CASES.c.kind == bindparam("case_kind"))
    .limit(1)
)
CASE_OF_PROVIDER = select(
    *ASSIGNED_CASES.c["id", "kind", "insurer_id", "workflow_id", "ended_at", "seq"],
    *(null().label(name) for name in ("fingerprint", "answer")),
    _handed_in(ASSIGNED_CASES.c.insurer_id).label("handed_in"),
).where(ASSIGNED_CASES.c.id == bindparam("case_id"), ASSIGNED_CASES.c.kind == bindparam("case_kind"))
"""Answers show the whole policy, so that a provider reads none: the case itself knows a form that is sent twice."""
OPENED = select(func.count()).select_from(CASES).where(CASES.c.id.in_(bindparam("hazards", expanding=True)))


@dataclass(frozen=True)
class Admitted:
    """A request that may be carried out, or was: `answer` is what the same request got before."""

    tools: Tools
    caller: Caller
    case: FoundCase
    attempt: Attempt
    deadline: float
    missing: frozenset[str] = frozenset()
    office: Office | None = None
    """For a department: in which roles it was told of this case."""
    answer: dict[str, Any] | None = None


async def admit_insurer(request: Request, case_id: UUID, kind: CaseKind, key: str) -> Admitted:
    """An insurer at one of its own cases; 404 for any other."""
    async with entered(request) as entry:
        return await admit(request, entry, case_id, kind, key)


async def admit_department(request: Request, case_id: UUID, kind: CaseKind, key: str) -> Admitted:
    """A department at a duty it was told about; 404 for any other."""
    async with entered(request) as entry:
        body = request.scope["checked_body"].value
        duty = body.get("duty") if isinstance(body, dict) else None
        await speak_for(entry, case_id, duty if isinstance(duty, str) else None)
        return await admit(request, entry, case_id, kind, key)


async def carry_out(admitted: Admitted, update: str, command: Command) -> tuple[Contract, bool]:
    """Give the command to its case, once; the flag says whether the answer is a repeated one."""
    if admitted.answer is not None:
        return VIEWS[admitted.case.kind].model_validate(admitted.answer), True
    if admitted.missing and not _lies_elsewhere(command):
        raise Problem(ProblemCode.UNKNOWN_FILE)
    return await act(admitted.tools, admitted.case, update, given(admitted, command), admitted.deadline), False


def given(admitted: Admitted, command: Command) -> Given[Any]:
    return Given[type(command)](
        command_id=admitted.attempt.id,
        actor=admitted.caller.actor.model_copy(update={"office": admitted.office}),
        fingerprint=admitted.attempt.fingerprint,
        command=command,
    )


async def admit(request: Request, entry: Entry, case_id: UUID, kind: CaseKind, key: str) -> Admitted:
    """A caller at a case their rows hold; 404 for any other, 422 for a key used otherwise."""
    made = attempt(entry.caller.owner, key, request)
    return await admit_as(entry, case_id, kind, made, request.scope["checked_body"].value)


async def admit_as(entry: Entry, case_id: UUID, kind: CaseKind, made: Attempt, body: Any) -> Admitted:
    """The same for an attempt that is known already, with a body that was read as JSON or from a form."""
    digests = frozenset(_digests(body))
    asked, found = {"case_id": case_id, "case_kind": kind, "digests": sorted(digests)}, CASE_OF_PROVIDER
    if entry.caller.kind is not ActorKind.PROVIDER:
        asked, found = asked | {"command_id": made.id}, CASE_AND_REPEAT
    row = (await entry.connection.execute(found, asked)).one_or_none()
    if row is None:
        raise not_found()
    if row.fingerprint is not None and row.fingerprint != made.fingerprint:
        raise Problem(ProblemCode.KEY_REUSED)
    case = FoundCase(row.id, row.kind, row.insurer_id, row.workflow_id, row.ended_at, row.seq)
    office = await _office(entry, case_id)
    answer = row.answer if row.answer is None or await _is_whole(entry.connection, case, body) else None
    return Admitted(
        entry.tools, entry.caller, case, made, entry.deadline, digests.difference(row.handed_in), office, answer
    )


async def _is_whole(connection: AsyncConnection, case: FoundCase, body: Any) -> bool:
    """Whether what was answered for is all there: a visit is on record before the hazards it found are open.

    Where they are not, the case itself is asked again, and answers once they are.
    """
    found = body.get("hazards") if case.kind is CaseKind.POLICY and isinstance(body, dict) else None
    if not found or case.ended_at is not None:
        return True
    hazards = {ids.hazard_id(case.id, one["number"]) for one in found}
    return (await connection.execute(OPENED, {"hazards": sorted(hazards)})).scalar_one() == len(hazards)


async def _office(entry: Entry, case_id: UUID) -> Office | None:
    caller = entry.caller
    if caller.kind is not ActorKind.DEPARTMENT or caller.recipient_id is None:
        return None
    return await office_of(entry.connection, caller.recipient_id, case_id)


def _lies_elsewhere(command: Command) -> bool:
    """An e-policy may be filed by digest and address, without its bytes."""
    return isinstance(command, UploadPolicy) and command.address is not None


def _digests(body: Any) -> Iterator[str]:
    """Every `digest` of an attachment anywhere in a checked body."""
    if isinstance(body, dict):
        found = body.get("digest")
        if isinstance(found, str):
            yield found
        body = list(body.values())
    if isinstance(body, list):
        for part in body:
            yield from _digests(part)
