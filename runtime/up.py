"""`anze up`: the stack in the foreground, watched; a part that ends is started again. The parts are in stack.py."""

import asyncio
import fcntl
import os
import signal
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from runtime.embedded.process import ServerFailed, exit_words
from runtime.settings import Settings
from runtime.stack import Part, Stack, StackOptions

LOOK_EVERY = 0.2  # seconds between looks at the children
EARLIER_RUN_ENDS_WITHIN = 10.0  # seconds we wait for a run of this folder that is just stopping
STOP_WITHIN = 9.0  # seconds for everything; then what is left is killed
RUNS_WELL_AFTER = 60.0  # seconds after which earlier failures of a part are forgotten
GIVE_UP_AFTER = 8  # failed restarts in a row
WIDE = 1_000  # cells; wider than any row, so that none is cut
COLOURS = {
    "postgres": "blue",
    "temporal": "magenta",
    "worker": "green",
    "web": "cyan",
    "core-system": "yellow",
    "anze": "bold",
}


@dataclass
class Printer:
    """One readable stream for all children: who says it, and what. Safe from several threads."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    quiet: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def line(self, name: str, text: str) -> None:
        if text.strip() and (not self.quiet or name == "anze"):
            with self._lock:
                self.console.print(Text(f"{name:>11} │ ", COLOURS.get(name, "")) + Text(text))

    def say(self, text: str) -> None:
        self.line("anze", text)


@dataclass
class Patience:
    """How often a part failed lately, and how long to wait before the next try."""

    failures: int = 0
    since: float = float("-inf")

    def pause(self, now: float) -> float:
        """Seconds to wait: 0.2 at first, doubling to 20. Raises ServerFailed when it is time to give up."""
        self.failures = 1 if now - self.since > RUNS_WELL_AFTER else self.failures + 1
        self.since = now
        if self.failures > GIVE_UP_AFTER:
            raise ServerFailed("反复失败，停止全部 / keeps failing, stopping everything")
        return min(0.1 * 2**self.failures, 20.0)


async def up(settings: Settings, follow_parent: bool) -> int:
    """Start everything, watch it until told to stop, stop it; gives the exit code, 1 when something failed."""
    printer = Printer()
    stop = _told_to_stop(follow_parent)
    with await _only_one(settings.var, printer):
        stack = Stack(_options(settings, printer))
        try:
            await _run(stack, stop, printer)
        except ServerFailed as failure:
            printer.say(_headline(failure))
            return 1
        except PermissionError as failure:
            printer.say(f"没有权限，{failure.filename} 属于另一个系统用户 / belongs to another user of this machine")
            return 1
        finally:
            await _stop(stack, printer)
    return 0


def _options(settings: Settings, printer: Printer) -> StackOptions:
    style = "console" if settings.log_format == "auto" else settings.log_format
    return StackOptions(
        settings=settings.model_copy(update={"log_format": style}),
        worker="process",
        web="process",
        core_system=True,
        samples=True,
        ui=True,
        durable=True,
        sink=printer.line,
    )


async def _run(stack: Stack, stop: asyncio.Event, printer: Printer) -> None:
    starting, told = asyncio.create_task(stack.start()), asyncio.create_task(stop.wait())
    await asyncio.wait([starting, told], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait([starting])
        return
    await starting
    Console(width=WIDE).print(_table(stack), soft_wrap=True)
    watches = [asyncio.create_task(_watch(name, part, printer)) for name, part in stack.parts.items()]
    done, _ = await asyncio.wait([told, *watches], return_when=asyncio.FIRST_COMPLETED)
    for task in watches:
        task.cancel()
    for task in done:
        task.result()


async def _watch(name: str, part: Part, printer: Printer) -> None:
    """Start the part again whenever it ended by itself, with growing pauses."""
    patience = Patience()
    while True:
        await asyncio.sleep(LOOK_EVERY)
        code = part.child.returncode if part.child is not None else None
        if code is not None:
            printer.say(f"{name} 意外退出（{exit_words(code)}），将重启 / ended by itself, will be started again")
            await _bring_back(name, part, patience, printer)


async def _bring_back(name: str, part: Part, patience: Patience, printer: Printer) -> None:
    while True:
        await asyncio.sleep(patience.pause(asyncio.get_running_loop().time()))
        try:
            await part.start()
        except ServerFailed as failure:
            printer.say(f"{name} 重启失败，再试 / did not start, trying again: {_headline(failure)}")
        else:
            return printer.say(f"{name} 已恢复 / is back")


def _headline(failure: ServerFailed) -> str:
    """Its sentence, Chinese and English; the last words of the part have been streamed already."""
    return "\n".join(line for line in str(failure).splitlines()[:2] if line and not line.startswith(("│", "╭")))


async def _stop(stack: Stack, printer: Printer) -> None:
    printer.say("正在停止 / stopping …")
    printer.quiet = True
    try:
        async with asyncio.timeout(STOP_WITHIN):
            await stack.stop()
    except TimeoutError:
        stack.kill()
    printer.say(
        "已停止，数据保留在 / stopped, state is kept in " + str(stack.options.settings and stack.options.settings.var)
    )


def _told_to_stop(follow_parent: bool) -> asyncio.Event:
    """Set by Ctrl-C, SIGTERM or a closed terminal; with `follow_parent` also when who started us is gone."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, stop.set)
    if follow_parent:
        parent = os.getppid()

        def look() -> None:
            stop.set() if os.getppid() != parent else loop.call_later(LOOK_EVERY, look)

        look()
    return stop


async def _only_one(var: Path, printer: Printer) -> TextIO:
    """The folder's lock, ours as soon as an earlier run has ended; the kernel frees it however that run ends."""
    var.mkdir(mode=0o711, parents=True, exist_ok=True)
    file = (var / "up.lock").open("a+")
    deadline = asyncio.get_running_loop().time() + EARLIER_RUN_ENDS_WITHIN
    told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if asyncio.get_running_loop().time() > deadline:
                sys.exit(f"这个目录已有一套系统在运行 / already running in this folder: {var.resolve()}")
            if not told:
                printer.say("等待上一次运行结束 / waiting for an earlier run to end …")
            told = True
            await asyncio.sleep(LOOK_EVERY)
        else:
            return file


def _mail(stack: Stack) -> str:
    settings = stack.settings
    if stack.mailbox is None:
        return f"→ {settings.smtp_host}:{settings.smtp_port}"
    return f"http://127.0.0.1:{settings.mail_page_port}  ({stack.mailbox.folder})"


def _core_system(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.settings.core_system_port}" if stack.pays_on_paper else "ANZE_CORE_SYSTEMS"


def _identity(stack: Stack) -> str:
    """Where people sign in; the development service itself shows everybody by organisation and post."""
    if stack.identity is None:
        return f"→ {stack.settings.oidc_issuer}"
    return f"{stack.identity.issuer}  （开发用：登录时在 {len(stack.identity.people)} 位样例人员中选一位）"


def _table(stack: Stack) -> Table:
    settings = stack.settings
    # No box and no wrapping: a key must come out whole when it is copied, however narrow the window.
    table = Table(
        title="安责险工作流已就绪 · ready", title_style="bold", title_justify="left", show_header=False, box=None
    )
    table.add_column(no_wrap=True, style="bold")
    table.add_column(no_wrap=True)
    metrics = (settings.web_metrics_port, settings.worker_metrics_port, settings.temporal_metrics_port)
    rows = {
        "接口与页面 API, pages": stack.api_url,
        "接口文档 API docs": f"{stack.api_url}/docs",
        "流程界面 Temporal UI": f"http://127.0.0.1:{settings.temporal_ui_port}" if stack.temporal else "—",
        "Temporal": str(settings.temporal_connect_config().get("target_host")),
        "数据库 PostgreSQL": f"127.0.0.1:{settings.postgres_port}" if stack.postgres else "DATABASE_URL",
        "收信箱 caught mail": _mail(stack),
        "登录 sign in": f"{stack.api_url}/enter",
        "身份服务 identity": _identity(stack),
        "替身核心系统 stand-in core system": _core_system(stack),
        "指标 metrics": " ".join(f"{settings.bind}:{port}/metrics" for port in metrics),
        **{f"示例凭据 sample key · {name}": key for name, key in stack.credentials.items()},
        "停止 stop": "Ctrl-C",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table
