"""A case written out for a page: head, life, duties, record, notices, companions; who sees what is in audience.py."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from api import reads
from api.callers import Entry
from api.desk.audience import Part, Reader
from api.desk.caseduties import DutyShown, duties_of, policy_life
from api.desk.casemoney import ClaimShown, Fact, claim_of, money_of
from api.desk.caserecord import FileShown, NoticeShown, RecordLine, files_of, line_of, notices_of
from api.desk.tones import tone_of
from api.duties import read_duties
from api.shapes import Duties, TimelineEntry
from domain import wording
from domain.calendar import local_date
from models.contracts.rulebook import PackRef
from models.contracts.vocabulary import (
    CaseKind,
    HazardGrade,
    Word,
)

MOST_LINES = 60
"""Lines of the record on a page; the whole of a long one is asked for."""


@dataclass(frozen=True)
class Pack:
    """The documents of one place that are in force for the case: their numbers as its duties cite them, their days."""

    place: str
    numbers: str
    in_force: str


@dataclass(frozen=True)
class Companion:
    """A hazard or claim of a policy in one line."""

    number: str
    href: str
    stage: Word
    tone: str
    on: str
    major: bool = False
    due_day: str = ""
    left: str = ""
    late: bool = False


@dataclass(frozen=True)
class CaseFile:
    """A case as its page shows it to one reader; what the reader does not see is empty."""

    id: UUID
    kind: CaseKind
    number: str
    stage: Word
    tone: str
    insured: str
    insurer: str
    place: str
    signed: str
    effective: str
    expires: str
    as_of: str
    overdue: int
    ended: str = ""
    provisional: bool = False
    rate_review: bool = False
    major: bool = False
    policy_number: str = ""
    policy_href: str = ""
    workflow_id: str = ""
    facts: tuple[Fact, ...] = ()
    packs: tuple[Pack, ...] = ()
    life: str = ""
    """The drawing, as markup."""
    duties: tuple[DutyShown, ...] = ()
    settled: tuple[DutyShown, ...] = ()
    timeline: tuple[RecordLine, ...] = ()
    earlier: int = 0
    """Lines of the record left off this page."""
    files: tuple[FileShown, ...] = ()
    notices: tuple[NoticeShown, ...] = ()
    hazards: tuple[Companion, ...] = ()
    claims: tuple[Companion, ...] = ()
    claim: ClaimShown | None = None
    row: Row[Any] = field(repr=False, kw_only=True)


async def read_case(entry: Entry, row: Row[Any], reader: Reader, *, why: str = "", whole: bool = False) -> CaseFile:
    """The case of this row for this reader, judged at this instant; the row was looked up with the caller's rights.

    `why` names the duty whose days are drawn (the first open one otherwise), `whole` asks for the record from its
    first line.
    """
    at = reads.as_of(entry.tools.now(), row.changed_at)
    duties = await read_duties(entry, row)
    happened = await reads.timeline(entry, row.id)
    companions = await companions_in(entry, row, reader) if row.kind is CaseKind.POLICY else ()
    shown = duties_of(row, duties, happened, reader, why)
    return CaseFile(
        **_head(row, await reads.insurer_of(entry, row), at),
        **_policy_of(row, reader),
        overdue=sum(one.late for one in shown),
        facts=(*_description(row, reader), *money_of(row, reader)),
        workflow_id=row.workflow_id if reader.sees(Part.ENGINE) else "",
        packs=tuple(_packs(row, duties)),
        life=_life(row, duties, happened, companions, at, reader),
        duties=tuple(one for one in shown if one.open),
        settled=tuple(one for one in shown if not one.open),
        timeline=tuple(line_of(one, reader) for one in (happened if whole else happened[-MOST_LINES:])),
        earlier=0 if whole else max(len(happened) - MOST_LINES, 0),
        files=await files_of(entry, row, reader),
        notices=await notices_of(entry, row, reader),
        hazards=companions_of(CaseKind.HAZARD, companions, at, reader),
        claims=companions_of(CaseKind.CLAIM, companions, at, reader),
        claim=claim_of(row, duties, reader),
        row=row,
    )


def _head(row: Row[Any], insurer: str, at: datetime) -> dict[str, Any]:
    stage = reads.STAGES[row.kind](row.stage)
    return {
        "id": row.id,
        "kind": row.kind,
        "number": row.number,
        "stage": stage,
        "tone": tone_of(stage),
        "insured": row.insured_name,
        "insurer": insurer,
        "place": wording.place_line(row.region, row.sector, row.size),
        "signed": wording.plain_day(row.signed_on),
        "effective": wording.plain_day(row.effective_on),
        "expires": wording.plain_day(row.expires_on),
        "as_of": wording.instant(at),
        "ended": wording.instant(row.ended_at) if row.ended_at else "",
        "provisional": row.provisional,
        "rate_review": row.rate_review,
        "major": row.kind is CaseKind.HAZARD and row.view["grade"] == HazardGrade.MAJOR,
    }


def _policy_of(row: Row[Any], reader: Reader) -> dict[str, Any]:
    """Under which policy a hazard or a claim stands."""
    if row.parent_id is None:
        return {}
    return {
        "policy_number": row.view["policy_number"],
        "policy_href": reader.address(CaseKind.POLICY, row.parent_id),
    }


def _description(row: Row[Any], reader: Reader) -> Iterator[Fact]:
    """What a hazard is, where it is, by which criterion; what an accident was."""
    if not reader.sees(Part.DESCRIPTION):
        return
    if row.kind is CaseKind.HAZARD:
        view = row.view
        yield Fact("grade", HazardGrade(view["grade"]).label)
        yield Fact("description", view["description"])
        yield from (Fact(name, view[name]) for name in ("place", "criterion") if view.get(name))
        yield Fact("found_on", wording.plain_day(date.fromisoformat(view["found_on"])))
    if row.kind is CaseKind.CLAIM:
        accident = row.view["accident"]
        yield Fact("accident_at", wording.instant(datetime.fromisoformat(accident["at"])))
        yield Fact("accident_place", accident["place"])
        yield Fact("accident", accident["happened"])


def _packs(row: Row[Any], duties: Duties) -> Iterator[Pack]:
    """The documents in force for the case, a line for each place: what of them it cites, and since when."""
    dates: dict[str, list[date]] = {}
    for given in row.packs:
        ref = PackRef.model_validate(given)
        dates.setdefault(ref.region, []).append(ref.in_force_on)
    for region, since in sorted(dates.items(), reverse=True):
        cited = dict.fromkeys(one.cites.number for one in duties.items if one.cites.region == region)
        days = "、".join(wording.plain_day(on) for on in sorted(set(since)))
        yield Pack(place=wording.full_region_name(region), numbers="、".join(cited), in_force=days)


async def companions_in(entry: Entry, row: Row[Any], reader: Reader) -> tuple[Row[Any], ...]:
    """Hazards and claims of a policy, latest first."""
    cases = entry.caller.cases.c
    columns = cases["id", "kind", "number", "stage", "next_due_at", "ended_at", "opened_at", "changed_at", "view"]
    parts = {CaseKind.HAZARD: Part.HAZARDS, CaseKind.CLAIM: Part.CLAIMS}
    kinds = [kind for kind, part in parts.items() if reader.sees(part)]
    found = select(*columns).where(cases.parent_id == row.id, cases.kind.in_(kinds), *reader.children)
    rows = await entry.connection.execute(found.order_by(cases.opened_at.desc(), cases.id).limit(200))
    return tuple(rows)


def companions_of(kind: CaseKind, rows: Iterable[Row[Any]], at: datetime, reader: Reader) -> tuple[Companion, ...]:
    return tuple(_companion(row, at, reader) for row in rows if row.kind is kind)


def _companion(row: Row[Any], at: datetime, reader: Reader) -> Companion:
    stage = reads.STAGES[row.kind](row.stage)
    late = row.ended_at is None and row.next_due_at is not None and row.next_due_at <= at
    running = row.next_due_at if row.ended_at is None else None
    return Companion(
        number=row.number,
        href=reader.address(row.kind, row.id),
        stage=stage,
        tone=tone_of(stage),
        on=wording.plain_day(began_on(row)),
        major=row.view.get("grade") == HazardGrade.MAJOR and row.kind is CaseKind.HAZARD,
        due_day=wording.instant(running) if running else "",
        left=wording.left(running, at) if running else "",
        late=late,
    )


def began_on(row: Row[Any]) -> date:
    """The day a hazard was found or a claim reported."""
    return date.fromisoformat(row.view["found_on" if row.kind is CaseKind.HAZARD else "reported_on"])


def _life(
    row: Row[Any],
    duties: Duties,
    happened: list[TimelineEntry],
    companions: tuple[Row[Any], ...],
    at: datetime,
    reader: Reader,
) -> str:
    if row.kind is not CaseKind.POLICY:
        return ""
    return policy_life(row, duties, happened, companions, local_date(at), reader)
