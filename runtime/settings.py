"""What a process is told from outside (environment, /run/secrets) lives here; nothing else reads the environment."""

import os
import shlex
from collections.abc import Collection, Mapping
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from temporalio.envconfig import ClientConfigProfile, ClientConnectConfig

from api.budgets import Budgets
from models.tables.backlog import Bounds
from models.tables.sealed import FieldKeys

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SECRETS_DIRECTORY = Path("/run/secrets")
SHORTEST_SECRET = 32  # characters; 32 hex digits are the 128 bits that promises.md section 6 asks for
KNOWN_SECRETS = ("changeme", "change-me", "secret", "password", "example", "00000000", "12345678")


def _alias(name: str) -> AliasChoices:
    """The name operators know (`DATABASE_URL`), and the same with our prefix."""
    return AliasChoices(name, f"ANZE_{name}")


class SettingMissing(LookupError):
    """A setting that is needed was not given; the text is for people."""


class Settings(BaseSettings):
    """Settings of every process.

    Where DATABASE_URL, TEMPORAL_ADDRESS or SMTP_HOST is given, that server is used and the embedded one is not started.
    """

    model_config = SettingsConfigDict(
        env_prefix="ANZE_",
        frozen=True,
        extra="ignore",
        validate_by_name=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
        secrets_dir=SECRETS_DIRECTORY if SECRETS_DIRECTORY.is_dir() else None,
    )

    var: Path = Field(default=Path("var"), description="state of the embedded servers, secrets, caught mail")
    secret: SecretStr | None = Field(default=None, description="key of link tokens and cursors, 32 characters or more")
    field_keys: SecretStr | None = Field(
        default=None, description="keys of victims' data: id:base64 of 32 bytes, several with commas, the current first"
    )
    payload_keys: SecretStr | None = Field(
        default=None,
        description="keys of what Temporal stores, written like the field keys; without them it is readable there",
    )
    backup_keys: SecretStr | None = Field(
        default=None, description="keys backups are sealed with, written like the field keys; kept away from them"
    )
    core_systems: SecretStr | None = Field(
        default=None,
        description='where payment orders go: JSON {insurer code: {"url" or "folder": …, "secret": …}}, "*" for others',
    )
    scan_command: str | None = Field(
        default=None, description="virus scan: run with the path of every file that is handed in; 0 means clean"
    )
    core_secret: SecretStr | None = Field(
        default=None,
        description="secret of the stand-in core system; orders go to it where no ANZE_CORE_SYSTEMS are given",
    )
    public_url: str | None = Field(default=None, description="address of the web server as people outside see it")
    trusted_proxies: str = Field(
        default="",
        description="addresses or networks, with commas, whose X-Forwarded-* are believed; empty: nobody's",
    )
    answer_within: float = Field(
        default=Budgets.answer_within,
        gt=0,
        description="seconds after which a write is answered as unknown, and not waited for",
    )
    bind: str = Field(default="127.0.0.1", description="interface the web server and the metrics ports listen on")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = "auto"

    database_url: SecretStr | None = Field(default=None, validation_alias=_alias("DATABASE_URL"))
    database_owner_url: SecretStr | None = Field(default=None, validation_alias=_alias("DATABASE_OWNER_URL"))
    database_admin_url: SecretStr | None = Field(default=None, validation_alias=_alias("DATABASE_ADMIN_URL"))
    database_backup_url: SecretStr | None = Field(default=None, validation_alias=_alias("DATABASE_BACKUP_URL"))

    temporal_address: str | None = Field(default=None, validation_alias=_alias("TEMPORAL_ADDRESS"))
    temporal_ui_url: str | None = Field(
        default=None, description="where operators open the Temporal UI; their pages link to it"
    )
    temporal_namespace: str = Field(default="default", validation_alias=_alias("TEMPORAL_NAMESPACE"))
    task_queue: str = "anze"
    deployment: str | None = Field(
        default=None, description="name of the workers' deployment; with it a life stays with the build it began under"
    )
    cached_workflows: int = Field(
        default=2_000,
        ge=10,
        description="open cases a worker keeps in memory; the others are replayed when they are due",
    )
    build_id: str | None = Field(default=None, description="which build this worker is; without it our version")

    smtp_host: str | None = Field(default=None, validation_alias=_alias("SMTP_HOST"))
    smtp_port: int = Field(default=2525, validation_alias=_alias("SMTP_PORT"))
    smtp_user: str | None = Field(default=None, validation_alias=_alias("SMTP_USER"))
    smtp_password: SecretStr | None = Field(default=None, validation_alias=_alias("SMTP_PASSWORD"))
    smtp_tls: Literal["none", "starttls", "tls"] = Field(default="none", validation_alias=_alias("SMTP_TLS"))
    smtp_from: str = Field(default="安责险工作流 <notice@anze.example>", validation_alias=_alias("SMTP_FROM"))

    oidc_issuer: str | None = Field(default=None, description="OpenID provider of people with accounts: its issuer")
    oidc_client_id: str = Field(default="anze", description="what we are called there")
    oidc_client_secret: SecretStr | None = Field(default=None, description="our secret there")

    late_letter: int = Field(default=120, ge=1, description="minutes a letter may wait before operators are told")
    late_alarm: int = Field(default=10, ge=1, description="minutes a due case may rest before operators are told")
    late_payment: int = Field(default=1_440, ge=1, description="minutes a payment may be open before they are told")
    late_task: float = Field(
        default=60.0, gt=0, description="seconds work may lie in the engine's queue before that is a fault"
    )

    retention_years: int = Field(
        default=10, ge=5, le=100, description="years people's data is kept once contract and claims have ended"
    )

    api_port: int = 8080
    postgres_port: int = 5433
    temporal_port: int = 7233
    temporal_ui_port: int = 8233
    core_system_port: int = Field(default=8090, description="where the stand-in core system listens on this machine")
    mail_page_port: int = Field(default=8025, description="where the mails caught on this machine are read")
    identity_port: int = Field(default=8026, description="where the development identity service listens")
    web_metrics_port: int = 9100
    worker_metrics_port: int = 9101
    temporal_metrics_port: int = Field(default=9102, description="metrics of the Temporal runtime inside the worker")
    postgres_os_user: str = Field(default="nobody", description="who runs the embedded PostgreSQL when we are root")

    @field_validator("secret")
    @classmethod
    def _refuse_weak_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and is_weak(secret.get_secret_value()):
            raise ValueError(
                f"ANZE_SECRET 太短或是示例值：至少 {SHORTEST_SECRET} 个字符 / too short, or an example value"
            )
        return secret

    @field_validator("field_keys", "payload_keys", "backup_keys")
    @classmethod
    def _refuse_bad_field_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is not None:
            FieldKeys.parse(keys.get_secret_value())
        return keys

    @field_validator("database_url", "database_owner_url", "database_admin_url", "database_backup_url")
    @classmethod
    def _refuse_other_databases(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("postgresql", "postgres:")):
            raise ValueError("只支持 PostgreSQL：postgresql://用户:密码@主机:端口/库名 / PostgreSQL only")
        return url

    @field_validator("oidc_issuer")
    @classmethod
    def _refuse_open_issuers(cls, issuer: str | None) -> str | None:
        told = urlsplit(issuer or "")
        if issuer is not None and told.scheme != "https" and told.hostname not in ("127.0.0.1", "localhost"):
            raise ValueError("ANZE_OIDC_ISSUER 须为 https 地址 / must be an https address")
        return issuer

    @model_validator(mode="after")
    def _refuse_half_an_issuer(self) -> Self:
        if self.oidc_issuer is not None and self.oidc_client_secret is None:
            raise ValueError("设置了 ANZE_OIDC_ISSUER，须同时设置 ANZE_OIDC_CLIENT_SECRET / both or neither")
        return self

    @model_validator(mode="after")
    def _refuse_shared_ports(self) -> Self:
        ports = [value for name, value in self if name.endswith("_port")]
        if len(ports) != len(set(ports)):
            raise ValueError("两个端口设置使用了同一个端口 / two port settings name the same port")
        return self

    @property
    def base_url(self) -> str:
        """Where links in mails point; without a trailing slash."""
        return (self.public_url or f"http://127.0.0.1:{self.api_port}").rstrip("/")

    @property
    def database(self) -> str:
        """SQLAlchemy address of the application role, bound by row-level security."""
        return sqlalchemy_url(_required(self.database_url, "DATABASE_URL"))

    @property
    def database_owner(self) -> str:
        """SQLAlchemy address of the role that owns the schema and runs migrations."""
        return sqlalchemy_url(_required(self.database_owner_url or self.database_url, "DATABASE_OWNER_URL"))

    @property
    def database_dsn(self) -> str:
        """The application role's address as asyncpg reads it."""
        return plain_dsn(_required(self.database_url, "DATABASE_URL"))

    @property
    def secret_key(self) -> bytes:
        """The key of link tokens and cursors; missing means the process must not start."""
        return _required(self.secret, "ANZE_SECRET").encode()

    @property
    def scan(self) -> tuple[str, ...]:
        """The scanner's command, split as a shell would; empty where files are not scanned."""
        return tuple(shlex.split(self.scan_command or ""))

    @property
    def sealing(self) -> FieldKeys:
        """The keys of victims' data; missing means the process must not start."""
        return FieldKeys.parse(_required(self.field_keys, "ANZE_FIELD_KEYS"))

    @property
    def backlog(self) -> Bounds:
        """How long work may wait before that is told."""
        minutes = (self.late_letter, self.late_alarm, self.late_payment)
        return Bounds(*(timedelta(minutes=one) for one in minutes), task=timedelta(seconds=self.late_task))

    def temporal_connect_config(self) -> ClientConnectConfig:
        """Arguments for `Client.connect`: `TEMPORAL_*` (TLS, API key …), and a TOML profile where one is named."""
        environment = dict(os.environ)
        named = "TEMPORAL_CONFIG_FILE" in environment or "TEMPORAL_PROFILE" in environment
        if self.temporal_address:
            environment["TEMPORAL_ADDRESS"] = self.temporal_address
        environment["TEMPORAL_NAMESPACE"] = self.temporal_namespace
        profile = ClientConfigProfile.load(disable_file=not named, override_env_vars=environment)
        return profile.to_client_connect_config()

    @property
    def temporal_is_given(self) -> bool:
        """Whether somebody pointed us at a Temporal server, by TEMPORAL_ADDRESS or by a named profile."""
        return "target_host" in self.temporal_connect_config()

    def as_environment(self) -> dict[str, str]:
        """The same settings for a child process, nothing inherited by accident."""
        names = {name: _environment_names(name) for name in type(self).model_fields}
        values = {names[name][0]: _plain(value) for name, value in self if value is not None}
        return {**_without(os.environ, set(chain(*names.values()))), **values}


def sqlalchemy_url(url: str) -> str:
    """Any spelling of a PostgreSQL address as SQLAlchemy's asyncpg dialect wants it."""
    return "postgresql+asyncpg://" + url.partition("://")[2].replace("sslmode=", "ssl=")


def plain_dsn(url: str) -> str:
    """Any spelling of a PostgreSQL address as asyncpg and psql want it."""
    return "postgresql://" + url.partition("://")[2]


def is_weak(secret: str) -> bool:
    """Whether a secret is short, monotonous, or copied from an example."""
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < 8 or secret.lower().startswith(KNOWN_SECRETS)


def missing(name: str) -> str:
    """What is said where a setting is needed and nothing of `make up` stands in for it."""
    return f"缺少设置 {name}：本机在 make up 的目录里运行；服务器上见 docs/deploy.md“运维命令” / {name} is missing"


def _required(value: SecretStr | None, name: str) -> str:
    if value is None:
        raise SettingMissing(missing(name))
    return value.get_secret_value()


def _environment_names(field: str) -> list[str]:
    alias = Settings.model_fields[field].validation_alias
    return [str(name) for name in alias.choices] if isinstance(alias, AliasChoices) else [f"ANZE_{field.upper()}"]


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _without(environment: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {key: value for key, value in environment.items() if key not in names}
