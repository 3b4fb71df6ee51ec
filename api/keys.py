"""How an API key is made and recognised; who may do what with it is decided in callers.py."""

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, func, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit import NOWHERE, AuditEntry, Origin, note
from api.rows import API_KEYS
from models.contracts.base import Actor
from models.contracts.vocabulary import ActorKind, AuditEvent
from models.tables.audit import COMMON_CHAIN

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


def mint(key_id: UUID | None = None) -> Minted:
    prefix = secrets.token_hex(4)
    token = f"anze_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    return Minted(key_id or uuid4(), token, prefix, hash_of(token))


@dataclass(frozen=True)
class KeyFor:
    """For whom a key is made: an insurer, a department (a recipient), or an operator."""

    kind: ActorKind
    name: str
    insurer_id: UUID | None = None
    recipient_id: UUID | None = None
    expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    id: UUID | None = None
    """Given where a form may be sent twice and must make one key."""


COMMAND_LINE = Actor(kind=ActorKind.OPERATOR, id="command-line", name=ActorKind.OPERATOR.label)
"""Who acts where nobody has signed in: whoever may use the command line on the server."""


@dataclass(frozen=True)
class KeyAct:
    """Who makes or ends a key, and from where; `successor_of` is the prefix of the key it takes over from."""

    by: Actor = COMMAND_LINE
    origin: Origin = NOWHERE
    successor_of: str | None = None


ON_THE_SERVER = KeyAct()


async def mint_key(connection: AsyncConnection, holder: KeyFor, act: KeyAct = ON_THE_SERVER) -> Minted:
    """Make and store a key, on record. The connection's role or settings must allow writing the holder's row."""
    minted = mint(holder.id)
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
    what = AuditEvent.KEY_MADE if act.successor_of is None else AuditEvent.KEY_ROTATED
    said = {"kind": holder.kind, "scopes": list(holder.scopes), "expires_at": holder.expires_at}
    said |= {} if act.successor_of is None else {"successor_of": act.successor_of}
    await note(connection, _about_key(what, minted.prefix, holder.insurer_id, act, said))
    return minted


async def rotate_key(
    connection: AsyncConnection,
    key: Row[Any],
    until: datetime,
    act: KeyAct = ON_THE_SERVER,
    new_id: UUID | None = None,
) -> Minted:
    """A new key for the holder of this one (a row of api_keys), which goes on until then, or until its own end."""
    kept = min(until, key.expires_at) if key.expires_at else until
    await connection.execute(update(API_KEYS).where(API_KEYS.c.id == key.id).values(expires_at=kept))
    same = KeyFor(key.kind, key.name, key.insurer_id, key.recipient_id, scopes=tuple(key.scopes), id=new_id)
    if key.expires_at:  # as long as the old one was given for
        same = replace(same, expires_at=until + (key.expires_at - key.created_at))
    return await mint_key(connection, same, replace(act, successor_of=key.prefix))


async def revoke_key(connection: AsyncConnection, key: Row[Any], act: KeyAct = ON_THE_SERVER) -> None:
    """From now on this key (a row of api_keys) is nobody's, on record."""
    await connection.execute(update(API_KEYS).where(API_KEYS.c.id == key.id).values(revoked_at=func.now()))
    await note(connection, _about_key(AuditEvent.KEY_REVOKED, key.prefix, key.insurer_id, act, {}))


def _about_key(what: AuditEvent, prefix: str, insurer_id: UUID | None, act: KeyAct, said: dict[str, Any]) -> AuditEntry:
    chain = insurer_id or COMMON_CHAIN
    return AuditEntry(what, chain, act.by, ("api_key", prefix), said=said, origin=act.origin)
