"""A hazard, a plan and a service in words, as the insured reads them: in its room and behind a mailed link alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, select

from api import reads
from api.callers import Entry
from api.desk.audience import Reader
from api.desk.caseduties import DutyShown, duties_of
from api.desk.caserecord import FileShown, RecordLine, file_shown, line_of
from api.desk.deeds import Deed, of_hazard
from api.desk.tones import tone_of
from api.duties import read_duties
from api.evidence import VISIBLE, Piece, pieces
from api.rows import STEPS
from api.shapes import DutyReading
from domain import wording
from models.contracts.vocabulary import (
    Event,
    HazardGrade,
    HazardStage,
    Role,
    ServiceDimension,
    ServiceItem,
    Word,
)

TERMS = (3, 7, 15, 30, 60)
"""Days of more time that are offered to choose from, as far as the rule allows them."""
OF_SERVICE = ("FilePlan", "ConfirmPlan", "RecordVisit")
Addressed = Callable[[Piece], str]
"""Where a file lies for this reader."""


@dataclass(frozen=True)
class HazardMatter:
    """A hazard with its term, its pictures, what was done, and what may be done now."""

    row: Row[Any]
    grade: HazardGrade
    stage: Word
    tone: str
    insurer: str
    place_line: str
    found: str
    duty: DutyShown | None
    choices: tuple[int, ...]
    """Days of more time one may ask for."""
    photographs: tuple[FileShown, ...]
    documents: tuple[FileShown, ...]
    record: tuple[RecordLine, ...]
    deeds: tuple[Deed, ...]

    @property
    def view(self) -> dict[str, Any]:
        return self.row.view


@dataclass(frozen=True)
class PlanShown:
    """The latest plan of a policy."""

    filed: str
    items: tuple[ServiceItem, ...]
    times: int
    goals: str
    files: tuple[FileShown, ...]
    confirmed: bool


@dataclass(frozen=True)
class VisitShown:
    """One service; `stars` are empty until it was rated."""

    number: str
    on: str
    items: tuple[ServiceItem, ...]
    place: str
    staff: int
    summary: str
    hazards: int
    files: tuple[FileShown, ...]
    stars: tuple[tuple[ServiceDimension, int], ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class PolicyMatter:
    """A policy as its enterprise reads it: the plan, the services, what it owes itself."""

    row: Row[Any]
    stage: Word
    tone: str
    insurer: str
    place_line: str
    plan: PlanShown | None
    visits: tuple[VisitShown, ...]
    duties: tuple[DutyShown, ...]

    def visit(self, number: str) -> VisitShown | None:
        return next((one for one in self.visits if one.number == number), None)


async def hazard_matter(entry: Entry, row: Row[Any], reader: Reader, address: Addressed) -> HazardMatter:
    """The hazard of this row, which was looked up with the caller's rights."""
    duties, happened = await read_duties(entry, row), await reads.timeline(entry, row.id)
    own = next((one for one in duties.items if one.state == "open" and one.owed_by is Role.INSURED), None)
    files = [file_shown(one, address) for one in await _of_hazard(entry, row, reader)]
    stage = HazardStage(row.stage)
    extendable = _extendable(own)
    return HazardMatter(
        row=row,
        grade=HazardGrade(row.view["grade"]),
        stage=stage,
        tone=tone_of(stage, late=bool(own and own.overdue)),
        insurer=await reads.insurer_of(entry, row),
        place_line=wording.place_line(row.region, row.sector, row.size),
        found=wording.plain_day(date.fromisoformat(row.view["found_on"])),
        duty=next((one for one in duties_of(row, duties, happened, reader, own.key) if one.key == own.key), None)
        if own
        else None,
        choices=_choices(extendable),
        photographs=tuple(one for one in files if one.is_picture),
        documents=tuple(one for one in files if not one.is_picture),
        record=tuple(line_of(one, reader) for one in happened if reader.hears(one.event)),
        deeds=_deeds(row, extendable),
    )


def _deeds(row: Row[Any], extendable: int) -> tuple[Deed, ...]:
    if row.ended_at is not None:
        return ()
    waiting = row.view.get("more_time")
    return of_hazard(row.stage, objected=bool(row.view.get("objection")), extendable=0 if waiting else extendable)


def _extendable(own: DutyReading | None) -> int:
    """Days one may ask for: only before the term has run out."""
    return own.extendable_days if own and not own.overdue else 0


def _choices(extendable: int) -> tuple[int, ...]:
    """The usual lengths within what the rule allows, and all of it."""
    if not extendable:
        return ()
    most = min(extendable, TERMS[-1])
    return tuple(sorted({*(days for days in TERMS if days < most), most}))


async def _of_hazard(entry: Entry, row: Row[Any], reader: Reader) -> list[Piece]:
    """Files of the hazard's own record, and those its visit brought along; each once."""
    own = await pieces(entry.connection, row.id, VISIBLE[reader.kind])
    brought = await pieces(entry.connection, row.parent_id, {"RecordVisit": Event.VISIT_RECORDED})
    told = [one for one in brought if one.speaks_of(row.number)]
    return list({one.digest: one for one in reversed([*told, *own])}.values())[::-1]


async def policy_matter(entry: Entry, row: Row[Any], reader: Reader, address: Addressed) -> PolicyMatter:
    """The policy of this row, which was looked up with the caller's rights."""
    duties, happened = await read_duties(entry, row), await reads.timeline(entry, row.id)
    own = next((one.key for one in duties.items if one.state == "open" and one.owed_by is Role.INSURED), "")
    files = await pieces(entry.connection, row.id, VISIBLE[reader.kind])
    steps = [dict(one._mapping) for one in await entry.connection.execute(_services(row))]
    stage = reads.STAGES[row.kind](row.stage)
    return PolicyMatter(
        row=row,
        stage=stage,
        tone=tone_of(stage),
        insurer=await reads.insurer_of(entry, row),
        place_line=wording.place_line(row.region, row.sector, row.size),
        plan=_plan(steps, files, address),
        visits=tuple(_visits(steps, files, address, row.view.get("ratings", ()))),
        duties=tuple(
            one for one in duties_of(row, duties, happened, reader, own) if one.open and one.owed_by is Role.INSURED
        ),
    )


def _services(row: Row[Any]) -> Any:
    columns = (*STEPS.c["seq", "at", "command_name"], STEPS.c.cause["body"]["command"].label("command"))
    of = (STEPS.c.case_id == row.id) & STEPS.c.command_name.in_(OF_SERVICE)
    return select(*columns).where(of).order_by(STEPS.c.seq)


def _plan(steps: list[dict[str, Any]], files: list[Piece], address: Addressed) -> PlanShown | None:
    filed = [one for one in steps if one["command_name"] == "FilePlan"]
    if not filed:
        return None
    last = filed[-1]
    command = last["command"]
    return PlanShown(
        filed=wording.instant(last["at"]),
        items=tuple(ServiceItem(item) for item in command["items"]),
        times=command["services_per_year"],
        goals=command["goals"],
        files=_of_step(files, last, address),
        confirmed=any(one["command_name"] == "ConfirmPlan" and one["seq"] > last["seq"] for one in steps),
    )


def _visits(steps: list[dict[str, Any]], files: list[Piece], address: Addressed, ratings: Any) -> Any:
    """The latest first."""
    rated = {one["visit"]: one for one in ratings}
    for step in reversed(steps):
        if step["command_name"] != "RecordVisit":
            continue
        command = step["command"]
        rating = rated.get(command["number"], {})
        stars: dict[str, int] = rating.get("stars", {})
        yield VisitShown(
            number=command["number"],
            on=wording.plain_day(date.fromisoformat(command["on"])),
            items=tuple(ServiceItem(item) for item in command["items"]),
            place=command["place"],
            staff=command["staff_count"],
            summary=command["summary"],
            hazards=len(command["hazards"]),
            files=_of_step([one for one in files if not one.hazard], step, address),
            stars=tuple((one, stars[one.value]) for one in ServiceDimension if one.value in stars),
            comment=rating.get("comment", ""),
        )


def _of_step(files: list[Piece], step: dict[str, Any], address: Addressed) -> tuple[FileShown, ...]:
    mine = (one for one in files if (one.command, one.at) == (step["command_name"], step["at"]))
    return tuple(file_shown(one, address) for one in mine)
