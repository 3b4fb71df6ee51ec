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

from models.contracts.ids import reconciling_id

SHANGHAI = "Asia/Shanghai"
AT_SIX = ScheduleCalendarSpec(hour=[ScheduleRange(6)])
"""Before office hours, so that whoever comes in finds what waits for a person."""
AT_MIDNIGHT = ScheduleCalendarSpec(minute=[ScheduleRange(30)])
"""Half past midnight in Beijing, after the day's deadlines have spoken."""
STILL_TODAY = timedelta(hours=12)
"""A day that was missed while Temporal was away is made up for within this; after it the next one does."""


def anchoring_id(task_queue: str) -> str:
    return f"{task_queue}/daily-anchor"


async def ensure_schedules(client: Client, task_queue: str) -> None:
    """Make what is missing, bring the rest up to date; a schedule that somebody has paused stays paused."""
    reconciling = _daily("每日对账", AT_SIX, f"{task_queue}/reconciling", task_queue)
    anchoring = _daily("每日存证", AT_MIDNIGHT, f"{task_queue}/anchoring", task_queue)
    await _ensure(client, reconciling_id(task_queue), reconciling)
    await _ensure(client, anchoring_id(task_queue), anchoring)


async def _ensure(client: Client, name: str, schedule: Schedule) -> None:
    def renewed(found: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule.state = found.description.schedule.state
        return ScheduleUpdate(schedule)

    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(renewed)


def _daily(workflow: str, at: ScheduleCalendarSpec, workflow_id: str, task_queue: str) -> Schedule:
    action = ScheduleActionStartWorkflow(workflow, id=workflow_id, task_queue=task_queue, static_summary=workflow)
    return Schedule(
        action=action,
        spec=ScheduleSpec(calendars=[at], time_zone_name=SHANGHAI),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=STILL_TODAY),
    )
