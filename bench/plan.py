"""How much the bench does: everything has a most in number and in seconds."""

from dataclasses import dataclass

from bench.measure import Load


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
    policies: int
    opening: float
    """The most time opening the policies of the midnight may take."""

    claims: Load

    @property
    def callers(self) -> int:
        return self.load.callers


FULL = Plan(
    "full", Load(300, 16, 18), rounds=2, slowly=10, replayed=6, policies=2_000, opening=45, claims=Load(200, 16, 18)
)
QUICK = Plan("quick", Load(16, 4, 5), rounds=1, slowly=2, replayed=3, policies=40, opening=6, claims=Load(12, 4, 5))
