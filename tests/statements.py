"""What the application asks its database while a test does something; what of it is right, each test says itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

Seen = list[tuple[str, Any]]


@contextmanager
def listening(engine: AsyncEngine) -> Iterator[Seen]:
    """Every statement that is sent meanwhile, with its parameters."""
    seen: Seen = []

    def heard(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        seen.append((statement, parameters))

    event.listen(engine.sync_engine, "before_cursor_execute", heard)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", heard)
