"""Figures of wide scopes, counted once for some minutes and shown with the instant they were counted at; no figure."""

import asyncio
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
    _under_way: dict[Hashable, asyncio.Future[Counted[Any] | None]] = field(default_factory=dict)

    async def figures(self, scope: Hashable, now: datetime, count: Callable[[], Awaitable[F]]) -> Counted[F]:
        """As counted lately over this scope, where it is a wide one; else counted now, once for all who come meanwhile.

        Raises what counting raised, for whoever waited for it too; it is not kept.
        """
        while (under_way := self._under_way.get(scope)) is not None:
            found = self._counted.get(scope)
            if found is not None and now - found.at < USABLE:
                return found
            shared = await asyncio.shield(under_way)
            if shared is not None:  # few are counted at every visit, and never older than their page
                return shared if shared.as_of is not None else Counted(await count(), now)
        found = self._counted.get(scope)
        return found if found is not None and now - found.at < FRESH else await self._count(scope, now, count)

    def forget(self, scope: Hashable) -> None:
        """What was counted over it is known to hold no longer: whoever comes next counts anew."""
        self._counted.pop(scope, None)

    async def _count(self, scope: Hashable, now: datetime, count: Callable[[], Awaitable[F]]) -> Counted[F]:
        """On this visitor's own connection: one who leaves takes the count along, and another begins it anew."""
        told = self._under_way[scope] = asyncio.get_running_loop().create_future()
        try:
            counted = Counted(await count(), now)
            self._keep(scope, counted)
            told.set_result(counted)
            return counted
        except Exception as failure:
            told.set_exception(failure)
            told.exception()  # nobody may have waited
            raise
        finally:
            del self._under_way[scope]
            if not told.done():
                told.set_result(None)

    def _keep(self, scope: Hashable, counted: Counted[Any]) -> None:
        self._counted.pop(scope, None)
        if counted.as_of is not None:
            self._counted[scope] = counted
        while len(self._counted) > MOST_KEPT:
            del self._counted[next(iter(self._counted))]
