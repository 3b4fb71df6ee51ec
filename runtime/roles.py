"""The database and its roles (owner, application, backup), on any PostgreSQL we may administer; no tables here."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

import asyncpg

from runtime.settings import plain_dsn

# The owner runs migrations; the application is bound by row-level security and owns nothing;
# the backup reads every row, and may copy the whole server (pg_basebackup, pg_receivewal).
OWNER = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
APPLICATION = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
BACKUP = "NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS REPLICATION"


SHUT = "anze: restored, not held yet"
COMMENT = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
INSIDE = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1"


@dataclass(frozen=True)
class Login:
    """What an address says about its role."""

    role: str
    password: str
    database: str

    @classmethod
    def of(cls, url: str) -> "Login":
        parts = urlsplit(plain_dsn(url))
        return cls(unquote(parts.username or ""), unquote(parts.password or ""), parts.path.lstrip("/"))


@dataclass(frozen=True)
class Roles:
    """The addresses under which the system will come in; their roles, passwords and database are made to exist."""

    owner: str
    application: str
    backup: str | None = None


async def ensure_roles(admin_url: str, roles: Roles) -> None:
    """Create or update roles and database; harmless when repeated. `admin_url` is a superuser's address."""
    owner, application = Login.of(roles.owner), Login.of(roles.application)
    backup = Login.of(roles.backup) if roles.backup else None
    admin = await asyncpg.connect(plain_dsn(admin_url))
    try:
        await _ensure_role(admin, owner, OWNER)
        await _ensure_role(admin, application, APPLICATION)
        if backup:
            await _ensure_role(admin, backup, BACKUP)
            await _run(admin, "GRANT pg_read_all_data TO %I", backup.role)
        await _ensure_database(admin, owner)
    finally:
        await admin.close()
    await _open_to(admin_url, owner, [application] + ([backup] if backup else []))


async def _ensure_role(admin: asyncpg.Connection, login: Login, powers: str) -> None:
    if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", login.role):
        await _run(admin, "CREATE ROLE %I", login.role)
    await _run(admin, f"ALTER ROLE %I LOGIN {powers} PASSWORD %L", login.role, login.password)


async def _ensure_database(admin: asyncpg.Connection, owner: Login) -> None:
    if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", owner.database):
        await _run(admin, "CREATE DATABASE %I OWNER %I", owner.database, owner.role)


async def shut_out(owner_url: str, application_url: str, backup_url: str) -> None:
    """The application may not come in until `let_in`, whoever sees to the roles meanwhile.

    Raises LookupError where it is inside already, or comes in by another right than the owner can take away.
    """
    application, backup = Login.of(application_url).role, Login.of(backup_url).role
    owner = await asyncpg.connect(plain_dsn(owner_url))
    try:
        name = Login.of(owner_url).database
        await _run(owner, "COMMENT ON DATABASE %I IS %L", name, SHUT)
        await _run(owner, "GRANT CONNECT ON DATABASE %I TO %I", name, backup)
        await _run(owner, "REVOKE CONNECT ON DATABASE %I FROM PUBLIC, %I", name, application)
        if await owner.fetchval("SELECT has_database_privilege($1, current_database(), 'CONNECT')", application):
            raise LookupError("应用角色仍能连接这个库，请以它的属主建库 / the application's role can still connect")
        if await owner.fetchval(INSIDE, application):
            raise LookupError("web 或 worker 仍连着这个库，请先停下 / stop the application first")
    finally:
        await owner.close()


async def let_in(owner_url: str, application_url: str) -> None:
    """Once what must not go out by itself is held."""
    owner = await asyncpg.connect(plain_dsn(owner_url))
    try:
        name = Login.of(owner_url).database
        await _run(owner, "GRANT CONNECT ON DATABASE %I TO %I", name, Login.of(application_url).role)
        await _run(owner, "COMMENT ON DATABASE %I IS NULL", name)
    finally:
        await owner.close()


async def _open_to(admin_url: str, owner: Login, guests: list[Login]) -> None:
    inside = await asyncpg.connect(plain_dsn(admin_url), database=owner.database)
    try:
        await _run(inside, "REVOKE CONNECT ON DATABASE %I FROM PUBLIC", owner.database)
        shut = await inside.fetchval(COMMENT) == SHUT
        for guest in guests[shut:]:
            await _run(inside, "GRANT CONNECT ON DATABASE %I TO %I", owner.database, guest.role)
        application = guests[0].role
        for right, things in (("SELECT, INSERT, UPDATE, DELETE", "TABLES"), ("USAGE, SELECT", "SEQUENCES")):
            default = f"ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public GRANT {right} ON {things} TO %I"
            await _run(inside, default, owner.role, application)
    finally:
        await inside.close()


async def _run(connection: asyncpg.Connection, template: str, *values: str) -> None:
    """Run a statement whose names (%I) and literals (%L) the server itself has quoted."""
    places = ", ".join(f"${number}::text" for number in range(2, len(values) + 2))
    statement = await connection.fetchval(f"SELECT format($1, {places})", template, *values)
    await connection.execute(str(statement))


async def put_aside(admin_url: str, database: str, now: datetime) -> str:
    """Rename a database; gives its new name, nothing where there is none. Raises LookupError while it is in use."""
    admin = await asyncpg.connect(plain_dsn(admin_url), database="postgres")
    try:
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            return ""
        name = f"{database}_before_{now:%Y%m%d%H%M%S}"
        await _run(admin, "ALTER DATABASE %I RENAME TO %I", database, name)
        return name
    except asyncpg.ObjectInUseError:
        raise LookupError(f"还有程序连着库 {database}：先停 web、worker 和别的连接 / somebody is connected") from None
    finally:
        await admin.close()
