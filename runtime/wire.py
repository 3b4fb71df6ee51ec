"""HTTP as our web servers read it from a connection: what stands before a body is bounded in size and time.

The parser itself gathers a head without end, ever more slowly; a body is counted in api/limits.py.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.problems import MEDIA_TYPE, Problem, document
from api.words import ProblemCode

MOST_HEAD = 64 * 1024  # bytes, four times what a request may have; the rest is not even read
HEAD_WITHIN = 20.0  # seconds from the first byte of a head to its last, or from connecting to the first


class Bounded(HttpToolsProtocol):
    """Ends a connection whose head grows or waits too long; what is no HTTP is told as a problem."""

    _head: int = 0
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_waiting = self._patience is not None
        super().data_received(data)
        if was_waiting and self._patience is not None:
            self._head += len(data)
            if self._head > MOST_HEAD:
                self._refuse(ProblemCode.HEADERS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        self._rest()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(ProblemCode.BAD_REQUEST)

    def _wait(self) -> None:
        self._rest()
        self._patience = self.loop.call_later(HEAD_WITHIN, self.transport.close)

    def _rest(self) -> None:
        self._head = 0
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _refuse(self, code: ProblemCode) -> None:
        self._rest()
        body = document(Problem(code), "")
        lines = [
            f"HTTP/1.1 {code.status} {HTTPStatus(code.status).phrase}",
            f"content-type: {MEDIA_TYPE}",
            f"content-length: {len(body)}",
            "cache-control: no-store",
            "connection: close",
        ]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()
