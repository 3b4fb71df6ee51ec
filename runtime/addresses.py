"""Where a command finds the servers: those it was given, else those that `make up` runs in this folder."""

from runtime.embedded.ports import LOOPBACK
from runtime.embedded.postgres import PostgresServer
from runtime.settings import Settings, sqlalchemy_url


def database(settings: Settings) -> str:
    """SQLAlchemy address of the application role. Raises LookupError where there is no database."""
    if settings.database_url is None:
        kept = PostgresServer(settings.var / "postgres", settings.postgres_port).kept_url("app")
        return sqlalchemy_url(kept) if kept else settings.database
    return settings.database


def with_temporal(settings: Settings) -> Settings:
    """The settings, with the address of a Temporal server in them."""
    if settings.temporal_is_given:
        return settings
    return settings.model_copy(update={"temporal_address": f"{LOOPBACK}:{settings.temporal_port}"})
