"""Which rules a case obeys: the library's answer, handed to workflows; packs are read in rules/."""

from temporalio import activity

from models.contracts.ports import RuleDesk
from models.contracts.rulebook import Resolved, RulesFor
from rules.library import Library


class PackDesk(RuleDesk):
    """The desk of one worker, over the packs it has loaded."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @activity.defn(name="查定规则")
    async def resolve_rules(self, asked: RulesFor) -> Resolved:
        """Raises UnknownPack where this worker does not have a pinned pack; another one may."""
        return self._library.resolve(asked)
