"""Where handed-in files lie: by digest, outside any web root, known by what their bytes are, never by their name."""

import asyncio
import os
import tempfile
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.photographs import without_place
from api.problems import Problem, not_found
from api.rows import FILES
from api.tools import Tools
from api.words import ProblemCode
from models.contracts.base import Attachment
from models.contracts.policy import FileReceipt

PDF, PNG, JPEG, OFD = "application/pdf", "image/png", "image/jpeg", "application/ofd"
UNSPOKEN = {"", "application/octet-stream", "binary/octet-stream"}
MOST_ENTRIES = 2000
MOST_UNPACKED = 200 * 1024 * 1024  # bytes an OFD may unpack to
MOST_RATIO = 200
HEAD_OF_PDF = 1024
ATTACHMENT = TypeAdapter(Attachment)


@dataclass(frozen=True)
class Kept:
    """A file on its way out."""

    path: Path
    name: str
    media_type: str


def sniff(content: bytes) -> str | None:
    """What the bytes are; `None` for everything that is not on the short list, HTML, SVG and plain archives too."""
    if content.startswith(b"%PDF-"):
        return PDF if b"%%EOF" in content[-HEAD_OF_PDF:] else None
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG if content.rstrip(b"\x00").endswith(b"IEND\xaeB`\x82") else None
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG if content.rstrip(b"\x00").endswith(b"\xff\xd9") else None
    return OFD if content.startswith(b"PK\x03\x04") and _is_ofd(content) else None


def _is_ofd(content: bytes) -> bool:
    """An OFD document (GB/T 33190) is an archive with OFD.xml at its root; bombs are seen by their own figures."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    unpacked = sum(entry.file_size for entry in entries)
    small = len(entries) <= MOST_ENTRIES and unpacked <= min(MOST_UNPACKED, MOST_RATIO * max(len(content), 1))
    return small and any(entry.filename == "OFD.xml" for entry in entries)


async def keep(
    tools: Tools, connection: AsyncConnection, insurer_id: UUID, named: tuple[str, str], content: bytes
) -> FileReceipt:
    """Store bytes under their SHA-256 for one insurer; `named` is (file name, declared media type or "").

    Photographs lose the place they were taken at, so a receipt's digest may differ from the one the sender computed.
    Twice the same bytes are one file. The transaction must see the insurer's rows. Raises Problem 413 or 422.
    """
    name, declared = named
    if len(content) > tools.budgets.file:
        raise Problem(ProblemCode.TOO_LARGE)
    media_type = sniff(content)
    if media_type is None or (declared.lower() not in UNSPOKEN and declared.lower() != media_type):
        raise Problem(ProblemCode.FILE_REFUSED)
    if media_type == JPEG:
        content = without_place(content)
    digest = sha256(content).hexdigest()
    attachment = _named(digest, name, media_type)
    await asyncio.to_thread(_write, place(tools.files, digest), content)
    row = {
        "digest": digest,
        "insurer_id": insurer_id,
        "name": attachment.name,
        "media_type": media_type,
        "size": len(content),
    }
    await connection.execute(insert(FILES).values(row).on_conflict_do_nothing())
    return FileReceipt(digest=digest, size=len(content), media_type=media_type)


async def kept(tools: Tools, connection: AsyncConnection, insurer_id: UUID, digest: str) -> Kept:
    """A file this insurer handed in; 404 for any other digest."""
    found = select(*FILES.c["name", "media_type"]).where(FILES.c.insurer_id == insurer_id, FILES.c.digest == digest)
    row = (await connection.execute(found)).one_or_none()
    if row is None:
        raise not_found()
    return Kept(place(tools.files, digest), row.name, row.media_type)


async def read_body(chunks: AsyncIterator[bytes], most: int) -> bytes:
    """A raw body as long as it stays within the limit."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > most:
            raise Problem(ProblemCode.TOO_LARGE)
    return bytes(body)


def place(files: Path, digest: str) -> Path:
    return files / digest[:2] / digest


def _named(digest: str, name: str, media_type: str) -> Attachment:
    try:
        return ATTACHMENT.validate_python({"digest": digest, "name": name, "media_type": media_type})
    except ValidationError:
        raise Problem(ProblemCode.FILE_REFUSED) from None


def _write(path: Path, content: bytes) -> None:
    """All or nothing: written beside, flushed to disk, then renamed."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    handle, beside = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
