"""Where a command finds servers and secret: what it was given, else what `make up` runs in this folder."""

from pydantic import SecretStr

from runtime.embedded.ports import LOOPBACK
from runtime.embedded.postgres import PostgresServer
from runtime.settings import SettingMissing, Settings, missing, plain_dsn, sqlalchemy_url


def database(settings: Settings) -> str:
    """SQLAlchemy address of the application role. Raises LookupError where there is no database."""
    if settings.database_url is None:
        kept = PostgresServer(settings.var / "postgres", settings.postgres_port).kept_url("app")
        return sqlalchemy_url(kept) if kept else settings.database
    return settings.database


def backup(settings: Settings) -> str:
    """Address of the backup role, which reads every row, for asyncpg. Raises LookupError where there is none."""
    if settings.database_backup_url is not None:
        return plain_dsn(settings.database_backup_url.get_secret_value())
    kept = PostgresServer(settings.var / "postgres", settings.postgres_port).kept_url("backup")
    if kept is None:
        raise SettingMissing(missing("DATABASE_BACKUP_URL"))
    return plain_dsn(kept)


def owner(settings: Settings) -> str:
    """Address of the role that owns the schema, for asyncpg. Raises LookupError where there is none."""
    if settings.database_owner_url is not None:
        return plain_dsn(settings.database_owner_url.get_secret_value())
    kept = PostgresServer(settings.var / "postgres", settings.postgres_port).kept_url("owner")
    if kept is None:
        raise SettingMissing(missing("DATABASE_OWNER_URL"))
    return plain_dsn(kept)


def with_owner(settings: Settings) -> Settings:
    """With the address to migrate at: as given, else of the database `make up` keeps here. Raises LookupError."""
    if settings.database_owner_url is not None or settings.database_url is not None:
        return settings
    return settings.model_copy(update={"database_owner_url": SecretStr(owner(settings))})


def admin(settings: Settings) -> str | None:
    """A superuser's address, for asyncpg; `None` where none was given and no server is kept in this folder."""
    if settings.database_admin_url is not None:
        return plain_dsn(settings.database_admin_url.get_secret_value())
    if settings.database_url is not None:
        return None
    server = PostgresServer(settings.var / "postgres", settings.postgres_port)
    return server.url("admin", "postgres") if server.kept_url("admin") else None


def with_secret(settings: Settings) -> Settings:
    """The settings, with the secret of the system that `make up` runs in this folder where none is given."""
    kept = settings.var / "secret"
    if settings.secret is None and kept.exists():
        return settings.model_copy(update={"secret": SecretStr(kept.read_text().strip())})
    return settings


def with_secrets(settings: Settings) -> Settings:
    """With the address and all secrets of the system that `make up` runs in this folder, where none are given."""
    var = settings.var
    kept = {"secret": var / "secret", "field_keys": var / "field-keys", "core_secret": var / "core-secret"}
    missing = {name: path for name, path in kept.items() if getattr(settings, name) is None and path.exists()}
    found = {name: SecretStr(path.read_text().strip()) for name, path in missing.items()}
    return with_temporal(settings.model_copy(update=found))


def with_field_keys(settings: Settings) -> Settings:
    """The settings, with the keys of victims' data of the system in this folder where none are given."""
    kept = settings.var / "field-keys"
    if settings.field_keys is None and kept.exists():
        return settings.model_copy(update={"field_keys": SecretStr(kept.read_text().strip())})
    return settings


def with_temporal(settings: Settings) -> Settings:
    """The settings, with the address of a Temporal server in them."""
    if settings.temporal_is_given:
        return settings
    return settings.model_copy(update={"temporal_address": f"{LOOPBACK}:{settings.temporal_port}"})
