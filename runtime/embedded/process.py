"""Child processes that never outlive us: start, log lines, stop, last words; what the child is, is not known here."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtime.embedded.account import Account

LineSink = Callable[[str], None]
LAST_WORDS = 40  # lines kept for the message when a child fails
PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLL = 0.02  # seconds between looks at a child or a port
# Where the kernel knows no death signal, a helper waits for the end of a pipe that dies with us, then stops the child.
WATCHDOG = "import os, sys; sys.stdin.buffer.read(); os.kill(int(sys.argv[1]), int(sys.argv[2]))"


class ServerFailed(RuntimeError):
    """A server did not start, or ended by itself; the text is for a person."""


@dataclass(frozen=True)
class Launch:
    """How a child is started: its command, its account, and the signal it gets when we die."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    directory: Path | None = None
    account: Account | None = None
    on_our_death: signal.Signals = signal.SIGKILL
    sink: LineSink | None = None
    by_pipe: bool = not sys.platform.startswith("linux")


@dataclass
class Child:
    """One running process. It must be started from a thread that lives as long as the child should."""

    launch: Launch
    _process: subprocess.Popen[bytes]
    _watchdog: subprocess.Popen[bytes] | None = None
    _words: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_WORDS))

    @classmethod
    def start(cls, launch: Launch) -> "Child":
        """Start the process in a session of its own (Ctrl-C reaches only us) and tie its life to ours."""
        account = launch.account
        process = subprocess.Popen(
            list(launch.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=launch.environment,
            cwd=launch.directory,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=() if account else None,
            # runs after the change of user, which would clear the death signal
            preexec_fn=None if launch.by_pipe else _tie_to_parent(launch.on_our_death),
        )
        child = cls(launch, process, _watch(process.pid, launch.on_our_death) if launch.by_pipe else None)
        threading.Thread(target=child._read, name=f"log-{launch.name}", daemon=True).start()
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    @property
    def last_words(self) -> str:
        return "\n".join(self._words)

    def require_alive(self) -> None:
        """Raises ServerFailed with the last words when the child has ended."""
        if self.returncode is not None:
            raise ServerFailed(f"{self.launch.name} 已退出 / ended: {exit_words(self.returncode)}\n{self.last_words}")

    async def stop(self, how: signal.Signals, patience: float) -> None:
        """Ask with a signal, and kill after `patience` seconds."""
        self._call_off_watchdog()
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        if not await self.ended(patience):
            self._process.kill()
            await self.ended(patience=5)

    def kill(self) -> None:
        """At once, without farewell."""
        self._call_off_watchdog()
        self._process.kill()

    async def ended(self, patience: float) -> bool:
        """Whether the child ends within so many seconds."""
        deadline = asyncio.get_running_loop().time() + patience
        while self.returncode is None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(POLL)
        return self.returncode is not None

    def _call_off_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for raw in lines:
                line = raw.decode(errors="replace").rstrip()
                self._words.append(line)
                if self.launch.sink is not None:
                    self.launch.sink(line)


def exit_words(returncode: int) -> str:
    """`信号 SIGKILL` or `退出码 1`."""
    return f"信号 {signal.Signals(-returncode).name}" if returncode < 0 else f"退出码 {returncode}"


def _tie_to_parent(how: signal.Signals) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)  # loaded before the fork: nothing may be imported after it
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(how), 0, 0, 0)
        if os.getppid() != parent:  # we died between fork and prctl
            os._exit(1)

    return tie


def _watch(pid: int, how: signal.Signals) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WATCHDOG, str(pid), str(int(how))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
