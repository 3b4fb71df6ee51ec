"""TCP ports of this machine's loopback: a free one, or a clear word about a taken one."""

import asyncio
import errno
import secrets
import socket
from collections import deque
from contextlib import closing

from runtime.embedded.process import POLL, Child, ServerFailed

LOOPBACK = "127.0.0.1"
PATIENCE = 1.0  # seconds for a server that was just killed to let go of its port
PROMISES = 64  # ports of ours that are kept from other processes of ours
CHOICE = range(20_000, 32_768)
"""Below what Linux (32768 on) and macOS (49152 on) give to connections that go out, or one may come between."""


class PortTaken(ServerFailed):
    """Somebody else listens there."""


_promised: deque[socket.socket] = deque()


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now, and that no other process is given by this function while it is used to them.

    Between choosing and listening whole servers start, and others choose meanwhile. So the UDP port of the same number
    is kept for a promise: nothing of ours speaks UDP. The last `PROMISES` are kept.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = secrets.choice(CHOICE)
        if not is_taken(port) and _promise(port):
            ports.append(port)
    while len(_promised) > PROMISES:
        _promised.popleft().close()
    return ports


def _promise(port: int) -> bool:
    promise = socket.socket(type=socket.SOCK_DGRAM)
    try:
        promise.bind((LOOPBACK, port))
    except OSError:
        promise.close()
        return False
    _promised.append(promise)
    return True


async def require_free(port: int, what: str, setting: str) -> None:
    """Raises PortTaken, naming the port and the setting, when the port does not come free in a moment."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while is_taken(port):
        if asyncio.get_running_loop().time() > deadline:
            raise PortTaken(
                f"端口 {port} 已被占用，{what} 无法启动；请停止占用它的程序，或用环境变量 {setting} 换一个端口。\n"
                f"Port {port} is taken, {what} cannot start: stop what uses it, or choose another with {setting}."
            )
        await asyncio.sleep(0.1)


def is_taken(port: int) -> bool:
    """Whether binding fails because of another listener."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as failure:
            return failure.errno in (errno.EADDRINUSE, errno.EACCES)
    return False


async def wait_for_port(port: int, child: Child, patience: float) -> None:
    """Until the child answers on its port; raises ServerFailed when it ends or takes too long."""
    deadline = asyncio.get_running_loop().time() + patience
    while not await accepts(port):
        child.require_alive()
        if asyncio.get_running_loop().time() > deadline:
            raise ServerFailed(f"{child.launch.name} 在 {patience:.0f} 秒内没有就绪 / not ready\n{child.last_words}")
        await asyncio.sleep(POLL)


async def accepts(port: int) -> bool:
    """Whether something answers there."""
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True
