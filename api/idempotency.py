"""One Idempotency-Key, one effect, one answer: the key, the fingerprint of a request, and the answer it once got."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request
from sqlalchemy import select

from api.callers import Entry
from api.problems import Problem
from api.rows import CASES, COMMANDS
from api.words import ProblemCode

VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")
HEADER = "Idempotency-Key"


async def required_key(
    request: Request,
    given: Annotated[
        str | None,
        Header(
            alias=HEADER,
            description="每个 POST 必带，1–255 个可见 ASCII 字符；重复提交不会重复办理 / required on every POST",
            examples=["4b1f6d0e-upload"],
        ),
    ] = None,
) -> str:
    """The caller's key as it came; 400 when missing or malformed, whatever else is wrong with the request.

    It waits for nothing, but a plain function would cost every command a turn in a thread of its own.
    """
    if given is None or not VISIBLE_ASCII.fullmatch(given):
        raise Problem(ProblemCode.IDEMPOTENCY_KEY_MISSING)
    return given


Key = Annotated[str, Depends(required_key)]


@dataclass(frozen=True)
class Attempt:
    """A command as it is recognised: `id` is Temporal's update id and the primary key of its stored answer."""

    id: str
    fingerprint: str


def attempt(owner: UUID, key: str, request: Request, canonical: bytes | None = None) -> Attempt:
    """`canonical` is the one spelling of what was asked; left out, that of the request's JSON body."""
    spelled: bytes = request.scope["checked_body"].canonical if canonical is None else canonical
    written = b"\n".join((request.method.encode(), request.url.path.encode(), spelled))
    return Attempt(f"{owner}:{key}", sha256(written).hexdigest())


@dataclass(frozen=True)
class Stored:
    """What an opening was answered; `is_young`: no further step shows that its case's run was ever told of it."""

    answer: dict[str, Any]
    is_young: bool


async def stored_answer(entry: Entry, insurer_id: UUID, made: Attempt) -> Stored | None:
    """The answer this opening was given before; 422 when the key was used for another one.

    Answers lie in PostgreSQL and so outlive the runs of a workflow: Temporal forgets update ids at continue-as-new.
    While a case is young the case itself is asked again: the engine may have died between our commit and its own.
    """
    found = (
        select(*COMMANDS.c["fingerprint", "answer"], *CASES.c["seq", "ended_at"])
        .join(CASES, CASES.c.id == COMMANDS.c.case_id)
        .where(COMMANDS.c.insurer_id == insurer_id, COMMANDS.c.command_id == made.id)
    )
    row = (await entry.connection.execute(found.limit(1))).one_or_none()
    if row is None:
        return None
    if row.fingerprint != made.fingerprint:
        raise Problem(ProblemCode.KEY_REUSED)
    return Stored(row.answer, row.seq == 1 and row.ended_at is None)
