"""Rule files cases are pinned to and this installation lacks, with how many cases; putting one back is a runbook."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from api.callers import Entry
from api.kept import Counted
from api.problems import DIGITS
from api.rows import CASES
from domain.places import full_region_name
from models.contracts.rulebook import PackRef


@dataclass(frozen=True)
class Absent:
    """A file whose digest no loaded file has: it was changed, removed, or never came here."""

    ref: PackRef
    running: int
    ended: int

    @property
    def short(self) -> str:
        return self.ref.digest[:DIGITS]

    @property
    def place(self) -> str:
        return full_region_name(self.ref.region)


@dataclass(frozen=True)
class Lacking:
    """The files by place and day; a case is counted once for each file it lacks."""

    files: tuple[Absent, ...]
    rows: int
    """Cases that were looked at."""


async def absent(entry: Entry) -> Counted[Lacking]:
    """As the process counted lately, where there are many cases."""
    return await entry.tools.kept.figures(("rule files",), entry.tools.now(), lambda: _counted(entry))


async def _counted(entry: Entry) -> Lacking:
    known = {(pack.ref.region, pack.ref.digest) for pack in entry.tools.rules.known()}
    open_ = func.count().filter(CASES.c.ended_at.is_(None)).label("running")
    pinned = select(CASES.c.packs, open_, func.count().label("n")).group_by(CASES.c.packs)
    found: dict[PackRef, tuple[int, int]] = {}
    rows = (await entry.connection.execute(pinned)).all()
    for row in rows:
        for ref in _lacking(row.packs, known):
            running, ended = found.get(ref, (0, 0))
            found[ref] = (running + row.running, ended + row.n - row.running)
    files = tuple(Absent(ref, *found[ref]) for ref in sorted(found, key=_place_and_day))
    return Lacking(files, sum(row.n for row in rows))


def _lacking(packs: Iterable[Mapping[str, Any]], known: set[tuple[str, str]]) -> list[PackRef]:
    refs = (PackRef.model_validate(pack) for pack in packs)
    return [ref for ref in refs if (ref.region, ref.digest) not in known]


def _place_and_day(ref: PackRef) -> tuple[str, str, str]:
    return ref.region, str(ref.in_force_on), ref.digest
