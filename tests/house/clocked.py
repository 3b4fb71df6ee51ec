"""A workflow that asks a module of domain/ for the time of this machine; no worker of ours ever has it."""

from temporalio import workflow

from domain import calendar


@workflow.defn(name="看表")
class Clocked:
    """Looks at the clock on the wall, which the sandbox refuses."""

    @workflow.run
    async def run(self) -> str:
        return calendar.datetime.now(calendar.SHANGHAI).isoformat()
