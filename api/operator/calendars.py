"""Brings a newly published calendar to the cases that depend on it: which they are, what would move, what moved."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col
from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from api.tools import Rules
from domain.claim.contract_terms import with_terms
from domain.notices import CaseFacts
from domain.rescheduling import moved_dates
from models.contracts.base import Actor, Given
from models.contracts.claim_state import ClaimView
from models.contracts.claim_terms import ClaimTerms
from models.contracts.clock import Clock
from models.contracts.hazard import HazardView
from models.contracts.policy import AdoptCalendar, PolicyView
from models.contracts.rulebook import CalendarYear, PackRef, RulesFor, WorkCalendar
from models.contracts.vocabulary import ActorKind, CaseKind, HazardGrade
from models.tables.cases import Case
from models.tables.engine import connected, operator
from rules.complaints import validated
from rules.packfile import read_document

AT_ONCE = 8
"""Cases spoken to at one time: far below what a worker takes, so that callers do not wait behind us."""
ANSWER_WITHIN = timedelta(seconds=15)
ATTEMPTS = 4
OPERATOR = Actor(kind=ActorKind.OPERATOR, id="anze-calendar", name="运维")
VIEWS: dict[CaseKind, type[PolicyView] | type[HazardView] | type[ClaimView]] = {
    CaseKind.POLICY: PolicyView,
    CaseKind.HAZARD: HazardView,
    CaseKind.CLAIM: ClaimView,
}


class Outcome(Enum):
    """How a case took the calendar, in the words of the report."""

    ADOPTED = "已采用"
    WOULD = "将采用（试运行）"
    ENDED = "已办结，无需采用"
    REFUSED = "未采用"
    UNKNOWN = "结果不明，请重新运行"


@dataclass(frozen=True)
class Result:
    """One case, and the sentence for each last day that moved: duty key → before and after."""

    workflow_id: str
    outcome: Outcome
    moved: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    @property
    def failed(self) -> bool:
        return self.outcome in {Outcome.REFUSED, Outcome.UNKNOWN}


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
    """What would move, computed as the case itself would; nothing is sent."""
    terms = case.view.get("terms") or {}
    grade = case.view.get("grade") if case.kind is CaseKind.HAZARD else None
    asked = RulesFor(
        region=case.region,
        sector=case.sector,
        size=case.size,
        on=case.signed_on,
        case=case.kind,
        grade=HazardGrade(grade) if grade else None,
        out_of_area=bool(terms.get("out_of_area")),
        packs=tuple(PackRef.model_validate(ref) for ref in case.packs),
    )
    rulebook = library.resolve(asked).rulebook
    if case.kind is CaseKind.CLAIM:
        rulebook = with_terms(rulebook, ClaimTerms.model_validate(terms))
    known = tuple(year for year in adopted.calendar.years if year.year <= case.calendar_through)
    facts = CaseFacts(
        case_id=case.id,
        region=case.region,
        sector=case.sector,
        rulebook=rulebook,
        calendar=WorkCalendar(years=known),
        clock=Clock.model_validate(case.clock),
    )
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
    """Its key is made of calendar and case, so that sending again changes nothing."""
    key = f"calendar:{adopted.year}:{adopted.digest[:16]}:{case.id}"
    given = Given[AdoptCalendar](
        command_id=key,
        actor=by,
        fingerprint=adopted.digest,
        command=AdoptCalendar(calendar=adopted.calendar),
    )
    handle, why = client.get_workflow_handle(case.workflow_id), ""
    for attempt in range(ATTEMPTS):
        try:
            view = await handle.execute_update(
                "adopt_calendar", given, id=key, result_type=VIEWS[case.kind], rpc_timeout=ANSWER_WITHIN
            )
        except WorkflowUpdateFailedError as failed:
            return _refused(case, failed)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return Result(case.workflow_id, Outcome.ENDED)
            why = error.status.name
        except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError):
            why = "没有答复"
        else:
            return Result(case.workflow_id, Outcome.ADOPTED, _moved(case, view))
        await asyncio.sleep(2.0**attempt)
    return Result(case.workflow_id, Outcome.UNKNOWN, why=why)


def _refused(case: Case, failed: WorkflowUpdateFailedError) -> Result:
    """A case that has closed meanwhile needs no calendar."""
    cause = failed.cause
    refusal = cause.details[0] if isinstance(cause, ApplicationError) and cause.details else {}
    if refusal.get("code") == "case_closed":
        return Result(case.workflow_id, Outcome.ENDED)
    return Result(case.workflow_id, Outcome.REFUSED, why=str(refusal.get("says") or failed.cause))


def _moved(case: Case, view: Any) -> dict[str, str]:
    """The last days before, as the row had them, against the answer."""
    before = {duty["key"]: duty["effective"] for duty in case.view.get("duties", ())}
    return {
        duty.key: f"“{duty.label}”由 {before[duty.key]} 改为 {duty.effective}"
        for duty in view.duties
        if before.get(duty.key) and duty.effective and before[duty.key] != str(duty.effective)
    }
