"""One reconciliation of payment orders, as a Temporal Schedule begins it every day; what is compared is not here."""

from temporalio import workflow

from models.contracts.payment import Reconciled
from models.contracts.ports import Bookkeeper
from workflows import options


@workflow.defn(name="每日对账")
class ReconcilingWorkflow:
    """Short: asks the bookkeeper once, and says what came of it."""

    @workflow.run
    async def run(self) -> Reconciled:
        return await workflow.execute_activity_method(
            Bookkeeper.reconcile_orders, **options.RECONCILING, summary="与各保险机构核心系统逐笔核对"
        )
