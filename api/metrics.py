"""Counts and durations of requests by route template, for Prometheus; they are served on the internal port only."""

import time

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("anze_http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("anze_http_request_seconds", "Seconds until the answer's head", ["method", "route"])
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
