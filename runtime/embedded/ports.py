"""TCP ports of this machine's loopback: a free one, or a clear word about a taken one."""

import asyncio
import errno
import socket
from contextlib import closing

from runtime.embedded.process import POLL, Child, ServerFailed

LOOPBACK = "127.0.0.1"
PATIENCE = 1.0  # seconds for a server that was just killed to let go of its port


class PortTaken(ServerFailed):
    """Somebody else listens there."""


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now; held together while choosing, so they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


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
