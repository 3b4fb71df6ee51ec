"""One archive file: frames in order, sealed where a key is given, and a manifest before the data; not what is in them.

Sealed with AES-256-GCM under a key made for this archive alone (HKDF over a fresh salt). The number of a frame and
whether it is the last are part of its nonce, so that frames cannot be left out, exchanged or cut off unnoticed. One
that is not sealed ends with the SHA-256 of its header and its frames: damage shows, but not who wrote it; who has keys
therefore takes sealed archives only.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.tables.sealed import KEY_BYTES, FieldKeys

MAGIC = b"anze-backup 1\n"
PURPOSE = b"anze/backup"
SALT_BYTES = 32
FRAME = 1024 * 1024  # bytes of data in one frame
DIGEST_BYTES = 32
MOST_HEADER, MOST_FRAME, MOST_MANIFEST = 4096, FRAME + 64, 64 * 1024 * 1024
COUNTER_BYTES = 11
"""Of the twelve bytes of a nonce; the last one says whether more follows."""
CHANGED = "备份文件已损坏或被改动 / the archive is damaged, or was changed"


class Damaged(Exception):
    """Not an archive, cut off, changed, or sealed with a key that is not here; the text is for people."""


@dataclass
class _Sealer:
    """Frames under one archive's key, in their order; without a key, the last one carries the digest of all."""

    cipher: AESGCM | None
    bound: bytes
    number: int = 0

    def __post_init__(self) -> None:
        self._digest = sha256(self.bound)

    def seal(self, data: bytes, last: bool) -> bytes:
        if self.cipher is None:
            return data + self._digested(data, last)
        return self.cipher.encrypt(self._nonce(last), data, self.bound)

    def open(self, data: bytes, last: bool) -> bytes:
        if self.cipher is None:
            plain = data[:-DIGEST_BYTES] if last else data
            if data != plain + self._digested(plain, last):
                raise Damaged(CHANGED)
            return plain
        try:
            return self.cipher.decrypt(self._nonce(last), data, self.bound)
        except InvalidTag:
            raise Damaged(CHANGED) from None

    def _digested(self, data: bytes, last: bool) -> bytes:
        self._digest.update(len(data).to_bytes(4, "big") + data)
        return self._digest.digest() if last else b""

    def _nonce(self, last: bool) -> bytes:
        number, self.number = self.number, self.number + 1
        return number.to_bytes(COUNTER_BYTES, "big") + bytes((last,))


@dataclass
class ArchiveWriter:
    """Writes the manifest, then data as it comes; `close` ends the archive, and without it the archive is cut off."""

    file: BinaryIO
    keys: FieldKeys | None
    digest: str = ""
    written: int = 0
    _waiting: bytearray = field(default_factory=bytearray)
    _hash: Any = field(default_factory=sha256)

    def begin(self, manifest: bytes) -> None:
        """The header, then the manifest as the first of the data."""
        name, salt = (self.keys.current if self.keys else ""), os.urandom(SALT_BYTES)
        header = json.dumps({"key": name, "salt": salt.hex()}).encode()
        self._sealer = _Sealer(_cipher(self.keys, name, salt), MAGIC + header)
        self._put(MAGIC + len(header).to_bytes(4, "big") + header)
        self.write(len(manifest).to_bytes(8, "big") + manifest)

    def write(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) > FRAME:  # never empty afterwards: the last frame is only known at the end
            self._frame(bytes(self._waiting[:FRAME]), last=False)
            del self._waiting[:FRAME]

    def close(self) -> None:
        """The last frame, on disk."""
        self._frame(bytes(self._waiting), last=True)
        self.file.flush()
        os.fsync(self.file.fileno())
        self.digest = self._hash.hexdigest()

    def _frame(self, data: bytes, last: bool) -> None:
        sealed = self._sealer.seal(data, last)
        self._put(len(sealed).to_bytes(4, "big") + bytes((last,)) + sealed)

    def _put(self, data: bytes) -> None:
        self.file.write(data)
        self._hash.update(data)
        self.written += len(data)


@dataclass
class ArchiveReader:
    """Reads an archive from its beginning, once. Everything raises Damaged.

    Given keys, one that is not sealed is refused: anybody may have written it.
    """

    file: BinaryIO
    keys: FieldKeys | None

    def begin(self) -> bytes:
        """The manifest; what follows it are the data."""
        if self._exactly(len(MAGIC)) != MAGIC:
            raise Damaged("不是本系统的备份文件 / not an archive of this system")
        header = self._exactly(self._length(MOST_HEADER))
        try:
            told = json.loads(header)
            name, salt = str(told["key"]), bytes.fromhex(told["salt"])
        except (ValueError, KeyError, TypeError):
            raise Damaged("备份文件的开头无法读取 / the archive's header is not readable") from None
        if self.keys is not None and not name:
            raise Damaged(
                "备份未加密，而这里设了 ANZE_BACKUP_KEYS；确知来历才用 --unsealed / not sealed, but keys are set"
            )
        self._sealer = _Sealer(_cipher(self.keys, name, salt), MAGIC + header)
        self._frames = self._read()
        self._rest = b""
        return self._take(self._manifest_length())

    def data(self) -> Iterator[bytes]:
        """The data, frame by frame; complete only when this ends without an exception."""
        if self._rest:
            yield self._rest
        yield from self._frames

    def _manifest_length(self) -> int:
        length = int.from_bytes(self._take(8), "big")
        if length > MOST_MANIFEST:
            raise Damaged("备份文件的清单过长 / the archive's manifest is too long")
        return length

    def _take(self, number: int) -> bytes:
        while len(self._rest) < number:
            following = next(self._frames, None)
            if following is None:
                raise Damaged("备份文件不完整 / the archive is cut off")
            self._rest += following
        taken, self._rest = self._rest[:number], self._rest[number:]
        return taken

    def _read(self) -> Iterator[bytes]:
        last = False
        while not last:
            length = self._length(MOST_FRAME)
            last = self._exactly(1) == b"\x01"
            yield self._sealer.open(self._exactly(length), last)
        if self.file.read(1):
            raise Damaged("备份文件之后还有内容 / something follows the archive's end")

    def _length(self, most: int) -> int:
        length = int.from_bytes(self._exactly(4), "big")
        if length > most:
            raise Damaged("备份文件已损坏 / the archive is damaged")
        return length

    def _exactly(self, number: int) -> bytes:
        data = self.file.read(number)
        if len(data) != number:
            raise Damaged("备份文件不完整 / the archive is cut off")
        return data


def _cipher(keys: FieldKeys | None, name: str, salt: bytes) -> AESGCM | None:
    if not name:
        return None
    key = keys.keys.get(name) if keys else None
    if key is None:
        raise Damaged(f"备份用密钥 {name} 加密，ANZE_BACKUP_KEYS 中没有它 / sealed with a key that is not here")
    derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=PURPOSE + b"/" + name.encode())
    return AESGCM(derived.derive(key))
