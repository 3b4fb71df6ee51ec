"""Looks at Temporal: namespace, search attributes, who serves the queue, daily work, tasks that keep failing."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from api.operator.engine import OFTEN, Watch
from api.queues import queue, reported, running
from models.contracts.ids import reconciling_id
from runtime.checkup.finding import Finding, State, good, judged
from runtime.codec import Unreadable
from runtime.schedules import anchoring_id
from runtime.search import unfit_search_attributes

SHORTEST_RETENTION = 7
"""Days a closed history is kept, at least: a week of looking into what went wrong."""


@dataclass(frozen=True)
class Engine:
    """What is asked of one namespace and one task queue."""

    temporal: Client
    task_queue: str
    keys: tuple[SearchAttributeKey, ...]
    sealed: bool
    longest: timedelta
    """A task may lie in the queue; beyond that workers are missing."""

    async def namespace(self) -> list[Finding]:
        """Whether it is ready for our workflows."""
        asked = DescribeNamespaceRequest(namespace=self.temporal.namespace)
        described = await self.temporal.workflow_service.describe_namespace(asked)
        days = described.config.workflow_execution_retention_ttl.ToTimedelta().days
        return [
            judged(
                "历史保留",
                days >= SHORTEST_RETENTION,
                (f"{days} 天", f"{days} 天，建议不少于 {SHORTEST_RETENTION} 天"),
                "temporal.md#历史保留太短",
                State.NOTE,
            ),
            *await self._search_attributes(),
        ]

    async def _search_attributes(self) -> list[Finding]:
        lacking, other = await unfit_search_attributes(self.temporal, self.keys)
        said = "齐全", f"缺少 {'、'.join(lacking)}：重启 worker 即登记"
        found = [judged("搜索属性", not lacking, said, "temporal.md#搜索属性")]
        if other:
            says = f"{'、'.join(other)} 已以另一种类型登记，worker 起不来"
            found.append(Finding("搜索属性类型", State.BAD, says, "temporal.md#搜索属性"))
        return found

    async def workers(self) -> list[Finding]:
        """Whether somebody serves the queue, and how long work lies there."""
        found = await queue(self.temporal, self.task_queue)
        age = f"{found.oldest.total_seconds():.0f} 秒"
        late = f"{found.waiting} 件没有人取，最久的已等 {age}"
        return [
            judged(
                "办理进程", found.serving > 0, (f"{found.serving} 个", "没有 worker 在办理"), "worker.md#没有人取活"
            ),
            judged("积压", found.oldest < self.longest, (age, late), "worker.md#没有人取活"),
        ]

    async def failing(self) -> list[Finding]:
        """Workflows the server itself reports as failing again and again."""
        try:
            counted = await self.temporal.count_workflows(reported(self.task_queue))
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            return [Finding("反复失败", State.NOTE, "这个版本的流程引擎不报告", "worker.md#某个案卷反复失败")]
        told = f"{counted.count} 件案卷反复失败，见运维页面"
        return [judged("反复失败", counted.count == 0, ("没有", told), "worker.md#某个案卷反复失败")]

    async def retrying(self) -> list[Finding]:
        """Effects that are tried again and again: of the cases that began last, for every one would be too many."""
        report, where = await Watch().report(self), "worker.md#某个案卷反复失败"
        if report.away:
            return [Finding("反复重试", State.NOTE, "流程引擎没有及时答复，没有查", where)]
        often = Counter(one.what for one in report.failing if one.activity_id)
        told = f"{'，'.join(f'{what} {amount}' for what, amount in often.items())}，各已试 {OFTEN} 次以上，见运维页面"
        return [judged("反复重试", not often, (f"最近 {report.asked} 件里没有", told), where, State.NOTE)]

    async def daily(self) -> list[Finding]:
        """The schedules: there, not paused, and the next run is to come."""
        named = {"每日对账": reconciling_id(self.task_queue), "每日存证": anchoring_id(self.task_queue)}
        return [await self._schedule(label, name) for label, name in named.items()]

    async def _schedule(self, label: str, name: str) -> Finding:
        try:
            found = await self.temporal.get_schedule_handle(name).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return Finding(label, State.BAD, "没有登记：重启 worker 即登记", "temporal.md#每日的工作")
        if found.schedule.state.paused:
            return Finding(label, State.NOTE, "已被暂停", "temporal.md#每日的工作")
        following = min((at for at in found.info.next_action_times if at > datetime.now(UTC)), default=None)
        return good(label, f"下一次 {following:%m-%d %H:%M} UTC") if following else good(label, "已登记")

    async def payloads(self) -> list[Finding]:
        """Whether what Temporal stores can be read there, and whether our keys open what it stores."""
        if not self.sealed:
            says = "没有设置 ANZE_PAYLOAD_KEYS：流程引擎里存的是明文"
            return [Finding("载荷加密", State.NOTE, says, "keys.md#流程引擎里的内容")]
        codec = self.temporal.data_converter.payload_codec
        stored = await self._stored()
        try:
            if codec is not None:
                await codec.decode(stored)
        except Unreadable as failure:
            return [Finding("载荷加密", State.BAD, str(failure), "keys.md#密钥不对")]
        return [good("载荷加密", "已启用，能读最近开始的一件" if stored else "已启用，还没有在办的案卷")]

    async def _stored(self) -> list[Payload]:
        """What the workflow that began last was started with."""
        latest = self.temporal.list_workflows(running(self.task_queue), limit=1, page_size=1)
        with suppress(ValueError):  # a status this library has no word for (a paused workflow)
            async for one in latest:
                history = self.temporal.get_workflow_handle(one.id, run_id=one.run_id).fetch_history_events(page_size=1)
                async for event in history:
                    return list(event.workflow_execution_started_event_attributes.input.payloads)
        return []
