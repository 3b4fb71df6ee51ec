"""When a duty of a case's view is due, in words, for the lists of the rooms; nothing is read here."""

from datetime import date, datetime
from typing import Any

from domain import wording


def when_due(duty: dict[str, Any], at: datetime) -> dict[str, Any]:
    """The fields of a line in a room's list: day and time left in words, whether it is late or provisional."""
    due_at = datetime.fromisoformat(duty["due_at"]) if duty["due_at"] else None
    return {
        "due_at": due_at,
        "due_day": wording.day(date.fromisoformat(duty["effective"])) if duty["effective"] else "",
        "left": wording.left(due_at, at),
        "late": due_at is not None and due_at <= at,
        "provisional": duty["provisional"],
    }
