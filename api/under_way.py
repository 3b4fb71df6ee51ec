"""How many requests an address and an organisation's keys have under way here; how often they come is in rates.py."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from api.problems import try_later
from api.words import ProblemCode

PLACES = "under_way"
"""Where a request's scope keeps its places."""


class Places:
    """Those one request takes: of its address when it comes, of its owner once its key is recognised."""

    def __init__(self, taken: Counter[str], most: int) -> None:
        self._taken, self._most = taken, most
        self._mine = set[str]()

    def take(self, who: str) -> None:
        """One place, however often one asks for it. Raises Problem 429 where all are taken."""
        if who in self._mine:
            return
        if self._taken[who] >= self._most:
            raise try_later(ProblemCode.TOO_MANY, 1)
        self._taken[who] += 1
        self._mine.add(who)

    def leave(self) -> None:
        self._taken.subtract(self._mine)
        for who in self._mine:
            if not self._taken[who]:
                del self._taken[who]
        self._mine.clear()


class UnderWay:
    """At most `most` requests of one at a time."""

    def __init__(self, most: int) -> None:
        self._taken, self._most = Counter[str](), most

    @contextmanager
    def places(self) -> Iterator[Places]:
        """For one request, until it is answered."""
        places = Places(self._taken, self._most)
        try:
            yield places
        finally:
            places.leave()
