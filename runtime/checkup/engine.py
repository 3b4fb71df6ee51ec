"""Looks at Temporal: namespace, search attributes, who serves the queue, daily work, tasks that keep failing."""

from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from models.contracts.ids import reconciling_id
from runtime.checkup.finding import Finding, State, good, judged
from runtime.codec import Unreadable, prove
from runtime.schedules import anchoring_id
from runtime.search import missing_search_attributes

LONGEST_BACKLOG = 60.0
"""Seconds a workflow task may lie before that is a sign of missing workers."""
SHORTEST_RETENTION = 7
"""Days a closed history is kept, at least: a week of looking into what went wrong."""
FAILING = "TaskQueue = '{queue}' AND ExecutionStatus = 'Running' AND TemporalReportedProblems IS NOT NULL"


@dataclass(frozen=True)
class Engine:
    """What is asked of one namespace and one task queue."""

    client: Client
    queue: str
    keys: tuple[SearchAttributeKey, ...]
    sealed: bool

    async def namespace(self) -> list[Finding]:
        """Whether it is ready for our workflows."""
        asked = DescribeNamespaceRequest(namespace=self.client.namespace)
        described = await self.client.workflow_service.describe_namespace(asked)
        days = described.config.workflow_execution_retention_ttl.ToTimedelta().days
        lacking = await missing_search_attributes(self.client, self.keys)
        return [
            judged(
                "历史保留",
                days >= SHORTEST_RETENTION,
                (f"{days} 天", f"{days} 天，建议不少于 {SHORTEST_RETENTION} 天"),
                "temporal.md",
                State.NOTE,
            ),
            judged("搜索属性", not lacking, ("齐全", f"缺少 {'、'.join(lacking)}：重启 worker 即登记"), "temporal.md"),
        ]

    async def workers(self) -> list[Finding]:
        """Whether somebody serves the queue, and how long work lies there."""
        asked = DescribeTaskQueueRequest(
            namespace=self.client.namespace,
            task_queue=TaskQueue(name=self.queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            report_stats=True,
        )
        answer = await self.client.workflow_service.describe_task_queue(asked)
        age = answer.stats.approximate_backlog_age.ToTimedelta().total_seconds()
        serving = len(answer.pollers)
        return [
            judged("办理进程", serving > 0, (f"{serving} 个", "没有 worker 在办理"), "worker.md"),
            judged("积压", age < LONGEST_BACKLOG, (f"{age:.0f} 秒", f"最久的已等 {age:.0f} 秒"), "worker.md"),
        ]

    async def failing(self) -> list[Finding]:
        """Workflows the server itself reports as failing again and again."""
        try:
            counted = await self.client.count_workflows(FAILING.format(queue=self.queue))
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            return [Finding("反复失败", State.NOTE, "这个版本的流程引擎不报告", "temporal.md")]
        told = f"{counted.count} 件案卷反复失败，见运维页面"
        return [judged("反复失败", counted.count == 0, ("没有", told), "worker.md")]

    async def daily(self) -> list[Finding]:
        """The schedules: there, not paused, and the next run is to come."""
        named = {"每日对账": reconciling_id(self.queue), "每日存证": anchoring_id(self.queue)}
        return [await self._schedule(label, name) for label, name in named.items()]

    async def _schedule(self, label: str, name: str) -> Finding:
        try:
            found = await self.client.get_schedule_handle(name).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return Finding(label, State.BAD, "没有登记：重启 worker 即登记", "worker.md")
        if found.schedule.state.paused:
            return Finding(label, State.NOTE, "已被暂停", "temporal.md")
        following = min((at for at in found.info.next_action_times if at > datetime.now(UTC)), default=None)
        return good(label, f"下一次 {following:%m-%d %H:%M} UTC") if following else good(label, "已登记")

    async def payloads(self) -> list[Finding]:
        """Whether what Temporal stores can be read there, and whether our keys open what they seal."""
        if not self.sealed:
            return [Finding("载荷加密", State.NOTE, "没有设置 ANZE_PAYLOAD_KEYS：流程引擎里存的是明文", "keys.md")]
        try:
            await prove(self.client.data_converter)
        except Unreadable as failure:
            return [Finding("载荷加密", State.BAD, str(failure), "keys.md")]
        return [good("载荷加密", "已启用，自检通过")]
