"""One anchor of the audit trail, as a Temporal Schedule begins it every day; how anchors are made is not here."""

from temporalio import workflow

from models.contracts.ports import Notary
from workflows import options


@workflow.defn(name="每日存证")
class AnchoringWorkflow:
    """Short: asks the notary once, and says which file came of it; empty where the day has one already."""

    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity_method(
            Notary.anchor_heads, **options.ANCHORING, summary="把各审计链的链头签名存到数据库之外"
        )
