"""Anchors: signed files outside the database that say where every chain stood; rewriting a chain cannot satisfy them.

A superuser of the database can rewrite a whole chain so that it agrees with itself; only something it cannot reach
tells. Copy the files to other storage, or note the line that is printed: whoever holds ANZE_SECRET could sign anew.
"""

import hmac
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runtime.auditing import Fault, Finding

PURPOSE = b"anze audit anchors"
"""The signing key is derived from the installation's secret for this purpose alone; it is stored nowhere."""
FOLDER = "anchors"
PATTERN = "*.anchor.json"
HEADS = """
SELECT h.chain, h.number, h.hash, coalesce(i.code, '') AS code
FROM audit_heads h LEFT JOIN insurers i ON i.id = h.chain ORDER BY h.chain
"""
STANDING = """
SELECT k.chain, k.number, a.hash FROM unnest($1::uuid[], $2::bigint[]) AS k (chain, number)
LEFT JOIN audit a ON a.chain = k.chain AND a.number = k.number
"""


@dataclass(frozen=True)
class Signer:
    """The key of this installation's anchors."""

    key: Ed25519PrivateKey

    @classmethod
    def of(cls, secret: bytes) -> Self:
        return cls(Ed25519PrivateKey.from_private_bytes(hmac.digest(secret, PURPOSE, "sha256")))

    @property
    def public(self) -> str:
        """The public half, in hexadecimal: with it anybody can check an anchor."""
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def sign(self, text: bytes) -> str:
        return self.key.sign(text).hex()


@dataclass(frozen=True)
class Anchor:
    """A file that was written, and the one line worth noting down elsewhere."""

    path: Path
    heads: int
    digest: str


async def anchor(connection: asyncpg.Connection, folder: Path, signer: Signer, now: datetime) -> Anchor:
    """Write where every chain stands into a new file of the folder, bound to the file before it."""
    heads = [
        {"chain": str(row["chain"]), "code": row["code"], "number": row["number"], "hash": row["hash"]}
        for row in await connection.fetch(HEADS)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    earlier = _files(folder)
    said = {
        "made_at": now.astimezone(UTC).isoformat(),
        "previous": {"file": earlier[-1].name, "sha256": _digest(earlier[-1])} if earlier else None,
        "heads": heads,
        "public_key": signer.public,
    }
    document = json.dumps(said | {"signature": signer.sign(_signed(said))}, ensure_ascii=False, indent=1)
    path = folder / f"{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}.anchor.json"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "w", encoding="utf-8") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
    return Anchor(path, len(heads), _digest(path))


async def anchor_of_the_day(
    connection: asyncpg.Connection, folder: Path, signer: Signer, now: datetime
) -> Anchor | None:
    """One file a day however often it is called; `None` where today's is there already. For the daily schedule."""
    there = any(path.name.startswith(f"{now.astimezone(UTC):%Y%m%d}T") for path in _files(folder))
    return None if there else await anchor(connection, folder, signer, now)


async def compare(
    connection: asyncpg.Connection, folder: Path, trusted: Iterable[str], insurer: str | None = None
) -> tuple[int, list[Finding]]:
    """How many anchors there are, and what in the chains is not as they say. `trusted` are public keys.

    A file taken away is missed by the one after it; of the newest, only the copies elsewhere tell.
    """
    findings: list[Finding] = []
    previous: Path | None = None
    files, keys = _files(folder), frozenset(trusted)
    for path in files:
        said = _read(path, keys)
        if said is None:
            findings.append(Finding(None, "", None, Fault.ANCHOR_UNSIGNED, path.name))
        else:
            findings.extend(_unbound(path, said, previous))
            findings.extend(await _differences(connection, path, _of(said["heads"], insurer)))
        previous = path
    return len(files), findings


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
    if previous is None or previous.name != bound["file"] or _digest(previous) != bound["sha256"]:
        return [Finding(None, "", None, Fault.ANCHOR_MISSING, f"{path.name} ← {bound['file']}")]
    return []


def _read(path: Path, trusted: frozenset[str]) -> dict[str, Any] | None:
    """What an anchor says, if one of the trusted keys says it."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        signature = bytes.fromhex(said.pop("signature"))
        key = said["public_key"]
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, _signed(said))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        return None
    return said if key in trusted else None


def _signed(said: dict[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _files(folder: Path) -> list[Path]:
    """Oldest first: their names are their instants."""
    return sorted(folder.glob(PATTERN))


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
