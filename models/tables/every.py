"""All modules that define tables: whoever imports this has them registered, for migrations and for what proves them."""

from sqlmodel import SQLModel

from models.tables import (
    access,
    audit,
    cases,
    claims,
    hands,
    matters,
    outbox,
    parties,
    people,
    providers,
    recovery,
    witnesses,
)

MODULES = (access, audit, cases, claims, hands, matters, outbox, parties, people, providers, recovery, witnesses)
"""Named, so that nobody takes the imports for idle: importing a module registers its tables."""
METADATA = SQLModel.metadata
