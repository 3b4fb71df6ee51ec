"""What an insurer reads of its claims: lists, one, its timeline, duties, notices, money, reasons and prevention."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import reads
from api.callers import Looking
from api.claims import reads as claim_reads
from api.claims.doors import TAG
from api.claims.explaining import explanation
from api.claims.ledger import ledger
from api.claims.shapes import ClaimExplanation, ClaimLedger, ClaimLine, ClaimQuery, ClaimReading, Prevention
from api.desk.hands import holder
from api.duties import read_duties
from api.shapes import Duties, NoticeReading, Page, TimelineEntry
from models.contracts.vocabulary import CaseKind

router = APIRouter(tags=[TAG])


@router.get("/claims", summary="赔案列表 / List claims")
async def claim_list(entry: Looking, query: Annotated[ClaimQuery, Query()]) -> Page[ClaimLine]:
    """全部赔案，由近及远，可筛选。 / All claims, latest first, with filters and a cursor."""
    return await claim_reads.claims(entry, query)


@router.get("/policies/{policy_id:uuid}/claims", summary="保单下的赔案 / Claims of a policy")
async def policy_claims(entry: Looking, policy_id: UUID, query: Annotated[ClaimQuery, Query()]) -> Page[ClaimLine]:
    """该保单下的赔案，保单终止后仍在。 / Claims under this policy, also after its end."""
    await reads.case_row(entry, policy_id, CaseKind.POLICY)
    return await claim_reads.claims(entry, query, policy_id)


@router.get("/claims/{claim_id:uuid}", summary="赔案现状 / Read a claim")
async def claim_read(entry: Looking, claim_id: UUID) -> ClaimReading:
    """赔案当前状态，连同事故前的隐患和服务。 / The claim as it stands, with what prevention had done before."""
    row = await reads.case_row(entry, claim_id, CaseKind.CLAIM)
    before = await claim_reads.prevention(entry, row)
    standing = ClaimReading.model_validate(reads.reading(row, entry.tools.now(), await holder(entry, row)))
    return standing.model_copy(update={"before": before.model_dump(mode="json")})


@router.get("/claims/{claim_id:uuid}/timeline", summary="赔案大事记 / Timeline of a claim")
async def claim_timeline(entry: Looking, claim_id: UUID) -> list[TimelineEntry]:
    """按记录先后列出发生的一切。 / Everything that happened, in the order it was recorded."""
    await reads.case_row(entry, claim_id, CaseKind.CLAIM)
    return await reads.timeline(entry, claim_id)


@router.get("/claims/{claim_id:uuid}/duties", summary="期限逐日说明 / Duties, day by day")
async def claim_duties(entry: Looking, claim_id: UUID) -> Duties:
    """核定、赔付、拒赔通知、先予支付、上传等期限。 / Determination, payment, refusal, minimum, upload."""
    return await read_duties(entry, await reads.case_row(entry, claim_id, CaseKind.CLAIM))


@router.get("/claims/{claim_id:uuid}/notices", summary="通知与送达 / Notices and their delivery")
async def claim_notices(entry: Looking, claim_id: UUID) -> list[NoticeReading]:
    """向谁通知了什么，送达情况如何。 / Who was told what, and how delivery stands."""
    await reads.case_row(entry, claim_id, CaseKind.CLAIM)
    return await reads.notices(entry, claim_id)


@router.get("/claims/{claim_id:uuid}/ledger", summary="资金台账 / The money of a claim")
async def claim_ledger(entry: Looking, claim_id: UUID) -> ClaimLedger:
    """每笔付款、各项合计，以及资金必须满足的条件。 / Each payment, the sums, and what must hold of them."""
    row = await reads.case_row(entry, claim_id, CaseKind.CLAIM)
    return ledger(claim_reads.view(row), reads.as_of(entry.tools.now(), row.changed_at))


@router.get("/claims/{claim_id:uuid}/explanation", summary="案情说明 / Why it is so")
async def claim_explanation(entry: Looking, claim_id: UUID) -> ClaimExplanation:
    """为什么走这条路径、为什么是这个金额和日期、谁审批、依据哪一条。 / Why this path, amount and date; who; clause."""
    row = await reads.case_row(entry, claim_id, CaseKind.CLAIM)
    return explanation(claim_reads.view(row), await read_duties(entry, row))


@router.get("/claims/{claim_id:uuid}/prevention", summary="事故前的预防 / Prevention before the accident")
async def claim_prevention(entry: Looking, claim_id: UUID) -> Prevention:
    """事故前已发现的隐患和已开展的服务。 / Hazards found and services given before the accident."""
    return await claim_reads.prevention(entry, await reads.case_row(entry, claim_id, CaseKind.CLAIM))
