"""Anchors: signed files outside the database that say where every chain of the audit trail stood; made, not compared.

A superuser of the database can rewrite a whole chain so that it agrees with itself; only something it cannot reach
tells. Copy the files to other storage, or note down their digests: whoever holds ANZE_SECRET could sign anew.
"""

import asyncio
import hmac
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col
from temporalio import activity

from activities.borrowing import as_activity
from models.contracts.ports import Notary
from models.tables.audit import AuditHead
from models.tables.engine import connected, operator
from models.tables.parties import Insurer

PURPOSE = b"anze audit anchors"
"""The signing key is derived from the installation's secret for this purpose alone; it is stored nowhere."""
FOLDER = "anchors"
PATTERN = "*.anchor.json"
HEADS = (
    select(col(AuditHead.chain), col(AuditHead.number), col(AuditHead.hash), col(Insurer.code))
    .join(Insurer, col(Insurer.id) == col(AuditHead.chain), isouter=True)
    .order_by(col(AuditHead.chain))
)


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


class AuditNotary(Notary):
    """Anchors of this installation, in one folder."""

    def __init__(self, engine: AsyncEngine, folder: Path, signer: Signer) -> None:
        self._engine = engine
        self._folder = folder
        self._signer = signer

    @activity.defn(name="链头存证")
    async def anchor_heads(self) -> str:
        """Raises ApplicationError where the database or the folder is away; running again finds the day's file."""
        async with as_activity():
            made = await anchor_of_the_day(self._engine, self._folder, self._signer, datetime.now(UTC))
        return made.path.name if made else ""


@dataclass(frozen=True)
class Anchor:
    """A file that was written, and the one line worth noting down elsewhere."""

    path: Path
    heads: int
    digest: str


async def anchor(engine: AsyncEngine, folder: Path, signer: Signer, now: datetime) -> Anchor:
    """Write where every chain stands into a new file of the folder, bound to the file before it."""
    async with connected(engine) as connection:
        await operator(connection)
        rows = list(await connection.execute(HEADS))
    heads = [{"chain": str(row.chain), "code": row.code or "", "number": row.number, "hash": row.hash} for row in rows]
    return await asyncio.to_thread(_keep, folder, signer, heads, now)


def _keep(folder: Path, signer: Signer, heads: list[dict[str, Any]], now: datetime) -> Anchor:
    folder.mkdir(parents=True, exist_ok=True)
    earlier = files(folder)
    said = {
        "made_at": now.astimezone(UTC).isoformat(),
        "previous": {"file": earlier[-1].name, "sha256": digest(earlier[-1])} if earlier else None,
        "heads": heads,
        "public_key": signer.public,
    }
    document = json.dumps(said | {"signature": signer.sign(signed(said))}, ensure_ascii=False, indent=1)
    path = folder / f"{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}.anchor.json"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "w", encoding="utf-8") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
    return Anchor(path, len(heads), digest(path))


async def anchor_of_the_day(engine: AsyncEngine, folder: Path, signer: Signer, now: datetime) -> Anchor | None:
    """One file a day however often it is called; `None` where today's is there already. For the daily schedule."""
    there = any(path.name.startswith(f"{now.astimezone(UTC):%Y%m%d}T") for path in files(folder))
    return None if there else await anchor(engine, folder, signer, now)


def signed(said: dict[str, Any]) -> bytes:
    """The text a signature stands under: the document without it."""
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def files(folder: Path) -> list[Path]:
    """Oldest first: their names are their instants."""
    return sorted(folder.glob(PATTERN))


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
