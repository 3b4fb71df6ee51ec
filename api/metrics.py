"""Requests by route template and how long the oldest work waits, for Prometheus; served on the internal port only."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.tables.backlog import KINDS, Waits, waits
from models.tables.engine import DATABASE_FAULTS, connected, operator

REQUESTS = Counter("anze_http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("anze_http_request_seconds", "Seconds until the answer's head", ["method", "route"])
OLDEST = Gauge("anze_oldest_work_seconds", "How long the oldest work waits; NaN while nobody knows", ["work"])
"""letter: not gone out; alarm: due and not committed; payment: ordered and not settled."""
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


async def keep_measuring(engine: AsyncEngine, now: Callable[[], datetime]) -> None:
    """Look at the backlog until cancelled; it is measured here because a dead worker measures nothing."""
    while True:
        try:
            async with connected(engine) as connection, connection.begin():
                await operator(connection)
                show(await waits(connection, now()))
        except DATABASE_FAULTS:
            show(None)
        await asyncio.sleep(EVERY)


def show(found: Waits | None) -> None:
    """Seconds of each kind of work, for the next who asks."""
    for kind in KINDS:
        OLDEST.labels(kind).set(getattr(found, kind).total_seconds() if found else float("nan"))
