"""What a department reads: the notices addressed to it, and nothing else."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from api import reads
from api.callers import Entry, entered
from api.shapes import InboxNotice, NoticeQuery, Page

router = APIRouter()


async def department_entry(request: Request) -> AsyncIterator[Entry]:
    async with entered(request) as entry:
        yield entry


@router.get("/department/notices", tags=["部门 / departments"], summary="收件箱 / Inbox of a department")
async def department_notices(
    entry: Annotated[Entry, Depends(department_entry, scope="function")], query: Annotated[NoticeQuery, Query()]
) -> Page[InboxNotice]:
    """发给本部门的通知，由近及远。 / What was sent to this department, latest first."""
    return await reads.inbox(entry, query)
