"""Fields sealed one by one with AES-256-GCM under keys that can be rotated; what is sealed where is in claims.py."""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = 1
LOOK_ALIKE = b"anze/look-alike"


class Unreadable(Exception):
    """A sealed field whose key is not here, or that was changed, or that belongs to another row."""


@dataclass(frozen=True)
class FieldOf:
    """Which field of which person of which insurer; sealed with the value, so that no field can be moved."""

    insurer_id: UUID
    ref: UUID
    name: str

    @property
    def bound(self) -> bytes:
        return f"{self.insurer_id}/{self.ref}/{self.name}".encode()


@dataclass(frozen=True, repr=False)
class FieldKeys:
    """The keys of one installation by id; the first seals, all open. Never shown, never logged."""

    keys: Mapping[str, bytes]

    @classmethod
    def parse(cls, text: str) -> "FieldKeys":
        """Read `id:base64,id:base64`, the current key first. Raises ValueError without a word of any key."""
        keys: dict[str, bytes] = {}
        for entry in text.split(","):
            name, colon, encoded = entry.strip().partition(":")
            if not colon or not name.isascii() or not 0 < len(name) <= 32 or name in keys:
                raise ValueError("密钥须写作 编号:base64，编号不得重复 / keys are written id:base64, each id once")
            keys[name] = _key(encoded)
        return cls(keys)

    def __repr__(self) -> str:
        return f"FieldKeys({', '.join(self.keys)})"

    @property
    def current(self) -> str:
        return next(iter(self.keys))

    def seal(self, value: str, of: FieldOf) -> bytes:
        """The value under the current key: version, length and id of the key, nonce, ciphertext with its tag."""
        nonce = os.urandom(NONCE_BYTES)
        return self.head + nonce + AESGCM(self.keys[self.current]).encrypt(nonce, value.encode(), of.bound)

    @property
    def head(self) -> bytes:
        """How everything begins that lies under the current key: version, length and id of the key."""
        name = self.current.encode()
        return bytes((VERSION, len(name))) + name

    def open(self, sealed: bytes, of: FieldOf) -> str:
        """The value as it was sealed. Raises Unreadable, for every kind of reason alike."""
        name, body = _taken_apart(sealed)
        key = self.keys.get(name)
        if key is None:
            raise Unreadable(f"没有密钥 {name} / no such key")
        try:
            return AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], of.bound).decode()
        except (InvalidTag, ValueError) as damaged:
            raise Unreadable("密文已损坏或不属于此处 / damaged, or of another row") from damaged

    def is_current(self, sealed: bytes) -> bool:
        """Whether the field need not be sealed again after a rotation. Raises Unreadable."""
        return _taken_apart(sealed)[0] == self.current

    def look_alike(self, value: str, insurer_id: UUID) -> str:
        """A keyed digest under the current key, by which the same value is found again without being readable."""
        return self.look_alikes(value, insurer_id)[0]

    def look_alikes(self, value: str, insurer_id: UUID) -> list[str]:
        """The digests under every key, the current one first: what to search for after a rotation."""
        plain = f"{insurer_id}/{''.join(value.split()).upper()}".encode()
        return [f"{name}:{_digest(key, plain)}" for name, key in self.keys.items()]


def new_key() -> str:
    """A fresh key as `parse` reads it, without its id."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _key(encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or len(set(key)) < 8:
        raise ValueError(f"密钥须为 {KEY_BYTES} 字节的 base64 / each key is {KEY_BYTES} random bytes in base64")
    return key


def _taken_apart(sealed: bytes) -> tuple[str, bytes]:
    if len(sealed) < 2 + NONCE_BYTES or sealed[0] != VERSION or len(sealed) < 2 + sealed[1] + NONCE_BYTES:
        raise Unreadable("不是密文 / not sealed")
    end = 2 + sealed[1]
    return sealed[2:end].decode("ascii", "replace"), sealed[end:]


def _digest(key: bytes, plain: bytes) -> str:
    own = hmac.new(key, LOOK_ALIKE, hashlib.sha256).digest()  # a key of its own, so that AES keys do one job only
    return hmac.new(own, plain, hashlib.sha256).hexdigest()[:32]
