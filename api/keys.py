"""How an API key is made and recognised; who may do what with it is decided in callers.py."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.rows import API_KEYS
from models.contracts.vocabulary import ActorKind

TOKEN = re.compile(r"anze_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", re.ASCII)
SECRET_BYTES = 32  # 256 bits; promises.md section 6 asks for 128 or more


@dataclass(frozen=True)
class Minted:
    """A fresh key: `token` is shown once and never stored."""

    id: UUID
    token: str
    prefix: str
    key_hash: str


def hash_of(token: str) -> str:
    """What is stored and looked up; the secret is long and random, so a plain SHA-256 is enough."""
    return sha256(token.encode()).hexdigest()


def mint() -> Minted:
    prefix = secrets.token_hex(4)
    token = f"anze_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    return Minted(uuid4(), token, prefix, hash_of(token))


@dataclass(frozen=True)
class KeyFor:
    """For whom a key is made: an insurer, a department (a recipient), or an operator."""

    kind: ActorKind
    name: str
    insurer_id: UUID | None = None
    recipient_id: UUID | None = None
    expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()


async def mint_key(connection: AsyncConnection, holder: KeyFor) -> Minted:
    """Make and store a key. The connection's role or settings must allow writing the holder's row."""
    minted = mint()
    row = {
        "id": minted.id,
        "kind": holder.kind,
        "insurer_id": holder.insurer_id,
        "recipient_id": holder.recipient_id,
        "name": holder.name,
        "prefix": minted.prefix,
        "key_hash": minted.key_hash,
        "expires_at": holder.expires_at,
        "scopes": list(holder.scopes),
    }
    await connection.execute(insert(API_KEYS).values(row))
    return minted
