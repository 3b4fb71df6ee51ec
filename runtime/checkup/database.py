"""Looks at PostgreSQL: schema, roles, walls between insurers, its clock, and what has waited too long; reads only."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from domain.wording import TOLD_BEFORE_RESTORE, money
from models.tables.backlog import Bounds
from models.tables.recovery import STOPPED, asked_of_stopped
from rules.library import Library
from runtime.checkup.finding import Finding, State, good, judged

Connecting = Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]

MOST_APART = timedelta(seconds=5)
"""Between this machine's clock and the database's; deadlines are told within this of being due (promises.md P3)."""
WALLED = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'insurer_id'
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
"""
LOOKS_PAST = """
SELECT c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
WHERE c.relkind IN ('v', 'm') AND c.relnamespace = 'public'::regnamespace AND (r.rolsuper OR r.rolbypassrls)
"""
"""Views are read with their owner's eyes: one whose owner is above the wall shows every insurer's rows (0061)."""
POWERS = "SELECT rolname FROM pg_roles WHERE rolname = $1 AND (rolsuper OR rolbypassrls OR rolcreaterole)"
OWNS = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = $1"
ORDERED = """
SELECT datlocprovider::text AS provider, CASE datlocprovider WHEN 'c' THEN datcollate ELSE datlocale END AS locale
FROM pg_database WHERE datname = current_database()
"""
BY_CODE_POINT = frozenset({("c", "C"), ("c", "POSIX"), ("c", "C.UTF-8"), ("c", "C.utf8")})
SILENT = "SELECT count(*) FROM cases WHERE ended_at IS NULL AND next_alarm_at < $1"
MAILS = "SELECT count(*), min(composed_at) FROM mails WHERE status = 'queued' AND sent_at IS NULL"
TASKS = "SELECT kind, count(*) FROM tasks WHERE done_at IS NULL GROUP BY kind ORDER BY kind"
RESTORED = "SELECT min(as_of) FROM restorations WHERE released_at IS NULL"
PINNED = """
SELECT DISTINCT pack->>'region' AS region, pack->>'digest' AS digest
FROM cases CROSS JOIN LATERAL jsonb_array_elements(packs) pack WHERE ended_at IS NULL
"""
UNREAD = """
SELECT slot_name AS name, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) AS kept
FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT active ORDER BY slot_name
"""
SLOTS = "SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'physical'"
PROVISIONAL = "SELECT count(*) FROM cases WHERE provisional AND ended_at IS NULL AND calendar_through + 1 = ANY ($1)"


@dataclass(frozen=True)
class Database:
    """What is asked, as the backup role: it reads every row and writes none."""

    connecting: Connecting
    application: str
    """Name of the role the service works as."""
    revisions: Sequence[str]
    """Of the schema, those this program knows, the newest first."""
    bounds: Bounds
    """From when on what waits is a fault: as on the operators' page and in their letter."""

    async def schema(self) -> list[Finding]:
        """Version, powers, walls and clock."""
        async with self.connecting() as connection:
            at = await connection.fetchval("SELECT version_num FROM alembic_version")
            open_tables = [row["relname"] for asked in (WALLED, LOOKS_PAST) for row in await connection.fetch(asked)]
            ordered = _of(await connection.fetchrow(ORDERED))
            powers = await connection.fetchval(POWERS, self.application)
            owns = await connection.fetchval(OWNS, self.application)
            before, there = datetime.now(UTC), await connection.fetchrow("SELECT clock_timestamp() AS at")
            apart = abs(_of(there)["at"] - before)
        return [
            ordering(ordered["provider"], ordered["locale"]),
            self._version(at),
            judged(
                "机构隔离",
                not open_tables,
                (
                    "每张表都强制行级安全",
                    f"没有强制行级安全，或者视图的属主不受它约束：{'、'.join(open_tables)}",
                ),
                "database.md#隔离与角色",
            ),
            judged(
                "应用角色",
                not powers and not owns,
                ("没有特权，不拥有任何表", f"{self.application} 有特权或拥有表，行级安全对它不起作用"),
                "database.md#隔离与角色",
            ),
            judged(
                "时钟",
                apart < MOST_APART,
                (f"与本机相差 {apart.total_seconds():.1f} 秒", f"与本机相差 {apart.total_seconds():.0f} 秒：对时"),
                "database.md#时钟",
            ),
        ]

    def _version(self, at: str | None) -> Finding:
        newest = self.revisions[0]
        behind = at is None or at in self.revisions
        remedy = f"应为 {newest}：anze migrate" if behind else f"比这个程序（{newest}）新：换上新版程序"
        return judged("结构版本", at == newest, (f"{at}", f"{at}，{remedy}"), "database.md#结构版本")

    async def archiving(self) -> list[Finding]:
        """Whether somebody takes the write-ahead log that is kept for it; without a slot nobody was meant to."""
        async with self.connecting() as connection:
            unread = [f"{row['name']}（已留 {row['kept']}）" for row in await connection.fetch(UNREAD)]
            slots = await connection.fetchval(SLOTS)
        taken = f"{slots} 个槽都有人接" if slots else "没有设槽"
        told = f"没有人接：{'、'.join(unread)}，恢复点停住，主库的磁盘会满"
        return [judged("WAL 流", not unread, (taken, told), "restore.md#平时备份")]

    async def backlog(self) -> list[Finding]:
        """Alarms that did not ring, mails that did not go, tasks that wait for a person."""
        now = datetime.now(UTC)
        async with self.connecting() as connection:
            silent = await connection.fetchval(SILENT, now - self.bounds.alarm)
            unsent, since = _of(await connection.fetchrow(MAILS))
            tasks = {row["kind"]: row["count"] for row in await connection.fetch(TASKS)}
        late = self.bounds.alarm // timedelta(minutes=1)
        waits = since is not None and now - since > self.bounds.letter
        oldest = f"{unsent} 封，最早的自 {since:%m-%d %H:%M} UTC" if since else ""
        waiting = "，".join(f"{kind} {count}" for kind, count in tasks.items())
        return [
            judged(
                "到期未办",
                silent == 0,
                ("没有迟响的期限", f"{silent} 件案卷的期限已过 {late} 分钟而没有动静"),
                "worker.md#没有人取活",
            ),
            judged("待发邮件", not waits, (f"{unsent} 封", oldest), "mail.md#积压"),
            judged("待人处理", not tasks, ("没有", waiting), "mail.md#邮件被拒收投不出去", State.NOTE),
        ]

    async def restored(self) -> list[Finding]:
        """What a restore stopped and nobody has released yet."""
        async with self.connecting() as connection:
            as_of = await connection.fetchval(RESTORED)
            found = await connection.fetchrow(STOPPED, *asked_of_stopped(TOLD_BEFORE_RESTORE))
            unpaid, yuan, letters = _of(found)
        if as_of is None:
            return [good("恢复后停住", "没有")]
        held = f"数据恢复到 {as_of:%Y-%m-%d %H:%M} UTC：停住付款 {unpaid} 笔共 {money(yuan)}，转人工的信 {letters} 封"
        return [Finding("恢复后停住", State.NOTE, f"{held}；对账后 anze recover release", "restore.md#戊--对账放行")]

    async def rules(self, library: Library) -> list[Finding]:
        """Whether every running case's packs are in this installation, and its years' holidays are known."""
        years = sorted({year.year for year in library.calendar().years})
        async with self.connecting() as connection:
            pinned = {(row["region"], row["digest"]) for row in await connection.fetch(PINNED)}
            waiting = await connection.fetchval(PROVISIONAL, years)
        known = {(pack.ref.region, pack.ref.digest) for pack in library.known()}
        lacking = sorted(f"{region} {digest[:12]}" for region, digest in pinned - known)
        return [
            judged(
                "案卷的规则包",
                not lacking,
                (f"{len(pinned)} 份都在", f"有案卷依据、本机没有的规则包：{'、'.join(lacking)}"),
                "notice.md#案卷依据的规则文件不在",
            ),
            judged(
                "放假安排",
                waiting == 0,
                (f"已有 {years[0]}—{years[-1]} 年", f"{waiting} 件案卷的暂定日期可以重算：anze calendar"),
                "calendar.md",
                State.NOTE,
            ),
            _expiring(years[-1]),
        ]


def _of(row: asyncpg.Record | None) -> asyncpg.Record:
    """The one row that such a statement always has."""
    assert row is not None
    return row


def ordering(provider: str, locale: str | None) -> Finding:
    """How the database compares texts (`b` is PostgreSQL's own, always by code point, `c` the system's, `i` ICU's).

    Parts of names and beginnings of numbers are looked for between two texts: in another order some are not found.
    """
    fits = provider == "b" or (provider, locale) in BY_CODE_POINT
    wrong = f"{locale}：按名称和编号查找会漏，另建一个库，再装回备份"
    return judged("排序规则", fits, (f"{locale}", wrong), "database.md#排序规则")


def _expiring(last: int) -> Finding:
    """Next year's holidays are usually published in November."""
    today = datetime.now(UTC)
    needed = today.year + 1 if today.month == 12 else today.year
    if last >= needed:
        return good("下一年", f"已知到 {last} 年")
    return Finding("下一年", State.NOTE, f"{last + 1} 年的放假安排还没有登记", "calendar.md")
