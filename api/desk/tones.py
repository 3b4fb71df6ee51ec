"""The mark of a stage's badge on every page and list; how a mark looks is the template's."""

from models.contracts.vocabulary import ClaimStage, HazardStage, PolicyStage, Word

SETTLED: frozenset[Word] = frozenset(
    {PolicyStage.SERVED, PolicyStage.RENEWED, HazardStage.CLOSED, ClaimStage.COMPLETED, ClaimStage.CLOSED}
)
OVER: frozenset[Word] = frozenset(
    {PolicyStage.EXPIRED, PolicyStage.SURRENDERED, HazardStage.STOPPED, ClaimStage.WITHDRAWN}
)
BAD: frozenset[Word] = frozenset({HazardStage.REFUSED, HazardStage.FAILED, ClaimStage.REFUSED, ClaimStage.DENIED})


def tone_of(stage: Word, *, late: bool = False) -> str:
    """Done, over, bad, late, or under way."""
    if stage in OVER:
        return "off"
    if stage in SETTLED:
        return "ok"
    return "late" if late or stage in BAD else "info"
