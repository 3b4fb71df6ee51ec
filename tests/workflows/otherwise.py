"""A version of the policy's workflow that does something else than lives have done, for tests of replaying."""

from typing import Any

from temporalio import workflow


@workflow.defn(name="保单")
class OtherPolicyWorkflow:
    """Waits where a policy asks for its rules."""

    @workflow.run
    async def run(self, _: Any) -> None:
        await workflow.sleep(86_400)
