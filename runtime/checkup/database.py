"""Looks at PostgreSQL: schema, roles, walls between insurers, its clock, and what has waited too long; reads only."""

from collections.abc import Callable
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
PROVISIONAL = "SELECT count(*) FROM cases WHERE provisional AND ended_at IS NULL AND calendar_through + 1 = ANY ($1)"


@dataclass(frozen=True)
class Database:
    """What is asked, as the backup role: it reads every row and writes none."""

    connecting: Connecting
    application: str
    """Name of the role the service works as."""
    newest: str | None
    library: Library
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
            judged("结构版本", at == self.newest, (f"{at}", f"{at}，应为 {self.newest}：anze migrate"), "database.md"),
            judged(
                "机构隔离",
                not open_tables,
                (
                    "每张表都强制行级安全",
                    f"没有强制行级安全，或者视图的属主不受它约束：{'、'.join(open_tables)}",
                ),
                "database.md",
            ),
            judged(
                "应用角色",
                not powers and not owns,
                ("没有特权，不拥有任何表", f"{self.application} 有特权或拥有表，行级安全对它不起作用"),
                "database.md",
            ),
            judged(
                "时钟",
                apart < MOST_APART,
                (f"与本机相差 {apart.total_seconds():.1f} 秒", f"与本机相差 {apart.total_seconds():.0f} 秒：对时"),
                "database.md",
            ),
        ]

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
                "worker.md",
            ),
            judged("待发邮件", not waits, (f"{unsent} 封", oldest), "mail.md"),
            judged("待人处理", not tasks, ("没有", waiting), "mail.md", State.NOTE),
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
        return [Finding("恢复后停住", State.NOTE, f"{held}；对账后 anze recover release", "restore.md")]

    async def rules(self) -> list[Finding]:
        """Whether every running case's packs are in this installation, and its years' holidays are known."""
        years = sorted({year.year for year in self.library.calendar().years})
        async with self.connecting() as connection:
            pinned = {(row["region"], row["digest"]) for row in await connection.fetch(PINNED)}
            waiting = await connection.fetchval(PROVISIONAL, years)
        known = {(pack.ref.region, pack.ref.digest) for pack in self.library.known()}
        lacking = sorted(f"{region} {digest[:12]}" for region, digest in pinned - known)
        return [
            judged(
                "案卷的规则包",
                not lacking,
                (f"{len(pinned)} 份都在", f"有案卷依据、本机没有的规则包：{'、'.join(lacking)}"),
                "notice.md",
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
    wrong = f"{locale}：按名称和编号查找会漏，按 docs/deploy.md“数据库”另建一个库，再装回备份"
    return judged("排序规则", fits, (f"{locale}", wrong), "database.md")


def _expiring(last: int) -> Finding:
    """Next year's holidays are usually published in November."""
    today = datetime.now(UTC)
    if last > today.year or today.month < 12:
        return good("下一年", f"已知到 {last} 年")
    return Finding("下一年", State.NOTE, f"{last + 1} 年的放假安排还没有登记", "calendar.md")
