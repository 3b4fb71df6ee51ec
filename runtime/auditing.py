"""Whether the audit trail still says what was written: every hash computed again from the rows; nothing is repaired.

Read with the backup role, in short statements: one long cursor would keep the old versions of the heads alive while
the system works, and make every step slower. Anchors are in runtime/anchoring.py.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg

from models.contracts.vocabulary import AuditEvent, Word
from models.tables.audit import COMMON_CHAIN

BATCH = 1000
MOST_FINDINGS = 200
"""Of one kind in one chain; a trail that is broken everywhere need not be listed to the end."""
Told = Callable[[int], None]


class Fault(Word):
    """What can be wrong with a chain."""

    EDITED = "edited", "内容与哈希不符，被改动过"
    MISSING = "missing", "缺少这一条"
    EXCHANGED = "exchanged", "后一条记得的是另一个哈希，这一条被换过"
    HEAD_DIFFERS = "head_differs", "链头与最后一条不符，有记录被添加或截去"
    STEP_CHANGED = "step_changed", "案卷的步骤或时间线在记录之后被改动"
    STEP_GONE = "step_gone", "案卷的步骤不在台账里了"
    STEP_UNRECORDED = "step_unrecorded", "台账里的步骤没有审计记录"
    STEP_TWICE = "step_twice", "同一步骤有不止一条审计记录"
    ANCHOR_DIFFERS = "anchor_differs", "与存证的哈希不符，链被重写过"
    ANCHOR_GONE = "anchor_gone", "存证时有的记录没有了"
    ANCHOR_UNSIGNED = "anchor_unsigned", "存证文件的签名不符"
    ANCHOR_MISSING = "anchor_missing", "缺少更早的存证文件"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and where; `number` is the row's in its chain."""

    chain: UUID | None
    code: str
    number: int | None
    fault: Fault
    detail: str = ""

    def as_document(self) -> dict[str, Any]:
        return {**asdict(self), "chain": self.chain and str(self.chain), "says": self.fault.label}


@dataclass
class Verdict:
    """What was looked at, and what was wrong with it."""

    chains: int = 0
    rows: int = 0
    steps: int = 0
    anchors: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.findings

    @property
    def counts(self) -> dict[str, int]:
        """How much was looked at, and how much of it was wrong."""
        looked_at = {"chains": self.chains, "rows": self.rows, "steps": self.steps, "anchors": self.anchors}
        return {**looked_at, "findings": len(self.findings)}

    def findings_of(self, chain: "Chain") -> int:
        """How much is wrong with one chain, or with the anchors, which vouch for it like for every other."""
        return sum(one.chain in (chain.id, None) for one in self.findings)

    def may_be_continued(self, chain: "Chain") -> bool:
        """Whether the next row would stand where the last one says."""
        return not any(one.chain == chain.id and one.fault is Fault.HEAD_DIFFERS for one in self.findings)

    def as_document(self) -> dict[str, Any]:
        return {**asdict(self), "findings": [one.as_document() for one in self.findings], "holds": self.holds}


@dataclass(frozen=True)
class Chain:
    """A chain as it stood at one moment: its head, and the number of its last row (`None` where there is none)."""

    id: UUID
    code: str
    head: int | None
    hash: str | None
    last: int | None


def heads_digest(chains: Sequence[Chain]) -> str:
    """SHA-256 of where all these chains ended when they were looked at; the same chains always give the same."""
    ends = [[str(chain.id), chain.head or 0, chain.hash or ""] for chain in chains]
    return sha256(json.dumps(sorted(ends)).encode()).hexdigest()


CHAINS = """
WITH RECURSIVE there (chain) AS (
    (SELECT chain FROM audit ORDER BY chain LIMIT 1)
    UNION ALL
    SELECT (SELECT chain FROM audit WHERE chain > there.chain ORDER BY chain LIMIT 1)
    FROM there WHERE there.chain IS NOT NULL
), known AS (
    SELECT chain FROM there WHERE chain IS NOT NULL UNION SELECT chain FROM audit_heads UNION SELECT id FROM insurers
)
SELECT known.chain AS id, coalesce(i.code, '') AS code, h.number AS head, h.hash,
       (SELECT max(number) FROM audit WHERE chain = known.chain) AS last
FROM known LEFT JOIN audit_heads h ON h.chain = known.chain LEFT JOIN insurers i ON i.id = known.chain
WHERE $1::text IS NULL OR i.code = $1
ORDER BY i.code NULLS FIRST, known.chain
"""
"""Every chain with its end, in one snapshot; the distinct chains are found by the index, without reading the trail."""

ROWS = """
SELECT *, said::text AS said_text FROM audit
WHERE chain = $1 AND number > $2 AND number <= $3 ORDER BY number LIMIT $4
"""
STEPS = """
SELECT s.*, s.cause::text AS cause_text FROM unnest($1::uuid[], $2::int[]) AS k (case_id, seq)
JOIN steps s ON s.case_id = k.case_id AND s.seq = k.seq
"""
LINES = """
SELECT t.*, t.data::text AS data_text FROM unnest($1::uuid[], $2::int[]) AS k (case_id, seq)
JOIN timeline t ON t.case_id = k.case_id AND t.seq = k.seq ORDER BY t.case_id, t.seq, t.line
"""
UNRECORDED = """
SELECT s.insurer_id, coalesce(i.code, '') AS code, c.workflow_id, s.seq FROM steps s
LEFT JOIN insurers i ON i.id = s.insurer_id LEFT JOIN cases c ON c.id = s.case_id
WHERE ($1::text IS NULL OR i.code = $1) AND NOT EXISTS (
    SELECT FROM audit a WHERE a.what = 'step' AND a.case_id = s.case_id AND a.seq = s.seq)
ORDER BY s.insurer_id, s.case_id, s.seq LIMIT $2
"""
TWICE = """
SELECT a.chain AS insurer_id, coalesce(i.code, '') AS code, a.object_id AS workflow_id, a.seq, max(a.number) AS number
FROM audit a LEFT JOIN insurers i ON i.id = a.chain
WHERE a.what = 'step' AND ($1::text IS NULL OR i.code = $1)
GROUP BY a.chain, i.code, a.object_id, a.case_id, a.seq HAVING count(*) > 1 ORDER BY 1, 4 LIMIT $2
"""


class Verifier:
    """Goes through chains with one connection, row by row; `told` hears how many rows are done."""

    def __init__(self, connection: asyncpg.Connection, told: Told = lambda _: None) -> None:
        self._connection = connection
        self._told = told
        self.verdict = Verdict()

    async def chains(self, insurer: str | None = None) -> list[Chain]:
        """Every chain, or that of one insurer (by code)."""
        return [Chain(**dict(row)) for row in await self._connection.fetch(CHAINS, insurer)]

    async def run(self, chains: Sequence[Chain], insurer: str | None = None) -> Verdict:
        """Look at these chains, and whether every step of their cases is in them."""
        for chain in chains:
            await self._walk(chain)
        await self._require_every_step(insurer)
        return self.verdict

    async def _walk(self, chain: Chain) -> None:
        self.verdict.chains += 1
        previous, expected = "", 1
        async for rows in self._batches(chain):
            for row in rows:
                number = row["number"]
                if number != expected:
                    self._find(chain, expected, Fault.MISSING, _gap(expected, number))
                elif row["previous"] != previous:
                    # the first row has nobody before it: what is wrong is its own
                    self._find(chain, max(number - 1, 1), Fault.EXCHANGED)
                if row_hash(row) != row["hash"]:
                    self._find(chain, number, Fault.EDITED)
                previous, expected = row["hash"], number + 1
            await self._compare_steps(chain, [row for row in rows if row["what"] == AuditEvent.STEP])
            self.verdict.rows += len(rows)
            self._told(len(rows))
        self._compare_head(chain, expected - 1, previous)

    async def _batches(self, chain: Chain) -> AsyncIterator[list[Any]]:
        after, last = 0, chain.last or 0
        while rows := await self._connection.fetch(ROWS, chain.id, after, last, BATCH):
            yield rows
            after = rows[-1]["number"]

    def _compare_head(self, chain: Chain, last: int, last_hash: str) -> None:
        """A chain nobody has written to has neither rows nor head."""
        if (chain.head or 0, chain.hash or "") != (last, last_hash):
            self._find(chain, max(last, chain.head or 0), Fault.HEAD_DIFFERS, f"{chain.head or 0} ≠ {last}")

    async def _compare_steps(self, chain: Chain, rows: list[Any]) -> None:
        if not rows:
            return
        keys = [row["case_id"] for row in rows], [row["seq"] for row in rows]
        lines: dict[tuple[UUID, int], list[Any]] = {}
        for line in await self._connection.fetch(LINES, *keys):
            lines.setdefault((line["case_id"], line["seq"]), []).append(line)
        steps = {(step["case_id"], step["seq"]): step for step in await self._connection.fetch(STEPS, *keys)}
        for row in rows:
            key = (row["case_id"], row["seq"])
            step, where = steps.get(key), f"{row['object_id']} #{row['seq']}"
            if step is None:
                self._find(chain, row["number"], Fault.STEP_GONE, where)
            elif step["insurer_id"] != chain.id or step_digest(step, lines.get(key, [])) != row["digest"]:
                self._find(chain, row["number"], Fault.STEP_CHANGED, where)
        self.verdict.steps += len(rows)

    async def _require_every_step(self, insurer: str | None) -> None:
        for query, fault in ((UNRECORDED, Fault.STEP_UNRECORDED), (TWICE, Fault.STEP_TWICE)):
            for row in await self._connection.fetch(query, insurer, MOST_FINDINGS):
                number = row.get("number")
                where = f"{row['workflow_id']} #{row['seq']}"
                self.verdict.findings.append(Finding(row["insurer_id"], row["code"], number, fault, where))

    def _find(self, chain: Chain, number: int, fault: Fault, detail: str = "") -> None:
        alike = sum(one.chain == chain.id and one.fault is fault for one in self.verdict.findings)
        if alike < MOST_FINDINGS:
            self.verdict.findings.append(Finding(chain.id, chain.code, number, fault, detail))


def row_hash(row: Any) -> str:
    """The hash of a row, from what it says and from the hash of the row before it."""
    return _sha256([
        row["previous"], str(row["chain"]), str(row["number"]), _instant(row["at"]), row["what"], row["who_kind"],
        row["who_id"], row["who_name"], row["object_kind"], row["object_id"], row["result"], _text(row["case_id"]),
        _text(row["seq"]), row["digest"], row["ip"], row["request_id"], row["said_text"],
    ])  # fmt: skip


def step_digest(step: Any, lines: Sequence[Any]) -> str:
    """The digest of a step: its row with its cause, and its lines of the timeline in their order."""
    told = [
        [str(one["line"]), one["event"], _instant(one["at"]), one["duty_key"], one["said"], one["data_text"]]
        for one in lines
    ]
    return _sha256([
        str(step["case_id"]), str(step["seq"]), str(step["insurer_id"]), _instant(step["at"]),
        _instant(step["recorded_at"]), step["command_id"], step["command_name"], step["actor_kind"], step["actor_id"],
        step["actor_name"], step["cause_text"], told,
    ])  # fmt: skip


def chain_name(chain: UUID | None, code: str) -> str:
    """How people call a chain: by the insurer's code."""
    return "" if chain is None else code or ("*" if chain == COMMON_CHAIN else str(chain))


def _sha256(fields: list[Any]) -> str:
    """The same text as PostgreSQL's jsonb_build_array: strings and nulls, a comma and a space between them."""
    return sha256(json.dumps(fields, ensure_ascii=False).encode()).hexdigest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _gap(first: int, found: int) -> str:
    return "" if found == first + 1 else f"{first}–{found - 1}"
