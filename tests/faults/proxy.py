"""A TCP proxy that misbehaves when told to: for gRPC, PostgreSQL and SMTP; what flows through is not known here."""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

from runtime.embedded.ports import LOOPBACK

PIECE = 64 * 1024  # bytes read at once
ENDS_WITHIN = 5.0  # seconds for connections that were cut
AT_ONCE = struct.pack("ii", 1, 0)  # linger for no time: closing sends a reset


class Mode(StrEnum):
    """What happens to what is sent."""

    PASS = "pass"
    LATENCY = "latency"  # arrives `delay` seconds later, in order, each way
    BLACKHOLE = "blackhole"  # arrives nowhere until the mode is another one; then it all arrives, as after resending
    RESET = "reset"  # whoever comes is turned away with a reset


@dataclass
class Proxy:
    """An async context manager; listens on `port` of this machine and passes on to `target`.

    `drop_after`: after so many bytes from the client the connection is cut, once; then it is forgotten.
    """

    target: int
    mode: Mode = Mode.PASS
    delay: float = 0.0
    drop_after: int | None = None
    port: int = 0
    cut: int = 0
    """Connections that were reset so far."""
    _server: asyncio.Server | None = None
    _open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = field(default_factory=dict)
    _healed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connection, LOOPBACK, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._healed.set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self._healed.set()
        tasks = [task for task in self._open.values() if task is not None]
        self.reset()
        if tasks:  # not cancelled: they end with their connections
            await asyncio.wait(tasks, timeout=ENDS_WITHIN)

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def become(self, mode: Mode, delay: float = 0.0) -> None:
        """From now on; RESET also cuts every connection there is."""
        self.mode, self.delay = mode, delay
        (self._healed.clear if mode is Mode.BLACKHOLE else self._healed.set)()
        if mode is Mode.RESET:
            self.reset()

    def reset(self) -> None:
        """Cut every connection there is, as a router that has forgotten them would."""
        for writer in list(self._open):
            self._cut(writer)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = asyncio.current_task()
        try:
            await self._passed_on(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.pop(writer, None)
            writer.close()

    async def _passed_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode is Mode.RESET:
            return self._cut(writer)
        await self._healed.wait()
        there, away = await asyncio.open_connection(LOOPBACK, self.target)
        self._open[away] = None
        pumps = [
            asyncio.create_task(self._pump(reader, away, counted=True)),
            asyncio.create_task(self._pump(there, writer, counted=False)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._open.pop(away, None)
            away.close()
        return None

    async def _pump(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, counted: bool) -> None:
        """Late pieces wait in a queue, so that latency costs time and not throughput."""
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        carrier = asyncio.create_task(self._carry(late, to))
        clock = asyncio.get_running_loop().time
        try:
            while piece := await source.read(PIECE):
                if counted and self._drops(len(piece)):
                    return self._cut(to)
                late.put_nowait((clock() + (self.delay if self.mode is Mode.LATENCY else 0.0), piece))
            late.put_nowait((clock(), b""))
            await carrier
        finally:
            carrier.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await carrier
        return None

    async def _carry(self, late: asyncio.Queue[tuple[float, bytes]], to: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            at, piece = await late.get()
            await asyncio.sleep(max(0.0, at - clock()))
            await self._healed.wait()
            if not piece:
                return
            to.write(piece)
            await to.drain()

    def _drops(self, size: int) -> bool:
        if self.drop_after is None:
            return False
        self.drop_after -= size
        if self.drop_after > 0:
            return False
        self.drop_after = None
        return True

    def _cut(self, writer: asyncio.StreamWriter) -> None:
        found = writer.get_extra_info("socket")
        if found is not None:
            with suppress(OSError):
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.cut += 1
        writer.transport.abort()
