"""Our own processes, worker, web and the stand-in core system, as parts that start, get ready, and stop."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

import httpx
import uvicorn

from runtime.embedded.guest import Guest
from runtime.embedded.ports import LOOPBACK, require_free
from runtime.embedded.process import Child, Launch, LineSink, ServerFailed
from runtime.settings import PROJECT_ROOT, Settings

Name = Literal["worker", "web", "core-system"]
Story = Coroutine[Any, Any, None]
READY_WITHIN = 120.0  # seconds; a cold start on a busy machine imports for a while
STOP_WITHIN = 5.0  # seconds; running activities finish or are repeated later
KEPT_OPEN = 75
"""Seconds a connection stays open without a request: longer than proxies keep theirs (mostly 60), so they close it.
Whoever sends just as we close does not know whether it was done."""
COLLECTED = (10_000, 10, 10)
"""When Python looks for rings of objects: its own 700 took a tenth of a worker's CPU at a midnight (decision 0053)."""


@dataclass
class Service:
    """What the supervisor and the stack know of one of them, in a process of its own or in this one."""

    name: Name
    settings: Settings
    sink: LineSink | None = None
    in_process: bool = False
    child: Child | None = None
    _task: asyncio.Task[None] | None = None

    @property
    def ready_url(self) -> str:
        return f"http://{LOOPBACK}:{self._ports()[0][0]}/health/ready"

    async def start(self) -> None:
        """Start (again), and return once the service says that it is ready."""
        await self.stop()
        await self.require_ports()
        if self.in_process:
            self._task = asyncio.create_task(_STORIES[self.name](self.settings), name=self.name)
        else:
            self.child = Child.start(self._launch())
        await self._until_ready()

    async def stop(self) -> None:
        """Let requests and activities end, then go."""
        if self.child is not None:
            await self.child.stop(signal.SIGTERM, patience=STOP_WITHIN)
            self.child = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=STOP_WITHIN)
            self._task = None

    async def require_ports(self) -> None:
        """Raises PortTaken when somebody else listens where this service will."""
        for port, setting in self._ports():
            await require_free(port, f"anze {self.name}", setting)

    def _ports(self) -> list[tuple[int, str]]:
        """Its ports with the settings that name them; at the first one it says whether it is ready."""
        return [(getattr(self.settings, name), f"ANZE_{name.upper()}") for name in _PORTS[self.name]]

    def _launch(self) -> Launch:
        # SIGKILL on our death: both survive it, and a slow farewell would keep the port from the next start
        return Launch(
            name=self.name,
            command=[sys.executable, "-m", "runtime.cli", self.name],
            environment=self.settings.as_environment(),
            directory=PROJECT_ROOT,
            on_our_death=signal.SIGKILL,
            sink=self.sink,
        )

    async def _until_ready(self) -> None:
        deadline = asyncio.get_running_loop().time() + READY_WITHIN
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
            while not await _says_yes(http, self.ready_url):
                self._require_running()
                if asyncio.get_running_loop().time() > deadline:
                    words = self.child.last_words if self.child else ""
                    raise ServerFailed(f"{self.name} 没有就绪 / not ready\n{words}")
                await asyncio.sleep(0.1)

    def _require_running(self) -> None:
        if self.child is not None:
            self.child.require_alive()
        if self._task is not None and self._task.done():
            raise ServerFailed(f"{self.name} 已退出 / ended") from self._task.exception()


async def _says_yes(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


async def until_told(story: Story) -> None:
    """Run until done, or until SIGINT or SIGTERM cancels it; a second signal ends the process at once."""
    task, loop = asyncio.ensure_future(story), asyncio.get_running_loop()

    def tell(which: signal.Signals) -> None:
        loop.remove_signal_handler(which)
        task.cancel()

    for which in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(which, tell, which)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop of a process of ours: uvloop where there is one."""
    return import_module("uvloop").new_event_loop if find_spec("uvloop") else None


def collect_seldom() -> None:
    """For a process of our own only: the setting is global."""
    gc.set_threshold(*COLLECTED)


async def run_worker(settings: Settings) -> None:
    """The worker's whole life, until cancelled or told to stop."""
    from runtime import worker  # late: a process that only starts servers loads no workflow code

    await worker.run(settings)


async def run_web(settings: Settings, server: type[uvicorn.Server] = uvicorn.Server) -> None:
    """The web server's whole life."""
    from runtime import web, wire  # late, as above

    config = uvicorn.Config(
        web.create(settings),
        http=wire.Bounded,
        ws="none",  # whatever library may be installed: no page and no API speaks it
        host=settings.bind,
        port=settings.api_port,
        access_log=False,  # addresses carry link tokens
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),  # whoever may say who calls, may forge it (ASVS 4.1.3)
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=KEPT_OPEN,
        timeout_graceful_shutdown=int(STOP_WITHIN),
    )
    await server(config).serve()


async def _run_web_as_guest(settings: Settings) -> None:
    await run_web(settings, Guest)


_STORIES: dict[Name, Callable[[Settings], Story]] = {
    "worker": run_worker,
    "web": _run_web_as_guest,
}
"""What may also run inside this process."""
_PORTS: dict[Name, tuple[str, ...]] = {
    "worker": ("worker_metrics_port", "temporal_metrics_port"),
    "web": ("api_port", "web_metrics_port"),
    "core-system": ("core_system_port",),
}
