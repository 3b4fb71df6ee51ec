"""Looks at the ends of the audit chains and at the last anchor; every hash is computed anew by `anze audit verify`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from runtime.anchoring import newest
from runtime.checkup.database import Connecting
from runtime.checkup.finding import Finding, State, good, judged

LATEST = timedelta(hours=36)
"""One is made every day, and a day that was missed is made up for within twelve hours (runtime/schedules.py)."""
ENDS = """
SELECT count(*) FROM audit_heads h LEFT JOIN audit a ON a.chain = h.chain AND a.number = h.number
WHERE h.number > 0 AND (a.hash IS DISTINCT FROM h.hash
                        OR EXISTS (SELECT FROM audit b WHERE b.chain = h.chain AND b.number > h.number))
"""
SINCE = "SELECT min(a.at) FROM audit_heads h JOIN audit a ON a.chain = h.chain AND a.number = 1"


@dataclass(frozen=True)
class Trail:
    """What is asked, as the backup role; `signer` is the public key of this installation's anchors."""

    connecting: Connecting
    folder: Path
    signer: str | None

    async def look(self) -> list[Finding]:
        """Whether each chain ends where its head says, and the last anchor is of today and still true."""
        async with self.connecting() as connection:
            wrong = await connection.fetchval(ENDS)
            ends = f"{wrong} 条链的链头与最后一条不符：anze audit verify"
            return [
                judged("审计链", wrong == 0, ("各链链头与最后一条相符", ends), "audit.md#查出不符"),
                await self._anchored(connection),
            ]

    async def _anchored(self, connection: asyncpg.Connection) -> Finding:
        if self.signer is None:
            return Finding("存证", State.NOTE, "没有设置 ANZE_SECRET，存证没有查", "audit.md#存证晚了")
        last = await newest(connection, self.folder, [self.signer])
        if last is not None and last.findings:
            first = last.findings[0]
            return Finding("存证", State.BAD, f"{first.detail}：{first.fault.label}", "audit.md#查出不符")
        since = last.made_at if last is not None else await connection.fetchval(SINCE)
        if since is None:
            return good("存证", "还没有要存证的记录")
        told = f"最近一份 {since:%m-%d %H:%M} UTC" if last is not None else "还没有第一份"
        late = datetime.now(UTC) - since > LATEST
        return judged(
            "存证", not late, (told, f"{told}，已过 {LATEST // timedelta(hours=1)} 小时"), "audit.md#存证晚了"
        )
