"""Brings a newly published calendar to the cases that depend on it: which they are, what would move, what moved."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col
from temporalio.client import Client

from api.operator.pinned import facts_of
from api.operator.sending import AT_ONCE, Outcome, Result, send
from api.tools import Rules
from domain.rescheduling import moved_dates
from models.contracts.base import Actor, Given
from models.contracts.calendar import CalendarYear, WorkCalendar
from models.contracts.case import AdoptCalendar
from models.contracts.vocabulary import ActorKind
from models.tables.cases import Case
from models.tables.engine import connected, operator
from rules.complaints import validated
from rules.findings import UnknownPack
from rules.packfile import read_document

OPERATOR = Actor(kind=ActorKind.OPERATOR, id="anze-calendar", name="运维")


@dataclass(frozen=True)
class Adoption:
    """The calendar to be adopted, and the year that is new in it."""

    calendar: WorkCalendar
    year: int

    @property
    def digest(self) -> str:
        """The same table of days always has the same digest, however its file is written."""
        table = next(one for one in self.calendar.years if one.year == self.year)
        days = [sorted(map(str, table.off)), sorted(map(str, table.work))]
        return sha256(json.dumps([table.year, table.notice, *days]).encode()).hexdigest()


def adoption(library: Rules, year: int | None, file: Path | None) -> Adoption:
    """The built-in calendars, with the year of `file` in place of theirs.

    Raises RulesRefused where the file is no calendar, LookupError where the year is not there.
    """
    known = {one.year: one for one in library.calendar().years}
    if file is not None:
        table = validated(read_document(file), CalendarYear)
        if year not in (None, table.year):
            raise LookupError(f"文件是 {table.year} 年的日历，不是 {year} 年的")
        known, year = {**known, table.year: table}, table.year
    year = year or max(known, default=0)
    if year not in known:
        raise LookupError(f"没有 {year} 年的日历；已公布：{'、'.join(map(str, sorted(known))) or '无'}")
    return Adoption(WorkCalendar(years=tuple(known[one] for one in sorted(known))), year)


async def waiting(engine: AsyncEngine, everyone: bool = False, lacking: int | None = None) -> list[Case]:
    """Open cases whose last days are provisional, or all open cases; rows of every insurer, for the operator.

    `lacking` leaves out those that know that year already.
    """
    asked = select(Case).where(col(Case.ended_at).is_(None)).order_by(col(Case.id))
    if not everyone:
        asked = asked.where(col(Case.provisional))
    if lacking is not None:
        asked = asked.where(col(Case.calendar_through) < lacking)
    async with connected(engine) as connection:
        await operator(connection)
        rows = (await connection.execute(asked)).mappings().all()
    return [Case.model_validate(dict(row)) for row in rows]


def foreseen(library: Rules, case: Case, adopted: Adoption) -> Result:
    """What would move, computed as the case itself would; nothing is sent.

    Of a case whose rule file is not here nobody can say beforehand; it takes the calendar all the same.
    """
    try:
        facts = facts_of(library, case)
    except UnknownPack as unknown:
        return Result(case.workflow_id, Outcome.WOULD, why=str(unknown))
    return Result(case.workflow_id, Outcome.WOULD, moved_dates(facts, adopted.calendar))


async def send_all(
    client: Client, cases: Sequence[Case], adopted: Adoption, done: Callable[[Result], None], by: Actor = OPERATOR
) -> list[Result]:
    """Give the calendar to every case; `done` hears of each end. One that fails holds up no other."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> Result:
        async with places:
            result = await _send(client, case, adopted, by)
        done(result)
        return result

    return list(await asyncio.gather(*(one(case) for case in cases)))


async def _send(client: Client, case: Case, adopted: Adoption, by: Actor) -> Result:
    """Its key is made of calendar and case."""
    given = Given[AdoptCalendar](
        command_id=f"calendar:{adopted.year}:{adopted.digest[:16]}:{case.id}",
        actor=by,
        fingerprint=adopted.digest,
        command=AdoptCalendar(calendar=adopted.calendar),
    )
    return await send(client, case, "adopt_calendar", given, lambda view: _moved(case, view))


def _moved(case: Case, view: Any) -> dict[str, str]:
    """The last days before, as the row had them, against the answer."""
    before = {duty["key"]: duty["effective"] for duty in case.view.get("duties", ())}
    return {
        duty.key: f"“{duty.label}”由 {before[duty.key]} 改为 {duty.effective}"
        for duty in view.duties
        if before.get(duty.key) and duty.effective and before[duty.key] != str(duty.effective)
    }
