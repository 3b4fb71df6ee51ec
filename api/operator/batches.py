"""One command on its way to many cases in this process: how many, how far, how it came out; sends nothing itself."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import Request

from api.operator.sending import Outcome, Result

MOST_LOGGED = 200


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
    task: asyncio.Task[None] | None = None

    def add(self, result: Result) -> None:
        self.done += 1
        self.counts[result.outcome] = self.counts.get(result.outcome, 0) + 1
        if result.moved or result.failed:
            self.log.append(result)

    @property
    def runs(self) -> bool:
        return self.ended_at is None


def batches(request: Request, of: str) -> dict[Any, Batch]:
    """Those of this process, of one sort, by what they are about."""
    state = request.app.state
    if not hasattr(state, of):
        setattr(state, of, {})
    return getattr(state, of)
