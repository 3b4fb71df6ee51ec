"""One command on its way to many cases in this process: how many, how far, how it came out; sends nothing itself."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from fastapi import Request

from api.audit import AuditEntry, noted
from api.operator.sending import Outcome, Result
from api.tools import Tools

MOST_LOGGED = 200
log = logging.getLogger(__name__)


@dataclass
class Batch:
    """One adoption under way in this process."""

    total: int
    begun_at: datetime
    done: int = 0
    counts: dict[Outcome, int] = field(default_factory=dict)
    log: deque[Result] = field(default_factory=lambda: deque(maxlen=MOST_LOGGED))
    """The latest that moved something or failed."""
    ended_at: datetime | None = None
    broken_off: str = ""
    """The sort of error that ended it before its last case."""
    task: asyncio.Task[None] | None = None

    def add(self, result: Result) -> None:
        self.done += 1
        self.counts[result.outcome] = self.counts.get(result.outcome, 0) + 1
        if result.moved or result.failed:
            self.log.append(result)

    @contextmanager
    def under_way(self, now: Callable[[], datetime]) -> Iterator[None]:
        """Until its last case, or until something breaks it off: that is kept, and never passes for an end."""
        try:
            yield
        except asyncio.CancelledError as ended:
            self.broken_off = type(ended).__name__
            raise
        except Exception as error:
            self.broken_off = type(error).__name__
            log.exception("a batch was broken off after %s of %s cases", self.done, self.total)
        finally:
            self.ended_at = now()

    @property
    def told(self) -> dict[str, Any]:
        """How it came out, as the trail keeps it."""
        counts = {outcome.value: count for outcome, count in self.counts.items()}
        return {"cases": self.total, **counts, **({"broken_off": self.broken_off} if self.broken_off else {})}

    @property
    def runs(self) -> bool:
        return self.ended_at is None


async def carried_out(tools: Tools, batch: Batch, sending: Awaitable[object], entry: AuditEntry) -> None:
    """Every case, and at the end `entry` in the trail, which then says how it came out."""
    try:
        with batch.under_way(tools.now):
            await sending
    finally:
        await noted(tools.engine, replace(entry, said={**entry.said, **batch.told}))


def batches(request: Request, of: str) -> dict[Any, Batch]:
    """Those of this process, of one sort, by what they are about."""
    state = request.app.state
    if not hasattr(state, of):
        setattr(state, of, {})
    return getattr(state, of)
