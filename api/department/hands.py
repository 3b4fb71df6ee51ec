"""Which officer of a department has a case in hand: the form on its page, and all cases of one to another."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.department.pages import INBOX, LIST, WAYS
from api.department.scope import opened
from api.desk import handover
from api.desk.did import back_after
from api.desk.frame import Visit, posted, visited, visitor
from api.desk.hands import given

HERE = f"{INBOX}/hands"
router = APIRouter(include_in_schema=False)


@router.post(f"{LIST}/{{case_id}}/hand")
async def give(request: Request, case_id: UUID) -> Response:
    """Taken, given to a colleague or given back: of any case the department reads, told about it or not."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        found = await opened(visit.entry, case_id)
        await given(visit, found.row, form)
        trail = WAYS.trail(WAYS.sent(form))
    return back_after("hand", f"{LIST}/{case_id}{trail}", "hand")


@router.get(HERE)
async def look(visit: Annotated[Visit, Depends(visitor, scope="function")]) -> Response:
    """Whose cases could go to whom, and how many they are."""
    return await handover.shown(visit, HERE, INBOX)


@router.post(HERE)
async def hand_over(request: Request) -> Response:
    """All running cases of one officer to another."""
    return await handover.done(request, HERE)
