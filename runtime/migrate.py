"""Brings a database to the newest migration, as its owner; the migrations themselves live in migrations/versions."""

import asyncio

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from runtime.roles import Roles, ensure_roles
from runtime.settings import PROJECT_ROOT, Settings, sqlalchemy_url


async def migrate(settings: Settings) -> None:
    """Roles first where an administrator's address is given, then `alembic upgrade head` as the owner."""
    if settings.database_admin_url is not None:
        await ensure_roles(settings.database_admin_url.get_secret_value(), _roles(settings))
    await upgrade(settings.database_owner)


async def upgrade(url: str) -> None:
    """Bring the database at this address to the newest migration; two at once wait for each other."""
    await asyncio.to_thread(command.upgrade, _config(url), "head")


def newest() -> str | None:
    """The revision a database is at when it is up to date."""
    return ScriptDirectory.from_config(_config("")).get_current_head()


def revisions() -> tuple[str, ...]:
    """Every revision this program knows, the newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_config("")).walk_revisions())


def draft(settings: Settings, message: str) -> None:
    """Write a new migration from the difference between tables and database, for a person to finish."""
    command.revision(_config(settings.database_owner), message=message, autogenerate=True)


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(PROJECT_ROOT / "migrations"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = sqlalchemy_url(url)
    return config


def _roles(settings: Settings) -> Roles:
    backup = settings.database_backup_url
    return Roles(
        settings.database_owner, settings.database_dsn, backup.get_secret_value() if backup is not None else None
    )
