"""Figures of wide scopes, counted once for some minutes and shown with the instant they were counted at; no figure."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

WIDE = 20_000
"""Rows. Fewer are counted at every visit, in some thirty milliseconds, and are never older than their page."""
FRESH = timedelta(minutes=5)
"""Older figures are counted anew by whoever comes next."""
USABLE = timedelta(minutes=15)
"""While somebody counts, others are shown figures of this age."""
MOST_KEPT = 1_000


class Figures(Protocol):
    """What was counted, and out of how many rows."""

    @property
    def rows(self) -> int: ...


F = TypeVar("F", bound=Figures)


@dataclass(frozen=True)
class Counted(Generic[F]):
    """Figures, and when they were counted."""

    figures: F
    at: datetime

    @property
    def as_of(self) -> datetime | None:
        """The instant to show beside figures that may be older than their page."""
        return self.at if self.figures.rows >= WIDE else None


@dataclass
class Kept:
    """What this process has counted, by the scope it was counted over; who may see that scope is settled before."""

    _counted: dict[Hashable, Counted[Any]] = field(default_factory=dict)
    _under_way: set[Hashable] = field(default_factory=set)

    async def figures(self, scope: Hashable, now: datetime, count: Callable[[], Awaitable[F]]) -> Counted[F]:
        """As counted lately over this scope, where it is a wide one; else counted now."""
        found = self._counted.get(scope)
        if found is not None and now - found.at < (USABLE if scope in self._under_way else FRESH):
            return found
        self._under_way.add(scope)
        try:
            counted = Counted(await count(), now)
        finally:
            self._under_way.discard(scope)
        self._keep(scope, counted)
        return counted

    def _keep(self, scope: Hashable, counted: Counted[Any]) -> None:
        self._counted.pop(scope, None)
        if counted.as_of is not None:
            self._counted[scope] = counted
        while len(self._counted) > MOST_KEPT:
            del self._counted[next(iter(self._counted))]
