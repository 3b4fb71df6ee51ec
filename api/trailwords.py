"""How a row of the audit trail is read: words by their labels, instants and places in words; rows are in chains.py."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.entrance.words import NoEntry
from api.words import ProblemCode, Scope
from domain.places import NAMES, region_name
from domain.wording import instant
from models.contracts.vocabulary import (
    ActorKind,
    AskedFor,
    CameBy,
    CaseKind,
    NoticeKind,
    Post,
    Role,
    Sector,
    TaskKind,
    Word,
)

VALUES: Mapping[str, tuple[type[Word], ...]] = {
    "asked_for": (AskedFor,),
    "before": (Post,),
    "came_by": (CameBy,),
    "code": (ProblemCode,),
    "kind": (ActorKind, TaskKind, CaseKind),
    "letter": (NoticeKind,),
    "posts": (Post,),
    "registered": (Post,),
    "role": (Role,),
    "scopes": (Scope,),
    "sector": (Sector,),
    "why": (NoEntry,),
}
"""Of which lists the words under a name are; what is in none of them stands as it was put on record."""
INSTANTS = frozenset({"as_of", "expires_at"})


def readable(name: str, value: Any) -> tuple[Any, ...]:
    """What stands under a name, one by one: words of the vocabulary where they are some, otherwise text."""
    found = value if isinstance(value, list | tuple) else (value,)
    return tuple(_readable(name, one) for one in found)


def _readable(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name == "region" and value in NAMES:
        return region_name(value)
    if name in INSTANTS:
        return _instant(value)
    return next((words(value) for words in VALUES.get(name, ()) if value in set(words)), value)


def _instant(value: str) -> str:
    try:
        return instant(datetime.fromisoformat(value))
    except ValueError:
        return value
