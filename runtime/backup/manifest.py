"""What a backup says of itself: how many rows, their digests, walls, heads of the audit chains; and what differs."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

import asyncpg

from models.contracts.base import Contract

SPELLING = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "search_path": "public",
    "statement_timeout": "0",
    "row_security": "off",  # whoever does not see every row is refused, instead of counting fewer
}
"""So that the same rows are the same text on every server."""
TABLES = """
SELECT c.relname AS name, pg_table_size(c.oid) AS size, c.relrowsecurity AS walled, c.relforcerowsecurity AS forced,
       coalesce(c.relacl::text, '') AS rights,
       (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies,
       (SELECT array_agg(quote_ident(a.attname) || CASE WHEN a.attcollation <> 0 AND NOT d.plain
                         THEN ' COLLATE "C"' ELSE '' END ORDER BY k.rank)
        FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, rank)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND i.indisprimary) AS key
FROM pg_class c CROSS JOIN (
    SELECT datlocprovider = 'b' OR datcollate = 'C' AS plain FROM pg_database WHERE datname = current_database()) d
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname
"""
BEHIND = """
SELECT s.relname AS name, t.relname AS table, a.attname AS column FROM pg_depend d
JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_class t ON t.oid = d.refobjid
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE d.deptype IN ('a', 'i') AND d.classid = 'pg_class'::regclass AND t.relnamespace = 'public'::regnamespace
ORDER BY s.relname
"""
Told = Callable[[int], None]


class Table(Contract):
    """One table: its rows with the SHA-256 over them in the order of their key, its walls and the rights in it."""

    rows: int
    sha256: str
    size: int = 0
    """Bytes on the source's disk; for progress only."""
    walled: bool = False
    forced: bool = False
    policies: int = 0
    rights: str = ""


class Manifest(Contract):
    """All of it, as it was at one instant."""

    taken_at: datetime
    """By the database's own clock."""
    version: str
    server: str
    revision: str
    lsn: str
    packs: str
    """SHA-256 of rules/packs.lock of the program that took the backup."""
    namespace: str
    """Of Temporal: the workflows that belong to these rows live there."""
    tables: dict[str, Table]
    heads: dict[str, tuple[int, str]]
    """Of the audit chains."""

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())

    @property
    def size(self) -> int:
        return sum(table.size for table in self.tables.values())


async def spelled_out(connection: asyncpg.Connection) -> None:
    """Set how this session writes values."""
    for name, value in SPELLING.items():
        await connection.execute("SELECT set_config($1, $2, false)", name, value)


async def measured(connection: asyncpg.Connection, told: Told = lambda _: None) -> dict[str, Table]:
    """Every table, in the snapshot of the connection's transaction; `told` hears of the bytes that are done."""
    tables: dict[str, Table] = {}
    for row in await connection.fetch(TABLES):
        counted, digest = await _digest(connection, row["name"], row["key"])
        plain = {name: row[name] for name in ("size", "walled", "forced", "policies", "rights")}
        tables[row["name"]] = Table(rows=counted, sha256=digest, **plain)
        told(row["size"])
    return tables


async def _digest(connection: asyncpg.Connection, name: str, key: list[str] | None) -> tuple[int, str]:
    order = f" ORDER BY {', '.join(key)}" if key else f" ORDER BY {name}::text"
    digest, lines = sha256(), 0

    async def take(data: bytes) -> None:
        nonlocal lines
        digest.update(data)
        lines += data.count(b"\n")  # a line end inside a value is written \n

    query = f'SELECT * FROM "{name}"{order}'  # noqa: S608 - names out of the catalogue itself
    await connection.copy_from_query(query, output=_async(take))
    return lines, digest.hexdigest()


def _async(take: Callable[[bytes], Awaitable[None]]) -> Any:
    return take


async def heads(connection: asyncpg.Connection) -> dict[str, tuple[int, str]]:
    rows = await connection.fetch("SELECT chain, number, hash FROM audit_heads ORDER BY chain")
    return {str(row["chain"]): (row["number"], row["hash"]) for row in rows}


def differences(wanted: Manifest, tables: dict[str, Table], found: dict[str, tuple[int, str]]) -> Iterator[str]:
    """What is not as the manifest says, one sentence each."""
    for name in sorted(wanted.tables.keys() ^ tables.keys()):
        yield f"{name}：{'缺少这个表' if name in wanted.tables else '备份里没有这个表'}"
    for name in sorted(wanted.tables.keys() & tables.keys()):
        yield from _differs(name, wanted.tables[name], tables[name])
    if wanted.heads != found:
        yield "审计链头与备份清单不符"


def _differs(name: str, wanted: Table, found: Table) -> Iterator[str]:
    if wanted.rows != found.rows:
        yield f"{name}：应有 {wanted.rows} 行，实有 {found.rows} 行"
    elif wanted.sha256 != found.sha256:
        yield f"{name}：行数相符，内容不符"
    if (wanted.walled, wanted.forced, wanted.policies) != (found.walled, found.forced, found.policies):
        yield f"{name}：行级安全与备份时不同"
    if sorted(wanted.rights.strip("{}").split(",")) != sorted(found.rights.strip("{}").split(",")):
        yield f"{name}：授权与备份时不同"


async def lagging_sequences(connection: asyncpg.Connection) -> list[str]:
    """Sequences that would give out a number that is taken already."""
    lagging: list[str] = []
    for row in await connection.fetch(BEHIND):
        asked = f'SELECT max("{row["column"]}") FROM "{row["table"]}"'  # noqa: S608 - names out of the catalogue itself
        highest = await connection.fetchval(asked)
        if highest is not None and highest > await connection.fetchval(f'SELECT last_value FROM "{row["name"]}"'):  # noqa: S608
            lagging.append(row["name"])
    return lagging
