"""A web server that is a guest in somebody else's process: it leaves that process's signals alone."""

import contextlib
from collections.abc import Iterator

import uvicorn


class Guest(uvicorn.Server):
    """Stopped by `should_exit` or by cancelling its task, never by Ctrl-C."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
