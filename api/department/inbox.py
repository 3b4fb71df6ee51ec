"""What a department reads: the notices addressed to it, and nothing else."""

from typing import Annotated

from fastapi import APIRouter, Query

from api import reads
from api.callers import Looking
from api.shapes import InboxNotice, NoticeQuery, Page

router = APIRouter()


@router.get("/department/notices", tags=["部门 / departments"], summary="收件箱 / Inbox of a department")
async def department_notices(entry: Looking, query: Annotated[NoticeQuery, Query()]) -> Page[InboxNotice]:
    """发给本部门的通知，由近及远。 / What was sent to this department, latest first."""
    return await reads.inbox(entry, query)
