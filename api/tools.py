"""What the composition root hands to the API: connections, rules, a file store, budgets. Nothing here opens any."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.identity import IdentityProvider
from api.kept import Kept
from models.contracts.calendar import WorkCalendar
from models.contracts.rulebook import Resolved, RulesFor
from models.tables.backlog import Bounds
from models.tables.sealed import FieldKeys
from rules.findings import Finding
from rules.library import LoadedPack

MEBIBYTE = 1024 * 1024


class Rules(Protocol):
    """The library of packs and calendars, as far as readers need it."""

    def resolve(self, asked: RulesFor) -> Resolved: ...

    def calendar(self) -> WorkCalendar: ...

    def packs(self) -> tuple[LoadedPack, ...]: ...

    def known(self) -> tuple[LoadedPack, ...]: ...

    def pack_for(self, region: str, on: date) -> tuple[LoadedPack, ...]: ...

    def warnings(self, today: date) -> tuple[Finding, ...]: ...


@dataclass(frozen=True)
class Budgets:
    """How much one caller may ask for. Sizes in bytes, times in seconds."""

    answer_within: float = 5.0
    """A write is answered within this, or as outcome-unknown (promises.md rule 6)."""
    body_within: float = 30.0
    """A body of the API is there within this, and no upload rests longer."""
    retry_after: int = 2
    body: int = 256 * 1024
    command: int = 384 * 1024
    """A command as it reaches its case, with every field that was left out: ten at once fit into one message."""
    headers: int = 16 * 1024
    nesting: int = 32
    file: int = 20 * MEBIBYTE
    page_upload: int = 64 * MEBIBYTE
    """A form of the pages behind mailed links, several photographs in all."""
    requests_per_second: float = 200.0
    burst: int = 1000
    """Of one key, and for pages of one address."""
    at_once: int = 256
    """Requests of one address, and of one key wherever it is used, under way in one process."""
    guesses_per_second: float = 1.0
    guesses_burst: int = 60
    """Keys nobody has, tried from one address."""
    strangers_per_second: float = 0.5
    """Codes asked for and typed from one address by whoever is not in yet."""
    strangers_burst: int = 30


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
