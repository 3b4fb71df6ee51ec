"""Requests by route template and how long the oldest work waits, for Prometheus; served on the internal port only."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from temporalio.client import Client

from api.queues import AWAY, queue
from models.tables.backlog import KINDS, Waits, waits
from models.tables.engine import DATABASE_FAULTS, connected, operator

REQUESTS = Counter("anze_http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("anze_http_request_seconds", "Seconds until the answer's head", ["method", "route"])
OLDEST = Gauge("anze_oldest_work_seconds", "How long the oldest work waits; NaN while nobody knows", ["work"])
"""letter: not gone out; alarm: due and not committed; payment: ordered and not settled; task: nobody has fetched it."""
TASK = "task"
EVERY = 15.0  # seconds
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Metrics:
    """Measures every request; what has no route is counted as one, so that a scanner cannot grow the labels."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def measuring(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in METHODS else "other"
                REQUESTS.labels(method, route, str(message["status"])).inc()
                SECONDS.labels(method, route).observe(time.perf_counter() - began)
            await send(message)

        await self.app(scope, receive, measuring)


@dataclass(frozen=True)
class Measured:
    """Whom to ask."""

    engine: AsyncEngine
    temporal: Client
    task_queue: str
    now: Callable[[], datetime]


async def keep_measuring(asked: Measured) -> None:
    """Look at the backlog until cancelled; it is measured here because a dead worker measures nothing."""
    while True:
        found, oldest = await asyncio.gather(_waits(asked), _oldest_task(asked))
        show(found)
        OLDEST.labels(TASK).set(_seconds(oldest))
        await asyncio.sleep(EVERY)


async def _waits(asked: Measured) -> Waits | None:
    try:
        async with connected(asked.engine) as connection, connection.begin():
            await operator(connection)
            return await waits(connection, asked.now())
    except DATABASE_FAULTS:
        return None


async def _oldest_task(asked: Measured) -> timedelta | None:
    """Without a worker this grows, whatever the database says: a command that nobody fetches is in no table yet."""
    try:
        return (await queue(asked.temporal, asked.task_queue)).oldest
    except AWAY:
        return None


def show(found: Waits | None) -> None:
    """Seconds of each kind of work, for the next who asks."""
    for kind in KINDS:
        OLDEST.labels(kind).set(_seconds(getattr(found, kind) if found else None))


def _seconds(length: timedelta | None) -> float:
    return float("nan") if length is None else length.total_seconds()
