"""What happens every day by itself, as Temporal Schedules; what is done then is in workflows/."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from workflows.reconciling import ReconcilingWorkflow

SHANGHAI = "Asia/Shanghai"
AT_SIX = ScheduleCalendarSpec(hour=[ScheduleRange(6)])
"""Before office hours, so that whoever comes in finds what waits for a person."""
STILL_TODAY = timedelta(hours=12)
"""A day that was missed while Temporal was away is made up for within this; after it the next one does."""


def reconciling_id(task_queue: str) -> str:
    """One per task queue, so that two systems on one Temporal do not reconcile for each other."""
    return f"{task_queue}/daily-reconciliation"


async def ensure_schedules(client: Client, task_queue: str) -> None:
    """Make what is missing, bring the rest up to date; a schedule that somebody has paused stays paused."""
    schedule = _daily_reconciliation(task_queue)

    def renewed(found: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule.state = found.description.schedule.state
        return ScheduleUpdate(schedule)

    name = reconciling_id(task_queue)
    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(renewed)


def _daily_reconciliation(task_queue: str) -> Schedule:
    action = ScheduleActionStartWorkflow(
        ReconcilingWorkflow.run, id=f"{task_queue}/reconciling", task_queue=task_queue, static_summary="每日对账"
    )
    return Schedule(
        action=action,
        spec=ScheduleSpec(calendars=[AT_SIX], time_zone_name=SHANGHAI),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=STILL_TODAY),
    )
