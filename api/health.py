"""Whether this process lives, whether what it needs answers, who is calling, and which build this is."""

import asyncio
from collections.abc import Awaitable
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from sqlalchemy import text

from api.callers import Caller, entered
from api.queues import queue
from api.shapes import Me, Version
from api.tools import Tools

CHECK_WITHIN = 2.0  # seconds; a probe that waits longer is a failed probe
router = APIRouter()
me = APIRouter()


class Health(BaseModel):
    """`ready` where everything answers; workers missing is told, but commands wait for them safely."""

    ready: bool
    database: bool
    temporal: bool
    workers: bool


@router.get("/health/live", tags=["系统 / system"], summary="存活 / Liveness")
async def live() -> dict[str, bool]:
    """进程在运行。 / The process runs."""
    return {"live": True}


@router.get("/health/ready", tags=["系统 / system"], summary="就绪 / Readiness")
async def ready(request: Request, response: Response) -> Health:
    """数据库与流程引擎可用时为 200，否则 503。 / 200 when database and Temporal answer, 503 otherwise."""
    tools: Tools = request.app.state.tools
    database, temporal, workers = await asyncio.gather(
        _answers(_database(tools)), _answers(_temporal(tools)), _answers(_workers(tools))
    )
    response.status_code = 200 if database and temporal else 503
    return Health(ready=database and temporal, database=database, temporal=temporal, workers=workers)


@router.get("/version", tags=["系统 / system"], summary="版本 / Version")
async def build() -> Version:
    """当前版本。 / The running build."""
    return Version(name="anze", version=version("anze"), api="v1")


async def caller(request: Request) -> Caller:
    async with entered(request) as entry:
        return entry.caller


@me.get("/me", tags=["系统 / system"], summary="当前密钥的身份 / Whose key this is")
async def whoami(caller: Annotated[Caller, Depends(caller)]) -> Me:
    """密钥所属的机构。 / The organisation behind the key."""
    return Me(
        kind=caller.kind,
        id=caller.owner,
        name=caller.name,
        code=caller.insurer_code,
        region=caller.region,
        department=caller.department,
    )


async def _answers(check: Awaitable[bool]) -> bool:
    """Any failure of a probe is an answer: no."""
    try:
        async with asyncio.timeout(CHECK_WITHIN):
            return await check
    except Exception:  # noqa: BLE001, S110, RUF100
        return False


async def _database(tools: Tools) -> bool:
    async with tools.engine.connect() as connection:
        return (await connection.execute(text("SELECT 1"))).scalar_one() == 1


async def _temporal(tools: Tools) -> bool:
    return await tools.temporal.service_client.check_health()


async def _workers(tools: Tools) -> bool:
    """Whether somebody has lately asked for work on our queue."""
    return (await queue(tools.temporal, tools.task_queue)).serving > 0
