"""The internal port of a process: /metrics for Prometheus, /health/live and /health/ready; nothing a customer sees."""

import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from runtime.settings import Settings

Ready = Callable[[], bool]
Respond = Callable[[str, list[tuple[str, str]]], Any]


class InternalPort:
    """A small server in a thread of its own, so that it answers while the event loop is busy."""

    def __init__(self, host: str, port: int, ready: Ready) -> None:
        """`ready` is asked from another thread: it should only look at a flag."""
        self._server = make_server(host, port, _application(ready), _Threaded, _Silent)
        threading.Thread(target=self._server.serve_forever, name="internal-port", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def temporal_runtime(settings: Settings) -> Runtime:
    """The Temporal runtime of the worker, with its own metrics on `temporal_metrics_port`."""
    metrics = PrometheusConfig(bind_address=f"{settings.bind}:{settings.temporal_metrics_port}")
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


def _application(ready: Ready) -> Any:
    metrics = make_wsgi_app()

    def answer(environment: dict[str, Any], respond: Respond) -> Iterable[bytes]:
        path = environment.get("PATH_INFO")
        if path == "/metrics":
            return metrics(environment, respond)
        if path == "/health/live":
            return _text(respond, "200 OK", b"live\n")
        if path == "/health/ready":
            return _text(respond, "200 OK", b"ready\n") if ready() else _text(respond, "503 Starting", b"starting\n")
        return _text(respond, "404 Not Found", b"")

    return answer


def _text(respond: Respond, status: str, body: bytes) -> Iterable[bytes]:
    respond(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]


class _Threaded(WSGIServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A scraper that hangs up is no event."""


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Every scrape would be a line."""
