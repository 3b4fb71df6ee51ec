"""Selects behind the lists and pages of claims; which rows a caller may see was settled in callers.py."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from api import reads
from api.callers import Entry
from api.claims.shapes import ClaimLine, ClaimQuery, HazardBefore, Prevention, ServiceBefore
from api.claims.words import NO_PREVENTION, PREVENTION
from api.rows import CASES, TIMELINE
from api.searching import of_insured
from api.shapes import Page
from models.contracts import ids
from models.contracts.claim_state import ClaimView
from models.contracts.vocabulary import AccidentGrade, CaseKind, ClaimPath, Event, HazardStage

SERVICES = (Event.VISIT_RECORDED, Event.SERVICE_COMPLETED)
FOUND = TIMELINE.alias("found")
MONEY_AND_WAY = (
    CASES.c.view["path"].astext.label("path"),
    CASES.c.view["grade"].astext.label("grade"),
    CASES.c.view["money"].label("money"),
)


async def claims(entry: Entry, query: ClaimQuery, policy_id: UUID | None = None) -> Page[ClaimLine]:
    """The caller's claims, of one policy where one is given, latest first."""
    conditions = [
        *await of_insured(entry, query.insured),
        *reads.equal(CASES.c.id, query.number and ids.claim_id(entry.caller.tenant, query.number)),
        *reads.equal(CASES.c.stage, query.stage),
        *reads.equal(CASES.c.parent_id, policy_id),
        *reads.equal(CASES.c.parent_id, query.policy),
        *reads.equal(CASES.c.view["path"].astext, query.path and query.path.value),
        *reads.equal(CASES.c.view["grade"].astext, query.grade and query.grade.value),
    ]
    listing = reads.Listing(CaseKind.CLAIM, _line, str(policy_id or ""), MONEY_AND_WAY)
    return await reads.listed(entry, listing, query, conditions)


def view(row: Row[Any]) -> ClaimView:
    """The claim as its last step left it."""
    return ClaimView.model_validate(row.view)


async def prevention(entry: Entry, row: Row[Any]) -> Prevention:
    """What had been found and done under the policy when the accident happened; looked up now, kept nowhere else."""
    at = view(row).accident.at
    hazards = [_hazard(one, at) for one in await entry.connection.execute(_hazards_before(row, at))]
    services = [_service(one) for one in await entry.connection.execute(_services_before(row, at))]
    unsettled = sum(hazard.open_at_accident for hazard in hazards)
    said = PREVENTION.format(hazards=len(hazards), unsettled=unsettled, services=len(services))
    return Prevention(
        accident_at=at,
        hazards=tuple(hazards),
        services=tuple(services),
        open_at_accident=unsettled,
        says=said if hazards or services else NO_PREVENTION,
    )


def _hazards_before(row: Row[Any], at: datetime) -> Any:
    columns = CASES.c["id", "number", "stage", "opened_at", "ended_at", "view"]
    found = select(*columns, FOUND.c.at.label("found_at")).join(
        FOUND, (FOUND.c.case_id == CASES.c.id) & (FOUND.c.event == Event.HAZARD_FOUND)
    )
    of_policy = (CASES.c.kind == CaseKind.HAZARD) & (CASES.c.parent_id == row.parent_id)
    return found.where(of_policy, FOUND.c.at <= at).order_by(FOUND.c.at, CASES.c.number).limit(500)


def _services_before(row: Row[Any], at: datetime) -> Any:
    of_policy = (TIMELINE.c.case_id == row.parent_id) & TIMELINE.c.event.in_(SERVICES)
    found = select(TIMELINE.c.at, TIMELINE.c.said, TIMELINE.c.event).where(of_policy, TIMELINE.c.at <= at)
    return found.order_by(TIMELINE.c.at, TIMELINE.c.seq, TIMELINE.c.line).limit(500)


def _hazard(row: Row[Any], accident_at: datetime) -> HazardBefore:
    return HazardBefore(
        id=row.id,
        number=row.number,
        grade=row.view["grade"],
        stage=HazardStage(row.stage),
        stage_label=HazardStage(row.stage).label,
        description=row.view["description"],
        found_at=row.found_at,
        ended_at=row.ended_at,
        open_at_accident=row.ended_at is None or row.ended_at > accident_at,
    )


def _service(row: Row[Any]) -> ServiceBefore:
    return ServiceBefore(at=row.at, said=f"{row.event.label}：{row.said}" if row.said else row.event.label)


def _line(row: Row[Any], now: datetime) -> ClaimLine:
    money, path, grade = row.money, ClaimPath(row.path), AccidentGrade(row.grade)
    reached = sum((Decimal(money[name]) for name in ("paid", "prepaid", "advanced")), Decimal("0.00"))
    return ClaimLine.model_validate(
        {
            **reads.line(row, now).model_dump(),
            "path_label": path.label,
            "grade_label": grade.label,
            "path": path,
            "grade": grade,
            "assessed": money["assessed"],
            "paid": reached - Decimal(money["recovered"]),
        }
    )
