"""The whole system on one machine: servers, migrations, samples, worker, web; where up, demo, bench, tests start it."""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from pydantic import SecretStr

from api.budgets import Budgets
from models.tables.sealed import new_key
from runtime.embedded.identity import IdentityServer
from runtime.embedded.mail import CaughtMail, MailCatcher
from runtime.embedded.mail_page import MailPage
from runtime.embedded.ports import LOOPBACK, free_ports
from runtime.embedded.postgres import PostgresServer
from runtime.embedded.process import Child, LineSink
from runtime.embedded.temporal import TemporalServer
from runtime.migrate import migrate
from runtime.search import search_attributes
from runtime.services import Name, Service
from runtime.settings import Settings

Run = Literal["no", "process", "inside"]
NamedSink = Callable[[str, str], None]


class Part(Protocol):
    """A server or service that the supervisor can look at and start again."""

    child: Child | None

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


@dataclass(frozen=True)
class StackOptions:
    """What to start. The defaults are for tests: a temporary place, free ports, nothing of the environment."""

    settings: Settings | None = None
    """Whose addresses and ports to use; without it the stack is isolated from the environment, on free ports."""
    kept: Path | None = None
    """Where a stack without settings lies; without it in a temporary folder, which goes with it."""
    worker: Run = "no"
    web: Run = "no"
    core_system: bool = False
    """Whether the stand-in core system runs here, where no insurer's own is given."""
    migrations: bool = True
    samples: bool = False
    ui: bool = False
    sealed: bool = False
    """Whether what Temporal keeps is sealed under keys made for it, where none are given."""
    durable: bool = False
    """Whether a power cut may cost nothing: fsync, and a Temporal store in a file."""
    answer_within: float = Budgets.answer_within
    """Seconds a write may take, where the settings are the stack's own; more where a machine does much else."""
    sink: NamedSink | None = None


@dataclass
class Stack:
    """An async context manager; inside it everything asked for is running and ready."""

    options: StackOptions = field(default_factory=StackOptions)
    settings: Settings = field(init=False)
    mailbox: MailCatcher | None = None
    identity: IdentityServer | None = None
    postgres: PostgresServer | None = None
    temporal: TemporalServer | None = None
    parts: dict[str, Part] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)
    _exit: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def api_url(self) -> str:
        return f"http://{LOOPBACK}:{self.settings.api_port}"

    @property
    def pays_on_paper(self) -> bool:
        """Whether payment orders go to the stand-in core system that runs here."""
        return self.options.core_system and self.settings.core_systems is None

    @property
    def temporal_address(self) -> str:
        return str(self.settings.temporal_address)

    @property
    def mail(self) -> list[CaughtMail]:
        """Every mail caught so far, oldest first."""
        return self.mailbox.messages if self.mailbox is not None else []

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop what was started, services before servers; harmless when repeated."""
        await self._exit.aclose()

    def kill(self) -> None:
        """End every child at once; for a stop that takes too long."""
        for part in self.parts.values():
            if part.child is not None:
                part.child.kill()

    async def start(self) -> None:
        """Start everything asked for; whoever calls this must call `stop`, also after a failure."""
        self.settings = self.options.settings or self._isolated()
        self.settings.var.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._tell(secret=SecretStr(_kept_secret(self.settings)), field_keys=SecretStr(_kept_keys(self.settings)))
        if self.options.sealed and self.settings.payload_keys is None:
            self._tell(payload_keys=SecretStr(_kept(self.settings.var / "payload-keys", lambda: f"p1:{new_key()}")))
        if self.pays_on_paper:
            self._tell(core_secret=SecretStr(_kept_core_secret(self.settings)))
        await _together(*(service.require_ports() for service in self._services()))  # say it before anything starts
        await _together(self._start_postgres(), self._start_temporal(), self._start_mailbox(), self._start_identity())
        if self.options.migrations:
            await migrate(self.settings)
        if self.options.samples:
            self.credentials = await _load_samples(self.settings)
        services = self._services()
        self._exit.push_async_callback(_stop_together, services)
        self.parts.update({service.name: service for service in services})
        await _together(*(service.start() for service in services))

    def _isolated(self) -> Settings:
        var = self.options.kept or self._temporary()
        names = [name for name in Settings.model_fields if name.endswith("_port")]
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        # built from defaults, not from the environment: a test or a demo never touches the servers somebody works with
        ours = {**ports, "var": var, "answer_within": self.options.answer_within}
        return Settings.model_construct(**{**_defaults(), **ours})

    def _temporary(self) -> Path:
        var = Path(tempfile.mkdtemp(prefix="anze-"))
        var.chmod(0o711)  # ours, and PostgreSQL may run as another user; what is secret inside is closed itself
        self._exit.callback(shutil.rmtree, var, ignore_errors=True)
        return var

    async def _start_postgres(self) -> None:
        if self.settings.database_url is not None:
            return
        self.postgres = PostgresServer(
            self.settings.var / "postgres",
            self.settings.postgres_port,
            fsync=self.options.durable,
            os_user=self.settings.postgres_os_user,
            sink=self._sink("postgres"),
        )
        if self.options.settings is None and self.options.kept is None:
            self._exit.callback(self.postgres.remove)
        await self._enter("postgres", self.postgres)
        self._tell(
            database_url=SecretStr(self.postgres.url("app")),
            database_owner_url=SecretStr(self.postgres.url("owner")),
            database_backup_url=SecretStr(self.postgres.url("backup")),
        )

    async def _start_temporal(self) -> None:
        if self.options.settings is not None and self.settings.temporal_is_given:
            return
        self.temporal = TemporalServer(
            self.settings.temporal_port,
            self.settings.temporal_ui_port if self.options.ui else None,
            self.settings.var / "temporal" / "temporal.db" if self.options.durable else None,
            self.settings.temporal_namespace,
            search_attributes(),
            sink=self._sink("temporal"),
            codec=f"{self.settings.base_url}/codec" if self.settings.payload_keys is not None else None,
        )
        await self._enter("temporal", self.temporal)
        self._tell(temporal_address=self.temporal.address)
        if self.options.ui and self.settings.temporal_ui_url is None:
            self._tell(temporal_ui_url=f"http://{LOOPBACK}:{self.settings.temporal_ui_port}")

    async def _start_mailbox(self) -> None:
        if self.settings.smtp_host is not None:
            return
        self.mailbox = MailCatcher(self.settings.var / "mail", self.settings.smtp_port)
        self._exit.push_async_callback(self.mailbox.stop)
        await self.mailbox.start()
        if self.options.ui:
            page = MailPage(self.mailbox.folder, self.settings.mail_page_port)
            self._exit.push_async_callback(page.stop)
            await page.start()
        self._tell(smtp_host=LOOPBACK, smtp_user=None, smtp_password=None, smtp_tls="none")

    async def _start_identity(self) -> None:
        """Where a provider is given, or no pages are served, there is no development identity service."""
        if self.settings.oidc_issuer is not None or self.options.web == "no":
            return
        from runtime import identities  # late: as with the samples

        self.identity = identities.development_service(self.settings)
        self._exit.push_async_callback(self.identity.stop)
        await self.identity.start()
        client = self.identity.client
        self._tell(
            oidc_issuer=self.identity.issuer, oidc_client_id=client.id, oidc_client_secret=SecretStr(client.secret)
        )

    def _services(self) -> list[Service]:
        wanted: dict[Name, Run] = {"worker": self.options.worker, "web": self.options.web}
        if self.pays_on_paper:
            wanted["core-system"] = "process"
        return [
            Service(name, self.settings, self._sink(name), in_process=how == "inside")
            for name, how in wanted.items()
            if how != "no"
        ]

    async def _enter(self, name: str, part: Part) -> None:
        self._exit.push_async_callback(part.stop)
        self.parts[name] = part
        await part.start()

    def _tell(self, **changes: object) -> None:
        self.settings = self.settings.model_copy(update=changes)

    def _sink(self, name: str) -> LineSink | None:
        sink = self.options.sink
        return None if sink is None else lambda line: sink(name, line)


async def _together(*starts: Coroutine[Any, Any, None]) -> None:
    """All at once; when one fails the others are called off, and its own error is what is seen."""
    try:
        async with asyncio.TaskGroup() as group:
            for start in starts:
                group.create_task(start)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _stop_together(services: list[Service]) -> None:
    await asyncio.gather(*(service.stop() for service in services))


def _defaults() -> dict[str, object]:
    return {name: field.get_default() for name, field in Settings.model_fields.items()}


def _kept_secret(settings: Settings) -> str:
    """The given secret, or one made once and kept beside the data it protects."""
    if settings.secret is not None:
        return settings.secret.get_secret_value()
    return _kept(settings.var / "secret", lambda: secrets.token_urlsafe(48))


def _kept_core_secret(settings: Settings) -> str:
    """The given secret of the stand-in core system, or one made once."""
    if settings.core_secret is not None:
        return settings.core_secret.get_secret_value()
    return _kept(settings.var / "core-secret", lambda: secrets.token_urlsafe(48))


def _kept_keys(settings: Settings) -> str:
    """The given keys of victims' data, or one made once; whoever loses the file loses what it sealed."""
    if settings.field_keys is not None:
        return settings.field_keys.get_secret_value()
    return _kept(settings.var / "field-keys", lambda: f"k1:{new_key()}")


def _kept(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())
    return path.read_text().strip()


async def _load_samples(settings: Settings) -> Mapping[str, str]:
    """The sample directory of parties; what it returns are the credentials to show, name → key."""
    from runtime import samples  # late: a stack without samples does not load the API

    return await samples.load_directory(settings)
