"""Where handed-in files lie: by digest, outside any web root, known by what their bytes are, never by their name."""

import asyncio
import os
import re
import tempfile
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePosixPath
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.archives import has_few_entries
from api.photographs import JPEG, PNG, WEBP, Photograph, TooManyPixels, Unreadable, made_anew, made_small
from api.problems import Problem, not_found
from api.rows import FILES
from api.scanning import require_clean
from api.tools import Tools
from api.words import FileFault, ProblemCode
from models.contracts.base import CONTROL_CHARACTERS, HIDDEN_CHARACTERS, LINE_BREAKS, Attachment, FileReceipt

PDF, OFD = "application/pdf", "application/ofd"
PICTURES = {JPEG: ".jpg", PNG: ".png", WEBP: ".webp"}
"""What is made anew before it is kept, and how its file name ends."""
HEIC = re.compile(rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL)
UNSPOKEN = {"", "application/octet-stream", "binary/octet-stream"}
MOST_UNPACKED = 200 * 1024 * 1024  # bytes an OFD may unpack to
MOST_RATIO = 200
HEAD_OF_PDF = 1024
NAMELESS = "附件"
LONGEST_NAME = 80
ATTACHMENT = TypeAdapter(Attachment)


@dataclass(frozen=True)
class Kept:
    """A file on its way out."""

    path: Path
    name: str
    media_type: str


@dataclass(frozen=True)
class Acceptable:
    """A file that was looked at and may be kept."""

    attachment: Attachment
    content: bytes


def sniff(content: bytes) -> str | None:
    """What the bytes are; `None` for everything that is not on the short list, HTML, SVG and plain archives too.

    A picture is only known by its beginning here: whether it is one to its end, its making anew will tell.
    """
    if content.startswith(b"%PDF-"):
        return PDF if b"%%EOF" in content[-HEAD_OF_PDF:] else None
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return WEBP
    return OFD if content.startswith(b"PK\x03\x04") and _is_ofd(content) else None


def _is_ofd(content: bytes) -> bool:
    """An OFD document (GB/T 33190) is an archive with OFD.xml at its root; bombs are seen by their own figures."""
    if not has_few_entries(content):
        return False
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    unpacked = sum(entry.file_size for entry in entries)
    small = unpacked <= min(MOST_UNPACKED, MOST_RATIO * max(len(content), 1))
    return small and any(entry.filename == "OFD.xml" for entry in entries)


async def looked_at(tools: Tools, named: tuple[str, str], content: bytes) -> Acceptable:
    """Bytes that may be kept: of a known kind, photographs made anew, clean. Best done outside any transaction.

    A photograph's digest therefore differs from the one its sender computed. Raises Problem 413, 422 or 503.
    """
    name, declared = named
    if len(content) > tools.budgets.file:
        raise Problem(ProblemCode.TOO_LARGE)
    media_type = _recognised(content, declared.lower())
    if media_type in PICTURES:
        picture = await _developed(content, media_type)
        name, content, media_type = _renamed(name, media_type, picture.media_type), picture.content, picture.media_type
    await require_clean(tools, content)
    return Acceptable(_named(sha256(content).hexdigest(), name, media_type), content)


async def store(tools: Tools, connection: AsyncConnection, insurer_id: UUID, found: Acceptable) -> FileReceipt:
    """Keep it under its SHA-256; twice the same bytes are one file. The transaction must see the insurer's rows."""
    file = found.attachment
    await asyncio.to_thread(_write, place(tools.files, file.digest), found.content)
    size = len(found.content)
    row = {"digest": file.digest, "insurer_id": insurer_id, "name": file.name, "media_type": file.media_type}
    await connection.execute(insert(FILES).values(row | {"size": size}).on_conflict_do_nothing())
    return FileReceipt(digest=file.digest, size=size, media_type=file.media_type)


def _recognised(content: bytes, declared: str) -> str:
    """What it is, by its bytes; a picture may be called by another picture's type, as telephones do."""
    media_type = sniff(content)
    if media_type is None:
        raise Problem(ProblemCode.FILE_REFUSED, FileFault.HEIC.label if HEIC.match(content) else "")
    called = UNSPOKEN | {media_type}
    if declared not in called and not (media_type in PICTURES and declared.startswith("image/")):
        raise Problem(ProblemCode.FILE_REFUSED)
    return media_type


async def _developed(content: bytes, media_type: str) -> Photograph:
    try:
        return await made_anew(content, media_type)
    except TooManyPixels:
        raise Problem(ProblemCode.FILE_REFUSED, FileFault.TOO_MANY_PIXELS.label) from None
    except Unreadable:
        raise Problem(ProblemCode.FILE_REFUSED, FileFault.UNREADABLE.label) from None


def _renamed(name: str, before: str, after: str) -> str:
    """A name that says what the file has become."""
    return name if before == after else name.removesuffix(PICTURES[before]) + PICTURES[after]


def display_name(sent: str) -> str:
    """What a browser called a file, without path, control characters and excess: in a form nobody can mend it."""
    path = PurePosixPath(LINE_BREAKS.sub(" ", sent).replace("\\", "/"))
    clean = CONTROL_CHARACTERS.sub("", HIDDEN_CHARACTERS.sub("", path.name)).strip()
    stem, suffix = PurePosixPath(clean).stem, PurePosixPath(clean).suffix[:10]
    return f"{stem[:LONGEST_NAME]}{suffix}" if stem and clean not in {".", ".."} else NAMELESS


async def small(kept: Kept) -> Path:
    """Where the small picture of a kept photograph lies: beside it, made the first time somebody looks."""
    path = kept.path.with_name(f"{kept.path.name}.small")
    if not path.exists():
        await asyncio.to_thread(_write, path, await made_small(await asyncio.to_thread(kept.path.read_bytes)))
    return path


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
