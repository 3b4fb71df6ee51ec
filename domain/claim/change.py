"""What a command does to a claim apart from what its duties make of it; the shape alone."""

from dataclasses import dataclass, field
from typing import Any

from models.contracts.notice import Notice
from models.contracts.payment import Answered, PaymentOrder, Release
from models.contracts.step import Happening
from models.contracts.vocabulary import NoticeKind, Role


@dataclass(frozen=True)
class Change:
    """Events in their order, fields of the state, notices to be told, and what goes out after the step."""

    happened: tuple[Happening, ...]
    update: dict[str, Any] = field(default_factory=dict)
    tell: tuple[tuple[NoticeKind, Role, str], ...] = ()
    """Notices the command itself causes: kind, to whom, and a stable moment."""
    note: str = ""
    """What these notices say of it, where it is not what happened first."""
    notices: tuple[Notice, ...] = ()
    """Notices that are written already."""
    orders: tuple[PaymentOrder, ...] = ()
    releases: tuple[Release, ...] = ()
    answers: tuple[Answered, ...] = ()
