"""What the composition root hands to the API: connections, rules, a file store, budgets. Nothing here opens any."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.budgets import Budgets
from api.identity import IdentityProvider
from api.kept import Kept
from models.contracts.calendar import WorkCalendar
from models.contracts.rulebook import Resolved, RulesFor
from models.tables.backlog import Bounds
from models.tables.sealed import FieldKeys
from rules.findings import Finding
from rules.library import LoadedPack


class Rules(Protocol):
    """The library of packs and calendars, as far as readers need it."""

    def resolve(self, asked: RulesFor) -> Resolved: ...

    def calendar(self) -> WorkCalendar: ...

    def packs(self) -> tuple[LoadedPack, ...]: ...

    def known(self) -> tuple[LoadedPack, ...]: ...

    def pack_for(self, region: str, on: date) -> tuple[LoadedPack, ...]: ...

    def warnings(self, today: date) -> tuple[Finding, ...]: ...


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Tools:
    """Everything a request may use; no slash ends `base_url`, `secret` signs cursors, `sealing` seals names.

    Without `identity` nobody has an account here: people come by codes and links, core systems by keys.
    """

    temporal: Client
    engine: AsyncEngine
    task_queue: str
    rules: Rules
    files: Path
    secret: bytes
    sealing: FieldKeys
    base_url: str
    budgets: Budgets = field(default_factory=Budgets)
    scan: tuple[str, ...] = ()
    """The command that looks at every file before it is kept; empty where there is none."""
    now: Callable[[], datetime] = _now
    identity: IdentityProvider | None = None
    bounds: Bounds = field(default_factory=Bounds)
    """How long work may wait before operators are told."""
    temporal_ui: str = ""
    """Where operators open the Temporal UI, without a trailing slash; empty where nobody said it."""
    kept: Kept = field(default_factory=Kept)
    """Figures of wide scopes that were counted lately."""
    anchors: Path | None = None
    """The folder the anchors of the audit trail are written to, for operators to see when the last one was made."""
