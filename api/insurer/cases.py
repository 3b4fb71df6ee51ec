"""What an insurer reads: lists of its policies and hazards, one of them, its timeline, duties and notices."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import reads
from api.callers import Looking
from api.desk.hands import holder
from api.duties import read_duties
from api.searching import of_insured
from api.shapes import (
    CaseLine,
    Duties,
    HazardQuery,
    HazardReading,
    NoticeReading,
    Page,
    PolicyQuery,
    PolicyReading,
    TimelineEntry,
)
from models.contracts.vocabulary import CaseKind

POLICIES, HAZARDS = "保单 / policies", "隐患 / hazards"
router = APIRouter()


@router.get("/policies", tags=[POLICIES], summary="保单列表 / List policies")
async def policy_list(entry: Looking, query: Annotated[PolicyQuery, Query()]) -> Page[CaseLine]:
    """按建档时间由近及远，可筛选。 / Latest first, with filters and a cursor."""
    return await reads.policies(entry, query, await of_insured(entry, query.insured))


@router.get("/policies/{policy_id:uuid}", tags=[POLICIES], summary="保单现状 / Read a policy")
async def policy_read(entry: Looking, policy_id: UUID) -> PolicyReading:
    """保单当前状态，逾期事项在读取时计算。 / The policy as it stands; overdue is computed now."""
    row = await reads.case_row(entry, policy_id, CaseKind.POLICY)
    return PolicyReading.model_validate(reads.reading(row, entry.tools.now(), await holder(entry, row)))


@router.get("/policies/{policy_id:uuid}/timeline", tags=[POLICIES], summary="保单大事记 / Timeline of a policy")
async def policy_timeline(entry: Looking, policy_id: UUID) -> list[TimelineEntry]:
    """按记录先后列出发生的一切。 / Everything that happened, in the order it was recorded."""
    await reads.case_row(entry, policy_id, CaseKind.POLICY)
    return await reads.timeline(entry, policy_id)


@router.get("/policies/{policy_id:uuid}/duties", tags=[POLICIES], summary="期限逐日说明 / Duties, day by day")
async def policy_duties(entry: Looking, policy_id: UUID) -> Duties:
    """每项义务的起算、逐日计数、到期日、依据条款与升级阶梯。 / Every duty: term day by day, clause, ladder."""
    return await read_duties(entry, await reads.case_row(entry, policy_id, CaseKind.POLICY))


@router.get("/policies/{policy_id:uuid}/notices", tags=[POLICIES], summary="通知与送达 / Notices and their delivery")
async def policy_notices(entry: Looking, policy_id: UUID) -> list[NoticeReading]:
    """向谁通知了什么，送达情况如何。 / Who was told what, and how delivery stands."""
    await reads.case_row(entry, policy_id, CaseKind.POLICY)
    return await reads.notices(entry, policy_id)


@router.get("/policies/{policy_id:uuid}/hazards", tags=[HAZARDS], summary="保单下的隐患 / Hazards of a policy")
async def policy_hazards(entry: Looking, policy_id: UUID, query: Annotated[HazardQuery, Query()]) -> Page[CaseLine]:
    """该保单服务中发现的隐患。 / Hazards found under this policy."""
    await reads.case_row(entry, policy_id, CaseKind.POLICY)
    return await reads.hazards(entry, query, policy_id)


@router.get("/hazards", tags=[HAZARDS], summary="隐患列表 / List hazards")
async def hazard_list(entry: Looking, query: Annotated[HazardQuery, Query()]) -> Page[CaseLine]:
    """全部隐患，由近及远，可筛选。 / All hazards, latest first, with filters and a cursor."""
    return await reads.hazards(entry, query)


@router.get("/hazards/{hazard_id:uuid}", tags=[HAZARDS], summary="隐患现状 / Read a hazard")
async def hazard_read(entry: Looking, hazard_id: UUID) -> HazardReading:
    """隐患当前状态。 / The hazard as it stands."""
    row = await reads.case_row(entry, hazard_id, CaseKind.HAZARD)
    return HazardReading.model_validate(reads.reading(row, entry.tools.now(), await holder(entry, row)))


@router.get("/hazards/{hazard_id:uuid}/timeline", tags=[HAZARDS], summary="隐患大事记 / Timeline of a hazard")
async def hazard_timeline(entry: Looking, hazard_id: UUID) -> list[TimelineEntry]:
    """按记录先后列出发生的一切。 / Everything that happened, in the order it was recorded."""
    await reads.case_row(entry, hazard_id, CaseKind.HAZARD)
    return await reads.timeline(entry, hazard_id)


@router.get("/hazards/{hazard_id:uuid}/duties", tags=[HAZARDS], summary="期限逐日说明 / Duties, day by day")
async def hazard_duties(entry: Looking, hazard_id: UUID) -> Duties:
    """整改、复核、报告等期限。 / Rectification, recheck and report terms."""
    return await read_duties(entry, await reads.case_row(entry, hazard_id, CaseKind.HAZARD))


@router.get("/hazards/{hazard_id:uuid}/notices", tags=[HAZARDS], summary="通知与送达 / Notices and their delivery")
async def hazard_notices(entry: Looking, hazard_id: UUID) -> list[NoticeReading]:
    """向谁通知了什么，送达情况如何。 / Who was told what, and how delivery stands."""
    await reads.case_row(entry, hazard_id, CaseKind.HAZARD)
    return await reads.notices(entry, hazard_id)
