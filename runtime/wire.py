"""HTTP as our web servers speak it over a connection: what stands around a body is bounded, an untaken answer ends.

The parser itself gathers a head without end, ever more slowly, and what follows a body too; a body is counted in
api/limits.py.
"""

import asyncio
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.limits import SAFE_HEADERS
from api.problems import MEDIA_TYPE, Problem, document
from api.words import ProblemCode

MOST_HEAD = 64 * 1024  # bytes, four times what a request may have; the rest is not even read
HEAD_WITHIN = 20.0
"""Seconds from the first byte of a head to its last, from connecting to the first byte, and for the rest of a body
that nobody reads any more because its request is answered."""
LOOKED_AT = 30.0
"""Seconds between two looks at an answer that waits to be taken."""
LEAST_TAKEN = 32 * 1024
"""Bytes of it that must have been taken in between, a slow telephone's worth."""


class Bounded(HttpToolsProtocol):
    """Ends a connection that gathers or waits too long, on either way; what is no HTTP is told as a problem."""

    _gathered: int = 0
    """Bytes that came since the parser last had something whole: lines, a piece of a body."""
    _is_progress: bool = False
    _in_body: bool = False
    _patience: asyncio.TimerHandle | None = None
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        self._look_away()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Whoever asked does not take the answer as fast as it is made."""
        super().pause_writing()
        self._look_away()
        self._watch = self.loop.call_later(LOOKED_AT, self._look, self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        self._look_away()

    def _look(self, before: int) -> None:
        waiting = self.transport.get_write_buffer_size()
        if waiting > before - LEAST_TAKEN:
            self.transport.abort()
        else:
            self._watch = self.loop.call_later(LOOKED_AT, self._look, waiting)

    def _look_away(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def data_received(self, data: bytes) -> None:
        self._is_progress = False
        super().data_received(data)
        self._gathered = 0 if self._is_progress else self._gathered + len(data)
        if self._gathered > MOST_HEAD and not self.transport.is_closing():
            self._refuse(ProblemCode.HEADERS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_body, self._is_progress = False, True
        self._wait()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Fields after a body are read by nobody: a proxy may not have seen them (RFC 9110, 6.5.1)."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._rest()
        self._in_body = self._is_progress = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._is_progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._rest()
        self._is_progress = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Whoever was answered before the end of a body has a moment to send the rest, which nobody reads."""
        if self.cycle.response_complete and self.cycle.more_body:
            self._wait()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(ProblemCode.BAD_REQUEST)

    def _wait(self) -> None:
        self._rest()
        self._patience = self.loop.call_later(HEAD_WITHIN, self.transport.close)

    def _rest(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _refuse(self, code: ProblemCode) -> None:
        self._rest()
        request_id = uuid4().hex
        body = document(Problem(code), request_id)
        lines = [
            f"HTTP/1.1 {code.status} {HTTPStatus(code.status).phrase}",
            f"content-type: {MEDIA_TYPE}",
            f"content-length: {len(body)}",
            "connection: close",
            f"x-request-id: {request_id}",
            *(f"{name.decode()}: {value.decode()}" for name, value in SAFE_HEADERS.items()),
        ]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()
