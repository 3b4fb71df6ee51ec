"""The department's room: what was sent to it, the cases of its places and sectors, and what it does with a matter."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sqlalchemy import or_

from api.department.scope import opened, told, within
from api.desk.audience import Reader
from api.desk.casefile import read_case
from api.desk.frame import Visit, visitor
from api.desk.words import translator
from models.contracts.vocabulary import ActorKind, CaseKind

router = APIRouter(prefix="/department", include_in_schema=False)
Visiting = Annotated[Visit, Depends(visitor(ActorKind.DEPARTMENT), scope="function")]


def case_address(kind: CaseKind, case_id: UUID) -> str:
    return f"/department/cases/{case_id}"


@router.get("/cases/{case_id}")
async def case_page(visit: Visiting, case_id: UUID, why: str = "", whole: bool = False) -> Response:
    """The case file with what this department may do."""
    found = await opened(visit.entry, case_id)
    children = (or_(within(found.mine), told(visit.caller.recipient_id)),)
    reader = Reader(ActorKind.DEPARTMENT, case_address, translator(visit.language), children)
    case = await read_case(visit.entry, found.row, reader, why=why, whole=whole)
    return visit.page("department/case.html.j2", c=case, why=why)
