"""Whether the chains of the audit trail still contain what their anchors say; how anchors are made is not here."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from activities.anchoring import digest, files, signed
from runtime.auditing import Fault, Finding

STANDING = """
SELECT k.chain, k.number, a.hash FROM unnest($1::uuid[], $2::bigint[]) AS k (chain, number)
LEFT JOIN audit a ON a.chain = k.chain AND a.number = k.number
"""


@dataclass(frozen=True)
class Newest:
    """An anchor that was looked at by itself."""

    made_at: datetime | None
    """`None` where nobody trusted has signed it."""
    findings: list[Finding]


async def compare(
    connection: asyncpg.Connection, folder: Path, trusted: Iterable[str], insurer: str | None = None
) -> tuple[int, list[Finding]]:
    """How many anchors there are, and what in the chains is not as they say. `trusted` are public keys.

    A file taken away is missed by the one after it; of the newest, only the copies elsewhere tell.
    """
    findings: list[Finding] = []
    previous: Path | None = None
    anchors, keys = files(folder), frozenset(trusted)
    for path in anchors:
        said = _read(path, keys)
        if said is None:
            findings.append(Finding(None, "", None, Fault.ANCHOR_UNSIGNED, path.name))
        else:
            findings.extend(_unbound(path, said, previous))
            findings.extend(await _differences(connection, path, _of(said["heads"], insurer)))
        previous = path
    return len(anchors), findings


async def newest(connection: asyncpg.Connection, folder: Path, trusted: Iterable[str]) -> Newest | None:
    """The last anchor and what is not as it says, without reading the others; `None` where there is none."""
    anchors = files(folder)
    if not anchors:
        return None
    said = _read(anchors[-1], frozenset(trusted))
    if said is None:
        return Newest(None, [Finding(None, "", None, Fault.ANCHOR_UNSIGNED, anchors[-1].name)])
    return Newest(datetime.fromisoformat(said["made_at"]), await _differences(connection, anchors[-1], said["heads"]))


async def _differences(connection: asyncpg.Connection, path: Path, heads: list[dict[str, Any]]) -> list[Finding]:
    chains, numbers = [UUID(head["chain"]) for head in heads], [head["number"] for head in heads]
    rows = await connection.fetch(STANDING, chains, numbers)
    standing = {(row["chain"], row["number"]): row["hash"] for row in rows}
    findings: list[Finding] = []
    for chain, head in zip(chains, heads, strict=True):
        kept = standing.get((chain, head["number"]))
        if kept != head["hash"] and head["number"] > 0:
            fault = Fault.ANCHOR_GONE if kept is None else Fault.ANCHOR_DIFFERS
            findings.append(Finding(chain, head["code"], head["number"], fault, path.name))
    return findings


def _of(heads: list[dict[str, Any]], insurer: str | None) -> list[dict[str, Any]]:
    return [head for head in heads if insurer is None or head["code"] == insurer]


def _unbound(path: Path, said: dict[str, Any], previous: Path | None) -> list[Finding]:
    """Whether the file before this one is the one it was bound to."""
    bound = said["previous"]
    if bound is None:
        return [] if previous is None else [Finding(None, "", None, Fault.ANCHOR_MISSING, path.name)]
    if previous is None or previous.name != bound["file"] or digest(previous) != bound["sha256"]:
        return [Finding(None, "", None, Fault.ANCHOR_MISSING, f"{path.name} ← {bound['file']}")]
    return []


def _read(path: Path, trusted: frozenset[str]) -> dict[str, Any] | None:
    """What an anchor says, if one of the trusted keys says it."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        signature = bytes.fromhex(said.pop("signature"))
        key = said["public_key"]
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, signed(said))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        return None
    return said if key in trusted else None
