"""What a worker of a fault test did: how often each activity ran; nothing is changed by being watched."""

from collections import Counter
from typing import Any

from temporalio import activity, client
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class Executions(Interceptor, client.Interceptor):
    """Counts the runs of each activity of each workflow run; a client hands it to its worker."""

    def __init__(self) -> None:
        self.runs: Counter[tuple[str | None, str | None, str]] = Counter()

    @property
    def repeated(self) -> int:
        """Activities that ran more than once."""
        return sum(times > 1 for times in self.runs.values())

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's
        runs = self.runs

        class Counting(ActivityInboundInterceptor):
            async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's
                told = activity.info()
                runs[(told.workflow_id, told.workflow_run_id, told.activity_id)] += 1
                return await super().execute_activity(input)

        return Counting(next)
