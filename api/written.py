"""What is written in forms and addresses where an id or a day belongs: that, or nothing; what follows, readers say."""

from datetime import date
from uuid import UUID


def id_of(written: object) -> UUID | None:
    """In any spelling an id has; a field that was not sent is none."""
    try:
        return UUID(str(written))
    except ValueError:
        return None


def day_of(written: str) -> date | None:
    """As ISO 8601 writes one: 2026-01-31."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
