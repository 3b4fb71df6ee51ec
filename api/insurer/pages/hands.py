"""Who of the insurer has a case in hand: the form on its page, and all cases of one user to another."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from api import reads
from api.desk import handover
from api.desk.did import back_after
from api.desk.frame import posted, visited
from api.desk.hands import given
from api.insurer.pages.cases import WAYS, case_address
from api.insurer.pages.lists import SHELVES
from api.insurer.pages.visits import Reading
from api.problems import not_found

HOME = "/insurer/people"
HERE = f"{HOME}/hands"
router = APIRouter(include_in_schema=False)


@router.post("/insurer/{shelf}/{case_id:uuid}/hand")
async def give(request: Request, shelf: str, case_id: UUID) -> Response:
    """Taken, given to a colleague or given back; no act of the law, so no draft and no key beyond the form's own."""
    if shelf not in SHELVES:
        raise not_found()
    async with posted(request, most_files=0) as form, visited(request) as visit:
        row = await reads.case_row(visit.entry, case_id, SHELVES[shelf])
        await given(visit, row, form)
        address = case_address(row.kind, case_id, WAYS[row.kind].sent(form))
    return back_after("hand", address, "hand")


@router.get(HERE)
async def look(visit: Reading) -> Response:
    """Whose cases could go to whom, and how many they are."""
    return await handover.shown(visit, HERE, HOME)


@router.post(HERE)
async def hand_over(request: Request) -> Response:
    """All running cases of one user to another."""
    return await handover.done(request, HERE)
