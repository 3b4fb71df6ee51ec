"""Workers and web servers as children that are killed by their handle; what they do there is not known here."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from runtime.embedded.ports import free_ports
from runtime.embedded.process import Launch
from runtime.services import Name, Service
from runtime.settings import PROJECT_ROOT, Settings
from tests.faults.failpoints import KILLED, REACHED, Failpoint, environment
from tests.runtime.waiting import PATIENCE

COMPILED = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(PROJECT_ROOT / ".pytest_cache" / "bytecode")}
"""Compiled once for all children: where Python keeps no bytecode, each would compile everything anew, for seconds."""
PORTS: dict[str, tuple[str, ...]] = {
    "worker": ("worker_metrics_port", "temporal_metrics_port"),
    "web": ("api_port", "web_metrics_port"),
}


@dataclass
class Servant(Service):
    """A service as `make up` runs it, with failpoints; started in front of `prefix`, such as `nice -n 19`."""

    points: tuple[Failpoint, ...] = ()
    prefix: tuple[str, ...] = ()

    def _launch(self) -> Launch:
        plain = super()._launch()
        command = [*self.prefix, sys.executable, "-m", "tests.faults.child", self.name]
        told = {**(plain.environment or {}), **COMPILED, **environment(*self.points)}
        return replace(plain, command=command, environment=told)

    @property
    def url(self) -> str:
        return f"http://{self.settings.bind}:{self.settings.api_port}"

    async def die(self) -> None:
        """kill -9, and collected."""
        assert self.child is not None
        await self.child.stop(signal.SIGKILL, patience=5)

    async def reached(self, within: float = PATIENCE) -> None:
        """Until a failpoint has struck. Raises TimeoutError."""
        assert self.child is not None
        async with asyncio.timeout(within):
            while REACHED not in self.child.last_words:
                await asyncio.sleep(0.02)

    async def killed(self, within: float = PATIENCE) -> None:
        """Until a failpoint has ended it as kill -9 does. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while self.child is None or self.child.returncode != KILLED:
                await asyncio.sleep(0.02)


def servant(name: Name, settings: Settings, *points: Failpoint, **more: Any) -> Servant:
    """On free ports of its own, so that any number may run beside each other."""
    ports = dict(zip(PORTS[name], free_ports(len(PORTS[name])), strict=True))
    return Servant(name, settings.model_copy(update=ports), points=points, **more)


@asynccontextmanager
async def serving(name: Name, settings: Settings, *points: Failpoint, **more: Any) -> AsyncIterator[Servant]:
    """One that is ready; dead afterwards, however that came."""
    one = servant(name, settings, *points, **more)
    try:
        await one.start()
        yield one
    finally:
        if one.child is not None:
            await one.die()
