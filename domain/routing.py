"""Which departments a role is, for a place and a sector; who stands behind a department is the directory's business."""

from models.contracts.ids import ancestors
from models.contracts.pack import HUMAN_QUEUE
from models.contracts.rulebook import BoundRoute, Rulebook
from models.contracts.vocabulary import Role, Sector

PARTIES = frozenset({Role.INSURER, Role.INSURED, Role.PROVIDER, Role.BROKER})
"""Roles of a policy itself; everybody else is found through routes."""


def is_department(role: Role) -> bool:
    """Whether a role becomes a department through place and sector."""
    return role not in PARTIES and role is not Role.HUMAN_QUEUE


def departments(rulebook: Rulebook, role: Role, region: str, sector: Sector) -> tuple[tuple[str, str], ...]:
    """Candidates (region, department), most specific first; empty means the human queue, or a party of the policy.

    A department is looked for in the district, then the city, then the province, under the names that this level and
    those above it give it. A route that says `human_queue` ends the search: the notice names nobody.
    """
    if not is_department(role):
        return ()
    named = _named(rulebook, role, sector)
    chain = ancestors(region)
    candidates = [
        (level, bound.route.department)
        for depth, level in enumerate(chain)
        for bound in named
        if bound.region in chain[depth:]
    ]
    return tuple(dict.fromkeys(candidates))


def _named(rulebook: Rulebook, role: Role, sector: Sector) -> list[BoundRoute]:
    """Routes of a role in the order they count, as far as the first one that names nobody."""
    found: list[BoundRoute] = []
    for bound in _ordered(rulebook, role, sector):
        if bound.route.department == HUMAN_QUEUE:
            break
        found.append(bound)
    return found


def _ordered(rulebook: Rulebook, role: Role, sector: Sector) -> list[BoundRoute]:
    """The most specific level first, and within a level a named sector before a route for all sectors."""
    fitting = [
        bound
        for bound in rulebook.routes
        if bound.route.role is role and (not bound.route.sectors or sector in bound.route.sectors)
    ]
    return sorted(fitting, key=lambda bound: (-len(bound.region.rstrip("0")), not bound.route.sectors))
