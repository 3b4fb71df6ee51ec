"""What grows with the number of lives, portion after portion: disk, log and CPU of each; no rates here."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from bench.cast import hand_in_sample, insurers
from bench.ground import Ground, ground
from bench.life import Lives
from bench.measure import Load
from domain.calendar import local_date
from runtime.settings import plain_dsn

CALLERS = 4
WITHIN = 300.0  # seconds for one portion
TABLES = (
    "SELECT relname, pg_total_relation_size(c.oid) AS bytes FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND relkind = 'r'"
)
LOGGED = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"


@dataclass(frozen=True)
class Portion:
    """What some lives left behind, in bytes a life, and what they cost, in CPU milliseconds a life."""

    before: int
    """Lives that were there already."""
    lives: int
    rows: float
    """PostgreSQL: tables with their indexes."""
    log: float
    """PostgreSQL: write-ahead log, most of what backup and replica carry."""
    engine: float
    """Temporal's own store."""
    tables: tuple[tuple[str, float], ...]
    """The tables that grew most."""
    cpu: dict[str, float]


async def sizes(portions: Sequence[int]) -> list[Portion]:
    """Lead so many lives, then so many more …, on one system; each portion's own growth."""
    async with ground() as where:
        holders = await insurers(where.engine, "L", 4)
        await hand_in_sample(where.stack.api_url, holders)
        lives = Lives(where.stack.api_url, holders, local_date(datetime.now(UTC)))
        async with where.crew("quiet") as worker:
            await lives.lead(Load(CALLERS, CALLERS, 60))
            found, led = list[Portion](), CALLERS
            for count in portions:
                before, meter = await _standing(where), where.meter(worker)
                done = len((await lives.lead(Load(count, CALLERS, WITHIN))).cases)
                cpu = {name: used / done for name, used in meter.read()[1].items()}
                found.append(_portion(led, done, before, await _standing(where), cpu))
                led += done
        return found


def _portion(led: int, done: int, before: dict[str, int], after: dict[str, int], cpu: dict[str, float]) -> Portion:
    grown = {name: (after[name] - before.get(name, 0)) / done for name in after}
    log, engine = grown.pop("·log"), grown.pop("·engine")
    most = sorted(grown.items(), key=lambda one: -one[1])[:6]
    return Portion(led, done, sum(grown.values()), log, engine, tuple(most), cpu)


async def _standing(where: Ground) -> dict[str, int]:
    """Bytes by table, and under names no table has: the log's position, and the engine's files."""
    await asyncio.sleep(1)  # what was just answered is being written
    if where.stack.postgres is None:
        raise RuntimeError("the bench needs the embedded PostgreSQL")
    admin = await asyncpg.connect(plain_dsn(where.stack.postgres.url("admin")))
    try:
        standing = {row["relname"]: row["bytes"] for row in await admin.fetch(TABLES)}
        return {**standing, "·log": await admin.fetchval(LOGGED), "·engine": _files(where.settings.var / "temporal")}
    finally:
        await admin.close()


def _files(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
