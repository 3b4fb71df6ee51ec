"""The files of a case for whoever is signed in, at one address for all rooms; which those are: api/evidence.py."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from api.callers import Entry, speak_for
from api.desk.frame import visited
from api.evidence import DIGEST, FOR_VISITORS, SMALL, VISIBLE, Piece, given_out, held_by
from api.files import Kept
from api.problems import not_found
from models.contracts.vocabulary import ActorKind

router = APIRouter(include_in_schema=False)


@router.get("/evidence/{case_id:uuid}/{digest}")
async def of_a_case(
    request: Request, case_id: UUID, digest: Annotated[str, DIGEST], small: Annotated[str | None, SMALL] = None
) -> Response:
    """A file of a case the visitor may see; 404 for every other, whether it exists or not."""
    async with visited(request) as visit:
        file = await _visible(visit.entry, case_id, digest)
    return await given_out(file, as_small=small is not None)


def file_address(piece: Piece) -> str:
    """Where a browser of somebody signed in finds a file of a case."""
    return f"/evidence/{piece.case_id}/{piece.digest}"


async def _visible(entry: Entry, case_id: UUID, digest: str) -> Kept:
    kind = entry.caller.kind
    row = await _case(entry, case_id)
    if kind is not ActorKind.INSURER and (kind not in VISIBLE or row.kind not in FOR_VISITORS):
        raise not_found()
    return await held_by(entry, row.insurer_id, case_id, digest)


async def _case(entry: Entry, case_id: UUID) -> Any:
    """The case, where the visitor's rows hold it, or a department was told about it."""
    cases = entry.caller.cases.c
    found = select(*cases["kind", "insurer_id"]).where(cases.id == case_id)
    row = (await entry.connection.execute(found)).one_or_none()
    if row is None and entry.caller.kind is ActorKind.DEPARTMENT:
        await speak_for(entry, case_id, None)
        row = (await entry.connection.execute(found)).one_or_none()
    if row is None:
        raise not_found()
    return row
