"""How much the bench does: everything has a most in number and in seconds."""

from dataclasses import dataclass

from bench.measure import Load


@dataclass(frozen=True)
class Night:
    """One midnight: how many policies at most, how long opening them may take, and how many workers meet it."""

    policies: int
    opening: float
    workers: int = 1


@dataclass(frozen=True)
class Plan:
    """One size of the bench; times in seconds."""

    name: str
    load: Load
    """Of one leg: floor or lives."""
    rounds: int
    slowly: int
    """Lives led one after the other, for the latency at low load."""
    replayed: int
    night: Night
    claims: Load

    @property
    def callers(self) -> int:
        return self.load.callers


FULL = Plan(
    "full", Load(300, 16, 18), rounds=2, slowly=10, replayed=6, night=Night(2_000, 45), claims=Load(200, 16, 18)
)
QUICK = Plan("quick", Load(16, 4, 5), rounds=1, slowly=2, replayed=3, night=Night(40, 6), claims=Load(12, 4, 5))
SHORT = Plan("short", Load(80, 8, 12), rounds=1, slowly=5, replayed=3, night=Night(300, 12), claims=Load(40, 8, 8))
"""For a comparison, which leads it several times."""
