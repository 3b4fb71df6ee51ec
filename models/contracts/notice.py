"""What somebody is to be told: the firing of a rung, the notice it becomes, and nothing about mail servers."""

from datetime import date, datetime

from models.contracts.base import Contract
from models.contracts.rulebook import Citation
from models.contracts.vocabulary import NoticeKind, Role, Urgency


class Firing(Contract):
    """A rung that fires (or, at late entry, is passed over) at an instant."""

    key: str
    """Key of the running duty."""
    duty: str
    rung: int
    """Index in the expanded ladder."""
    moment: str
    at: datetime
    tell: tuple[Role, ...]
    notice: NoticeKind


class About(Contract):
    """The duty or the matter a notice speaks of, in figures; wording is the template's business."""

    duty: str = ""
    duty_key: str = ""
    label: str = ""
    owed_by: Role | None = None
    anchor_on: date | None = None
    anchor_label: str = ""
    nominal: date | None = None
    effective: date | None = None
    due_at: datetime | None = None
    provisional: bool = False
    counting: str = ""
    """How the days were counted, one Chinese sentence from domain/wording.py."""
    note: str = ""
    passed_on: str = ""
    """Who passed the matter on to the reader, and why."""
    visit: str = ""
    """The service the notice speaks of, by its number."""


class Notice(Contract):
    """One thing to be told to one role; `key` is unique for ever and made of stable identifiers only."""

    key: str
    kind: NoticeKind
    to: Role
    at: datetime
    urgency: Urgency = Urgency.DIGEST
    about: About = About()
    cites: Citation | None = None
    departments: tuple[tuple[str, str], ...] = ()
    """(region, department) candidates, most specific first; empty for parties of the policy and the human queue."""
